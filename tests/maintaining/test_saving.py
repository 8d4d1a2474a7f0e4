"""The publisher saves the log of maintainers, and brings it back with all that follows from it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from evaluator.errors import RapportError
from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.journal import merge, read_acts, restore, saved_up_to, span_of
from leaderboard.maintaining.records import Act, ActKind
from leaderboard.maintaining.service import Maintenance
from leaderboard.people import Person
from leaderboard.records import AmendmentKind
from leaderboard.settings import Settings
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Delete, StoreUnavailable, Write
from leaderboard.submissions import keys
from leaderboard.submissions.history import amendments_of
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from leaderboard.upkeep.archive_check import check_archive
from leaderboard.upkeep.findings import FindingKind
from leaderboard.upkeep.migrate import migrations
from tests.builders import NOON, make_submission
from tests.losing import copy_of, roll_back
from tests.released import released
from worker.publisher import Publisher

KEEPER = Person("keeper", maintainer=True)
WHY = "A word for maintainers alone."


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", models=tmp_path / "data" / "models", quota_per_user=1)


@pytest.fixture
def maintenance(settings: Settings, redis: Redis) -> Maintenance:
    return Maintenance(settings, redis)


@pytest.fixture
def service(settings: Settings, redis: Redis) -> SubmissionService:
    return SubmissionService(settings, redis)


@pytest.fixture
def publisher(redis: Redis, ledger: Ledger, store: LocalStore) -> Publisher:
    made = Publisher(redis, ledger, store, journal_seconds=20, clock=lambda: 0.0)
    settle(made)
    return made


def settle(publisher: Publisher) -> None:
    for _ in range(50):
        if not publisher.step():
            return
    raise AssertionError("the publisher does not come to rest")


def stored(store: LocalStore) -> list[Act]:
    return [act for path in store.list(layout.ACTS) for act in read_acts(store.read(path), path)]


def everything(redis: Redis) -> tuple[object, ...]:
    desk = MaintainDesk(redis)
    return desk.acts(count=1000), desk.site()


def test_what_a_maintainer_does_is_saved_at_once_in_files_that_are_written_once(
    redis, store, publisher, maintenance, service, submission
):
    service.lift(submission.id, KEEPER, WHY)
    publisher.step()
    assert store.list(layout.ACTS) == ["acts/00000001-00000001.jsonl"]
    assert layout.submission_path(submission.id) in store.history(1)[0].paths, "in the commit that brings what was done"
    first = store.read("acts/00000001-00000001.jsonl")
    maintenance.pause_submissions(KEEPER, WHY)
    maintenance.set_quota(KEEPER, "alice", 5, WHY)
    publisher.step()
    assert store.list(layout.ACTS) == ["acts/00000001-00000001.jsonl", "acts/00000002-00000003.jsonl"]
    assert store.read("acts/00000001-00000001.jsonl") == first
    assert stored(store) == [entry.act for entry in MaintainDesk(redis).from_on(1)]
    head = store.head()
    settle(publisher)
    assert store.head() == head


def test_what_is_done_while_a_commit_is_gathered_is_never_without_its_entry(
    redis, ledger, store, publisher, service, submission, monkeypatch
):
    """The log is read after all histories: what happens in between has its entry a commit too early, not too late."""
    other = make_submission(2)
    ledger.create(other)
    gather = publisher._saver.gather

    def somebody_is_quick(*, at_once: bool):
        monkeypatch.setattr(publisher._saver, "gather", gather)
        service.lift(other.id, KEEPER, "Just now.")
        return gather(at_once=at_once)

    ledger.amend(ledger.history(submission.id), AmendmentKind.DISPUTED, "alice", "First.")
    monkeypatch.setattr(publisher._saver, "gather", somebody_is_quick)
    publisher.step()
    saved = [each for name in (submission.id, other.id) for each in _saved_lifts(store, name)]
    assert saved == ["First.", "Just now."]
    assert [act.reason for act in stored(store)] == ["Just now."]


def _saved_lifts(store: LocalStore, submission_id: str) -> list[str]:
    from leaderboard.store.rows import read_record
    from leaderboard.submissions.history import History

    path = layout.submission_path(submission_id)
    return [each.text for each in amendments_of(read_record(store.read(path), History, path).events)]


def test_a_commit_whose_answer_was_lost_leaves_no_entry_out_and_none_twice(
    redis, store, publisher, maintenance, monkeypatch
):
    commit = store.commit

    def answer_lost(*arguments):
        commit(*arguments)
        monkeypatch.setattr(store, "commit", commit)
        raise StoreUnavailable("the Hub", "it does not answer")

    maintenance.pause_submissions(KEEPER, WHY)
    monkeypatch.setattr(store, "commit", answer_lost)
    with pytest.raises(StoreUnavailable):
        publisher.step()
    maintenance.resume_submissions(KEEPER)
    settle(publisher)
    assert [act.sequence for act in stored(store)] == [1, 2]


def test_a_commit_that_failed_is_made_up_for(redis, store, publisher, maintenance, monkeypatch):
    commit = store.commit

    def refused(*_):
        monkeypatch.setattr(store, "commit", commit)
        raise StoreUnavailable("the Hub", "it does not answer")

    maintenance.pause_submissions(KEEPER, WHY)
    monkeypatch.setattr(store, "commit", refused)
    with pytest.raises(StoreUnavailable):
        publisher.step()
    settle(publisher)
    assert [act.sequence for act in stored(store)] == [1]


def test_the_next_publisher_goes_on_after_what_the_store_holds(redis, ledger, store, publisher, maintenance):
    maintenance.pause_submissions(KEEPER, WHY)
    settle(publisher)
    maintenance.resume_submissions(KEEPER)
    redis.delete(keys.PUBLISHER)
    settle(Publisher(redis, ledger, store, journal_seconds=20, clock=lambda: 0.0))
    assert store.list(layout.ACTS) == ["acts/00000001-00000001.jsonl", "acts/00000002-00000002.jsonl"]


@pytest.mark.parametrize("how", ["empty", "older", "oldest"])
def test_after_a_loss_of_redis_log_pause_and_quotas_are_back(
    redis, store, publisher, maintenance, service, submission, how
):
    oldest = copy_of(redis)
    maintenance.set_quota(KEEPER, "alice", 5, "A series.")
    maintenance.set_quota(KEEPER, "bob", 7, "Another.")
    settle(publisher)
    older = copy_of(redis)
    maintenance.pause_submissions(KEEPER, WHY)
    maintenance.set_quota(KEEPER, "bob", None, "Enough.")
    service.pause(submission.id, KEEPER, "A look at it.")
    settle(publisher)
    before = everything(redis)
    roll_back(redis, {"empty": {}, "older": older, "oldest": oldest}[how])
    settle(publisher)
    assert everything(redis) == before
    assert maintenance.paused().reason == WHY
    assert {name: own.of_one for name, own in maintenance.quotas().items()} == {"alice": 5}
    with pytest.raises(RapportError, match="No submission is accepted"):
        service.submit("local/tiny", None, submission.declaration, Person("alice"))
    maintenance.resume_submissions(KEEPER, "All is well.")
    settle(publisher)
    assert [act.sequence for act in stored(store)] == list(range(1, 7))


def test_what_an_older_copy_was_told_since_does_not_take_the_place_of_what_was_saved(
    redis, store, publisher, maintenance, caplog
):
    maintenance.pause_submissions(KEEPER, WHY)
    older = copy_of(redis)
    settle(publisher)
    maintenance.resume_submissions(KEEPER, "Saved.")
    settle(publisher)
    before = everything(redis)
    roll_back(redis, older)
    maintenance.set_quota(KEEPER, "mallory", 9, "Said to an older copy.")
    with caplog.at_level(logging.WARNING, "rapport.publisher"):
        settle(publisher)
    assert everything(redis) == before
    assert "Said to an older copy." in caplog.text, "what is dropped is named"


def test_what_redis_alone_knew_is_saved_if_it_was_not_lost(redis, ledger, store, publisher, maintenance):
    maintenance.pause_submissions(KEEPER, WHY)
    settle(publisher)
    maintenance.resume_submissions(KEEPER, "Not saved yet.")
    before = everything(redis)
    redis.delete(keys.EPOCH)
    settle(publisher)
    assert everything(redis) == before
    assert [act.reason for act in stored(store)] == [WHY, "Not saved yet."]


@pytest.mark.parametrize("damage", [b"no entry\n", None])
def test_a_file_that_cannot_be_read_costs_its_own_entries_until_it_is_mended(
    redis, store, publisher, maintenance, caplog, damage
):
    maintenance.set_quota(KEEPER, "alice", 5, "A series.")
    settle(publisher)
    maintenance.set_quota(KEEPER, "bob", 6, "Another.")
    settle(publisher)
    maintenance.pause_submissions(KEEPER, WHY)
    settle(publisher)
    before, path = everything(redis), "acts/00000002-00000002.jsonl"
    sound = store.read(path)
    store.commit([Write(path, damage) if damage else Delete(path)], "damage")
    redis.flushall()
    with caplog.at_level(logging.ERROR, "rapport.publisher"):
        settle(publisher)
    assert [act.sequence for act in MaintainDesk(redis).acts()] == [3, 1]
    assert maintenance.paused() is not None
    assert sorted(maintenance.quotas()) == ["alice"]
    assert damage is None or path in caplog.text
    assert "lacks the entries [2]" in caplog.text
    maintenance.resume_submissions(KEEPER, "Later.")
    settle(publisher)
    assert store.list(layout.ACTS)[-1] == "acts/00000004-00000004.jsonl"
    store.commit([Write(path, sound)], "mended")
    redis.flushall()
    settle(publisher)
    assert sorted(maintenance.quotas()) == ["alice", "bob"]
    assert len(MaintainDesk(redis).acts()) == 4
    assert set(before[0]) < set(MaintainDesk(redis).acts())


def test_nothing_of_it_is_public(redis, store, publisher, maintenance, service, submission, tmp_path):
    maintenance.pause_submissions(KEEPER, "Everyone may read this.")
    maintenance.set_quota(KEEPER, "alice", 5, WHY)
    service.lift(submission.id, KEEPER, "In its history.")
    settle(publisher)
    stores = released(store, tmp_path / "public")
    for public in (stores.results, stores.requests):
        files = public.read_all(public.list())
        assert not [path for path in files if "acts" in path]
        assert not any(WHY.encode() in content or b"quota.set" in content for content in files.values())


def test_upkeep_knows_its_files_and_says_what_is_missing(redis, store, publisher, maintenance):
    def findings() -> list[tuple[FindingKind, str]]:
        return [(each.finding.kind, each.finding.path) for each in check_archive(store)]

    for name in ("alice", "bob", "carol"):
        maintenance.set_quota(KEEPER, name, 5, "A series.")
        settle(publisher)
    assert findings() == []
    assert list(migrations(store)) == []
    second, third = store.list(layout.ACTS)[1:]
    content = store.read(second)
    store.commit([Delete(second)], "lost")
    assert findings() == [(FindingKind.REFERENCE, third)]
    store.commit([Write(second, store.read(third))], "misplaced")
    assert findings() == [(FindingKind.UNREADABLE, second)]
    store.commit([Write(second, content), Write("acts/notes.txt", b"x")], "mended")
    assert findings() == [(FindingKind.FOREIGN, "acts/notes.txt")]
    other = content.replace(b"A series.", b"Not this.").replace(b'"sequence":2', b'"sequence":3')
    store.commit([Write("acts/00000002-00000003.jsonl", content + other), Delete("acts/notes.txt")], "double")
    assert findings() == [(FindingKind.DOUBLE, third)]


def act(sequence: int, reason: str = "") -> Act:
    return Act(sequence=sequence, at=NOON, actor="keeper", kind=ActKind.LIFT, subject="s", reason=reason)


# A log: each act is told apart by its reason; a hole is one whose file cannot be read.
logs = st.lists(st.sampled_from("abc"), max_size=6).map(
    lambda reasons: [act(number, reason) for number, reason in enumerate(reasons, start=1)]
)


@given(logs, logs, st.sets(st.integers(1, 6)))
def test_what_the_archive_holds_is_never_lost_and_numbers_stay_places(saved, live, holes):
    readable = {each.sequence: each for each in saved if each.sequence not in holes}
    merged = merge(readable, len(saved), live)
    assert [each.sequence for each in merged.acts if each] == [
        place for place, each in enumerate(merged.acts, start=1) if each
    ]
    assert all(merged.acts[place - 1] == each for place, each in readable.items())
    assert len(merged.acts) >= len(saved)
    if not holes and live[: len(saved)] == saved:
        assert merged == (tuple(live), ())
    assert {each for each in live if each not in merged.acts} == set(merged.dropped)
    assert merge(readable, len(saved), merged.acts).acts == merged.acts


def test_where_two_pasts_part_the_archives_ends_the_log():
    one, two, other, after = act(1), act(2, "saved"), act(2, "of an older copy"), act(3, "of an older copy")
    assert merge({1: one, 2: two}, 2, [one, other, after]) == ((one, two), (other, after))
    assert merge({1: one, 2: two}, 2, [one, two, after]) == ((one, two, after), ())
    assert merge({1: one}, 2, [one, other]) == ((one, other), ()), "its file cannot be read, and Redis still knows"
    assert merge({2: two}, 2, [one, other, after]) == ((one, two), (other, after))
    assert merge({2: two}, 2, []) == ((None, two), ())


def test_a_name_that_does_not_fit_is_none_of_the_log(store):
    store.commit([Write("acts/1-2.jsonl", b""), Write("acts/00000001-00000002.jsonl.tmp", b"")], "strange")
    assert saved_up_to(store) == 0
    assert span_of("acts/00000000-00000002.jsonl") is None


def test_restoring_from_nothing_changes_nothing(redis, store, maintenance):
    maintenance.set_quota(KEEPER, "alice", 5, "A series.")
    before = everything(redis)
    assert restore(redis, store) == 0
    assert everything(redis) == before
