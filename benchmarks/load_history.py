"""Many submissions that ended long ago, as the archive keeps them: what a leaderboard has after some years."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Sequence

from evaluator.errors import Cause
from evaluator.facts import ModelFacts
from evaluator.records import Terms
from leaderboard.records import Declaration, Failure, Relation, State, Submission, TrainingData, Transition, now
from leaderboard.store.base import Operation, Store
from leaderboard.submissions import journal
from leaderboard.submissions.history import History

_AT_ONCE = 500
_TERMS = Terms(visibility="public", season="2026", licence=None, redistributable=True, personal_data="pseudonymous")
_DECLARED = Declaration(
    relation=Relation.NONE, training_data=TrainingData.NEITHER, thinking=False, publish_answers=True
)
_FACTS = ModelFacts(architecture="LlamaForCausalLM", parameters=64, weight_bytes=128, licence="apache-2.0")
_WORKING = (State.CHECKING, State.QUEUED, State.GENERATING)
_PUBLISHED = (*_WORKING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED)
_ENDS: Sequence[tuple[State, ...]] = (
    *[_PUBLISHED] * 8,
    (*_WORKING, State.FAILED),
    (State.CHECKING, State.QUEUED, State.CANCELLED),
)
"""What of ten submissions became."""
_WHY = {
    State.FAILED: Failure(cause=Cause.LOAD_ERROR, message="The model could not be loaded.", remedy="Save it again."),
    State.CANCELLED: Failure(cause=Cause.CANCELLED, message="It was stopped.", remedy="Retry to go on."),
}
_YOUNGEST = datetime.timedelta(days=30)
_APART = datetime.timedelta(minutes=40)


def write_history(store: Store, count: int) -> None:
    """Saves submissions of 500 people that ended between a month and, at 10,000 of them, ten months ago."""
    newest = now() - _YOUNGEST
    histories = (_ended(number, newest - number * _APART) for number in range(count))
    for writes in _pieces(histories, count):
        store.commit(writes, f"journal of {len(writes)} submissions")


def _pieces(histories: Iterator[History], count: int) -> Iterator[list[Operation]]:
    """Yields the files of some histories at a time."""
    for start in range(0, count, _AT_ONCE):
        many = min(_AT_ONCE, count - start)
        yield [write for _ in range(many) for write in journal.files_of(next(histories))]


def _ended(number: int, at: datetime.datetime) -> History:
    """Returns a submission that has ended, one run a submission."""
    name = hashlib.sha256(str(number).encode()).hexdigest()
    submission = Submission(
        id=f"s-{at:%Y%m%d}-{name[:8]}",
        model=f"history/model-{number}",
        revision=name[:40],
        adapter=None,
        adapter_revision=None,
        submitter=f"author-{number % 500}",
        declaration=_DECLARED,
        protocols=("demo-v1",),
        created_at=at,
        terms=_TERMS,
        facts=_FACTS,
    )
    return History(submission=submission, events=tuple(_steps(submission, _ENDS[number % len(_ENDS)])))


def _steps(submission: Submission, states: Sequence[State]) -> Iterator[Transition]:
    """Yields the steps of its run through some states, a minute apart."""
    (run_id,) = submission.run_ids()
    for place, state in enumerate(states):
        yield Transition(
            run_id=run_id,
            sequence=place + 1,
            before=states[place - 1] if place else None,
            after=state,
            at=submission.created_at + datetime.timedelta(minutes=place),
            actor=submission.submitter if place < 2 else "worker",
            failure=_WHY.get(state),
        )
