"""A publisher that starts again: on a whole Redis it goes on, and it restores from what the store holds now alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from leaderboard.records import Failure, Lane, State
from leaderboard.store.base import Store, StoreUnavailable
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from tests.hub_server import Refuse
from tests.losing import copy_of, let_hold_run_out, roll_back
from tests.store.conftest import hub, open_hub, plain_uploads  # noqa: F401 - Fixtures.
from worker.hold import Displaced
from worker.lease import MOST_GRANTS
from worker.mark import saved_mark
from worker.publisher import Publisher

FAILURE = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.")


@pytest.fixture
def start(redis, tmp_path) -> Callable[[Store], Publisher]:
    """Starts the publisher after one that has died, on the same machine."""

    def start_one(store: Store) -> Publisher:
        let_hold_run_out(redis)
        return Publisher(redis, Ledger(redis), store, journal_seconds=0, mark=tmp_path / "data" / ".mark")

    return start_one


def step_until_idle(publisher: Publisher) -> None:
    while publisher.step():
        pass


def era_in(redis) -> bytes:
    return redis.get(keys.EPOCH).partition(b":")[0]


def test_a_publisher_that_starts_again_on_a_whole_redis_ends_no_lease(redis, store, leases, plan, start):
    step_until_idle(start(store))
    lease = leases.claim(plan, "gpu-1")
    era = era_in(redis)
    for _ in range(MOST_GRANTS + 1):
        step_until_idle(start(store))
        assert leases.renew(lease)
    assert era_in(redis) == era


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_one_that_died_around_a_commit_goes_on(monkeypatch, redis, ledger, store, leases, plan, start, moment):
    first = start(store)
    step_until_idle(first)
    lease, commit = leases.claim(plan, "gpu-1"), store.commit

    def die(*arguments):
        if moment == "after the commit":
            commit(*arguments)
        raise KeyboardInterrupt

    ledger.advance(plan.run_id, State.GENERATING, "gpu-1")
    monkeypatch.setattr(store, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        first.step()
    monkeypatch.undo()
    step_until_idle(start(store))
    assert leases.renew(lease)
    assert ledger.unsaved() == []


def test_each_commit_bears_the_mark_under_which_it_was_made(redis, store, submission, start):
    publisher = start(store)
    step_until_idle(publisher)
    assert saved_mark(store).era.encode() == era_in(redis)


def test_one_that_starts_on_an_older_redis_restores(redis, ledger, store, leases, plan, start):
    step_until_idle(start(store))
    lease = leases.claim(plan, "gpu-1")
    older = copy_of(redis)
    publisher = start(store)
    ledger.advance(plan.run_id, State.GENERATING, "gpu-1")
    step_until_idle(publisher)
    roll_back(redis, older)
    step_until_idle(start(store))
    assert ledger.state(plan.run_id) is State.GENERATING
    assert not leases.renew(lease)


def test_redis_and_file_of_one_old_copy_of_the_machine_overwrite_nothing(
    redis, ledger, store, plan, submission, start, tmp_path
):
    publisher, file = start(store), tmp_path / "data" / ".mark"
    step_until_idle(publisher)
    older, noted = copy_of(redis), file.read_bytes()
    ledger.advance(plan.run_id, State.GENERATING, "gpu-1")
    step_until_idle(publisher)
    saved = ledger.history(submission.id)
    roll_back(redis, older)
    file.write_bytes(noted)
    step_until_idle(start(store))
    assert ledger.history(submission.id) == saved


def test_leases_that_a_restore_ended_do_not_count_against_their_shards(redis, store, leases, plan, start):
    for _ in range(MOST_GRANTS + 1):
        redis.delete(keys.EPOCH)
        step_until_idle(start(store))
        assert leases.claim(plan, "gpu-1")
        assert redis.exists(keys.grants(plan.run_id, Lane.GENERATE))


def test_a_frozen_publisher_writes_nothing_beside_its_successor(redis, ledger, store, leases, plan, work, start):
    frozen = start(store)
    step_until_idle(frozen)
    step_until_idle(start(store))
    lease = leases.claim(plan, "gpu-2")
    ledger.advance(plan.run_id, State.GENERATING, "gpu-2")
    head, era = store.head(), era_in(redis)
    with pytest.raises(Displaced):
        frozen.step()
    assert (store.head(), era_in(redis)) == (head, era)
    assert leases.renew(lease)


def test_one_that_is_displaced_while_it_scores_fails_no_run(monkeypatch, redis, ledger, store, plan, work, start):
    publisher = start(store)
    step_until_idle(publisher)
    work()
    work()
    score = publisher._finisher._scored

    def score_late(*arguments):
        redis.set(keys.PUBLISHER, "its successor")
        return score(*arguments)

    monkeypatch.setattr(publisher._finisher, "_scored", score_late)
    with pytest.raises(Displaced):
        step_until_idle(publisher)
    assert ledger.state(plan.run_id) is State.PUBLISHING


def test_nothing_is_restored_from_an_old_copy_of_the_store(
    redis,
    ledger,
    submission,
    run_id,
    start,
    hub,  # noqa: F811
    open_hub,  # noqa: F811
    tmp_path: Path,
):
    here = open_hub("copy")
    step_until_idle(start(here))
    ledger.fail(run_id, "worker", FAILURE)
    step_until_idle(start(open_hub("another machine")))
    redis.flushall()

    hub.faults.add(".*", Refuse(500))
    late = start(open_hub("copy", pause=lambda _: None))
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="the ledger is compared with it once it answers"):
            late.step()
        assert not ledger.is_open()
        assert ledger.count() == 0
    hub.faults.clear()
    step_until_idle(start(open_hub("copy")))
    assert ledger.state(run_id) is State.FAILED


@pytest.mark.parametrize("name", ["advance", "history"])
def test_a_redis_that_is_lost_within_a_step_is_restored_and_fails_no_run(
    monkeypatch, redis, ledger, store, plan, work, tmp_path, name
):
    publisher = Publisher(redis, ledger, store, journal_seconds=0)
    step_until_idle(publisher)
    work()
    work()
    publisher.step()
    asked = getattr(ledger, name)

    def ask(*arguments):
        redis.flushall()
        return asked(*arguments)

    monkeypatch.setattr(ledger, name, ask)
    assert publisher.step()
    assert not redis.exists(keys.EPOCH)
    monkeypatch.undo()
    step_until_idle(publisher)
    assert ledger.state(plan.run_id) is State.PUBLISHED


def test_what_redis_does_not_hold_although_it_is_whole_is_told(redis, store, plan, work, start):
    publisher = start(store)
    step_until_idle(publisher)
    work()
    (name, *_) = redis.hkeys(keys.batches(plan.run_id))
    redis.hset(keys.batches(plan.run_id), name, "broken")
    redis.delete(keys.state(plan.run_id))
    with pytest.raises(RapportError, match=f"Redis does not hold .*{plan.run_id}"):
        publisher.step()
