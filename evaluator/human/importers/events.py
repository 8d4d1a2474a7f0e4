"""What an importer meets in a source, one event after the other."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import ValidationError


class Reason(StrEnum):
    """Why something of the source is not in the data set."""

    UNREADABLE = "unreadable"
    """A line that is no row: broken JSON or UTF-8, too long, too deep, too many cells."""
    INVALID = "invalid"
    """A row that lacks something, or holds what cannot be: a rating of 6, a name with a slash."""
    UNKNOWN_VALUE = "unknown_value"
    """A value that the column map does not name."""
    UNKNOWN_ITEM = "unknown_item"
    """It belongs to an item that is not among the items of the source."""
    UNKNOWN_REFERENCE = "unknown_reference"
    """It refers to a row, or to a turn, that neither the source nor the data set has."""
    MISMATCH = "mismatch"
    """It contradicts what it refers to: another user, another prompt, more labels than attributes."""
    UNANSWERED = "unanswered"
    """The annotator left it open."""
    FLAGGED = "flagged"
    """The annotator flagged the item as broken."""
    ADMIN = "admin"
    """Written by the tool's administrator, who is no annotator."""
    CONFLICT = "conflict"
    """The data set has a row of this name that says something else; that one stays."""


class Remark(StrEnum):
    """What is worth knowing of something that was placed, or of what is never placed."""

    NOTE_DROPPED = "note_dropped"
    """Somebody's own words, which were not asked for."""
    NOTE_WITHOUT_PLACE = "note_without_place"
    """Words on a whole item, such as on attributes that are missing: no label can hold them."""
    MOMENT_DROPPED = "moment_dropped"
    """A time of day without a time zone, which is no moment."""
    EVIDENCE_DROPPED = "evidence_dropped"
    """Evidence that points outside the conversations, or to another user's; its attribute stays."""
    NO_EVIDENCE = "no_evidence"
    """An attribute without evidence: it cannot be verified."""
    UNMAPPED_COLUMN = "unmapped_column"
    """A column that the column map neither uses nor ignores."""
    NO_GOLD = "no_gold"
    """A record without verified memories, of which the conversations alone are taken."""
    CANDIDATE_REWORDED = "candidate_reworded"
    """A candidate of whose id there is a verified memory, in other words."""
    CANDIDATE_ABSENT = "candidate_absent"
    """A candidate that is not among the verified memories; nobody says why."""


class Draft(NamedTuple):
    """A row for one of the tables, not yet checked."""

    table: str
    fields: Mapping[str, Any]
    """JSON values by field of the table's record."""
    place: str
    """Where it stands in the source, such as `labels.csv:17`."""


class Missed(NamedTuple):
    """Something that cannot become a row."""

    reason: Reason
    place: str
    table: str = ""
    """The table that it was for; empty if it never came that far."""
    said: str = ""
    """What is wrong, in one sentence without a name, an id or a text of the source."""


class Noted(NamedTuple):
    """A remark on a place."""

    remark: Remark
    place: str
    said: str = ""


Event = Draft | Missed | Noted


def said_of(error: ValidationError) -> str:
    """Says what is wrong with a row: its first fault, by our own name of the field and without what stands there."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    # Further parts of the place are names inside a stranger's objects, which may be anything.
    return f"{first['loc'][0] if first['loc'] else 'row'}: {first['msg']}."
