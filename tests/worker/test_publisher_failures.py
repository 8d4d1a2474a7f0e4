"""What a publisher leaves behind when it dies between two steps, or when the store cannot be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from types import SimpleNamespace

import pytest

from evaluator.errors import Cause
from leaderboard.records import Lane, State
from leaderboard.store import Delete, LocalStore, StoreFull, StoreUnavailable, Write, layout
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import ENDED
from tests.builders import make_batch, make_plan, make_submission, rows_of
from tests.losing import let_hold_run_out
from tests.released import released_board
from worker import draining
from worker.finishing import MOST_REOPENED
from worker.handover import Handover
from worker.outbox import Outbox
from worker.publisher import Publisher
from worker.setbacks import STORE_PATIENCE_SECONDS
from worker.tasks import board_of


class PowerCut(BaseException):
    """The machine went off: nothing after this line happened."""


class FailingStore(LocalStore):
    """A local store whose commits fail for as long as a test says so."""

    failure: Exception | None = None

    def commit(self, operations: Iterable, message: str, expected_parent=None):
        if self.failure:
            raise self.failure
        return super().commit(operations, message, expected_parent)


@pytest.fixture
def store(tmp_path) -> FailingStore:
    return FailingStore(tmp_path / "store")


@pytest.fixture
def clock() -> SimpleNamespace:
    return SimpleNamespace(now=0.0)


@pytest.fixture
def publisher(redis, ledger, store, clock) -> Publisher:
    return Publisher(redis, ledger, store, journal_seconds=0, clock=lambda: clock.now)


def dying(method: Callable, *, before: bool) -> Callable:
    """The same method, with a power cut right before or right after what it does."""

    def die(*arguments):
        if not before:
            method(*arguments)
        raise PowerCut

    return die


def next_publisher(redis, store) -> Publisher:
    """A publisher in a new process."""
    let_hold_run_out(redis)
    return Publisher(redis, Ledger(redis), store)


def step_until_idle(publisher: Publisher) -> None:
    while publisher.step():
        pass


def generations(store, run_id: str) -> list[str]:
    return [row.input_key for row in StoredRun(store, run_id).rows().generations]


@pytest.mark.parametrize("before", [True, False], ids=["before removing", "after removing"])
def test_dying_between_commit_and_removal_from_the_outbox_doubles_nothing(
    monkeypatch, redis, publisher, store, plan, work, before, outbox
):
    work()
    monkeypatch.setattr(publisher._drain._outbox, "remove", dying(publisher._drain._outbox.remove, before=before))
    with pytest.raises(PowerCut):
        publisher.step()
    kept, commits = generations(store, plan.run_id), len(store.history())
    next_publisher(redis, store).step()
    assert generations(store, plan.run_id) == kept
    assert len(set(kept)) == len(kept) == 3
    assert len(store.history()) == commits, "the same bytes again are no news"
    assert Outbox(redis).waiting() == []


def test_dying_before_the_commit_loses_nothing(monkeypatch, redis, publisher, store, plan, work):
    work()
    monkeypatch.setattr(store, "commit", dying(store.commit, before=True))
    with pytest.raises(PowerCut):
        publisher.step()
    monkeypatch.undo()
    step_until_idle(next_publisher(redis, store))
    assert len(generations(store, plan.run_id)) == 3


@pytest.mark.parametrize("state", [State.PUBLISHING, State.PUBLISHED])
@pytest.mark.parametrize("before", [True, False], ids=["before the step", "after the step"])
def test_dying_while_publishing_ends_with_one_scorecard(
    monkeypatch, redis, ledger, publisher, store, plan, work, state, before
):
    work()
    work()
    publisher.step()
    advance = ledger.advance

    def cut(run_id, after, actor):
        return dying(advance, before=before)(run_id, after, actor) if after is state else advance(run_id, after, actor)

    monkeypatch.setattr(ledger, "advance", cut)
    with pytest.raises(PowerCut):
        publisher.step()
    written = [store.read(path) for path in store.list(layout.SCORECARDS)]
    step_until_idle(next_publisher(redis, store))
    assert Ledger(redis).state(plan.run_id) is State.PUBLISHED
    (path,) = store.list(layout.SCORECARDS)
    assert written in ([], [store.read(path)]), "a scorecard that stands is not written again"
    assert len(generations(store, plan.run_id)) == 6


def entered(ledger, leases, outbox, number: int) -> str:
    """Enters a submission whose one shard is generated; returns its run."""
    submission = make_submission(number)
    ledger.create(submission)
    (run_id,) = submission.run_ids()
    ledger.advance(run_id, State.QUEUED, "alice")
    plan = ledger.put_plan(make_plan(run_id, users=(number,)))
    Handover(leases, leases.claim(plan, "gpu-1"), outbox).generations(rows_of(plan, plan.shards[0]).generations)
    return run_id


class PickyStore(FailingStore):
    """A store that takes no rows of one run."""

    unwanted = ""

    def commit(self, operations: Iterable, message: str, expected_parent=None):
        operations = list(operations)
        if any(self.unwanted in each.path for each in operations if each.path.startswith("runs/")):
            raise GONE
        return super().commit(operations, message, expected_parent)


@pytest.mark.parametrize("many", [1, 3])
def test_nobody_waits_behind_what_cannot_be_stored(
    monkeypatch, redis, ledger, leases, outbox, tmp_path, clock, caplog, many
):
    monkeypatch.setattr(draining, "BATCHES_A_COMMIT", many)
    store = PickyStore(tmp_path / "picky")
    publisher = Publisher(redis, ledger, store, journal_seconds=0, clock=lambda: clock.now)
    runs = [entered(ledger, leases, outbox, number) for number in range(1, 5)]
    store.unwanted = runs[0]
    for clock.now in range(0, 2 * int(STORE_PATIENCE_SECONDS), 50):
        with suppress(StoreUnavailable):
            publisher.step()
    assert [len(generations(store, run_id)) for run_id in runs] == [0, 3, 3, 3]
    assert [ledger.state(run_id) for run_id in runs] == [State.FAILED, *[State.QUEUED] * 3]
    assert {entry.run_id for entry in outbox.waiting()} == {runs[0]}
    assert caplog.text.count("failed: The results could not be stored") == 1, "it is told once"
    assert ledger.unsaved() == []
    store.unwanted = "nothing"
    step_until_idle(publisher)
    assert len(generations(store, runs[0])) == 3


FULL = StoreFull("/data/store")
GONE = StoreUnavailable("/data/store", "permission denied")


def test_a_full_disk_fails_the_run_with_its_cause_and_keeps_the_rows(
    ledger, publisher, store, submission, work, outbox
):
    work()
    handed_over = len(outbox.waiting())
    store.failure = FULL
    with pytest.raises(StoreFull):
        publisher.step()
    run = ledger.view(submission.id).runs[0]
    assert (run.state, run.failure.cause) == (State.FAILED, Cause.DISK_FULL)
    assert "Finished items are kept" in run.failure.remedy
    assert len([outbox.batch(entry) for entry in outbox.waiting()]) == handed_over


def test_a_store_out_of_reach_fails_a_run_only_when_it_stays_so(
    ledger, publisher, store, clock, submission, work, outbox
):
    work()
    handed_over = len(outbox.waiting())
    store.failure = GONE
    for clock.now in (0.0, STORE_PATIENCE_SECONDS):
        with pytest.raises(StoreUnavailable):
            publisher.step()
        assert ledger.view(submission.id).runs[0].state is State.QUEUED
    clock.now = STORE_PATIENCE_SECONDS + 1
    for _ in range(2):  # Every other turn is that of runs that could be stored.
        with pytest.raises(StoreUnavailable):
            publisher.step()
    run = ledger.view(submission.id).runs[0]
    assert (run.state, run.failure.cause) == (State.FAILED, Cause.INFRASTRUCTURE)
    assert len(outbox.waiting()) == handed_over


def test_a_batch_of_another_version_fails_its_run_and_holds_up_no_other(
    redis, ledger, publisher, store, plan, work, outbox
):
    lease = work()
    (name, *_) = redis.hkeys(keys.batches(plan.run_id))
    redis.hset(keys.batches(plan.run_id), name, '{"schema_version": 99}')
    step_until_idle(publisher)
    failed = ledger.view(plan.run_id.split(".")[0]).runs[0]
    assert (failed.state, failed.failure.cause) == (State.FAILED, Cause.DATA_ERROR)
    assert outbox.waiting() == []
    assert lease.run_id in failed.failure.message


def test_a_run_that_cannot_be_scored_fails_and_holds_up_no_other(ledger, publisher, store, plan, work):
    work()
    work()
    publisher.step()
    reports = store.list(layout.reports_folder(plan.run_id))
    store.commit([Delete(path) for path in reports], "damage")
    step_until_idle(publisher)
    failed = ledger.view(plan.run_id.split(".")[0]).runs[0]
    assert (failed.state, failed.failure.cause) == (State.FAILED, Cause.INFRASTRUCTURE)


def test_a_store_that_stays_full_is_told_again_and_changes_nothing_more(ledger, publisher, store, submission, work):
    work()
    store.failure = FULL
    for _ in range(3):
        with pytest.raises(StoreFull):
            publisher.step()
    assert [step.after for step in ledger.transitions(submission.id)][-1:] == [State.FAILED]
    assert len(ledger.transitions(submission.id)) == 3


def test_after_a_full_disk_the_rows_are_written_and_a_retry_finishes_the_run(
    ledger, leases, publisher, store, plan, work
):
    work()
    store.failure = FULL
    with pytest.raises(StoreFull):
        publisher.step()
    store.failure = None
    step_until_idle(publisher)
    assert len(generations(store, plan.run_id)) == 3
    assert ledger.state(plan.run_id) is State.FAILED, "it is taken up again by whoever submitted it, not by itself"
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    assert leases.free_tasks(plan) == 1
    work()
    step_until_idle(publisher)
    assert ledger.state(plan.run_id) is State.PUBLISHED
    assert len(generations(store, plan.run_id)) == 6


def test_a_disk_that_fills_up_while_publishing_fails_the_run_and_a_retry_publishes_it(
    monkeypatch, ledger, publisher, store, plan, work
):
    work()
    work()
    commit = store.commit

    def full_for_scorecards(operations, message, expected_parent=None):
        if message.startswith("scorecard"):
            raise FULL
        return commit(operations, message, expected_parent)

    with monkeypatch.context() as patch:
        patch.setattr(store, "commit", full_for_scorecards)
        publisher.step()
        with pytest.raises(StoreFull):
            publisher.step()
    assert ledger.state(plan.run_id) is State.FAILED
    ledger.advance(plan.run_id, State.QUEUED, "alice")
    step_until_idle(publisher)
    assert ledger.state(plan.run_id) is State.PUBLISHED
    assert len(released_board(store).rows) == 1


def test_a_journal_that_cannot_be_written_fails_no_run_and_is_written_later(
    ledger, publisher, store, submission, run_id
):
    store.failure = FULL
    with pytest.raises(StoreFull):
        publisher.step()
    assert ledger.state(run_id) is State.QUEUED
    assert ledger.unsaved() == [submission.id]
    store.failure = None
    publisher.step()
    assert ledger.unsaved() == []
    assert store.list("submissions") == [layout.submission_path(submission.id)]


def test_a_broken_file_of_one_run_fails_that_run_and_holds_up_no_other(ledger, leases, publisher, store, plan, work):
    work()
    work()
    broken = f"{layout.generations_folder(plan.run_id)}/0000-broken.jsonl"
    store.commit([Write(broken, b"not a row\n")], "damage")
    other = make_submission(2)
    ledger.create(other)
    step_until_idle(publisher)
    failed = ledger.view(plan.run_id.split(".")[0]).runs[0]
    assert (failed.state, failed.failure.cause) == (State.FAILED, Cause.DATA_ERROR)
    assert "0000-broken.jsonl" in failed.failure.message
    assert store.list(layout.submission_path(other.id).rsplit("/", 1)[0])
    assert store.list(layout.SCORECARDS) == []


def test_rows_are_kept_until_they_are_published(redis, ledger, leases, publisher, plan, work, outbox):
    lease = work()
    step_until_idle(publisher)
    shard = [batch for batch in outbox.kept(plan.run_id) if batch.shard_id == lease.shard_id]
    assert sum(len(batch.generations) for batch in shard) == 3


def test_a_batch_of_an_unknown_run_is_kept_all_the_same(redis, ledger, leases, publisher, store):
    plan = make_plan("s-20260301-0000000f.demo-v1", users=(1,))
    lease = leases.claim(plan, "gpu-1")
    rows = rows_of(plan, plan.shards[0])
    leases.hand_over(lease, make_batch(plan, plan.shards[0], "0000-000001-0001", generations=rows.generations))
    step_until_idle(publisher)
    assert len(generations(store, plan.run_id)) == 3


def lose_an_answer(redis, store, plan) -> str:
    """Takes the first batch with answers out of Redis and the store; returns the shard that it was of."""
    path = store.list(layout.generations_folder(plan.run_id))[0]
    name = path.rsplit("/", 1)[1].removesuffix(".jsonl")
    store.commit([Delete(path)], "damage")
    redis.hdel(keys.batches(plan.run_id), name)
    return f"{plan.run_id}.{name.split('-', 1)[0]}"


def test_a_run_with_an_answer_missing_is_asked_again_and_not_published(
    redis, ledger, leases, publisher, store, plan, work
):
    work()
    work()
    publisher.step()
    shard = lose_an_answer(redis, store, plan)
    step_until_idle(publisher)
    assert ledger.state(plan.run_id) not in ENDED
    assert {each.shard_id for each in board_of(redis, plan).free()} == {shard}
    work()
    step_until_idle(publisher)
    assert ledger.state(plan.run_id) is State.PUBLISHED
    assert len(generations(store, plan.run_id)) == 6


def test_a_run_whose_answers_stay_missing_fails_with_that_cause(redis, ledger, publisher, store, plan, work):
    work()
    work()
    publisher.step()
    shard = lose_an_answer(redis, store, plan)
    for _ in range(MOST_REOPENED):
        step_until_idle(publisher)
        for lane in Lane:
            redis.sadd(keys.done(plan.run_id, lane), shard)
    step_until_idle(publisher)
    failed = ledger.view(plan.run_id.split(".")[0]).runs[0]
    assert (failed.state, failed.failure.cause) == (State.FAILED, Cause.INFRASTRUCTURE)
    assert "Answers are missing in 1 shards" in failed.failure.message
