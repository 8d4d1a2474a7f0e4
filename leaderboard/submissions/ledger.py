"""The ledger: the truth about every submission, live in Redis and journalled to the store.

RQ only carries invitations to work; what has happened stands here and nowhere else. Every transition is appended with
time, actor and cause, and the pure table of `states.py` decides which ones are possible.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from redis import Redis
from redis.client import Pipeline

from leaderboard.connection import text
from leaderboard.records import Failure, Plan, State, Submission, Transition, now, submission_of
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from leaderboard.submissions.states import ENDED, NEXT, check_step, submission_state

Answer = TypeVar("Answer")

# Moves a run if it is still where the caller saw it; the list's length gives the transition its sequence number.
_MOVE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
local sequence = redis.call('LLEN', KEYS[2]) + 1
redis.call('RPUSH', KEYS[2], (string.gsub(ARGV[3], '"sequence":1,', '"sequence":' .. sequence .. ',', 1)))
redis.call('SADD', KEYS[3], ARGV[4])
redis.call('SADD', KEYS[4], ARGV[4])
return sequence
"""

# A submission is saved only if nothing has happened since its history was read.
_SAVED = """
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[1]) then return 0 end
redis.call('SREM', KEYS[2], ARGV[2])
if ARGV[3] == '1' then redis.call('SREM', KEYS[3], ARGV[2]) end
return 1
"""


class MovedMeanwhile(RuntimeError):
    """A run was no longer in the state from which it was to be moved."""


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
        """Why the run failed, if that is its present state."""
        return self.transitions[-1].failure if self.state is State.FAILED else None


class SubmissionView(NamedTuple):
    """One submission as people see it."""

    submission: Submission
    runs: tuple[RunView, ...]
    saved: bool
    """Whether the store holds its latest change."""

    @property
    def state(self) -> State:
        """The submission's state, derived from its runs."""
        return submission_state(run.state for run in self.runs)


class Ledger:
    """Reads and writes the ledger.

    Example:
        >>> ledger = Ledger(connect("redis://localhost:6379/0"))  # doctest: +SKIP
        >>> ledger.view("s-20260101-0a1b2c3d").state  # doctest: +SKIP
        <State.QUEUED: 'queued'>
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis
        self._move = redis.register_script(_MOVE)
        self._saved = redis.register_script(_SAVED)

    def create(self, submission: Submission) -> str:
        """Enters a submission whose runs are all in `checking`, unless one of them is known.

        A run is known by its protocol, the model and adapter with their SHAs, and whether the model thinks.

        Returns:
            The id of the submission that now covers these: the new one, or the one that was there.
        """
        opening = [
            Transition(
                run_id=run_id,
                sequence=number,
                before=None,
                after=State.CHECKING,
                at=submission.created_at,
                actor=submission.submitter,
                failure=None,
            )
            for number, run_id in enumerate(submission.run_ids(), start=1)
        ]
        fingerprints = _fingerprints(submission)

        def enter_once(pipe: Pipeline) -> str:
            known = next((value for value in pipe.mget(fingerprints) if value is not None), None)
            pipe.multi()
            if known is not None:
                return text(known)
            _enter(pipe, submission, opening)
            return submission.id

        return self._decide(fingerprints, enter_once)

    def restore(self, submission: Submission, transitions: tuple[Transition, ...]) -> bool:
        """Enters a submission from the store's journal if Redis knows less of it; says whether it did."""
        steps = keys.transitions(submission.id)

        def enter_newer(pipe: Pipeline) -> bool:
            behind: bool = pipe.llen(steps) < len(transitions)
            pipe.multi()
            if behind:
                _enter(pipe, submission, transitions)
            return behind

        return self._decide([steps], enter_newer)

    def _decide(self, names: Iterable[str], change: Callable[[Pipeline], Answer]) -> Answer:
        """Makes a change that depends on what lies under some names, again if that changes meanwhile."""
        answers: list[Answer] = []
        self._redis.transaction(lambda pipe: answers.append(change(pipe)), *names)
        return answers[-1]

    def forget_fingerprints(self, submission: Submission) -> None:
        """Lets the same model be submitted again, after a failure or withdrawal."""
        self._redis.delete(*_fingerprints(submission))

    def move(self, run_id: str, before: State, after: State, actor: str, failure: Failure | None = None) -> None:
        """Takes a run one step on.

        Raises:
            IllegalTransition: If the table does not allow the step.
            MovedMeanwhile: If the run is no longer in `before`.
        """
        check_step(before, after)
        transition = Transition(
            run_id=run_id, sequence=1, before=before, after=after, at=now(), actor=actor, failure=failure
        )
        submission_id = submission_of(run_id)
        moved = self._move(
            keys=[keys.state(run_id), keys.transitions(submission_id), keys.UNSAVED, keys.ACTIVE],
            args=[before.value, after.value, transition.model_dump_json(), submission_id],
        )
        if not moved:
            raise MovedMeanwhile(f"{run_id} is no longer {before}")

    def advance(self, run_id: str, after: State, actor: str) -> bool:
        """Takes a run on to a state if that is its next step; says whether it did.

        Several workers may see the same moment: all but the first find the step taken.
        """
        before = self.state(run_id)
        if after not in NEXT[before]:
            return False
        try:
            self.move(run_id, before, after, actor)
        except MovedMeanwhile:
            return False
        return True

    def fail(self, run_id: str, actor: str, failure: Failure, among: Collection[State] = tuple(State)) -> bool:
        """Ends a run with a typed cause unless it has ended; says whether it did.

        Args:
            run_id: The run.
            actor: Who ends it.
            failure: Why, and what helps.
            among: The states from which the actor may end it.
        """
        while (before := self.state(run_id)) not in ENDED and before in among:
            try:
                self.move(run_id, before, State.FAILED, actor, failure)
            except MovedMeanwhile:
                continue
            return True
        return False

    def state(self, run_id: str) -> State:
        """Returns the state of a run.

        Raises:
            KeyError: If the ledger does not know it.
        """
        value = self._redis.get(keys.state(run_id))
        if value is None:
            raise KeyError(run_id)
        return State(text(value))

    def submission(self, submission_id: str) -> Submission:
        """Returns a submission.

        Raises:
            KeyError: If the ledger does not know it.
        """
        value = self._redis.get(keys.submission(submission_id))
        if value is None:
            raise KeyError(submission_id)
        return Submission.model_validate_json(text(value))

    def transitions(self, submission_id: str) -> tuple[Transition, ...]:
        """Returns all transitions of a submission, oldest first."""
        lines = self._redis.lrange(keys.transitions(submission_id), 0, -1)
        return tuple(Transition.model_validate_json(line) for line in lines)

    def active(self) -> list[str]:
        """Returns the ids of submissions with something left to do, oldest first."""
        return sorted(text(value) for value in self._redis.smembers(keys.ACTIVE))

    def unsaved(self) -> list[str]:
        """Returns the ids of submissions whose latest change is not in the store."""
        return sorted(text(value) for value in self._redis.smembers(keys.UNSAVED))

    def note_saved(self, submission_id: str, transitions: int) -> None:
        """Notes that the store holds the first `transitions` steps of a submission.

        A step taken since keeps it unsaved. An ended submission leaves the active ones.
        """
        ended = submission_state(self.state(run) for run in self.submission(submission_id).run_ids()) in ENDED
        self._saved(
            keys=[keys.transitions(submission_id), keys.UNSAVED, keys.ACTIVE],
            args=[transitions, submission_id, int(ended)],
        )

    def newest(self, limit: int, skip: int = 0) -> list[str]:
        """Returns the ids of the newest submissions, newest first, after leaving out the first `skip`."""
        return [text(value) for value in self._redis.zrevrange(keys.SUBMISSIONS, skip, skip + limit - 1)]

    def count(self) -> int:
        """Returns how many submissions there are."""
        return int(self._redis.zcard(keys.SUBMISSIONS))

    def put_plan(self, plan: Plan) -> Plan:
        """Fixes a run's plan and returns it; of several the first one stays."""
        if self._redis.set(keys.plan(plan.run_id), plan.model_dump_json(), nx=True):
            wanted = sum(len(item.orders) for item in plan.items)
            self._redis.hset(keys.progress(plan.run_id), mapping={"items": len(plan.items), "verdicts_wanted": wanted})
        fixed = self.plan(plan.run_id)
        return fixed or plan

    def want_fewer(self, run_id: str, verdicts: int) -> None:
        """Notes that some verdicts of a run will never be given: there is no answer to judge, or it loses unjudged."""
        self._redis.hincrby(keys.progress(run_id), "verdicts_wanted", -verdicts)

    def plan(self, run_id: str) -> Plan | None:
        """Returns a run's plan, or None if it has none yet."""
        value = self._redis.get(keys.plan(run_id))
        return None if value is None else Plan.model_validate_json(text(value))

    def progress(self, run_id: str) -> Progress:
        """Returns how far a run is."""
        return _progress(self._redis.hgetall(keys.progress(run_id)))

    def view(self, submission_id: str) -> SubmissionView:
        """Returns everything that people may see of a submission.

        Raises:
            KeyError: If the ledger does not know it.
        """
        for view in self.views([submission_id]):
            return view
        raise KeyError(submission_id)

    def views(self, submission_ids: Iterable[str]) -> list[SubmissionView]:
        """Returns what people may see of several submissions, in two round trips however many there are.

        All that moves is read at one moment. Submissions that the ledger does not know are left out.

        Raises:
            RapportError: `data_error` naming the submission that cannot be read.
        """
        names = list(submission_ids)
        values = self._redis.mget([keys.submission(name) for name in names]) if names else []
        submissions = [
            read_record(text(value), Submission, keys.submission(name))
            for name, value in zip(names, values, strict=True)
            if value is not None
        ]
        if not submissions:
            return []
        with self._redis.pipeline() as pipe:
            for submission in submissions:
                _ask(pipe, submission)
            answers = iter(pipe.execute())
        return [_view(submission, answers) for submission in submissions]


def _ask(pipe: Pipeline, submission: Submission) -> None:
    """Asks for all that `_view` reads of a submission."""
    pipe.lrange(keys.transitions(submission.id), 0, -1)
    pipe.sismember(keys.UNSAVED, submission.id)
    for run_id in submission.run_ids():
        pipe.get(keys.state(run_id))
        pipe.hgetall(keys.progress(run_id))


def _view(submission: Submission, answers: Iterator[Any]) -> SubmissionView:
    """Reads the answers to what `_ask` asked, in the same order."""
    name = keys.transitions(submission.id)
    steps = [read_record(text(line), Transition, name) for line in next(answers)]
    saved = not next(answers)
    runs = tuple(
        RunView(
            run_id,
            State(text(next(answers))),
            _progress(next(answers)),
            tuple(step for step in steps if step.run_id == run_id),
        )
        for run_id in submission.run_ids()
    )
    return SubmissionView(submission, runs, saved)


def _progress(values: Mapping[Any, Any]) -> Progress:
    """Reads a run's counts; what has not been counted yet is zero, what has not been planned is None."""
    counts = {text(name): int(value) for name, value in values.items()}
    return Progress(
        generations=counts.get("generations", 0),
        items=counts.get("items"),
        verdicts=counts.get("verdicts", 0),
        verdicts_wanted=counts.get("verdicts_wanted"),
    )


def _fingerprints(submission: Submission) -> list[str]:
    """Names what a submission covers: all that decides the model's answers, under each of its protocols."""
    of = submission
    asked = (of.model, of.revision, of.adapter, of.adapter_revision, of.declaration.thinking)
    return [keys.fingerprint(protocol, *asked) for protocol in of.protocols]


def _enter(pipe: Pipeline, submission: Submission, transitions: Iterable[Transition]) -> None:
    """Writes a submission with its whole history as part of a transaction."""
    pipe.set(keys.submission(submission.id), submission.model_dump_json())
    pipe.delete(keys.transitions(submission.id))
    for transition in transitions:
        pipe.rpush(keys.transitions(submission.id), transition.model_dump_json())
        pipe.set(keys.state(transition.run_id), transition.after)
    for fingerprint in _fingerprints(submission):
        pipe.set(fingerprint, submission.id)
    pipe.zadd(keys.SUBMISSIONS, {submission.id: submission.created_at.timestamp()})
    pipe.sadd(keys.UNSAVED, submission.id)
    pipe.sadd(keys.ACTIVE, submission.id)
