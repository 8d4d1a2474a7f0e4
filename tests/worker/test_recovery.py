"""After a loss of Redis the ledger, the plan and the rows come back from the store, and nothing is asked again."""

import pytest

from leaderboard.records import State
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_report, rows_of
from worker.handover import Handover
from worker.lease import Leases
from worker.outbox import Outbox
from worker.publisher import Publisher
from worker.recovery import recover


@pytest.fixture
def publisher(redis, ledger, store) -> Publisher:
    return Publisher(redis, ledger, store, journal_seconds=0)


def step_until_idle(publisher: Publisher) -> None:
    while publisher.step():
        pass


def test_a_whole_redis_is_left_alone(redis, ledger, store):
    assert recover(redis, ledger, store)
    assert not recover(redis, ledger, store)


def test_after_the_loss_of_redis_stored_rows_are_known_again(redis, ledger, store, publisher, plan, work):
    lease = work()
    step_until_idle(publisher)
    redis.flushall()

    assert recover(redis, ledger, store)

    assert ledger.state(plan.run_id) is State.QUEUED
    assert ledger.plan(plan.run_id) == plan
    assert ledger.progress(plan.run_id).generations == 3
    assert [shard.id for shard in plan.shards if redis.sismember(keys.done(plan.run_id), shard.id)] == [lease.shard_id]


def test_a_shard_half_done_before_the_loss_goes_on_where_it_was(redis, ledger, leases, store, publisher, plan, outbox):
    lease = leases.claim(plan, "gpu-1")
    rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == lease.shard_id))
    Handover(leases, lease, outbox).generations(rows.generations)
    step_until_idle(publisher)
    redis.flushall()

    recover(redis, ledger, store)

    successor = Leases(redis, 30).claim(plan, "gpu-2")
    known = Handover(Leases(redis, 30), successor, Outbox(redis)).known_rows()
    assert sorted(known.generations) == sorted(row.input_key for row in rows.generations)


def test_a_run_restored_and_finished_is_published_with_every_row_once(
    redis, ledger, leases, store, publisher, plan, work
):
    work()
    step_until_idle(publisher)
    redis.flushall()
    recover(redis, ledger, store)
    lease = leases.claim(plan, "gpu-2")
    rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == lease.shard_id))
    handover = Handover(leases, lease, Outbox(redis))
    handover.generations(rows.generations)
    handover.verdicts(rows.verdicts)
    handover.finish(make_report())

    step_until_idle(publisher)

    view = Ledger(redis).view(plan.run_id.split(".")[0])
    assert view.state is State.PUBLISHED
    assert (view.runs[0].progress.generations, view.runs[0].progress.verdicts) == (6, 10)


def test_restoring_twice_counts_nothing_twice(redis, ledger, store, publisher, plan, work):
    work()
    step_until_idle(publisher)
    for _ in range(2):
        redis.delete(keys.EPOCH)
        recover(redis, ledger, store)

    assert ledger.progress(plan.run_id).generations == 3
