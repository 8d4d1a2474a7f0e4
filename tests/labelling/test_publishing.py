"""From a key that is pressed to a public row, and back out again: Redis, publisher, archive, release, report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from evaluator.errors import RapportError
from leaderboard.labelling import journal, keys
from leaderboard.labelling.consent import CONSENT
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.pools import human_pools
from leaderboard.labelling.records import EventKind, PersonEvent, Task
from leaderboard.labelling.service import Labelling
from leaderboard.open_data import layout
from leaderboard.open_data.files import LABELS
from leaderboard.open_data.people import OpenAnnotator, OpenLabel
from leaderboard.release.people import all_people
from leaderboard.release.release import Release
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Store, Write
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.submissions.keys import EPOCH
from leaderboard.submissions.ledger import Ledger
from leaderboard.upkeep.records import Takedown, TakedownKind
from leaderboard.upkeep.takedown import Site as TakedownSite
from leaderboard.upkeep.takedown import take_down
from tests.labelling.people import (
    ALICE,
    BOB,
    NOON,
    SmallPool,
    agree,
    label_next,
    make_events,
    make_label,
    make_labelling,
)
from tests.released import NAMES
from worker.labels import PEOPLE_A_COMMIT, LabelSaver
from worker.publisher import Publisher
from worker.releasing import Releasing

RELEVANCE, RATING, VERIFICATION = Task.RELEVANCE, Task.RATING, Task.VERIFICATION


class Site:
    """A publisher with its releases, driven by hand."""

    def __init__(self, redis: Redis, folder: Path) -> None:
        self.redis, self.folder = redis, folder
        self.stores = Stores(*(LocalStore(folder / name) for name in ("store", "results", "requests")))
        self.labelling = make_labelling(redis, human_pools("demo"), attention=True)
        self.start()

    def start(self) -> None:
        release = Release(self.stores, NAMES, frozenset())
        self.releasing = Releasing(self.stores.archive, release, self.folder / ".released")
        ledger = Ledger(self.redis)
        self.publisher = Publisher(
            self.redis, ledger, self.stores.archive, journal_seconds=0.001, stored=self.releasing.note
        )
        self.settle()

    def settle(self) -> None:
        while self.publisher.step():
            pass
        while self.releasing.step():
            pass

    def rows(self, task: Task) -> list[OpenLabel]:
        path = layout.labels_path("demo", task)
        held = path in self.stores.results.list(layout.LABELS)
        return decode_parquet(self.stores.results.read(path), OpenLabel, path) if held else []

    def annotators(self) -> list[OpenAnnotator]:
        return decode_parquet(self.stores.results.read(layout.ANNOTATORS), OpenAnnotator, layout.ANNOTATORS)


@pytest.fixture
def site(redis: Redis, tmp_path: Path) -> Site:
    made = Site(redis, tmp_path)
    agree(made.labelling, ALICE, BOB)
    return made


def everything(store: Store) -> bytes:
    return b"".join(store.read_all(store.list()).values())


def label_all(labelling: Labelling, person: str, task: Task, word: str, most: int = 1000) -> int:
    for count in range(most):
        if labelling.next(person, task).shown is None:
            return count
        label_next(labelling, person, task, word)
    return most


def test_a_label_reaches_the_public_data_set_with_all_that_is_known_of_it(site: Site) -> None:
    label_all(site.labelling, ALICE, VERIFICATION, "uncertain", most=2)
    site.settle()
    asked = [given.label.asked for given in site.labelling.standing(ALICE).labels if not given.label.asked.attention]
    row, *more = sorted(site.rows(VERIFICATION), key=lambda row: row.created_at)
    assert (row.annotator, row.item_id, row.word, row.number) == (ALICE, asked[0].item_id, "uncertain", None)
    assert (row.consent, row.licence, row.data_sha) == (CONSENT.version, "cc-by-4.0", asked[0].data_sha)
    assert row.wording.startswith("human-v1@")
    assert row.seconds == 3
    (mine,) = [each for each in site.annotators() if each.annotator == ALICE]
    assert (mine.labels, mine.consent, mine.withdrawn_at) == (1 + len(more), CONSENT.version, None)


def test_a_rating_is_public_in_the_sense_of_its_data_set_whatever_stood_first(site: Site) -> None:
    label_all(site.labelling, ALICE, RATING, "5")
    site.settle()
    rows = site.rows(RATING)
    assert {(row.order, row.number) for row in rows} == {("generic_first", 5.0), ("personalised_first", 1.0)}
    assert len(rows) == len(human_pools("demo")[RATING].names)


def test_attention_items_are_counted_in_public_and_told_nowhere(site: Site) -> None:
    given = label_all(site.labelling, ALICE, RATING, "5")
    site.settle()
    standing = site.labelling.standing(ALICE)
    attention = {each.label.asked.item_id for each in standing.labels if each.label.asked.attention}
    (mine,) = site.annotators()
    assert (mine.attention_items, mine.attention_right) == standing.attention
    assert mine.attention_items == len(attention) > 0
    assert mine.labels == given - len(attention)
    assert attention.isdisjoint(row.item_id for row in site.rows(RATING))


def test_a_withdrawal_takes_all_labels_of_a_person_out_of_public_and_leaves_a_tombstone(site: Site) -> None:
    for person in (ALICE, BOB):
        label_all(site.labelling, person, RELEVANCE, "NO", most=5)
        label_all(site.labelling, person, RATING, "3", most=5)
    site.settle()
    kept = [row for task in (RELEVANCE, RATING) for row in site.rows(task) if row.annotator == BOB]
    site.labelling.withdraw(ALICE)
    site.settle()
    assert [row for task in (RELEVANCE, RATING) for row in site.rows(task)] == kept
    tombstone, other = site.annotators()
    assert (tombstone.annotator, tombstone.labels, tombstone.consent) == (ALICE, 0, None)
    assert tombstone.withdrawn_at is not None
    assert other.withdrawn_at is None
    events = journal.read_events(site.stores.archive, ALICE)
    assert events[-1].kind is EventKind.WITHDREW
    assert len(events) == 12, "the archive keeps what it had, with the withdrawal beside it"
    site.labelling.withdraw(BOB)
    site.settle()
    assert site.stores.results.list(layout.LABELS) == []


def test_a_label_that_was_taken_back_is_not_public(site: Site) -> None:
    label_next(site.labelling, ALICE, RELEVANCE, "YES")
    site.settle()
    site.labelling.go_back(ALICE, RELEVANCE)
    site.settle()
    assert site.rows(RELEVANCE) == []


def test_the_same_follows_when_everything_is_derived_anew_in_one_go(site: Site, tmp_path: Path) -> None:
    for person in (ALICE, BOB):
        for task in (RELEVANCE, VERIFICATION, RATING):
            word = {RELEVANCE: "YES", VERIFICATION: "rejected", RATING: "2"}[task]
            label_all(site.labelling, person, task, word, most=7)
            site.settle()
    site.labelling.withdraw(BOB)
    site.settle()
    anew = Stores(site.stores.archive, *(LocalStore(tmp_path / "anew" / name) for name in ("results", "requests")))
    assert Release(anew, NAMES, frozenset()).bring(all_people(anew.archive)) == frozenset()
    paths = [*anew.results.list(layout.LABELS), layout.ANNOTATORS]
    assert len(paths) == 4
    assert anew.results.read_all(paths) == site.stores.results.read_all(paths)


def test_a_publisher_that_dies_after_its_commit_saves_the_same_again(site: Site) -> None:
    label_next(site.labelling, ALICE, RELEVANCE, "YES")
    saver = LabelSaver(site.redis, 0)
    part = saver.gather(at_once=True)
    assert part is not None
    head = site.stores.archive.commit(part.operations, "saved, and then it died")
    again = LabelSaver(site.redis, 0).gather(at_once=True)
    assert again is not None
    assert site.stores.archive.commit(again.operations, "the next one") == head
    label_next(site.labelling, ALICE, RELEVANCE, "YES")
    again.then()
    assert Desk(site.redis).unsaved() == [ALICE], "what came meanwhile is still to be saved"


def test_labels_come_back_from_the_store_with_everybodys_place(site: Site) -> None:
    for person in (ALICE, BOB):
        label_all(site.labelling, person, RELEVANCE, "NO", most=4)
    site.settle()
    counts = Desk(site.redis).counts("demo", RELEVANCE)
    standing = site.labelling.standing(ALICE)
    site.redis.flushall()
    site.settle()
    assert site.labelling.standing(ALICE) == standing
    assert Desk(site.redis).counts("demo", RELEVANCE) == counts
    label_next(site.labelling, ALICE, RELEVANCE, "NO")
    site.settle()
    given = [each for person in (ALICE, BOB) for each in site.labelling.standing(person).labels]
    assert len(given) == 9
    assert len(site.rows(RELEVANCE)) == sum(each.label.asked.attention is None for each in given)


def test_a_redis_that_came_back_as_an_older_copy_is_told_what_the_store_knows(redis: Redis, store: LocalStore) -> None:
    agreed, saved = EventKind.AGREED, make_label("p1/a1")
    events = make_events(ALICE, agreed, saved, EventKind.WITHDREW)
    store.commit(list(journal.files_of(events)), "labels")
    Desk(redis).replace(ALICE, events[:2])
    Desk(redis).replace(BOB, make_events(BOB, agreed, make_label("p1/a2")))
    assert journal.restore(redis, store) == 1
    assert Desk(redis).events(ALICE) == events
    assert Desk(redis).counts("org/set", RELEVANCE) == {"p1/a2": {"YES": 1}}
    assert Desk(redis).unsaved() == [BOB]


def test_events_lie_in_files_of_some_hundred_and_only_the_last_is_written_again() -> None:
    labels = [make_label(f"p1/a{number}") for number in range(journal.EVENTS_A_FILE + 10)]
    events = make_events(ALICE, EventKind.AGREED, *labels)
    whole = [write.path for write in journal.files_of(events)]
    assert whole == [archive_layout.person_path(ALICE, 0), archive_layout.person_path(ALICE, 1)]
    assert [write.path for write in journal.files_of(events, journal.EVENTS_A_FILE + 3)] == whole[1:]


@pytest.mark.parametrize("damage", [lambda lines: lines[1:], lambda lines: [lines[0], b"{}"]])
def test_a_person_whose_file_is_damaged_holds_up_nobody_and_stays_as_public_as_before(
    site: Site, damage: Callable[[list[bytes]], list[bytes]]
) -> None:
    for person in (ALICE, BOB):
        label_all(site.labelling, person, RELEVANCE, "YES", most=2)
    site.settle()
    path = archive_layout.person_path(ALICE, 0)
    lines = damage(site.stores.archive.read(path).splitlines())
    site.stores.archive.commit([Write(path, b"\n".join(lines))], "damage")
    broken = Release(site.stores, NAMES, frozenset()).bring([ALICE, BOB])
    assert broken == {ALICE}
    assert {row.annotator for row in site.rows(RELEVANCE)} == {ALICE, BOB}


def damaged(store: Store, annotator: str) -> bytes:
    """Breaks a person's file; returns what it was."""
    path = archive_layout.person_path(annotator, 0)
    good = store.read(path)
    lines = good.splitlines()
    store.commit([Write(path, b"\n".join([lines[0], b'{"schema_version":2}', *lines[2:]]))], "damage")
    return good


def test_of_whom_the_archive_is_damaged_and_redis_lost_nothing_is_taken_or_saved_until_it_is_mended(
    redis: Redis, store: LocalStore
) -> None:
    labelling = make_labelling(redis, {RELEVANCE: SmallPool(("p1/a1", "p1/a2", "p1/a3"))})
    events = make_events(ALICE, EventKind.AGREED, make_label("p1/a1"), make_label("p1/a2"))
    store.commit(list(journal.files_of(events)), "labels")
    good = damaged(store, ALICE)
    path = archive_layout.person_path(ALICE, 0)
    broken = store.read(path)
    Desk(redis).replace(ALICE, events[:1])  # What an older Redis held: were it saved, the rest would be gone.
    journal.restore(redis, store)
    redis.set(EPOCH, "tests:0")
    for act in (lambda: label_next(labelling, ALICE, RELEVANCE, "NO"), lambda: labelling.withdraw(ALICE)):
        with pytest.raises(RapportError, match="cannot be read, so nothing is added"):
            act()
    agree(labelling, BOB)
    Desk(redis).note_unsaved(ALICE)
    saver = LabelSaver(redis, 0, store=store)
    part = saver.gather(at_once=True)
    assert part is not None
    assert [operation.path for operation in part.operations] == [archive_layout.person_path(BOB, 0)]
    assert store.read(path) == broken
    store.commit([Write(path, good)], "mended")
    saver.gather(at_once=True)
    assert (Desk(redis).events(ALICE), Desk(redis).held()) == (events, {})
    assert Desk(redis).counts("org/set", RELEVANCE) == {"p1/a1": {"YES": 1}, "p1/a2": {"YES": 1}}
    assert label_next(labelling, ALICE, RELEVANCE, "NO") == "p1/a3"


def test_fewer_events_than_the_archive_holds_are_never_saved(redis: Redis, store: LocalStore) -> None:
    events = make_events(ALICE, EventKind.AGREED, make_label("p1/a1"), make_label("p1/a2"))
    desk = Desk(redis)
    desk.replace(ALICE, events)
    desk.note_saved(ALICE, len(events))
    desk.replace(ALICE, events[:2])
    desk.note_unsaved(ALICE)
    assert LabelSaver(redis, 0).gather(at_once=True) is None
    assert "Redis holds 2 events" in desk.held()[ALICE]
    store.commit(list(journal.files_of(events)), "labels")
    LabelSaver(redis, 0, store=store).gather(at_once=True)
    assert desk.events(ALICE) == events


def test_of_many_people_some_are_saved_at_a_time_each_in_turn_and_first_who_withdrew(redis: Redis) -> None:
    redis.set(EPOCH, "tests:0")
    labelling, desk = make_labelling(redis, {}), Desk(redis)
    people = [f"annotator-{number:05d}" for number in range(2 * PEOPLE_A_COMMIT + 5)]
    agree(labelling, *people)
    labelling.withdraw(people[-1])
    named = {archive_layout.person_path(name, 0): name for name in people}
    saver, saved = LabelSaver(redis, 0), []
    while part := saver.gather(at_once=True):
        part.then()
        saved.append(sorted(named[operation.path] for operation in part.operations))
        for name in people[:5] if len(saved) == 1 else ():
            desk.note_unsaved(name)  # Who goes on labelling waits until all others had their turn.
    assert [len(each) for each in saved] == [PEOPLE_A_COMMIT, PEOPLE_A_COMMIT, 10]
    assert saved[0] == [*people[: PEOPLE_A_COMMIT - 1], people[-1]]
    assert saved[2][:5] == people[:5]
    assert {name for each in saved for name in each} == {*people}


def test_a_withdrawal_is_saved_at_once_and_a_label_with_the_next_ones(redis: Redis) -> None:
    redis.set(EPOCH, "tests:0")
    labelling = make_labelling(redis, {RELEVANCE: SmallPool(("p1/a1", "p1/a2"))})
    agree(labelling, ALICE, BOB)
    saver = LabelSaver(redis, 20, lambda: 0.0)
    first = saver.gather(at_once=False)
    assert first is not None
    first.then()
    label_next(labelling, BOB, RELEVANCE, "YES")
    assert saver.gather(at_once=False) is None
    labelling.withdraw(ALICE)
    hurried = saver.gather(at_once=False)
    assert hurried is not None
    assert {operation.path for operation in hurried.operations} == {
        archive_layout.person_path(name, 0) for name in (ALICE, BOB)
    }
    hurried.then()
    label_next(labelling, BOB, RELEVANCE, "NO")
    assert saver.gather(at_once=False) is None, "once it is saved nobody hurries any more"


def test_a_withdrawal_that_was_lost_with_redis_is_seen_to_be_and_made_once_more(site: Site) -> None:
    label_all(site.labelling, ALICE, RATING, "4", most=3)
    site.settle()
    given, public = site.labelling.standing(ALICE).labels, site.rows(RATING)
    assert public
    site.labelling.withdraw(ALICE)
    assert site.labelling.is_being_saved(ALICE)
    site.redis.flushall()
    site.settle()
    assert site.labelling.standing(ALICE).labels == given
    assert not site.labelling.is_being_saved(ALICE), "nobody is told of a withdrawal that is not known any more"
    assert site.rows(RATING) == public
    site.labelling.withdraw(ALICE)
    site.settle()
    assert site.rows(RATING) == []
    assert next(each for each in site.annotators() if each.annotator == ALICE).withdrawn_at is not None


def test_who_stands_in_redis_alone_is_taken_down_too(redis: Redis, tmp_path: Path) -> None:
    stores = Stores(*(LocalStore(tmp_path / name) for name in ("store", "results", "requests")))
    redis.set(EPOCH, "0123456789abcdef:41")
    Desk(redis).replace(ALICE, make_events(ALICE, EventKind.AGREED, make_label("p1/a1")))
    asked = Takedown(kind=TakedownKind.PERSON, name=ALICE, reason="asked", actor="carol", at=NOON)
    reach = take_down(TakedownSite(stores, NAMES, frozenset(), redis), asked)
    assert reach.files == 1
    assert (Desk(redis).events(ALICE), Desk(redis).people()) == ((), [])


def test_a_withdrawal_is_said_to_be_saved_once_it_is(site: Site) -> None:
    label_next(site.labelling, ALICE, RELEVANCE, "NO")
    site.settle()
    site.labelling.withdraw(ALICE)
    assert site.labelling.is_being_saved(ALICE)
    site.settle()
    assert not site.labelling.is_being_saved(ALICE)


def test_labels_of_private_data_are_not_public(site: Site) -> None:
    label = make_label()
    private = label.model_copy(update={"terms": label.terms.model_copy(update={"visibility": "private"})})
    events = make_events(ALICE, EventKind.AGREED, private)
    site.stores.archive.commit(list(journal.files_of(events)), "labels")
    Release(site.stores, NAMES, frozenset()).bring([ALICE])
    assert site.stores.results.list(layout.LABELS) == []
    assert site.annotators()[0].labels == 0


def test_every_record_can_be_read_again(site: Site) -> None:
    label_next(site.labelling, ALICE, RATING, "4")
    for event in Desk(site.redis).events(ALICE):
        assert PersonEvent.model_validate_json(event.model_dump_json()) == event
    assert json.loads(site.redis.lrange(keys.events(ALICE), -1, -1)[0])["label"]["asked"]["order"]
    assert LABELS.encode([]) == LABELS.encode([])
