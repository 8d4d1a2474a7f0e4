"""What stays of something that was taken out of the stores for good."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from evaluator.identity import digest
from evaluator.records import Record
from leaderboard.records import Moment

TAKEDOWNS = "takedowns"
"""Folder of the archive."""


class TakedownKind(StrEnum):
    """What may be taken down."""

    MODEL = "model"
    """All rows and scorecards of a model."""
    SUBMISSION = "submission"
    """Those of one of its submissions."""
    ANSWER = "answer"
    """The text of an answer, wherever it stands: what was found of it stays."""
    PERSON = "person"
    """All labels and verdicts of a person, by the pseudonym; or all objections, by the name on the Hub."""


class Takedown(Record):
    """Something was taken out of the stores for good: what, when, by whom and why, and nothing of what it said."""

    schema_version: Literal[1] = 1
    kind: TakedownKind
    name: str = Field(min_length=1, max_length=200)
    """The model, the submission, the answer's content hash, or the person's pseudonym or name on the Hub."""
    at: Moment
    submissions: tuple[str, ...] = ()
    """Those whose results changed by it, or went."""
    actor: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=1000)


def takedown_path(kind: TakedownKind, name: str) -> str:
    """Where it is noted that something was taken down.

    Example:
        >>> takedown_path(TakedownKind.MODEL, "org/model")[:24]
        'takedowns/model/d0/d0f6d'
    """
    key = digest({"kind": kind, "name": name})
    return f"{TAKEDOWNS}/{kind}/{key[:2]}/{key}.json"
