"""The publisher saves objections now and then, brings them back, and forgets those that are taken down."""

from __future__ import annotations

import pytest
from redis import Redis

from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.journal import merged, read_objection, restore
from leaderboard.objections.records import Decision, Objection
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Write
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.upkeep.archive_check import check_archive
from leaderboard.upkeep.findings import FindingKind
from leaderboard.upkeep.objections_taken import forget_objections, objections_of
from leaderboard.upkeep.records import TakedownKind
from tests.losing import copy_of, roll_back
from tests.objections.sites import BOB, CAROL, ON, make_objection, make_objections
from worker.publisher import Publisher


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def publisher(redis: Redis, ledger: Ledger, store: LocalStore, seconds: Seconds) -> Publisher:
    made = Publisher(redis, ledger, store, journal_seconds=20, clock=seconds)
    settle(made)
    return made


def settle(publisher: Publisher) -> None:
    for _ in range(50):
        if not publisher.step():
            return
    raise AssertionError("the publisher does not come to rest")


def stored(store: LocalStore) -> list[Objection]:
    return [read_objection(store.read(path), path) for path in store.list(layout.OBJECTIONS)]


def test_readers_cause_a_commit_in_some_seconds_however_many_object(
    redis: Redis, store: LocalStore, publisher: Publisher, seconds: Seconds
) -> None:
    objections = make_objections(redis)
    first = objections.enter(BOB, ON, "gold", "It is not.")
    settle(publisher)
    assert stored(store) == [first]
    head = store.head()
    second = objections.enter(BOB, ON._replace(question_id="test_1/8"), "gold", "Nor is this.")
    settle(publisher)
    assert store.head() == head, "the next ones wait"
    seconds.now += 20
    settle(publisher)
    assert {each.id for each in stored(store)} == {first.id, second.id}
    replied = objections.reply(CAROL, first.id, Decision.ACCEPTED, "It holds.")
    seconds.now += 20
    settle(publisher)
    assert replied in stored(store)
    assert redis.scard(keys.OBJECTIONS_UNSAVED) == 0
    head = store.head()
    seconds.now += 100
    settle(publisher)
    assert store.head() == head


def everything(redis: Redis) -> list[object]:
    desk, lists = ObjectionDesk(redis), ("all", "waiting")
    of_all = [getattr(desk, name)(0, 99) for name in lists]
    return [*of_all, desk.by("bob"), desk.about("alice"), desk.known(None, ON.scorecard_id, ON.question_id)]


def test_what_was_saved_comes_back_with_all_lists(
    redis: Redis, store: LocalStore, publisher: Publisher, seconds: Seconds
) -> None:
    objections = make_objections(redis)
    accepted = objections.enter(BOB, ON, "gold", "It is not.")
    declined = objections.enter(BOB, ON._replace(question_id="test_1/8"), "gold", "It is not.")
    objections.enter(BOB, ON._replace(question_id="test_1/9"), "gold", "It waits.")
    older = copy_of(redis)
    objections.reply(CAROL, accepted.id, Decision.ACCEPTED, "It holds.")
    objections.reply(CAROL, declined.id, Decision.DECLINED, "It is.")
    seconds.now += 20
    settle(publisher)
    before = everything(redis)
    redis.flushall()
    settle(publisher)
    assert everything(redis) == before, "Redis was lost"
    roll_back(redis, older)
    settle(publisher)
    assert everything(redis) == before, "Redis came back as an older copy"
    assert redis.scard(keys.OBJECTIONS_UNSAVED) == 0


OPEN, ACCEPTED = make_objection(), make_objection(decision=Decision.ACCEPTED)
DECLINED = make_objection(decision=Decision.DECLINED)


@pytest.mark.parametrize(
    ("saved", "live", "found"),
    [
        (None, OPEN, OPEN),
        (OPEN, None, OPEN),
        (DECLINED, None, DECLINED),
        (OPEN, ACCEPTED, ACCEPTED),
        (ACCEPTED, OPEN, ACCEPTED),
        (ACCEPTED, DECLINED, ACCEPTED),
    ],
)
def test_a_reply_is_never_taken_back_and_of_two_the_stores_counts(
    redis: Redis, store: LocalStore, saved: Objection | None, live: Objection | None, found: Objection
) -> None:
    assert merged(saved, live) == found
    desk = ObjectionDesk(redis)
    if live:
        desk.put(live, unsaved=False)
    if saved:
        store.commit([Write(layout.objection_path(saved.id), saved.model_dump_json().encode())], "saved")
    restore(redis, store)
    assert desk.all().objections == (found,)
    assert desk.waiting().total == (found.reply is None)
    accepted = desk.known(None, found.scorecard_id, found.question_id).accepted
    assert len(accepted) == (found == ACCEPTED)
    assert [each.objection for each in desk.unsaved()] == ([found] if found != saved else [])


def test_what_is_damaged_or_misplaced_in_the_archive_is_found_and_holds_up_no_other(
    redis: Redis, store: LocalStore
) -> None:
    good, strange = make_objection(), make_objection("eve")
    elsewhere = layout.objection_path(make_objection("mallory").id)
    damaged = layout.objection_path("o-" + "0" * 24)
    files = {layout.objection_path(good.id): good, elsewhere: strange}
    store.commit([Write(path, each.model_dump_json().encode()) for path, each in files.items()], "two")
    assert {found.path for found, _ in map(_told, check_archive(store))} == {elsewhere}
    store.commit([Write(damaged, b"{")], "one that is broken")
    found = [_told(each) for each in check_archive(store)]
    assert {each.path: kind for each, kind in found} == {
        elsewhere: FindingKind.UNREADABLE,
        damaged: FindingKind.UNREADABLE,
    }
    assert restore(redis, store) == 1
    assert ObjectionDesk(redis).all().objections == (good,)


def _told(found):
    return found.finding, found.finding.kind


def test_a_persons_objections_go_or_those_about_what_is_taken_down(redis: Redis, store: LocalStore) -> None:
    of_bob, of_eve = make_objection(decision=Decision.ACCEPTED), make_objection("eve", question_id="test_1/8")
    elsewhere = make_objection("eve", scorecard_id="s-20260301-00000002.demo-v1@demo")
    desk, every = ObjectionDesk(redis), (of_bob, of_eve, elsewhere)
    store.commit([Write(layout.objection_path(each.id), each.model_dump_json().encode()) for each in every], "three")
    assert restore(redis, store) == 3

    def named(kind: TakedownKind, name: str, *submissions: str) -> set[str]:
        return set(objections_of(store, kind, name, submissions))

    assert named(TakedownKind.PERSON, "bob") == {layout.objection_path(of_bob.id)}
    assert named(TakedownKind.MODEL, "org/model", of_bob.submission_id) == {
        layout.objection_path(each.id) for each in (of_bob, of_eve)
    }
    assert named(TakedownKind.ANSWER, "0" * 64) == set()
    assert forget_objections(redis, TakedownKind.PERSON, "bob", ()) == 1
    assert {each.id for each in desk.all().objections} == {of_eve.id, elsewhere.id}
    assert desk.known("bob", of_bob.scorecard_id, of_bob.question_id) == (None, ())
    assert [name for name in redis.scan_iter("rapport:*") if b"bob" in name] == []
    assert forget_objections(redis, TakedownKind.SUBMISSION, of_eve.submission_id, (of_eve.submission_id,)) == 1
    assert desk.all().objections == (elsewhere,)
