"""Which steps a run may take, as one pure table; everything that moves a run asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from leaderboard.records import State

NEXT: Mapping[State, frozenset[State]] = {
    State.CHECKING: frozenset({State.QUEUED, State.FAILED, State.CANCELLED}),
    State.QUEUED: frozenset({State.GENERATING, State.FAILED, State.CANCELLED}),
    State.GENERATING: frozenset({State.JUDGING, State.QUEUED, State.FAILED, State.CANCELLED}),
    State.JUDGING: frozenset({State.SCORING, State.QUEUED, State.FAILED, State.CANCELLED}),
    State.SCORING: frozenset({State.PUBLISHING, State.QUEUED, State.FAILED, State.CANCELLED}),
    State.PUBLISHING: frozenset({State.PUBLISHED, State.QUEUED, State.FAILED}),
    State.PUBLISHED: frozenset(),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}
"""For each state, the states that may follow; `queued` after work began means that it is taken up again."""

ENDED = frozenset({State.PUBLISHED, State.FAILED, State.CANCELLED})
"""States in which nothing more happens by itself."""

IN_WORK = frozenset({State.QUEUED, State.GENERATING, State.JUDGING})
"""States in which a run is in the hands of workers; before them it is the service's, after them the publisher's."""

_PROGRESS = tuple(State)


class IllegalTransition(ValueError):
    """A step that the table does not allow."""


def check_step(before: State, after: State) -> None:
    """Lets a step pass or refuses it.

    Raises:
        IllegalTransition: If `after` may not follow `before`.

    Example:
        >>> check_step(State.QUEUED, State.GENERATING)
        >>> check_step(State.PUBLISHED, State.QUEUED)
        Traceback (most recent call last):
        ...
        leaderboard.submissions.states.IllegalTransition: a run cannot go from published to queued
    """
    if after not in NEXT[before]:
        raise IllegalTransition(f"a run cannot go from {before} to {after}")


def submission_state(runs: Iterable[State]) -> State:
    """Returns a submission's state: that of the run that is furthest behind, and once all have ended, the worst.

    Raises:
        ValueError: If there are no runs.

    Example:
        >>> submission_state([State.PUBLISHED, State.JUDGING])
        <State.JUDGING: 'judging'>
        >>> submission_state([State.PUBLISHED, State.FAILED])
        <State.FAILED: 'failed'>
    """
    states = list(runs)
    if not states:
        raise ValueError("a submission has at least one run")
    going = [state for state in states if state not in ENDED]
    if going:
        return min(going, key=_PROGRESS.index)
    return next((worst for worst in (State.FAILED, State.CANCELLED) if worst in states), State.PUBLISHED)
