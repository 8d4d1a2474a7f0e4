"""Whatever happens to workers, publisher and Redis, and in whatever order: every row is stored once, and none is lost.

Hypothesis draws the order; Redis, scripts and store are real. The world ends in peace: then everything has to be there.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis import Redis

from evaluator.errors import Cause
from evaluator.records import Generation, Verdict
from leaderboard.records import Failure, Lane, Plan, State
from leaderboard.store import LocalStore, layout
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.reading import NotInLedger
from leaderboard.submissions.states import ENDED
from tests.builders import make_plan, make_report, make_submission, rows_of
from tests.losing import Copy, copy_of, let_hold_run_out, roll_back
from worker.handover import Handover
from worker.lease import Lease, Leases, StaleLease
from worker.outbox import Outbox
from worker.publisher import Publisher

FAILURE = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.")
KEPT = [datetime.timedelta(0), datetime.timedelta(days=7)]
MOST_STEPS = 200


class PowerCut(BaseException):
    """The publisher's machine went off."""


def cut_power(*_: object) -> None:
    """Stands where something would have been done."""
    raise PowerCut


class Breakable(LocalStore):
    """A store whose writer may die around a commit."""

    cut: str | None = None

    def commit(self, operations: Iterable, message: str, expected_parent: str | None = None):
        if self.cut == "before":
            raise PowerCut
        done = super().commit(operations, message, expected_parent)
        if self.cut == "after" or (self.cut == "publishing" and "scorecard" in message):
            raise PowerCut
        return done


class Worker(NamedTuple):
    """One that holds a task, or believes so, with the rows that it has yet to hand over."""

    lease: Lease
    handover: Handover
    left: list[Generation | Verdict]


class World(RuleBasedStateMachine):
    """One run, its workers, a publisher, and a Redis that may come back as an older copy."""

    redis: Redis
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.redis.flushall()
        home = self.folder / str(len(list(self.folder.iterdir())))
        self.store, self.mark = Breakable(home / "store"), home / "mark"
        self.ledger, self.leases = Ledger(self.redis), Leases(self.redis, 600)
        self.workers: list[Worker] = []
        self.publisher = self.next_publisher(KEPT[0])
        self.publisher.step()
        submission = make_submission()
        self.ledger.create(submission)
        (self.run_id,) = submission.run_ids()
        self.ledger.advance(self.run_id, State.QUEUED, "alice")
        self.calm()
        self.copies: list[Copy] = []

    def next_publisher(self, kept: datetime.timedelta) -> Publisher:
        let_hold_run_out(self.redis)
        return Publisher(self.redis, Ledger(self.redis), self.store, journal_seconds=0, mark=self.mark, kept=kept)

    def calm(self) -> None:
        """Lets the publisher do all that there is to do."""
        for _ in range(MOST_STEPS):
            if not self.publisher.step():
                return
        raise AssertionError("the publisher never comes to rest")

    def state(self) -> State | None:
        try:
            return self.ledger.state(self.run_id)
        except NotInLedger:
            return None

    @rule()
    def a_worker_begins(self) -> None:
        """As a job does: plan, lease, what is known, what is left."""
        if self.state() in (None, *ENDED):
            return
        plan = self.ledger.plan(self.run_id) or self.ledger.put_plan(make_plan(self.run_id))
        if lease := self.leases.claim(plan, f"gpu-{len(self.workers)}"):
            self.ledger.advance(self.run_id, State.GENERATING, lease.worker)
            handover = Handover(self.leases, lease, Outbox(self.redis))
            self.workers.append(Worker(lease, handover, left_of(plan, lease, handover)))

    @precondition(lambda self: self.workers)
    @rule(number=st.integers(0, 9), rows=st.integers(1, 3))
    def a_worker_hands_over(self, number: int, rows: int) -> None:
        """A few rows, or the report once there are no more; whoever has lost its lease leaves."""
        worker = self.workers[number % len(self.workers)]
        try:
            if not worker.left:
                worker.handover.finish(make_report(worker.lease.lane))
                self.leave(worker)
                return
            now, worker.left[:] = worker.left[:rows], worker.left[rows:]
            hand_over(worker, now)
        except StaleLease:
            self.leave(worker)

    @precondition(lambda self: self.workers)
    @rule(number=st.integers(0, 9), frozen=st.booleans())
    def a_lease_runs_out(self, number: int, frozen: bool) -> None:
        """Its worker has died, or wakes up later and goes on as if nothing had happened."""
        worker = self.workers[number % len(self.workers)]
        self.redis.delete(keys.lease(*worker.lease.task), keys.grants(self.run_id, worker.lease.lane))
        if not frozen:
            self.workers.remove(worker)

    def leave(self, worker: Worker) -> None:
        self.leases.release(worker.lease, forgive=True)
        self.workers.remove(worker)

    @rule()
    def the_publisher_takes_a_step(self) -> None:
        self.publisher.step()

    @rule(cut=st.sampled_from(["before", "after", "publishing", "removing"]), kept=st.sampled_from(KEPT))
    def the_publisher_dies_in_a_commit_and_another_one_begins(self, cut: str, kept: datetime.timedelta) -> None:
        """Or right after it, once a run was published and before the outbox was emptied or histories were noted."""
        self.store.cut = cut
        if cut == "removing":
            self.publisher._drain._outbox.remove = cut_power  # type: ignore[method-assign]
            self.publisher._ledger.note_saved = cut_power  # type: ignore[method-assign]
        try:
            for _ in range(1 if cut in ("before", "after") else 4):
                self.publisher.step()
            self.publisher = self.next_publisher(kept)
        except PowerCut:
            self.publisher = self.next_publisher(kept)
        finally:
            self.store.cut = None

    @rule()
    def redis_is_copied(self) -> None:
        self.copies.append(copy_of(self.redis))

    @rule(number=st.integers(0, 9))
    def redis_comes_back_older_or_empty(self, number: int) -> None:
        roll_back(self.redis, self.copies[number % len(self.copies)] if self.copies and number else {})
        let_hold_run_out(self.redis)

    @rule(state=st.sampled_from([State.FAILED, State.CANCELLED]))
    def the_run_ends(self, state: State) -> None:
        if self.state() is not None:
            end = self.ledger.fail if state is State.FAILED else self.ledger.cancel
            end(self.run_id, "alice", FAILURE)

    @rule()
    def the_run_is_taken_up_again(self) -> None:
        if self.state() in (State.FAILED, State.CANCELLED):
            self.ledger.advance(self.run_id, State.QUEUED, "alice")

    @invariant()
    def no_row_is_stored_twice_and_what_is_published_is_whole(self) -> None:
        stored = self.stored()
        assert len(stored) == len(set(stored))
        assert set(stored) <= set(expected(self.run_id))
        if self.store.list(layout.SCORECARDS):
            assert sorted(stored) == expected(self.run_id)

    def stored(self) -> list[str]:
        generations, verdicts, _ = StoredRun(self.store, self.run_id).rows()
        return [*(row.input_key for row in generations), *(row.verdict_key for row in verdicts)]

    def teardown(self) -> None:
        """From now on nothing goes wrong: the run has to be published with all of its rows, once each."""
        self.calm()
        self.workers.clear()
        for name in self.redis.scan_iter(keys.lease("*", "*")):  # An older copy may have brought some back.
            self.redis.delete(name)
        for _ in range(MOST_STEPS):
            self.the_run_is_taken_up_again()
            self.calm()
            if self.state() is State.PUBLISHED:
                break
            self.a_worker_begins()
            while self.workers:
                self.a_worker_hands_over(0, 9)
        assert self.state() is State.PUBLISHED
        self.no_row_is_stored_twice_and_what_is_published_is_whole()
        assert not self.redis.exists(keys.batches(self.run_id), keys.plan(self.run_id))


def left_of(plan: Plan, lease: Lease, handover: Handover) -> list[Generation | Verdict]:
    """The rows of a task that nobody has handed over."""
    rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == lease.shard_id))
    known = handover.known_rows()
    if lease.lane is Lane.GENERATE:
        return [row for row in rows.generations if row.input_key not in known.generations]
    judged = {row.verdict_key for row in known.verdicts}
    return [row for row in rows.verdicts if row.verdict_key not in judged]


def hand_over(worker: Worker, rows: list[Generation | Verdict]) -> None:
    if worker.lease.lane is Lane.GENERATE:
        worker.handover.generations(row for row in rows if isinstance(row, Generation))
    else:
        worker.handover.verdicts(row for row in rows if isinstance(row, Verdict))


@functools.cache
def expected(run_id: str) -> list[str]:
    """The keys of all rows of the run, sorted."""
    plan = make_plan(run_id)
    rows = [rows_of(plan, shard) for shard in plan.shards]
    generations = [row.input_key for each in rows for row in each.generations]
    return sorted([*generations, *(row.verdict_key for each in rows for row in each.verdicts)])


def test_every_row_is_stored_once_whatever_happens(redis: Redis, tmp_path: Path) -> None:
    (tmp_path / "stores").mkdir()

    class OverThisRedis(World):
        """On the server of the test."""

    OverThisRedis.redis, OverThisRedis.folder = redis, tmp_path / "stores"
    run_state_machine_as_test(
        OverThisRedis,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
