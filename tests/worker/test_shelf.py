"""What Redis keeps of ended runs, and that a run that was forgotten goes on from the store without asking twice."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.records import AmendmentKind, Failure, Lane, Plan, State
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Write
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_plan, make_report, rows_of
from tests.losing import copy_of, let_hold_run_out, roll_back
from worker.handover import Handover
from worker.lease import StaleLease
from worker.outbox import Outbox
from worker.publisher import Publisher
from worker.troubles import Troubles

FAILURE = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.")
AT_ONCE = datetime.timedelta(0)
STAYS = {"state", "progress"}
"""What a page shows of a run for good."""


@pytest.fixture
def start(redis: Redis, store: LocalStore) -> Callable[..., Publisher]:
    """Starts a publisher after the one before has died; it forgets ended runs at once unless told otherwise."""

    def start_one(kept: datetime.timedelta = AT_ONCE) -> Publisher:
        let_hold_run_out(redis)
        return Publisher(redis, Ledger(redis), store, journal_seconds=0, kept=kept)

    return start_one


@pytest.fixture
def publisher(start: Callable[..., Publisher]) -> Publisher:
    publisher = start()
    step_until_idle(publisher)
    return publisher


def step_until_idle(publisher: Publisher) -> None:
    while publisher.step():
        pass


def left_of(redis: Redis, run_id: str) -> set[str]:
    """The kinds of keys that Redis holds of a run."""
    return {key.decode().split(":")[1] for key in redis.scan_iter(f"rapport:*:{run_id}*")}


def row_keys(store: LocalStore, run_id: str) -> list[str]:
    generations, verdicts, _ = StoredRun(store, run_id).rows()
    return sorted([*(row.input_key for row in generations), *(row.verdict_key for row in verdicts)])


def expected(plan: Plan) -> list[str]:
    rows = [rows_of(plan, shard) for shard in plan.shards]
    generations = [row.input_key for each in rows for row in each.generations]
    return sorted([*generations, *(row.verdict_key for each in rows for row in each.verdicts)])


def end(ledger: Ledger, run_id: str, state: State) -> None:
    """Ends a run that workers have in hand."""
    ledger.advance(run_id, State.GENERATING, "gpu-1")
    ledger.move(run_id, State.GENERATING, state, "alice", FAILURE)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_what_ended_long_ago_leaves_redis_and_stays_in_the_store(redis, ledger, store, publisher, plan, work, state):
    work()
    Troubles(redis).may_try_again(plan.run_id, RapportError(Cause.TIMEOUT, "Too slow.", "Again."))
    redis.set(keys.killed(plan.run_id), 1)
    end(ledger, plan.run_id, state)
    step_until_idle(publisher)
    assert left_of(redis, plan.run_id) == STAYS
    assert ledger.progress(plan.run_id) == (3, 6, 5, 10), "its page still tells how far it came"
    assert len(row_keys(store, plan.run_id)) == 8


def test_what_has_just_ended_stays(redis, ledger, start, plan, work):
    publisher = start(datetime.timedelta(days=7))
    step_until_idle(publisher)
    work()
    end(ledger, plan.run_id, State.FAILED)
    step_until_idle(publisher)
    assert {"plan", "batches", "done"} <= left_of(redis, plan.run_id)


def test_a_withdrawn_run_is_forgotten_however_long_others_are_kept(redis, ledger, store, start, submission, plan, work):
    publisher = start(datetime.timedelta(days=7))
    step_until_idle(publisher)
    work()
    ledger.amend(ledger.history(submission.id), AmendmentKind.WITHDRAWN, "alice", "A wrong model.")
    step_until_idle(publisher)
    assert left_of(redis, plan.run_id) == STAYS
    assert len(row_keys(store, plan.run_id)) == 8, "nothing of the store is deleted"
    assert not redis.sismember(keys.SHELVED, plan.run_id)


def test_what_a_publisher_left_that_died_right_after_publishing_is_forgotten(redis, ledger, publisher, plan, work):
    work()
    work()
    step_until_idle(publisher)
    redis.set(keys.plan(plan.run_id), plan.model_dump_json())
    ledger.amend(ledger.history(plan.run_id.split(".")[0]), AmendmentKind.DISPUTED, "alice", "One verdict is wrong.")
    step_until_idle(publisher)
    assert left_of(redis, plan.run_id) == STAYS


def test_a_run_of_which_a_batch_is_not_stored_is_kept(monkeypatch, redis, ledger, publisher, plan, work):
    work()
    end(ledger, plan.run_id, State.FAILED)
    monkeypatch.setattr(publisher._drain, "gather", lambda *_: None)
    for _ in range(5):
        publisher.step()
    assert "batches" in left_of(redis, plan.run_id)
    monkeypatch.undo()
    step_until_idle(publisher)
    assert left_of(redis, plan.run_id) == STAYS


def test_a_batch_that_comes_while_its_run_is_being_forgotten_is_not_lost(
    monkeypatch, redis, ledger, store, publisher, leases, plan
):
    lease = leases.claim(plan, "gpu-1")
    end(ledger, plan.run_id, State.FAILED)
    waiting, rows = publisher._shelf._outbox.waiting, rows_of(plan, plan.shards[0])

    def hand_over_late(*arguments):
        found = waiting(*arguments)
        if not redis.exists(keys.batches(plan.run_id)):
            Handover(leases, lease, Outbox(redis)).generations(rows.generations)
        return found

    monkeypatch.setattr(publisher._shelf._outbox, "waiting", hand_over_late)
    publisher.step()
    assert {"plan", "batches"} <= left_of(redis, plan.run_id)
    step_until_idle(publisher)
    assert row_keys(store, plan.run_id) == sorted(row.input_key for row in rows.generations)


def test_whoever_still_holds_a_lease_on_a_forgotten_run_hands_nothing_over(redis, ledger, publisher, leases, plan):
    lease = leases.claim(plan, "gpu-1")
    end(ledger, plan.run_id, State.FAILED)
    step_until_idle(publisher)
    with pytest.raises(StaleLease):
        Handover(leases, lease, Outbox(redis)).generations(rows_of(plan, plan.shards[0]).generations)


def test_a_run_whose_end_is_not_saved_is_kept(monkeypatch, redis, ledger, publisher, submission, plan, work):
    work()
    end(ledger, plan.run_id, State.FAILED)
    step_until_idle(publisher)
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    step_until_idle(publisher)
    redis.zadd(keys.ENDED, {plan.run_id: 1.0})  # As after its first end.
    end(ledger, plan.run_id, State.FAILED)
    publisher._shelf.clear()
    assert "plan" in left_of(redis, plan.run_id)


@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_a_forgotten_run_that_is_taken_up_again_asks_nothing_twice(
    redis, ledger, store, publisher, plan, work, leases, state
):
    work()
    end(ledger, plan.run_id, state)
    step_until_idle(publisher)
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    assert leases.claim(plan, "gpu-1") is None, "a late invitation must not begin anew"
    step_until_idle(publisher)
    assert ledger.plan(plan.run_id) == plan
    assert ledger.progress(plan.run_id) == (3, 6, 5, 10)
    assert leases.free_tasks(plan) == 1
    work()
    step_until_idle(publisher)
    assert ledger.state(plan.run_id) is State.PUBLISHED
    assert row_keys(store, plan.run_id) == expected(plan)
    assert left_of(redis, plan.run_id) == STAYS


def test_a_worker_that_planned_a_shelved_run_anew_goes_on_under_its_first_plan(
    redis, ledger, store, publisher, plan, work
):
    work()
    end(ledger, plan.run_id, State.FAILED)
    step_until_idle(publisher)
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    ledger.put_plan(plan.model_copy(update={"shards": plan.shards[::-1], "data_sha": "e" * 40}))
    step_until_idle(publisher)
    assert ledger.plan(plan.run_id) == plan
    work()
    step_until_idle(publisher)
    assert row_keys(store, plan.run_id) == expected(plan)


def test_a_run_that_handed_over_nothing_is_planned_anew_and_counted_anew(redis, ledger, publisher, plan, leases):
    end(ledger, plan.run_id, State.FAILED)
    step_until_idle(publisher)
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    step_until_idle(publisher)
    assert ledger.plan(plan.run_id) is None
    smaller = ledger.put_plan(make_plan(plan.run_id, users=(1,)))
    assert ledger.progress(plan.run_id) == (0, 3, 0, 5)
    assert leases.claim(smaller, "gpu-1")


def test_a_run_that_was_never_in_work_costs_no_look_at_the_store(monkeypatch, redis, ledger, store, publisher, run_id):
    read = []
    monkeypatch.setattr(store, "list", lambda prefix="": read.append(prefix) or [])
    step_until_idle(publisher)
    assert [prefix for prefix in read if prefix.startswith("runs/")] == []


def test_broken_rows_end_a_run_that_was_taken_up_again_and_no_worker_begins_it_anew(
    ledger, store, publisher, plan, work, leases
):
    work()
    end(ledger, plan.run_id, State.FAILED)
    step_until_idle(publisher)
    (path, *_) = store.list(layout.generations_folder(plan.run_id))
    store.commit([Write(path, b"not a row\n")], "damage")
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    step_until_idle(publisher)
    run = ledger.view(plan.run_id.split(".")[0]).runs[0]
    assert (run.state, run.failure.cause) == (State.FAILED, Cause.DATA_ERROR)
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    assert leases.claim(plan, "gpu-1") is None


@pytest.mark.parametrize("lost", ["all", "to an older copy"])
def test_after_a_loss_what_ended_long_ago_is_not_read_and_still_goes_on_when_it_is_taken_up(
    monkeypatch, redis, ledger, store, publisher, plan, work, lost
):
    work()
    older = copy_of(redis)
    end(ledger, plan.run_id, State.FAILED)
    step_until_idle(publisher)
    roll_back(redis, {} if lost == "all" else older)
    with monkeypatch.context() as patch:
        patch.setattr("leaderboard.store.runs.StoredRun.batch", lambda *_: pytest.fail("rows are read"))
        step_until_idle(publisher)
    assert left_of(redis, plan.run_id) <= STAYS
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    step_until_idle(publisher)
    work()
    step_until_idle(publisher)
    assert row_keys(store, plan.run_id) == expected(plan)
    assert ledger.state(plan.run_id) is State.PUBLISHED


def test_fencing_numbers_go_on_above_those_of_a_run_that_comes_back(redis, ledger, publisher, leases, plan, start):
    redis.set(keys.FENCE, 10**13)
    lease = leases.claim(plan, "gpu-1")
    handover = Handover(leases, lease, Outbox(redis))
    handover.generations(rows_of(plan, plan.shards[0]).generations)
    handover.finish(make_report(Lane.GENERATE))
    end(ledger, plan.run_id, State.CANCELLED)
    step_until_idle(publisher)
    redis.flushall()
    step_until_idle(publisher)
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    step_until_idle(publisher)
    assert leases.claim(plan, "gpu-2").number > lease.number
