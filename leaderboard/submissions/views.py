"""What people see of submissions, and how much of it is read at once: a few round trips, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from redis import Redis
from redis.client import Pipeline

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.records import Declaration, Event, Failure, State, Submission, Transition
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from leaderboard.submissions.history import History, effective_declaration
from leaderboard.submissions.states import submission_state

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


class Progress(NamedTuple):
    """How far a run is, in rows; None until the run has been planned."""

    generations: int
    items: int | None
    verdicts: int
    verdicts_wanted: int | None

    @property
    def share(self) -> float:
        """Part of all rows that is done, in 0..1."""
        wanted = (self.items or 0) + (self.verdicts_wanted or 0)
        return min(1.0, (self.generations + self.verdicts) / wanted) if wanted else 0.0


class RunView(NamedTuple):
    """One run as people see it."""

    id: str
    state: State
    progress: Progress
    transitions: tuple[Transition, ...]

    @property
    def failure(self) -> Failure | None:
        """Why the run failed or was stopped, if that is its present state."""
        return self.transitions[-1].failure if self.state in (State.FAILED, State.CANCELLED) else None


class SubmissionView(NamedTuple):
    """One submission as people see it."""

    submission: Submission
    runs: tuple[RunView, ...]
    saved: bool
    """Whether the store holds its latest change."""
    events: tuple[Event, ...] = ()
    """All that has happened to it, oldest first: the steps of its runs, and what people have said about it."""

    @property
    def state(self) -> State:
        """The submission's state, derived from its runs."""
        return submission_state(run.state for run in self.runs)

    @property
    def declaration(self) -> Declaration:
        """What is declared of the model, corrections included."""
        return effective_declaration(self.submission, self.events)


def read_events(lines: Iterable[object], submission_id: str) -> tuple[Event, ...]:
    """Reads the events of a submission.

    Raises:
        RapportError: `data_error` naming the submission if one is no event of this version.
    """
    try:
        return tuple(_EVENT.validate_json(text(line)) for line in lines)
    except ValidationError as error:
        raise RapportError(
            Cause.DATA_ERROR,
            f"What is stored as {keys.events(submission_id)} is no event: {error.errors()[0]['msg']}.",
            "Remove the key: what the store holds of it comes back when the publisher starts again.",
        ) from error


def read_submissions(redis: Redis, submission_ids: Sequence[str]) -> list[Submission]:
    """Reads submissions in one round trip; those that the ledger does not know are left out.

    Raises:
        RapportError: `data_error` naming the submission that cannot be read.
    """
    values = redis.mget([keys.submission(name) for name in submission_ids]) if submission_ids else []
    return [
        read_record(text(value), Submission, keys.submission(name))
        for name, value in zip(submission_ids, values, strict=True)
        if value is not None
    ]


def read_histories(redis: Redis, submission_ids: Sequence[str]) -> list[History]:
    """Reads submissions with all that has happened to them in two round trips; the unknown are left out.

    Raises:
        RapportError: `data_error` naming the submission that cannot be read.
    """
    submissions = read_submissions(redis, submission_ids)
    with redis.pipeline(transaction=False) as pipe:
        for submission in submissions:
            pipe.lrange(keys.events(submission.id), 0, -1)
        found = pipe.execute()
    return [
        History(submission=submission, events=read_events(lines, submission.id))
        for submission, lines in zip(submissions, found, strict=True)
        if lines
    ]


def read_views(redis: Redis, submission_ids: Sequence[str]) -> list[SubmissionView]:
    """Reads what people may see of submissions in two round trips; the unknown are left out.

    All that moves is read at one moment.

    Raises:
        RapportError: `data_error` naming the submission that cannot be read.
    """
    submissions = read_submissions(redis, submission_ids)
    with redis.pipeline() as pipe:
        for submission in submissions:
            _ask(pipe, submission)
        answers = iter(pipe.execute() if submissions else [])
    return [_view(submission, answers) for submission in submissions]


def _ask(pipe: Pipeline, submission: Submission) -> None:
    """Asks for all that `_view` reads of a submission."""
    pipe.lrange(keys.events(submission.id), 0, -1)
    pipe.sismember(keys.UNSAVED, submission.id)
    for run_id in submission.run_ids():
        pipe.get(keys.state(run_id))
        pipe.hgetall(keys.progress(run_id))


def _view(submission: Submission, answers: Iterator[Any]) -> SubmissionView:
    """Reads the answers to what `_ask` asked, in the same order."""
    events = read_events(next(answers), submission.id)
    saved = not next(answers)
    runs = tuple(
        RunView(run_id, State(text(next(answers))), read_progress(next(answers)), steps_of(events, run_id))
        for run_id in submission.run_ids()
    )
    return SubmissionView(submission, runs, saved, events)


def steps_of(events: Iterable[Event], run_id: str) -> tuple[Transition, ...]:
    """Returns the steps of one run, oldest first."""
    return tuple(event for event in events if isinstance(event, Transition) and event.run_id == run_id)


def read_progress(values: Mapping[Any, Any]) -> Progress:
    """Reads a run's counts; what has not been counted yet is zero, what has not been planned is None."""
    counts = {text(name): int(value) for name, value in values.items()}
    return Progress(
        generations=counts.get("generations", 0),
        items=counts.get("items"),
        verdicts=counts.get("verdicts", 0),
        verdicts_wanted=counts.get("verdicts_wanted"),
    )
