"""One commit a step: few commits and few files for many rows, and nothing lost or doubled wherever a publisher dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from evaluator.errors import Cause
from leaderboard.records import AmendmentKind, Failure, Lane, Plan, State
from leaderboard.store import Store, layout
from leaderboard.store.base import Delete, Write
from leaderboard.store.hub import HubStore
from leaderboard.store.hub_budget import Budget
from leaderboard.store.runs import StoredRun, digest_of
from leaderboard.submissions import keys
from tests.builders import make_item, make_plan, make_submission, rows_of
from tests.hub_server import Account, LocalHub
from tests.hub_server.limits import Limits
from tests.losing import copy_of, roll_back
from tests.worker.work import hand_over_slowly, publisher_of, queued, step_until_idle
from worker import handover
from worker.outbox import Outbox
from worker.parts import FILES_A_COMMIT
from worker.saving import FILES_OF_THE_JOURNAL

WRITER = "hf_writerThatMustNeverBeSeenAnywhere"
FAILURE = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.")


class PowerCut(BaseException):
    """The publisher's machine went off."""


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A Hub that refuses what is too much, by the clock of the test."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    with LocalHub(tmp_path / "hub") as hub:
        hub.tokens[WRITER] = Account("publisher", ("org",), "write")
        hub.limits = Limits(clock=clock)
        yield hub


@pytest.fixture
def hub_store(hub: LocalHub, tmp_path: Path, clock: Clock) -> HubStore:
    budget = Budget(clock=clock)
    store = HubStore("org/archive", tmp_path / "copy", WRITER, endpoint=hub.url, budget=budget, clock=clock)
    store.create()
    return store


@pytest.fixture(params=["local", "hub"])
def either(request: pytest.FixtureRequest) -> Store:
    """A store of each kind."""
    return request.getfixturevalue("store" if request.param == "local" else "hub_store")


def wide_plan(run_id: str, shards: int, questions: int) -> Plan:
    """A plan with many questions for each user."""
    asked = [(user, number) for user in range(shards) for number in range(questions)]
    items = [make_item(f"test_1/{user}-{number}", user_id=user) for user, number in asked]
    return make_plan(run_id, users=range(shards), items=items)


def batches_of_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "ROWS", 1)


def row_keys(store: Store, run_id: str) -> list[str]:
    generations, verdicts, _ = StoredRun(store, run_id).rows()
    return sorted([*(row.input_key for row in generations), *(row.verdict_key for row in verdicts)])


def expected(plan: Plan) -> list[str]:
    rows = [rows_of(plan, shard) for shard in plan.shards]
    generations = [row.input_key for each in rows for row in each.generations]
    return sorted([*generations, *(row.verdict_key for each in rows for row in each.verdicts)])


def test_a_run_of_thousands_of_batches_takes_few_commits_and_files_and_the_journal_stays_young(
    monkeypatch, redis, ledger, leases, hub, hub_store, clock
):
    """2,504 batches come in within half an hour, and something happens to another submission every three seconds."""
    monkeypatch.setattr(handover, "ROWS", 2)
    publisher = publisher_of(redis, hub_store, clock, journal_seconds=20)
    publisher.step()
    (run_id,), other = queued(ledger, 1).run_ids(), queued(ledger, 2)
    plan = ledger.put_plan(wide_plan(run_id, shards=4, questions=416))
    unsaved_since, ages = dict[str, float](), list[float]()
    batches = 0

    def let_pass(seconds: float) -> None:
        clock.now += seconds
        publisher.step()
        unsaved = set(ledger.unsaved())
        for name in unsaved_since.keys() - unsaved:
            ages.append(clock.now - unsaved_since.pop(name))
        for name in unsaved - unsaved_since.keys():
            unsaved_since[name] = clock.now

    for lane in Lane:
        for _ in hand_over_slowly(leases, redis, plan, lane):
            batches += 1
            if batches % 4 == 0:
                let_pass(2.9)
                kind = AmendmentKind.PAUSED if batches % 8 else AmendmentKind.RESUMED
                ledger.amend(ledger.history(other.id), kind, "keeper", "")
    while ledger.state(run_id) is not State.PUBLISHED or ledger.unsaved():
        let_pass(2.9)

    assert batches == 4 * (208 + 416) + 8 == 2504, "rows, and a report of each shard in each lane"
    commits = [post for post in hub.asked("POST") if "/commit/" in post]
    assert len(commits) <= 21 + clock.now / 36
    assert [status for method, path, status in hub.answers if "/commit/" in path and status != 200] == []
    assert max(ages) < 60
    assert not unsaved_since
    written = [len(commit.paths) for commit in hub_store.history(1000) if "scorecard" not in commit.message]
    assert max(written) <= FILES_A_COMMIT
    assert sum(written) < 800, "instead of a file for each batch at least"
    folder = layout.run_folder(run_id)
    names = ("generations.parquet", "plan.json", "reports.parquet", "verdicts.parquet")
    assert hub_store.list(folder) == [f"{folder}/{name}" for name in names]
    assert row_keys(hub_store, run_id) == expected(plan)


def test_a_store_that_takes_no_commit_is_left_alone_and_then_gets_all_that_waits_at_once(
    redis, ledger, leases, hub_store, clock
):
    publisher = publisher_of(redis, hub_store, clock)
    publisher.step()
    while hub_store.condition().commit_in == 0:
        hub_store.commit([Write("note.txt", str(hub_store.head()).encode())], "by hand")
    plans = []
    for number in range(1, 4):
        (run_id,) = queued(ledger, number).run_ids()
        plans.append(ledger.put_plan(make_plan(run_id)))
        for lane in Lane:
            list(hand_over_slowly(leases, redis, plans[-1], lane))
    head = hub_store.head()
    assert not publisher.step()
    assert hub_store.head() == head
    clock.now += hub_store.condition().commit_in
    publisher.step()
    (newest, before) = hub_store.history(2)
    assert newest.parent == before.revision == head
    assert newest.message.startswith("24 batches, journal of 3 submissions")
    assert Outbox(redis).waiting() == []


@pytest.mark.parametrize("at", ["4 batches", "scorecard", "journal"])
def test_a_publisher_that_dies_right_after_a_commit_leaves_nothing_lost_or_doubled(
    monkeypatch, redis, ledger, leases, either, at
):
    publisher = publisher_of(redis, either)
    publisher.step()
    submission = queued(ledger, 1)
    (run_id,) = submission.run_ids()
    plan, commit = ledger.put_plan(make_plan(run_id, users=(1,))), either.commit

    def die(operations, message, expected_parent=None):
        commit(operations, message, expected_parent)
        if message.startswith(at):
            raise PowerCut

    for lane in Lane:
        list(hand_over_slowly(leases, redis, plan, lane))
    with monkeypatch.context() as patch:
        patch.setattr(either, "commit", die)
        with pytest.raises(PowerCut):
            step_until_idle(publisher)
    assert ledger.unsaved() == [submission.id], "it is not called saved before what follows was done"
    assert bool(Outbox(redis).waiting()) == (at == "4 batches")
    stood = {path: either.read(path) for path in either.list(layout.SCORECARDS)}

    step_until_idle(publisher_of(redis, either))

    assert ledger.state(run_id) is State.PUBLISHED
    assert row_keys(either, run_id) == expected(plan)
    assert len(either.list(layout.SCORECARDS)) == 1
    assert all(either.read(path) == content for path, content in stood.items())
    assert StoredRun(either, run_id).loose == []
    assert (Outbox(redis).waiting(), ledger.unsaved()) == ([], [])


def test_batches_that_came_after_a_commit_whose_end_was_not_noted_join_the_same_file(
    monkeypatch, redis, ledger, leases, store
):
    batches_of_one_row(monkeypatch)
    publisher = publisher_of(redis, store)
    publisher.step()
    (run_id,) = queued(ledger, 1).run_ids()
    plan = ledger.put_plan(make_plan(run_id, users=(1,)))
    work = hand_over_slowly(leases, redis, plan, Lane.GENERATE)
    next(work)
    monkeypatch.setattr(publisher._drain._outbox, "remove", cut_power)
    with pytest.raises(PowerCut):
        publisher.step()
    next(work)
    (path,) = store.list(layout.generations_folder(run_id))
    step_until_idle(publisher_of(redis, store))
    assert store.list(layout.generations_folder(run_id)) == [path]
    assert len(StoredRun(store, run_id).rows().generations) == 2


def cut_power(*_: object) -> None:
    """Stands where something would have been done."""
    raise PowerCut


@pytest.mark.parametrize("taken_in", [0, 1, 2, 3, 4])
def test_an_older_redis_gets_back_what_was_merged_and_keeps_nothing_twice(
    monkeypatch, redis, ledger, leases, store, taken_in
):
    """It comes back as it was when so many of four batches were handed over, all of which the store has as one."""
    batches_of_one_row(monkeypatch)
    publisher = publisher_of(redis, store)
    publisher.step()
    (run_id,) = queued(ledger, 1).run_ids()
    plan = ledger.put_plan(make_plan(run_id, users=(1,)))
    publisher.step()
    work, older = hand_over_slowly(leases, redis, plan, Lane.GENERATE), copy_of(redis)
    for number in range(1, 5):
        next(work)
        if number == taken_in:
            older = copy_of(redis)
    publisher.step()
    (path,) = store.list(layout.generations_folder(run_id))
    roll_back(redis, older)
    step_until_idle(publisher)

    assert ledger.progress(run_id).generations == 3
    assert store.list(layout.generations_folder(run_id)) == [path]
    assert Outbox(redis).waiting() == []
    assert len(Outbox(redis).kept(run_id)) == 1
    list(hand_over_slowly(leases, redis, plan, Lane.JUDGE))
    step_until_idle(publisher)
    assert ledger.state(run_id) is State.PUBLISHED
    assert row_keys(store, run_id) == expected(plan)


def test_what_redis_alone_has_of_a_lease_stays_when_what_was_before_it_comes_back_merged(
    monkeypatch, redis, ledger, leases, store
):
    batches_of_one_row(monkeypatch)
    publisher = publisher_of(redis, store)
    publisher.step()
    (run_id,) = queued(ledger, 1).run_ids()
    plan = ledger.put_plan(make_plan(run_id, users=(1,)))
    work = hand_over_slowly(leases, redis, plan, Lane.GENERATE)
    next(work), next(work)
    publisher.step()
    next(work)
    redis.delete(keys.EPOCH)  # Nothing else was lost, but who can know that.
    step_until_idle(publisher)
    assert ledger.progress(run_id).generations == 3
    assert len(StoredRun(store, run_id).rows().generations) == 3
    assert len(store.list(layout.generations_folder(run_id))) == 2


def test_new_leases_take_higher_numbers_than_any_of_a_run_that_was_compacted(redis, ledger, leases, store):
    redis.set(keys.FENCE, 10**13)
    publisher = publisher_of(redis, store)
    publisher.step()
    (run_id,) = queued(ledger, 1).run_ids()
    plan = ledger.put_plan(make_plan(run_id))
    for lane in Lane:
        list(hand_over_slowly(leases, redis, plan, lane))
    granted, older = int(redis.get(keys.FENCE)), copy_of(redis)
    step_until_idle(publisher)
    assert StoredRun(store, run_id).is_compacted
    roll_back(redis, older)
    redis.delete(keys.FENCE)
    (history,) = store.list(layout.SUBMISSIONS)
    store.commit([Delete(history)], "as if its end had not been saved")
    step_until_idle(publisher)
    assert int(redis.get(keys.FENCE)) > granted
    assert ledger.state(run_id) is State.PUBLISHED
    assert row_keys(store, run_id) == expected(plan)


def test_a_compacted_run_whose_end_was_not_recorded_is_published_all_the_same(
    monkeypatch, redis, ledger, leases, store
):
    """The publisher dies after the commit that brings the scorecard, and Redis is lost with it."""
    publisher = publisher_of(redis, store)
    publisher.step()
    (run_id,) = queued(ledger, 1).run_ids()
    plan = ledger.put_plan(make_plan(run_id))
    for lane in Lane:
        list(hand_over_slowly(leases, redis, plan, lane))
    publisher.step()
    monkeypatch.setattr(publisher._finisher, "_end", cut_power)
    with pytest.raises(PowerCut):
        publisher.step()
    card = [store.read(path) for path in store.list(layout.SCORECARDS)]
    redis.flushall()
    step_until_idle(publisher_of(redis, store))
    assert ledger.state(run_id) is State.PUBLISHED
    assert [store.read(path) for path in store.list(layout.SCORECARDS)] == card
    assert row_keys(store, run_id) == expected(plan)
    assert not redis.exists(keys.batches(run_id), keys.plan(run_id))


def test_two_runs_that_ask_the_same_are_published_with_one_file_of_items(redis, ledger, leases, store):
    publisher = publisher_of(redis, store)
    publisher.step()
    plans = []
    for number in (1, 2):
        (run_id,) = queued(ledger, number).run_ids()
        plans.append(ledger.put_plan(make_plan(run_id)))
        for lane in Lane:
            list(hand_over_slowly(leases, redis, plans[-1], lane))
    step_until_idle(publisher)
    assert [ledger.state(plan.run_id) for plan in plans] == [State.PUBLISHED] * 2
    assert store.list(layout.ITEMS) == [layout.items_path(digest_of(plans[0].items))]
    assert [StoredRun(store, plan.run_id).plan() for plan in plans] == plans


def test_a_publisher_on_another_machine_reads_no_rows_if_redis_holds_all_that_was_stored(
    monkeypatch, redis, ledger, leases, store
):
    publisher = publisher_of(redis, store)
    publisher.step()
    (run_id,) = queued(ledger, 1).run_ids()
    plan = ledger.put_plan(make_plan(run_id))
    list(hand_over_slowly(leases, redis, plan, Lane.GENERATE))
    step_until_idle(publisher)
    with monkeypatch.context() as patch:
        patch.setattr(StoredRun, "batch", lambda *_: pytest.fail("rows are read"))
        step_until_idle(publisher_of(redis, store))
    list(hand_over_slowly(leases, redis, plan, Lane.JUDGE))
    step_until_idle(publisher_of(redis, store))
    assert ledger.state(run_id) is State.PUBLISHED
    assert row_keys(store, run_id) == expected(plan)


def test_very_many_submissions_with_news_are_saved_some_at_a_time_and_none_waits_for_ever(redis, ledger, store):
    publisher = publisher_of(redis, store)
    publisher.step()
    many = 2 * FILES_OF_THE_JOURNAL + 5
    for number in range(many):
        ledger.create(make_submission(number))
    left = []
    while publisher.step():
        left.append(len(ledger.unsaved()))
        ledger.amend(ledger.history(make_submission(0).id), AmendmentKind.LIFTED, "keeper", "")
        if len(left) > 4:
            break
    assert left[:3] == [many - FILES_OF_THE_JOURNAL, many - 2 * FILES_OF_THE_JOURNAL + 1, 0]
    assert max(len(commit.paths) for commit in store.history()) <= FILES_A_COMMIT
