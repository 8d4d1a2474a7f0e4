"""Handing rows over: a few at a time, in order, and what is known comes back to whoever goes on."""

import pytest

from evaluator.errors import Cause
from leaderboard.records import Lane
from leaderboard.submissions import keys
from tests.builders import make_batch, make_generation, make_input_key, make_report, rows_of
from worker import handover
from worker.handover import Handover
from worker.lease import StaleLease
from worker.outbox import Outbox


def many(number: int) -> list:
    return [make_generation(make_input_key(f"test_1/{place}")) for place in range(number)]


@pytest.fixture
def patient(monkeypatch):
    """Only the number of rows decides when a batch is full."""
    monkeypatch.setattr(handover, "SECONDS", 3600)


def sizes(outbox, run_id) -> list[int]:
    return sorted(len(batch.generations) for batch in outbox.kept(run_id))


def test_rows_are_handed_over_a_few_at_a_time_and_returned(leases, plan, patient, outbox):
    rows = many(2 * handover.ROWS + 1)
    assert Handover(leases, leases.claim(plan, "gpu-1"), outbox).generations(rows) == rows
    assert sizes(outbox, plan.run_id) == [1, handover.ROWS, handover.ROWS]


def test_what_came_before_an_engine_died_has_been_handed_over(leases, ledger, plan, patient, outbox):
    def dying():
        yield from many(handover.ROWS + 1)
        raise MemoryError

    with pytest.raises(MemoryError):
        Handover(leases, leases.claim(plan, "gpu-1"), outbox).generations(dying())
    assert ledger.progress(plan.run_id).generations == handover.ROWS + 1


def test_a_row_that_has_waited_long_enough_does_not_wait_for_more(leases, plan, monkeypatch, outbox):
    monkeypatch.setattr(handover, "SECONDS", 0)
    Handover(leases, leases.claim(plan, "gpu-1"), outbox).generations(many(3))
    assert sizes(outbox, plan.run_id) == [1, 1, 1]


def test_nothing_to_hand_over_is_no_batch(redis, leases, plan, outbox):
    handing = Handover(leases, leases.claim(plan, "gpu-1"), outbox)
    assert handing.generations([]) == []
    handing.verdicts([])
    assert Outbox(redis).waiting() == []


def test_batches_of_one_holder_after_the_other_have_names_of_their_own(redis, leases, plan, outbox):
    for _ in range(2):
        for worker in ("gpu-1", "gpu-2"):
            lease = leases.claim(plan, worker)
            handing = Handover(leases, lease, outbox)
            handing.generations(many(1))
            handing.generations(many(1))
            leases.release(lease, forgive=True)
    names = [entry.batch_id for entry in Outbox(redis).waiting()]
    assert len(set(names)) == len(names) == 8


def test_a_successor_knows_the_rows_of_its_shard_and_of_no_other(leases, plan, outbox):
    first, second = leases.claim(plan, "gpu-1"), leases.claim(plan, "gpu-2")
    mine, theirs = (rows_of(plan, shard) for shard in plan.shards)
    Handover(leases, first, outbox).generations(mine.generations)
    Handover(leases, first, outbox).verdicts(mine.verdicts[:2])
    Handover(leases, second, outbox).generations(theirs.generations)
    leases.release(first, forgive=True)
    known = Handover(leases, leases.claim(plan, "gpu-3"), outbox).known_rows()
    assert known.generations == {row.input_key: row for row in mine.generations}
    assert known.verdicts == mine.verdicts[:2]


def test_what_was_computed_when_a_worker_was_told_to_stop_has_been_handed_over(leases, ledger, plan, patient, outbox):
    def stopping():
        yield from many(2)
        raise SystemExit("told to stop")

    with pytest.raises(SystemExit):
        Handover(leases, leases.claim(plan, "gpu-1"), outbox).generations(stopping())
    assert ledger.progress(plan.run_id).generations == 2


def test_finishing_closes_the_shard_in_its_lane(leases, plan, outbox):
    lease = leases.claim(plan, "gpu-1")
    Handover(leases, lease, outbox).finish(make_report())
    leases.release(lease, forgive=True)
    assert leases.claim(plan, "gpu-2", [Lane.GENERATE]).shard_id != lease.shard_id
    assert leases.claim(plan, "gpu-2", [Lane.JUDGE]).shard_id == lease.shard_id


def test_a_judge_knows_the_answers_that_another_worker_has_handed_over(leases, plan, outbox, do_task):
    generated = do_task(plan, Lane.GENERATE)
    judging = leases.claim(plan, "gpu-2", [Lane.JUDGE])
    known = Handover(leases, judging, outbox).known_rows()
    rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == generated.shard_id))
    assert sorted(known.generations) == sorted(row.input_key for row in rows.generations)


def test_a_lost_lease_is_noticed_at_the_next_batch(leases, plan, outbox):
    lease = leases.claim(plan, "gpu-1")
    leases.release(lease, forgive=True)
    for write in (
        lambda handing: handing.generations(many(1)),
        lambda handing: handing.verdicts(rows_of(plan, plan.shards[0]).verdicts),
        lambda handing: handing.finish(make_report()),
    ):
        with pytest.raises(StaleLease):
            write(Handover(leases, lease, outbox))


def unanswered(plan, place: int):
    """A failed item of a shard, whose two verdicts nobody will give."""
    (_, user), *_ = plan.shards[place].users
    return make_generation(make_input_key(f"test_1/{user}-persona"), None, failure=Cause.CONTEXT_OVERFLOW)


def test_progress_reaches_its_end_although_the_lease_was_lost_halfway(redis, leases, ledger, plan, patient, outbox):
    orders = {item.question_id: len(item.orders) for item in plan.items}
    lease = leases.claim(plan, "gpu-1")

    def lost_halfway():
        yield from [unanswered(plan, 0), *many(handover.ROWS - 1)]
        redis.delete(keys.lease(*lease.task))
        yield unanswered(plan, 1)

    with pytest.raises(StaleLease):
        Handover(leases, lease, outbox, orders).generations(lost_halfway())
    assert ledger.progress(plan.run_id).verdicts_wanted == 10 - 2, "what was taken in is counted, and no more"


def test_a_batch_that_is_sent_again_counts_its_unjudged_rows_once(leases, ledger, plan):
    lease = leases.claim(plan, "gpu-1")
    batch = make_batch(plan, plan.shards[0], "0000-000001-0001", generations=(unanswered(plan, 0),))
    for _ in range(2):
        leases.hand_over(lease, batch, unjudged=2)
    assert ledger.progress(plan.run_id) == (1, 6, 0, 8)


def test_an_answer_that_nobody_judges_needs_its_question_in_the_plan(leases, plan, outbox):
    handing = Handover(leases, leases.claim(plan, "gpu-1"), outbox)
    with pytest.raises(KeyError):
        handing.generations([unanswered(plan, 0)])


def test_a_batch_whose_predecessor_redis_has_forgotten_is_refused_and_its_rows_are_owed(
    redis, leases, ledger, plan, patient, outbox
):
    lease = leases.claim(plan, "gpu-1")
    handing = Handover(leases, lease, outbox)
    handing.generations(many(1))
    older = redis.dump(keys.batches(plan.run_id))
    handing.generations([make_generation(make_input_key("test_1/forgotten"))])
    redis.restore(keys.batches(plan.run_id), 0, older, replace=True)
    assert redis.get(keys.lease(*lease.task)), "Redis came back as it was in the middle of the lease"
    for write in (
        lambda: handing.generations([make_generation(make_input_key("test_1/later"))]),
        lambda: handing.finish(make_report()),
    ):
        with pytest.raises(StaleLease, match="the batch before"):
            write()
    assert sizes(outbox, plan.run_id) == [1]
    assert not redis.smembers(keys.done(plan.run_id, Lane.GENERATE)), "the shard is not closed"
