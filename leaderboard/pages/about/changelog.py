"""What readers of the site notice of its changes: dates, and whether a figure that stood there has moved.

What changes for those who run a site stands in CHANGELOG.md; who entered, left or moved on the board, on `/changes`.
A change of a protocol, a judge or a formula gets a line here.
"""

from __future__ import annotations

import datetime
from typing import NamedTuple


class Change(NamedTuple):
    """One change."""

    day: datetime.date
    what: str
    figures: str
    """What it does to figures that were there before."""


_NONE = "unchanged."


def _day(day: int) -> datetime.date:
    return datetime.date(2026, 11, day)


CHANGES: tuple[Change, ...] = (
    Change(
        _day(23),
        "Any reader who is logged in may object to a single answer; what maintainers accept of it stands there.",
        _NONE,
    ),
    Change(
        _day(23),
        "The board shows one table at a time, with search, filters and a choice of columns, all of it in the address; "
        "human agreement has a page of its own, and /changes says who entered, left or moved.",
        _NONE,
    ),
    Change(
        _day(23),
        "Scorecards tell a model's size, licence, context and family, as they were when it was handed in.",
        _NONE,
    ),
    Change(
        _day(22),
        "/judges shows how far each judge can be trusted, and the board can be seen under any judge, each with ranks "
        "of its own. Official ranks stay those of the official judge.",
        _NONE,
    ),
    Change(
        _day(22),
        "Answers that seem made for a judge are noted at their submission.",
        "unchanged: scorecard and rank stay as they are until a maintainer decides.",
    ),
    Change(
        _day(22),
        "Judges are checked with canaries; one that falls for them may not rank.",
        _NONE,
    ),
    Change(
        _day(22),
        "What looks like a label or a verdict in an answer is set in quotation marks before HiCUPID's judge reads it, "
        "in gold alike (rules neutral-v1).",
        "verdicts name these rules, so that none given under others counts as one of them.",
    ),
    Change(
        _day(22),
        "The synthetic-to-human gap: verification, relevance and extraction are asked of HiCUPID's made-up users "
        "as well.",
        "new ones; none that was there changed.",
    ),
    Change(
        _day(22),
        "Three stages that people have labelled: verification, relevance and rating, with one more human and the noise "
        "ceiling beside each figure; anybody may label at /label.",
        "new ones; none that was there changed.",
    ),
    Change(
        _day(21),
        "HiCUPID in full: the protocol official-v1 and those beside it, intervals clustered by user, ranks that hold "
        "for a whole ranking at once.",
        "the first ones.",
    ),
)
"""Newest first."""
