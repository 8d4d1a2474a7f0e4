"""Who may do what to a submission, and when: a pure function of the person and of what has happened so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from leaderboard.people import Person
from leaderboard.records import AmendmentKind, Event, State, Submission
from leaderboard.submissions.history import (
    amendments_of,
    is_flagged,
    is_hidden,
    is_lifted,
    is_paused,
    states_of,
    suspicion_of,
    withdrawal_of,
)
from leaderboard.submissions.quotas import MAINTAINER
from leaderboard.submissions.states import ENDED, NEXT


class Action(StrEnum):
    """What people may do to a submission that was entered."""

    CANCEL = "cancel"
    """Stop its runs; what was finished is kept."""
    RETRY = "retry"
    """Take up again what failed or was cancelled, where it stopped."""
    WITHDRAW = "withdraw"
    """Stop its runs and show it no more, for good."""
    CORRECT = "correct"
    """Replace what was declared of the model."""
    DISPUTE = "dispute"
    """Say that a verdict, or something else about its result, is wrong."""
    ANSWER = "answer"
    """Answer a dispute."""
    LIFT = "lift"
    """Put it before all that are not lifted."""
    PAUSE = "pause"
    """Keep workers from it until it is resumed."""
    RESUME = "resume"
    """End a pause."""
    FLAG = "flag"
    """Put a mark on its results, which then do not rank."""
    CLEAR = "clear"
    """Take the mark away, or answer what a program suspected."""
    HIDE = "hide"
    """Take its results off the board until they are shown again."""
    SHOW = "show"
    """Put them back."""


OF_MAINTAINERS = frozenset(
    {
        *(Action.ANSWER, Action.LIFT, Action.PAUSE, Action.RESUME),
        *(Action.FLAG, Action.CLEAR, Action.HIDE, Action.SHOW),
    }
)
"""What submitters themselves may not do."""


class _Situation(NamedTuple):
    """What decides whether something can be done now."""

    states: frozenset[State]
    events: tuple[Event, ...]

    @property
    def open(self) -> bool:
        """Whether a run has not ended."""
        return not self.states <= ENDED

    @property
    def stoppable(self) -> bool:
        """Whether a run can still be cancelled."""
        return any(State.CANCELLED in NEXT[state] for state in self.states)


_NEEDS: Mapping[Action, tuple[Callable[[_Situation], bool], str]] = {
    Action.CANCEL: (lambda now: now.stoppable, "nothing of it can be stopped any more"),
    Action.RETRY: (lambda now: bool(now.states & {State.FAILED, State.CANCELLED}), "no run failed or was cancelled"),
    Action.WITHDRAW: (lambda _: True, ""),
    Action.CORRECT: (lambda _: True, ""),
    Action.DISPUTE: (lambda now: State.PUBLISHED in now.states, "there is no result yet"),
    Action.ANSWER: (lambda now: bool(amendments_of(now.events, AmendmentKind.DISPUTED)), "nothing of it is disputed"),
    Action.LIFT: (lambda now: now.open and not is_lifted(now.events), "it has ended or is lifted already"),
    Action.PAUSE: (lambda now: now.open and not is_paused(now.events), "it has ended or is paused already"),
    Action.RESUME: (lambda now: is_paused(now.events), "it is not paused"),
    Action.FLAG: (
        lambda now: State.PUBLISHED in now.states and not is_flagged(now.events),
        "there is no result yet, or it is flagged already",
    ),
    Action.CLEAR: (
        lambda now: is_flagged(now.events) or suspicion_of(now.events) is not None,
        "it is not flagged, and nothing is suspected",
    ),
    Action.HIDE: (lambda now: not is_hidden(now.events), "it is hidden already"),
    Action.SHOW: (lambda now: is_hidden(now.events), "it is not hidden"),
}
"""What each action needs, and what is said where that is missing."""


def may(person: Person, action: Action, submission: Submission, events: Iterable[Event]) -> bool:
    """Says whether a person may do something to a submission now."""
    return refusal(person, action, submission, events) is None


def refusal(person: Person, action: Action, submission: Submission, events: Iterable[Event]) -> str | None:
    """Returns why a person may not do something to a submission now, as a sentence; None if he or she may.

    Args:
        person: Who wants to, as the server knows the person.
        action: What.
        submission: To what.
        events: All that has happened to it so far.
    """
    history = tuple(events)
    if action in OF_MAINTAINERS and not person.maintainer:
        return f"Only maintainers may {action} a submission."
    if not is_theirs(person, submission):
        return f"Only {submission.submitter} and maintainers may {action} this submission."
    if withdrawal_of(history):
        return "It was withdrawn, and that is for good."
    possible, otherwise = _NEEDS[action]
    if not possible(_Situation(frozenset(states_of(history).values()), history)):
        return f"It is too early or too late to {action} this submission: {otherwise}."
    return None


def is_theirs(person: Person, submission: Submission) -> bool:
    """Says whether a submission is a person's; whatever the command line entered is that of all maintainers."""
    return person.maintainer or (person.name == submission.submitter and person.name != MAINTAINER)
