"""After a loss of Redis, whole or to an older copy, the store's part comes back and nothing is asked or kept twice."""

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.records import AmendmentKind, Failure, Lane, State
from leaderboard.store import layout
from leaderboard.store.base import Write
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import BeingRestored, Ledger
from tests.builders import make_batch, make_submission, rows_of
from tests.losing import copy_of, let_hold_run_out, roll_back
from worker.handover import Handover
from worker.lease import Leases, StaleLease
from worker.outbox import Outbox
from worker.publisher import Publisher

FAILURE = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.")


@pytest.fixture
def publisher(redis, ledger, store) -> Publisher:
    """A publisher that has compared the ledger with the store."""
    publisher = Publisher(redis, ledger, store, journal_seconds=0)
    step_until_idle(publisher)
    return publisher


def step_until_idle(publisher: Publisher) -> None:
    while publisher.step():
        pass


def shard_of(plan, lease):
    return next(shard for shard in plan.shards if shard.id == lease.shard_id)


def row_keys(store, run_id: str) -> list[str]:
    """The keys of all rows that the store holds of a run."""
    generations, verdicts, _ = StoredRun(store, run_id).rows()
    return [*(row.input_key for row in generations), *(row.verdict_key for row in verdicts)]


def assert_published_with_every_row_once(ledger, store, plan) -> None:
    assert ledger.view(plan.run_id.split(".")[0]).state is State.PUBLISHED
    expected = [rows_of(plan, shard) for shard in plan.shards]
    generations = [row.input_key for rows in expected for row in rows.generations]
    verdicts = [row.verdict_key for rows in expected for row in rows.verdicts]
    assert sorted(row_keys(store, plan.run_id)) == sorted(generations + verdicts)
    assert ledger.progress(plan.run_id) == (6, 6, 10, 10)


def test_a_whole_redis_is_left_alone(redis, publisher, leases, plan):
    lease = leases.claim(plan, "gpu-1")
    publisher.step()
    assert leases.renew(lease)


def test_nothing_is_entered_before_a_publisher_has_compared_the_ledger_with_the_store(redis, ledger, store):
    redis.flushall()
    assert not ledger.is_open()
    with pytest.raises(BeingRestored, match=r"being restored\. Try again in a minute") as caught:
        ledger.create(make_submission())
    assert caught.value.cause is Cause.INFRASTRUCTURE
    assert ledger.count() == 0
    Publisher(redis, ledger, store).step()
    assert ledger.create(make_submission()) == make_submission().id


def test_after_the_loss_of_redis_stored_rows_are_known_again(redis, ledger, publisher, plan, work):
    lease = work()
    step_until_idle(publisher)
    redis.flushall()

    publisher.step()

    assert ledger.state(plan.run_id) is State.QUEUED
    assert ledger.plan(plan.run_id) == plan
    assert ledger.progress(plan.run_id) == (3, 6, 5, 10)
    for lane in Lane:
        done = [shard.id for shard in plan.shards if redis.sismember(keys.done(plan.run_id, lane), shard.id)]
        assert done == [lease.shard_id]


def test_a_shard_half_done_before_the_loss_goes_on_where_it_was(redis, ledger, leases, publisher, plan, outbox):
    lease = leases.claim(plan, "gpu-1")
    rows = rows_of(plan, shard_of(plan, lease))
    Handover(leases, lease, outbox).generations(rows.generations)
    step_until_idle(publisher)
    redis.flushall()
    publisher.step()

    successor = Leases(redis, 30).claim(plan, "gpu-2")
    known = Handover(Leases(redis, 30), successor, Outbox(redis)).known_rows()
    assert successor.shard_id == lease.shard_id
    assert sorted(known.generations) == sorted(row.input_key for row in rows.generations)


def test_a_run_restored_and_finished_is_published_with_every_row_once(redis, ledger, store, publisher, plan, work):
    work()
    step_until_idle(publisher)
    redis.flushall()
    publisher.step()
    work()
    step_until_idle(publisher)
    assert_published_with_every_row_once(ledger, store, plan)


def test_a_run_that_had_failed_is_taken_up_again_after_the_loss_without_asking_twice(
    redis, ledger, store, publisher, plan, work
):
    work()
    ledger.fail(plan.run_id, "worker", FAILURE)
    step_until_idle(publisher)
    redis.flushall()
    publisher.step()
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    work()
    step_until_idle(publisher)
    assert_published_with_every_row_once(ledger, store, plan)


def test_restoring_twice_counts_nothing_twice(redis, ledger, publisher, plan, work):
    work()
    step_until_idle(publisher)
    for _ in range(2):
        redis.delete(keys.EPOCH)
        publisher.step()
    assert ledger.progress(plan.run_id) == (3, 6, 5, 10)


def test_an_older_copy_is_noticed_while_the_publisher_goes_on_and_gets_back_what_was_saved(
    redis, ledger, publisher, plan, submission, work
):
    publisher.step()
    older = copy_of(redis)
    ledger.advance(plan.run_id, State.GENERATING, "gpu-1")
    work()
    step_until_idle(publisher)
    saved = ledger.history(submission.id)

    roll_back(redis, older)
    assert ledger.state(plan.run_id) is State.QUEUED
    publisher.step()

    assert ledger.history(submission.id) == saved
    assert ledger.state(plan.run_id) is State.GENERATING
    assert ledger.progress(plan.run_id) == (3, 6, 5, 10)
    assert ledger.view(submission.id).saved


def test_an_older_copy_is_noticed_by_a_new_publisher_too(redis, ledger, store, publisher, plan, submission):
    older = copy_of(redis)
    ledger.advance(plan.run_id, State.GENERATING, "gpu-1")
    step_until_idle(publisher)
    roll_back(redis, older)
    let_hold_run_out(redis)
    Publisher(redis, ledger, store).step()
    assert ledger.state(plan.run_id) is State.GENERATING


def test_a_publication_that_redis_forgot_stays_and_is_not_done_again(redis, ledger, store, publisher, plan, work):
    work()
    work()
    older = copy_of(redis)
    step_until_idle(publisher)
    (path,) = store.list(layout.SCORECARDS)
    card = store.read(path)
    roll_back(redis, older)
    step_until_idle(publisher)
    assert ledger.state(plan.run_id) is State.PUBLISHED
    assert store.list(layout.SCORECARDS) == [path]
    assert store.read(path) == card
    assert Outbox(redis).waiting() == []
    assert not redis.exists(keys.batches(plan.run_id), keys.plan(plan.run_id)), "nothing is left behind"


def test_rows_made_for_a_run_whose_publication_redis_forgot_are_not_added_to_it(
    redis, ledger, store, publisher, plan, work, outbox
):
    work()
    older = copy_of(redis)
    work()
    step_until_idle(publisher)
    stored = row_keys(store, plan.run_id)
    roll_back(redis, older)
    work()
    step_until_idle(publisher)
    assert row_keys(store, plan.run_id) == stored
    assert outbox.waiting() == []


def test_a_worker_whose_rival_redis_forgot_cannot_write_any_more(redis, leases, publisher, plan):
    publisher.step()
    lease = leases.claim(plan, "gpu-1")
    older = copy_of(redis)
    leases.release(lease, forgive=True)
    rival = leases.claim(plan, "gpu-2")
    publisher.step()
    roll_back(redis, older)
    publisher.step()
    for each in (lease, rival):
        with pytest.raises(StaleLease):
            leases.hand_over(each, make_batch(plan, plan.shards[0], "0000-000001-0001"))
    assert leases.claim(plan, "gpu-3").number > rival.number


def test_fencing_numbers_go_on_above_those_of_stored_rows_whatever_the_clock_says(redis, leases, publisher, plan):
    redis.set(keys.FENCE, 10**13)
    lease = leases.claim(plan, "gpu-1")
    generations = rows_of(plan, shard_of(plan, lease)).generations
    Handover(leases, lease, Outbox(redis)).generations(generations)
    step_until_idle(publisher)
    redis.flushall()
    publisher.step()
    later = leases.claim(plan, "gpu-1")
    assert later.number > lease.number
    leases.hand_over(later, make_batch(plan, plan.shards[0], "0000-000001-0001"))


def test_rows_that_were_asked_again_before_the_loss_was_noticed_are_dropped(
    redis, ledger, store, publisher, plan, do_task
):
    step_until_idle(publisher)
    older = copy_of(redis)
    do_task(plan, Lane.GENERATE)
    step_until_idle(publisher)
    stored = row_keys(store, plan.run_id)
    roll_back(redis, older)
    for lane in Lane:
        do_task(plan, lane)
    assert len(Outbox(redis).waiting()) == 4, "the same questions again, under other leases, and what was made of them"

    step_until_idle(publisher)

    assert row_keys(store, plan.run_id) == stored
    assert ledger.progress(plan.run_id) == (3, 6, 0, 10)
    for lane in (Lane.JUDGE, Lane.GENERATE, Lane.JUDGE):
        do_task(plan, lane)
    step_until_idle(publisher)
    assert_published_with_every_row_once(ledger, store, plan)


def test_what_an_older_copy_would_overwrite_is_never_written(monkeypatch, redis, ledger, store, publisher, submission):
    (run_id,) = submission.run_ids()
    older = copy_of(redis)
    ledger.advance(run_id, State.GENERATING, "gpu-1")
    step_until_idle(publisher)
    saved = ledger.history(submission.id)
    ledger.advance(run_id, State.JUDGING, "gpu-1")
    histories = ledger.histories

    def from_a_redis_that_comes_back_older(ids):
        roll_back(redis, older)
        return histories(ids)

    monkeypatch.setattr(ledger, "histories", from_a_redis_that_comes_back_older)
    head = store.head()
    assert publisher.step(), "there is something to do: restore"
    assert store.head() == head
    monkeypatch.undo()
    step_until_idle(publisher)
    assert ledger.history(submission.id).events[: len(saved.events)] == saved.events


def test_after_a_loss_a_withdrawal_still_holds(redis, ledger, store, publisher, submission, run_id):
    ledger.amend(ledger.history(submission.id), AmendmentKind.WITHDRAWN, "alice", "A wrong model.")
    step_until_idle(publisher)
    redis.flushall()
    publisher.step()
    assert ledger.history(submission.id).withdrawn
    assert ledger.state(run_id) is State.CANCELLED


def test_broken_rows_of_one_run_end_it_with_their_cause_and_hold_up_no_other(
    redis, ledger, store, publisher, plan, work
):
    work()
    other = make_submission(2)
    ledger.create(other)
    step_until_idle(publisher)
    (path, *_) = store.list(layout.generations_folder(plan.run_id))
    store.commit([Write(path, b"not a row\n")], "damage")
    redis.flushall()
    step_until_idle(publisher)
    failed = ledger.view(plan.run_id.split(".")[0]).runs[0]
    assert (failed.state, failed.failure.cause) == (State.FAILED, Cause.DATA_ERROR)
    assert path in failed.failure.message
    assert ledger.state(other.run_ids()[0]) is State.CHECKING


def test_a_publisher_restores_before_it_writes_and_never_shortens_a_history(redis, ledger, store, submission, run_id):
    first = Publisher(redis, ledger, store, journal_seconds=0)
    step_until_idle(first)
    ledger.fail(run_id, "worker", FAILURE)
    step_until_idle(first)
    saved = store.read(layout.submission_path(submission.id))
    redis.flushall()
    with pytest.raises(RapportError, match="being restored"):
        ledger.create(submission)
    step_until_idle(Publisher(redis, Ledger(redis), store, journal_seconds=0))
    assert store.read(layout.submission_path(submission.id)) == saved
