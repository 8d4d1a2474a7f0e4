"""A planned run of two shards, and a worker that hands in its rows without loading a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from evaluator.errors import Cause
from leaderboard.records import Failure, Lane, Plan
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_plan, make_report, rows_of
from worker.handover import Handover
from worker.lease import Lease, Leases
from worker.notices import Notice, notice_of
from worker.outbox import Outbox

FAILURE = Failure(cause=Cause.LOAD_ERROR, message="It has `no` layers.", remedy="Add one.")


@pytest.fixture
def plan(ledger: Ledger, run_id: str) -> Plan:
    """Two shards of one user each, fixed in the ledger."""
    return ledger.put_plan(make_plan(run_id))


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    return Outbox(redis)


@pytest.fixture
def do_task(leases: Leases, outbox: Outbox) -> Callable[..., Lease]:
    """Takes the next free task of a run, hands its rows over and gives it back."""

    def do_one(plan: Plan, *lanes: Lane) -> Lease:
        lease = leases.claim(plan, "gpu-1", lanes or tuple(Lane))
        assert lease is not None, "no task is free"
        rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == lease.shard_id))
        handover = Handover(leases, lease, outbox)
        if lease.lane is Lane.GENERATE:
            handover.generations(rows.generations)
        else:
            handover.verdicts(rows.verdicts)
        handover.finish(make_report(lease.lane))
        leases.release(lease, forgive=True)
        return lease

    return do_one


@pytest.fixture
def work(plan: Plan, do_task: Callable[..., Lease]) -> Callable[[], Lease]:
    """Does the next shard of the run in both lanes; returns the lease under which it was generated."""

    def work_on_a_shard() -> Lease:
        generated = do_task(plan, Lane.GENERATE)
        judged = do_task(plan, Lane.JUDGE)
        assert generated.shard_id == judged.shard_id
        return generated

    return work_on_a_shard


@pytest.fixture
def notice(ledger: Ledger, run_id: str) -> Notice:
    """On a run that has failed."""
    ledger.fail(run_id, "worker", FAILURE)
    return notice_of(ledger.history(run_id.split(".")[0]), "https://rapport.example")
