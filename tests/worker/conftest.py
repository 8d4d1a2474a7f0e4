"""A planned run of two shards, and a worker that hands in its rows without loading a model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from leaderboard.records import Plan
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_plan, make_report, rows_of
from worker.handover import Handover
from worker.lease import Lease, Leases
from worker.outbox import Outbox


@pytest.fixture
def plan(ledger: Ledger, run_id: str) -> Plan:
    """Two shards of one user each, fixed in the ledger."""
    return ledger.put_plan(make_plan(run_id))


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    return Outbox(redis)


@pytest.fixture
def work(leases: Leases, plan: Plan, outbox) -> Callable[[], Lease]:
    """Takes the next free shard of the run, hands its rows over and gives it back."""

    def work_on_a_shard() -> Lease:
        lease = leases.claim(plan, "gpu-1")
        assert lease is not None, "no shard is free"
        rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == lease.shard_id))
        handover = Handover(leases, lease, outbox)
        handover.generations(rows.generations)
        handover.verdicts(rows.verdicts)
        handover.finish(make_report())
        leases.release(lease, forgive=True)
        return lease

    return work_on_a_shard
