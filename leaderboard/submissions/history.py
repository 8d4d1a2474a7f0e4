"""A submission with all that has happened to it, and what follows from that: pure functions of the list of events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any, Literal, NamedTuple

from pydantic import model_validator

from evaluator.records import Record
from leaderboard.records import Amendment, AmendmentKind, Declaration, Event, State, Submission, Transition
from leaderboard.submissions.states import ENDED, submission_state


class History(Record):
    """One submission with its events, oldest first; in this form the store keeps it."""

    schema_version: Literal[1] = 1
    submission: Submission
    events: tuple[Event, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_before_amendments(cls, value: Any) -> Any:
        """Reads what was kept when transitions were the only events."""
        if isinstance(value, dict) and "transitions" in value:
            return {("events" if name == "transitions" else name): part for name, part in value.items()}
        return value

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The steps of its runs, oldest first."""
        return tuple(event for event in self.events if isinstance(event, Transition))

    @property
    def states(self) -> dict[str, State]:
        """Where each of its runs is, by id: where its last step led."""
        return states_of(self.events)

    @property
    def state(self) -> State:
        """The submission's state, derived from its runs."""
        return submission_state(self.states.values())

    @property
    def ended(self) -> bool:
        """Whether all of its runs have ended."""
        return self.state in ENDED

    @property
    def withdrawn(self) -> bool:
        """Whether it was withdrawn, which cannot be taken back."""
        return withdrawal_of(self.events) is not None

    @property
    def declaration(self) -> Declaration:
        """What is declared of the model, corrections included."""
        return effective_declaration(self.submission, self.events)

    @property
    def corrected(self) -> Submission:
        """The submission as if it had been handed in with what is declared by now."""
        return self.submission.model_copy(update={"declaration": self.declaration})


def states_of(events: Iterable[Event]) -> dict[str, State]:
    """Returns where runs are, by id: where their last step led."""
    return {event.run_id: event.after for event in events if isinstance(event, Transition)}


def amendments_of(events: Iterable[Event], *kinds: AmendmentKind) -> list[Amendment]:
    """Returns the amendments of some kinds, oldest first; of all kinds if none is named."""
    return [event for event in events if isinstance(event, Amendment) and (not kinds or event.kind in kinds)]


def effective_declaration(submission: Submission, events: Iterable[Event]) -> Declaration:
    """Returns what is declared of a model: the last correction counts."""
    corrections = amendments_of(events, AmendmentKind.CORRECTED)
    declared = corrections[-1].declaration if corrections else None
    return declared or submission.declaration


def withdrawal_of(events: Iterable[Event]) -> Amendment | None:
    """Returns the first withdrawal, None if there is none; it cannot be taken back."""
    return next(iter(amendments_of(events, AmendmentKind.WITHDRAWN)), None)


def is_lifted(events: Iterable[Event]) -> bool:
    """Says whether a maintainer has put a submission before all that are not lifted."""
    return bool(amendments_of(events, AmendmentKind.LIFTED))


def is_paused(events: Iterable[Event]) -> bool:
    """Says whether a maintainer wants workers to leave a submission alone for now."""
    turns = amendments_of(events, AmendmentKind.PAUSED, AmendmentKind.RESUMED)
    return bool(turns) and turns[-1].kind is AmendmentKind.PAUSED


def is_flagged(events: Iterable[Event]) -> bool:
    """Says whether a submission's results carry a mark, and so do not rank."""
    return flag_of(events) is not None


def flag_of(events: Iterable[Event]) -> Amendment | None:
    """Returns the flag that stands; None if there is none, or it was cleared."""
    return _standing(events, AmendmentKind.FLAGGED, AmendmentKind.CLEARED)


def is_hidden(events: Iterable[Event]) -> bool:
    """Says whether a submission's results are off the board until they are shown again."""
    return hiding_of(events) is not None


def hiding_of(events: Iterable[Event]) -> Amendment | None:
    """Returns the hiding that stands; None if there is none, or its results are shown again."""
    return _standing(events, AmendmentKind.HIDDEN, AmendmentKind.SHOWN)


def suspicion_of(events: Iterable[Event]) -> Amendment | None:
    """Returns the last suspicion that nobody has decided about: no flag, clearing, hiding or withdrawal follows it."""
    return _standing(events, AmendmentKind.SUSPECTED, *_DECIDES)


_DECIDES = (AmendmentKind.FLAGGED, AmendmentKind.CLEARED, AmendmentKind.HIDDEN, AmendmentKind.WITHDRAWN)
"""What answers a suspicion."""


def _standing(events: Iterable[Event], kind: AmendmentKind, *enders: AmendmentKind) -> Amendment | None:
    """Returns the last amendment of a kind that none of some others follows."""
    turns = amendments_of(events, kind, *enders)
    return turns[-1] if turns and turns[-1].kind is kind else None


class Merged(NamedTuple):
    """What is true of a submission after its events in Redis were compared with those in the store."""

    events: tuple[Event, ...]
    dropped: tuple[Event, ...]
    """Events that stood in Redis alone and do not follow from what the store holds."""


def merge(saved: Sequence[Event], live: Sequence[Event]) -> Merged:
    """Merges the events that the store holds with those that Redis holds.

    The store's count, under the numbers that it has. Those of Redis beyond them go on from there only if all before
    them are the store's: otherwise Redis came back as an older copy, and they happened to a past that was not.

    Example:
        >>> merge((), ())
        Merged(events=(), dropped=())
    """
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(saved, live, strict=False)))
    if common == len(saved):
        return Merged(tuple(live), ())
    return Merged(tuple(saved), tuple(live[common:]))
