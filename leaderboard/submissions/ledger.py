"""The ledger: the truth about every submission, live in Redis and journalled to the store.

RQ only carries invitations to work; what has happened stands here and nowhere else. Every event is appended with time,
actor and cause, and the pure table of `states.py` decides which steps are possible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.maintaining.records import Act
from leaderboard.maintaining.state import paused_refusal, read_pause
from leaderboard.people import Person
from leaderboard.records import (
    Amendment,
    AmendmentKind,
    Declaration,
    Failure,
    Plan,
    State,
    Submission,
    Transition,
    amendment_version,
    now,
    submission_of,
)
from leaderboard.submissions import keys, scripts
from leaderboard.submissions.entering import created_arguments, created_keys, fingerprints
from leaderboard.submissions.history import History
from leaderboard.submissions.quotas import Limits, counts, quotas_of
from leaderboard.submissions.reading import LedgerReader
from leaderboard.submissions.states import ENDED, NEXT, check_step

WITHDRAWN = Failure(
    cause=Cause.CANCELLED, message="The submission was withdrawn.", remedy="Submit the model anew to have it evaluated."
)


_REFUSALS = frozenset({"lost", "taken", "paused", "quota"})
"""What the script that enters a submission says instead of an id."""


class MovedMeanwhile(RuntimeError):
    """Something happened to a submission since it was looked at."""


class IdTaken(RuntimeError):
    """Another submission has this id."""


class BeingRestored(RapportError):
    """Nothing is entered before the ledger is known to be whole: it might be known already, or be lost again."""

    def __init__(self) -> None:
        """Says what to do."""
        super().__init__(
            Cause.INFRASTRUCTURE,
            "The ledger is being restored.",
            "Try again in a minute; if that does not help, no publisher is running.",
        )


class Ledger(LedgerReader):
    """Reads and writes the ledger.

    Example:
        >>> ledger = Ledger(connect("redis://localhost:6379/0"))  # doctest: +SKIP
        >>> ledger.view("s-20260101-0a1b2c3d").state  # doctest: +SKIP
        <State.QUEUED: 'queued'>
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        super().__init__(redis)
        self._create = redis.register_script(scripts.CREATE)
        self._move = redis.register_script(scripts.MOVE)
        self._amend = redis.register_script(scripts.AMEND)
        self._saved = redis.register_script(scripts.SAVED)
        self._forget = redis.register_script(scripts.FORGET)
        self._plan = redis.register_script(scripts.PLAN)

    def create(self, submission: Submission, limits: Limits | None = None) -> str:
        """Enters a submission, its runs in `checking`, for those of its protocols under which it is not known.

        A run is known by its protocol, the model and adapter with their SHAs, and whether the model thinks.

        Args:
            submission: What is handed in.
            limits: How many submissions are accepted; None where there is no quota, and where a pause does not matter:
                for maintainers. What is known uses up none.

        Returns:
            The id of the new submission; if all is known, of the one that covers the first of the protocols.

        Raises:
            RapportError: `quota`, or `forbidden` while submissions are paused.
            BeingRestored: While the ledger is not known to be whole.
            IdTaken: If another submission has this id.
        """
        while True:
            found = self._create(keys=created_keys(submission), args=created_arguments(submission, limits))
            if isinstance(found, list):
                covering = [text(each) for each in found]
                if all(covering):
                    return covering[0]
                asked = zip(submission.protocols, covering, strict=True)
                left = tuple(protocol for protocol, known in asked if not known)
                submission = submission.model_copy(update={"protocols": left})
                continue
            if (answer := text(found)) not in _REFUSALS:
                return answer
            self._refuse(answer, submission, limits)

    def _refuse(self, answer: str, submission: Submission, limits: Limits | None) -> None:
        """Says why a submission was not entered; comes back if that is over by now.

        Raises:
            RapportError: As of `create`.
            IdTaken: Likewise.
        """
        if answer == "lost":
            raise BeingRestored
        if answer == "taken":
            raise IdTaken(submission.id)
        if answer == "paused" and (pause := read_pause(self._redis)):
            raise paused_refusal(pause)
        if answer == "quota" and limits is not None:
            quotas = quotas_of(self._redis, Person(submission.submitter), limits, submission.created_at)
            if quotas and (refusal := quotas.refusal()):
                raise refusal

    def put_away(self, history: History, actor: str) -> None:
        """Stops what is under way for a submission that was withdrawn, and lets its model be handed in anew."""
        for run_id in history.submission.run_ids():
            self.cancel(run_id, actor, WITHDRAWN)
        self.forget_fingerprints(history.submission)

    def forget_fingerprints(self, submission: Submission, protocols: Collection[str] | None = None) -> None:
        """Lets the same model be submitted anew, after a failure that only that helps, or a withdrawal.

        Args:
            submission: What covers the model so far.
            protocols: Under which of its protocols; None is all.
        """
        self._forget(keys=fingerprints(submission, protocols), args=[submission.id])

    def move(
        self,
        run_id: str,
        before: State,
        after: State,
        actor: str,
        failure: Failure | None = None,
        *,
        act: Act | None = None,
    ) -> None:
        """Takes a run one step on.

        Args:
            run_id: The run.
            before: Where it was seen.
            after: Where it goes.
            actor: Who takes it there.
            failure: Why it ends, where it does not end well.
            act: The entry for the log of maintainers, where one of them does it.

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
            keys=[keys.state(run_id), keys.events(submission_id), keys.UNSAVED, keys.ACTIVE, keys.URGENT],
            args=[
                *(before.value, after.value, transition.model_dump_json(), submission_id, int(after in ENDED)),
                *_entry(act),
            ],
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
        return self._end(run_id, State.FAILED, actor, failure, among)

    def cancel(self, run_id: str, actor: str, failure: Failure, act: Act | None = None) -> bool:
        """Stops a run on somebody's wish unless it has ended or is being published; says whether it did.

        `act` is the entry for the log of maintainers, where one of them does it.
        """
        stoppable = [state for state in State if State.CANCELLED in NEXT[state]]
        return self._end(run_id, State.CANCELLED, actor, failure, stoppable, act)

    def _end(
        self,
        run_id: str,
        after: State,
        actor: str,
        failure: Failure,
        among: Collection[State],
        act: Act | None = None,
    ) -> bool:
        """Ends a run wherever it is by then, if it may be ended from there; says whether it did."""
        while (before := self.state(run_id)) not in ENDED and before in among:
            try:
                self.move(run_id, before, after, actor, failure, act=act)
            except MovedMeanwhile:
                continue
            return True
        return False

    def amend(
        self,
        seen: History,
        kind: AmendmentKind,
        actor: str,
        reason: str,
        *,
        declaration: Declaration | None = None,
        about: str | None = None,
        act: Act | None = None,
    ) -> None:
        """Adds to a submission what somebody says or decides about it.

        Args:
            seen: The history on which that was decided.
            kind: What is added.
            actor: Who adds it.
            reason: Why, in that person's words.
            declaration: What holds from now on, of a correction.
            about: What is disputed or answered, or the run that is suspected.
            act: The entry for the log of maintainers, where one of them does it.

        Raises:
            MovedMeanwhile: If anything has happened to the submission since.
        """
        submission_id = seen.submission.id
        amendment = Amendment(
            schema_version=amendment_version(kind),
            kind=kind,
            submission_id=submission_id,
            sequence=1,
            at=now(),
            actor=actor,
            text=reason,
            declaration=declaration,
            about=about,
        )
        amended = self._amend(
            keys=[keys.events(submission_id), keys.UNSAVED, keys.URGENT],
            args=[len(seen.events), amendment.model_dump_json(), submission_id, *_entry(act)],
        )
        if not amended:
            raise MovedMeanwhile(f"something happened to {submission_id}")

    def note_saved(self, histories: Iterable[History]) -> None:
        """Notes that the store holds these histories.

        What has happened since keeps a submission unsaved. An ended one leaves the active ones.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            for history in histories:
                submission = history.submission
                self._saved(
                    keys=[
                        *(keys.events(submission.id), keys.UNSAVED, keys.URGENT, keys.ACTIVE),
                        *(keys.COUNTED, keys.counted_of(submission.submitter)),
                    ],
                    args=[
                        *(len(history.events), submission.id, int(history.ended), int(counts(history))),
                        repr(submission.created_at.timestamp()),
                    ],
                    client=pipe,
                )
            pipe.execute()

    def put_plan(self, plan: Plan) -> Plan:
        """Fixes a run's plan and returns it; of several the first one stays."""
        wanted = sum(len(item.orders) for item in plan.items)
        counted = {
            "items": sum(item.is_asked for item in plan.items),
            "verdicts_wanted": wanted,
            "shards": len(plan.shards),
        }
        self._plan(
            keys=[keys.plan(plan.run_id), keys.progress(plan.run_id)],
            args=[plan.model_dump_json(), *(part for pair in counted.items() for part in pair)],
        )
        fixed = self.plan(plan.run_id)
        return fixed or plan


def _entry(act: Act | None) -> tuple[str, str]:
    """Returns the log of maintainers and what is appended to it; twice nothing where no maintainer acts."""
    return (keys.ACTS, act.model_dump_json()) if act else ("", "")
