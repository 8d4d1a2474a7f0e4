"""Leases: one holder a shard, and nobody else's rows are taken in."""

from functools import partial

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.records import Lane, State
from leaderboard.submissions import keys
from tests.builders import make_batch, make_generation, make_plan, rows_of
from tests.waiting import at_once, until
from worker.lease import MOST_GRANTS, Heartbeat, Lease, Leases, StaleLease
from worker.outbox import Outbox
from worker.tasks import Task, finished


@pytest.fixture
def brief(redis) -> Leases:
    """Leases that run out almost at once."""
    return Leases(redis, seconds=0.02)


def wait_until_lost(redis, lease: Lease) -> None:
    until(lambda: not redis.exists(keys.lease(*lease.task)), what="the lease runs out")


def one_row(plan, lease: Lease, name: str = "b-1", *, last: bool = False):
    shard = next(shard for shard in plan.shards if shard.id == lease.shard_id)
    return make_batch(plan, shard, name, last=last, generations=rows_of(plan, shard).generations[:1])


def test_each_shard_goes_to_one_worker_and_then_none_is_left(leases, plan):
    first, second = leases.claim(plan, "gpu-1"), leases.claim(plan, "gpu-2")
    assert [first.shard_id, second.shard_id] == [shard.id for shard in plan.shards]
    assert leases.claim(plan, "gpu-3") is None
    assert leases.free_tasks(plan) == 0


def test_many_workers_at_once_never_share_a_shard(leases, run_id):
    plan = make_plan(run_id, users=range(1, 5))
    granted = [lease for lease in at_once(*[partial(leases.claim, plan, f"gpu-{n}") for n in range(12)]) if lease]
    assert sorted(lease.shard_id for lease in granted) == [shard.id for shard in plan.shards]
    assert len({lease.number for lease in granted}) == 4


def test_fencing_numbers_grow_with_every_grant(leases, plan):
    numbers = []
    for _ in range(3):
        lease = leases.claim(plan, "gpu-1")
        numbers.append(lease.number)
        leases.release(lease, forgive=True)
    assert numbers == sorted(set(numbers))


def test_a_batch_is_taken_in_under_a_lease(redis, leases, ledger, plan, outbox):
    lease = leases.claim(plan, "gpu-1")
    batch = one_row(plan, lease)
    leases.hand_over(lease, batch)
    assert outbox.kept(plan.run_id) == [batch]
    assert [(entry.run_id, entry.batch_id) for entry in Outbox(redis).waiting()] == [(plan.run_id, "b-1")]
    assert ledger.progress(plan.run_id).generations == 1


def test_a_batch_that_comes_twice_is_taken_in_once(redis, leases, ledger, plan, outbox):
    lease = leases.claim(plan, "gpu-1")
    for _ in range(3):
        leases.hand_over(lease, one_row(plan, lease))
    assert len(Outbox(redis).waiting()) == len(outbox.kept(plan.run_id)) == 1
    assert ledger.progress(plan.run_id).generations == 1


def test_a_worker_thought_dead_cannot_write_after_its_successor(redis, leases, brief, ledger, plan, outbox):
    dead = brief.claim(plan, "gpu-1")
    wait_until_lost(redis, dead)
    successor = leases.claim(plan, "gpu-2")
    assert (successor.shard_id, successor.number > dead.number) == (dead.shard_id, True)
    leases.hand_over(successor, one_row(plan, successor, "theirs"))
    with pytest.raises(StaleLease, match="no longer held by gpu-1"):
        leases.hand_over(dead, one_row(plan, dead, "mine", last=True))
    assert [batch.id for batch in outbox.kept(plan.run_id)] == ["theirs"]
    assert ledger.progress(plan.run_id).generations == 1
    assert not redis.sismember(keys.done(plan.run_id, Lane.GENERATE), dead.shard_id)


def test_a_lease_that_ran_out_is_lost_even_if_nobody_has_taken_the_shard(redis, brief, plan):
    lease = brief.claim(plan, "gpu-1")
    wait_until_lost(redis, lease)
    with pytest.raises(StaleLease):
        brief.hand_over(lease, one_row(plan, lease))
    assert Outbox(redis).waiting() == []


def test_the_same_worker_cannot_write_under_its_earlier_lease(leases, plan):
    earlier = leases.claim(plan, "gpu-1")
    leases.release(earlier, forgive=True)
    leases.claim(plan, "gpu-1")
    with pytest.raises(StaleLease):
        leases.hand_over(earlier, one_row(plan, earlier))


def test_an_expired_lease_can_be_claimed_again(redis, leases, brief, plan):
    lost = [brief.claim(plan, "gpu-1"), brief.claim(plan, "gpu-1")]
    for lease in lost:
        wait_until_lost(redis, lease)
    assert leases.free_tasks(plan) == 2
    assert leases.claim(plan, "gpu-2").shard_id == lost[0].shard_id


def test_a_lease_can_be_prolonged_only_by_its_holder(redis, leases, plan):
    lease = leases.claim(plan, "gpu-1")
    redis.pexpire(keys.lease(*lease.task), 5000)
    assert leases.renew(lease)
    assert redis.pttl(keys.lease(*lease.task)) > 5000
    assert not leases.renew(lease._replace(worker="gpu-2"))
    assert not leases.renew(lease._replace(number=lease.number + 1))


def test_a_lost_lease_cannot_be_prolonged(redis, brief, plan):
    lease = brief.claim(plan, "gpu-1")
    wait_until_lost(redis, lease)
    assert not brief.renew(lease)


def test_handing_over_prolongs_the_lease(redis, leases, plan):
    lease = leases.claim(plan, "gpu-1")
    redis.pexpire(keys.lease(*lease.task), 5000)
    leases.hand_over(lease, one_row(plan, lease))
    assert redis.pttl(keys.lease(*lease.task)) > 5000


def test_a_released_shard_is_free_at_once(leases, plan):
    lease = leases.claim(plan, "gpu-1")
    leases.release(lease, forgive=True)
    assert leases.claim(plan, "gpu-2").shard_id == lease.shard_id


def test_releasing_a_lost_lease_leaves_it_with_its_new_holder(leases, plan):
    earlier = leases.claim(plan, "gpu-1")
    leases.release(earlier, forgive=True)
    successor = leases.claim(plan, "gpu-2")
    leases.release(earlier, forgive=True)
    assert leases.renew(successor)


def test_a_finished_shard_is_not_given_out_again(leases, plan):
    lease = leases.claim(plan, "gpu-1")
    leases.hand_over(lease, one_row(plan, lease, last=True))
    leases.release(lease, forgive=True)
    assert leases.claim(plan, "gpu-2", [Lane.GENERATE]).shard_id == plan.shards[1].id
    assert leases.free_tasks(plan, [Lane.GENERATE]) == 0


def test_a_shard_is_judged_once_it_has_been_generated_and_not_before(leases, plan, do_task):
    assert leases.claim(plan, "judge-1", [Lane.JUDGE]) is None
    generated = do_task(plan, Lane.GENERATE)
    judging = leases.claim(plan, "judge-1", [Lane.JUDGE])
    assert judging.shard_id == generated.shard_id
    assert leases.claim(plan, "judge-2", [Lane.JUDGE]) is None


def test_a_worker_of_both_lanes_judges_what_it_has_generated_before_it_goes_on(leases, plan, do_task):
    taken = [do_task(plan).task for _ in range(4)]
    assert taken == [Task(shard.id, lane) for shard in plan.shards for lane in Lane]
    assert leases.claim(plan, "gpu-1") is None


def test_a_lease_in_one_lane_writes_nothing_for_the_other(redis, leases, plan, do_task):
    do_task(plan, Lane.GENERATE)
    judging = leases.claim(plan, "judge-1", [Lane.JUDGE])
    forged = judging._replace(lane=Lane.GENERATE)
    with pytest.raises(StaleLease):
        leases.hand_over(forged, one_row(plan, forged))


def test_grants_are_counted_lane_by_lane(ledger, leases, run_id, do_task):
    plan = ledger.put_plan(make_plan(run_id, users=(1,)))
    for number in range(MOST_GRANTS - 1):
        leases.release(leases.claim(plan, f"gpu-{number}"), forgive=False)
    do_task(plan, Lane.GENERATE)
    for number in range(MOST_GRANTS):
        leases.release(leases.claim(plan, f"judge-{number}"), forgive=False)
    with pytest.raises(RapportError, match=f"took the shard {plan.shards[0].id}.judge"):
        leases.claim(plan, "judge-9")


def test_what_is_handed_over_is_measured(redis, leases, plan, do_task):
    do_task(plan, Lane.GENERATE)
    do_task(plan, Lane.JUDGE)
    counts = redis.hgetall(keys.progress(plan.run_id))
    assert (int(counts[b"tokens"]), int(counts[b"milliseconds"])) == (3 * 5 + 5 * 20, 5000 + 1000)
    marks = [line.split() for line in redis.lrange(keys.marks(plan.run_id), 0, -1)]
    assert [(int(rows), int(tokens)) for _, rows, tokens in marks] == [(5, 100), (3, 15)]


def test_a_shard_that_kills_whoever_takes_it_is_given_up_with_a_typed_cause(leases, run_id):
    plan = make_plan(run_id, users=(1,))
    for number in range(MOST_GRANTS):
        leases.release(leases.claim(plan, f"gpu-{number}"), forgive=False)
    with pytest.raises(RapportError, match=f"{MOST_GRANTS} workers in a row took the shard") as caught:
        leases.claim(plan, "gpu-5")
    assert caught.value.cause is Cause.INFRASTRUCTURE
    assert leases.claim(plan, "gpu-6"), "a run that is taken up again starts with a clean count"


def test_a_shard_that_is_given_back_in_good_order_is_never_given_up(leases, run_id):
    plan = make_plan(run_id, users=(1,))
    for number in range(3 * MOST_GRANTS):
        leases.release(leases.claim(plan, f"gpu-{number}"), forgive=True)


@pytest.mark.parametrize("state", [State.PUBLISHED, State.CANCELLED])
def test_an_ended_run_grants_no_lease_and_takes_no_rows(redis, leases, run_id, state):
    plan = make_plan(run_id)
    lease = leases.claim(plan, "gpu-1")
    redis.set(keys.state(run_id), state)

    assert leases.claim(plan, "gpu-2") is None
    with pytest.raises(StaleLease):
        leases.hand_over(lease, one_row(plan, lease))


def test_a_failed_run_grants_no_lease_but_keeps_what_its_other_workers_computed(redis, ledger, leases, run_id, outbox):
    plan = ledger.put_plan(make_plan(run_id))
    lease = leases.claim(plan, "gpu-1")
    redis.set(keys.state(run_id), State.FAILED)

    assert leases.claim(plan, "gpu-2") is None
    leases.hand_over(lease, one_row(plan, lease))
    assert len(outbox.kept(run_id)) == 1


def test_a_row_that_comes_back_clears_the_count_of_lost_workers(ledger, leases, run_id):
    plan = ledger.put_plan(make_plan(run_id, users=(1,)))
    for number in range(3 * MOST_GRANTS):
        lease = leases.claim(plan, f"gpu-{number}")
        leases.hand_over(lease, one_row(plan, lease, f"b-{number}"))
        leases.release(lease, forgive=True)


def test_a_heartbeat_keeps_a_lease_alive(redis, plan):
    leases = Leases(redis, seconds=30)
    lease = leases.claim(plan, "gpu-1")
    with Heartbeat(leases, lease, every=0.005):
        redis.pexpire(keys.lease(*lease.task), 5000)
        until(lambda: redis.pttl(keys.lease(*lease.task)) > 5000, what="the heartbeat prolongs the lease")


def test_a_heartbeat_never_revives_a_lost_lease(redis, leases, plan):
    lease = leases.claim(plan, "gpu-1")
    beat = Heartbeat(leases, lease, every=0.001)
    leases.release(lease, forgive=True)
    with beat:
        until(lambda: not beat._thread.is_alive(), what="the heartbeat notices and ends")
    assert not redis.exists(keys.lease(*lease.task))


def test_one_runs_rows_are_no_other_runs(leases, plan, outbox):
    other = make_plan("s-20260301-00000002.demo-v1")
    lease = leases.claim(plan, "gpu-1")
    leases.hand_over(lease, one_row(plan, lease))
    assert outbox.kept(other.run_id) == []
    assert leases.free_tasks(other) == 2


def test_a_batch_keeps_every_character_of_an_answer(leases, plan, outbox):
    lease = leases.claim(plan, "gpu-1")
    answer = 'Ümläut, "quotes", \\ and \n\x00 \U0001f35c'
    batch = make_batch(plan, plan.shards[0], "b-1", generations=(make_generation(answer=answer),))
    leases.hand_over(lease, batch)
    assert outbox.kept(plan.run_id)[0].generations[0].answer == answer


def test_while_the_ledger_is_being_restored_no_task_is_given_out(redis, leases, plan):
    mark = redis.get(keys.EPOCH)
    redis.delete(keys.EPOCH)
    assert leases.claim(plan, "gpu-1") is None
    redis.set(keys.EPOCH, mark)
    assert leases.claim(plan, "gpu-1") is not None


def test_a_run_that_asks_nothing_is_never_finished_and_stops_nobody(redis, plan):
    nothing = plan.model_copy(update={"items": (), "shards": ()})
    assert not finished(redis, nothing)
