"""What a maintainer may have to look after at a submission: pure functions of what has happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from leaderboard.records import Amendment, AmendmentKind, Event
from leaderboard.submissions.history import (
    History,
    amendments_of,
    is_flagged,
    is_hidden,
    is_lifted,
    is_paused,
    suspicion_of,
)
from leaderboard.submissions.states import ENDED


class Mark(StrEnum):
    """Something about a submission that a list can be asked for."""

    DISPUTED = "disputed"
    """A dispute of it waits for an answer."""
    SUSPECTED = "suspected"
    """A program finds its answers odd, and nobody has decided about that."""
    FLAGGED = "flagged"
    HIDDEN = "hidden"
    PAUSED = "paused"
    LIFTED = "lifted"
    """It goes before others, and has not ended."""
    WITHDRAWN = "withdrawn"


SAYS: Mapping[Mark, str] = {
    Mark.DISPUTED: "disputed, not answered",
    Mark.SUSPECTED: "suspected, not decided",
    Mark.FLAGGED: "flagged",
    Mark.HIDDEN: "hidden",
    Mark.PAUSED: "paused",
    Mark.LIFTED: "lifted",
    Mark.WITHDRAWN: "withdrawn",
}
"""What each is called in a list."""


def marks_of(history: History) -> frozenset[Mark]:
    """Returns the marks of a submission; one that was withdrawn has no other, for nothing more can be done to it."""
    if history.withdrawn:
        return frozenset({Mark.WITHDRAWN})
    events = history.events
    holds = {
        Mark.DISPUTED: bool(open_disputes(events)),
        Mark.SUSPECTED: suspicion_of(events) is not None,
        Mark.FLAGGED: is_flagged(events),
        Mark.HIDDEN: is_hidden(events),
        Mark.PAUSED: is_paused(events),
        Mark.LIFTED: is_lifted(events) and history.state not in ENDED,
    }
    return frozenset(mark for mark, is_so in holds.items() if is_so)


def open_disputes(events: Iterable[Event]) -> tuple[Amendment, ...]:
    """Returns the disputes that nobody has answered, oldest first.

    An answer is to all disputes before it that are about the same. One that names nothing is to those that name
    nothing, and to all if there is none of these.
    """
    waiting: list[Amendment] = []
    for event in amendments_of(events, AmendmentKind.DISPUTED, AmendmentKind.ANSWERED):
        if event.kind is AmendmentKind.DISPUTED:
            waiting.append(event)
            continue
        left = [each for each in waiting if each.about != event.about]
        named_nothing = event.about is None and len(left) == len(waiting)
        waiting = [] if named_nothing else left
    return tuple(waiting)
