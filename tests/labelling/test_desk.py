"""Labels in Redis: one at a time, on what is shown alone, and never twice."""

from __future__ import annotations

import datetime
import threading

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.human.tasks import Order
from leaderboard.labelling import keys, service
from leaderboard.labelling.desk import Desk, Meanwhile
from leaderboard.labelling.pools import human_pools
from leaderboard.labelling.records import EventKind, Task
from leaderboard.labelling.service import Labelling
from leaderboard.labelling.standing import standing_of
from leaderboard.submissions.keys import EPOCH
from leaderboard.submissions.ledger import BeingRestored
from tests.labelling.people import (
    ALICE,
    BOB,
    SHA,
    Clock,
    SmallPool,
    agree,
    label_next,
    make_events,
    make_label,
    make_labelling,
)

RELEVANCE, RATING = Task.RELEVANCE, Task.RATING
NAMES = tuple(f"p1/a{number}" for number in range(6))


@pytest.fixture
def labelling(redis: Redis) -> Labelling:
    made = make_labelling(redis, {RELEVANCE: SmallPool(NAMES), RATING: SmallPool(NAMES)})
    agree(made, ALICE, BOB)
    return made


def done(labelling: Labelling, person: str, task: Task = RELEVANCE) -> set[str]:
    return set(labelling.standing(person).done("org/set", task))


def test_somebody_labels_everything_once_and_is_then_done(labelling):
    seen = [label_next(labelling, ALICE, RELEVANCE, "YES") for _ in NAMES]
    assert sorted(seen) == sorted(NAMES)
    found = labelling.next(ALICE, RELEVANCE)
    assert found.shown is None
    assert found.progress == (6, 6)


def test_without_consent_there_is_no_label(redis):
    labelling = make_labelling(redis, {RELEVANCE: SmallPool(NAMES)})
    for act in (
        lambda: labelling.next(ALICE, RELEVANCE),
        lambda: labelling.label(ALICE, RELEVANCE, "x" * 20, "YES"),
        lambda: labelling.skip(ALICE, RELEVANCE, "x" * 20),
        lambda: labelling.go_back(ALICE, RELEVANCE),
    ):
        with pytest.raises(RapportError, match="without your consent"):
            act()
    assert Desk(redis).events(ALICE) == ()


def test_an_old_text_of_consent_is_not_agreed_to(redis):
    labelling = make_labelling(redis, {})
    with pytest.raises(RapportError, match="changed meanwhile"):
        labelling.agree(ALICE, "labelling-v0")
    agree(labelling, ALICE)
    agree(labelling, ALICE)
    assert [event.kind for event in Desk(redis).events(ALICE)] == [EventKind.AGREED]


def test_what_is_shown_stays_until_it_is_labelled(labelling):
    first = labelling.next(ALICE, RELEVANCE).shown
    assert labelling.next(ALICE, RELEVANCE).shown == first
    label_next(labelling, ALICE, RATING, "1")
    assert labelling.next(ALICE, RELEVANCE).shown == first


@pytest.mark.parametrize("token", ["", "x" * 22, "é"])
def test_a_label_without_the_token_of_what_is_shown_is_none(labelling, token):
    labelling.next(ALICE, RELEVANCE)
    labelling.label(ALICE, RELEVANCE, token, "YES")
    assert done(labelling, ALICE) == set()


def test_anothers_token_is_of_no_use(labelling):
    labelling.next(ALICE, RELEVANCE)
    shown = labelling.next(BOB, RELEVANCE).shown
    assert shown is not None
    labelling.label(ALICE, RELEVANCE, shown.token, "YES")
    labelling.label(BOB, RATING, shown.token, "1")
    assert done(labelling, ALICE) == done(labelling, BOB, RATING) == set()


def test_who_presses_twice_has_labelled_once(labelling, redis):
    shown = labelling.next(ALICE, RELEVANCE).shown
    assert shown is not None
    for word in ("YES", "NO"):
        labelling.label(ALICE, RELEVANCE, shown.token, word)
    (given,) = labelling.standing(ALICE).labels
    assert given.label.word == "YES"
    assert given.label.seconds == 3
    assert Desk(redis).counts("org/set", RELEVANCE) == {shown.asked.item_id: {"YES": 1}}


def test_of_many_at_the_same_time_one_counts(labelling, redis):
    shown = labelling.next(ALICE, RELEVANCE).shown
    assert shown is not None
    threads = [
        threading.Thread(target=labelling.label, args=(ALICE, RELEVANCE, shown.token, word))
        for word in ("YES", "NO") * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(labelling.standing(ALICE).labels) == 1


def test_a_word_that_is_none_of_the_task_is_refused_and_the_item_stays(labelling):
    shown = labelling.next(ALICE, RATING).shown
    assert shown is not None
    for word in ("0", "6", "YES", "", "5 "):
        with pytest.raises(RapportError) as caught:
            labelling.label(ALICE, RATING, shown.token, word)
        assert caught.value.cause is Cause.DATA_ERROR
    assert labelling.next(ALICE, RATING).shown == shown


def test_a_label_sooner_than_anybody_reads_is_not_taken_and_the_item_stays(redis):
    clock = Clock()
    labelling = make_labelling(redis, {RELEVANCE: SmallPool(NAMES)}, clock=clock)
    agree(labelling, ALICE)
    shown = labelling.next(ALICE, RELEVANCE).shown
    assert shown is not None
    for milliseconds, taken in ((0, 0), (299, 0), (300, 1)):
        clock.now = shown.at + datetime.timedelta(milliseconds=milliseconds) - clock.step
        assert labelling.next(ALICE, RELEVANCE).shown == shown
        labelling.label(ALICE, RELEVANCE, shown.token, "YES")
        assert len(done(labelling, ALICE)) == taken


def test_a_label_is_not_lost_when_another_task_writes_at_the_same_moment(labelling, monkeypatch):
    shown = labelling.next(ALICE, RELEVANCE).shown
    assert shown is not None
    append = Desk.append

    def other_window_first(desk, event, **told):
        monkeypatch.setattr(Desk, "append", append)
        label_next(labelling, ALICE, RATING, "3")
        append(desk, event, **told)

    monkeypatch.setattr(Desk, "append", other_window_first)
    labelling.label(ALICE, RELEVANCE, shown.token, "YES")
    assert len(done(labelling, ALICE)) == len(done(labelling, ALICE, RATING)) == 1


def test_two_windows_that_open_at_once_show_the_same(labelling, monkeypatch):
    look = Desk.shown
    first = []

    def while_another_opens(desk, annotator, task):
        held = look(desk, annotator, task)
        monkeypatch.setattr(Desk, "shown", look)
        first.append(labelling.next(ALICE, RELEVANCE).shown)
        return held

    monkeypatch.setattr(Desk, "shown", while_another_opens)
    assert labelling.next(ALICE, RELEVANCE).shown == first[0]
    labelling.label(ALICE, RELEVANCE, first[0].token, "YES")
    assert len(done(labelling, ALICE)) == 1


def test_only_what_came_since_is_read_again(labelling, redis, monkeypatch):
    read = []
    written = Desk.written
    monkeypatch.setattr(Desk, "written", lambda *told: read.append(len(found := written(*told))) or found)
    for _ in NAMES:
        label_next(labelling, ALICE, RELEVANCE, "YES")
        labelling.next(ALICE, RELEVANCE)
    assert max(read) == 2
    events = Desk(redis).events(ALICE)
    assert labelling.standing(ALICE) == standing_of(events)
    Desk(redis).replace(ALICE, events[:3])
    assert labelling.standing(ALICE) == standing_of(events[:3])
    Desk(redis).forget(ALICE)
    assert labelling.standing(ALICE) == standing_of(())


def test_what_others_labelled_comes_later(labelling):
    first = [label_next(labelling, ALICE, RELEVANCE, "YES") for _ in range(3)]
    second = [label_next(labelling, BOB, RELEVANCE, "YES") for _ in range(3)]
    assert set(first).isdisjoint(second)


def test_labels_of_people_in_the_data_set_count(redis):
    counts = {name: {"YES": 1} for name in NAMES if name != "p1/a4"}
    labelling = make_labelling(redis, {RELEVANCE: SmallPool(NAMES, counts)})
    agree(labelling, ALICE)
    assert label_next(labelling, ALICE, RELEVANCE, "YES") == "p1/a4"


def test_the_order_of_two_answers_is_drawn_and_kept_with_the_label(redis):
    many = tuple(f"r{number}/a1" for number in range(40))
    labelling = make_labelling(redis, {RATING: SmallPool(many)})
    agree(labelling, ALICE, BOB)
    for person in (ALICE, BOB):
        for _ in many:
            label_next(labelling, person, RATING, "1")
    alice, bob = (
        {given.label.asked.item_id: given.label.asked.order for given in labelling.standing(person).labels}
        for person in (ALICE, BOB)
    )
    assert 5 < sum(order is Order.GENERIC_FIRST for order in alice.values()) < 35
    assert alice != bob


def test_attention_items_are_among_the_others_once_each_and_counted_nowhere(redis):
    labelling = make_labelling(redis, human_pools("demo"), attention=True)
    agree(labelling, ALICE)
    items = labelling.progress(labelling.standing(ALICE), RATING).items
    for _ in range(items):
        found = labelling.next(ALICE, RATING)
        assert found.shown is not None
        assert [piece.heading for piece in found.pieces] == ["Prompt", "Answer A", "Answer B", "Attribute"]
        labelling.label(ALICE, RATING, found.shown.token, "3")
    standing = labelling.standing(ALICE)
    assert labelling.next(ALICE, RATING).shown is None
    attention = [given.label.asked.item_id for given in standing.labels if given.label.asked.attention]
    assert len(attention) == len(set(attention)) == 2 == standing.attention[0]
    assert set(Desk(redis).counts("demo", RATING)).isdisjoint(attention)


def test_attention_items_are_chosen_with_the_same_work_as_others(redis, monkeypatch):
    labelling = make_labelling(redis, human_pools("demo"), attention=True)
    agree(labelling, ALICE)
    work = []
    for name in ("choose", "attention_left"):
        real = getattr(service, name)
        monkeypatch.setattr(service, name, lambda *told, real=real, name=name: work.append(name) or real(*told))
    kinds = set()
    while (shown := labelling.next(ALICE, RATING).shown) is not None:
        assert work == ["choose", "attention_left"]
        work.clear()
        kinds.add(shown.asked.attention is None)
        labelling.label(ALICE, RATING, shown.token, "3")
    assert kinds == {True, False}


def test_withdrawing_takes_everything_back_and_forgets_the_place(labelling, redis):
    label_next(labelling, ALICE, RELEVANCE, "YES")
    label_next(labelling, BOB, RELEVANCE, "YES")
    labelling.next(ALICE, RATING)
    labelling.withdraw(ALICE)
    labelling.withdraw(ALICE)
    standing = labelling.standing(ALICE)
    assert (standing.labels, standing.agreed) == ((), None)
    assert sum(map(len, Desk(redis).counts("org/set", RELEVANCE).values())) == 1
    assert Desk(redis).shown(ALICE, RATING) is None
    assert Desk(redis).urgent() == {ALICE}
    assert [event.kind for event in Desk(redis).events(ALICE)].count(EventKind.WITHDREW) == 1
    agree(labelling, ALICE)
    assert label_next(labelling, ALICE, RELEVANCE, "NO")


def test_nothing_is_taken_while_labels_are_being_restored(labelling, redis):
    shown = labelling.next(ALICE, RELEVANCE).shown
    assert shown is not None
    redis.delete(EPOCH)
    with pytest.raises(BeingRestored):
        labelling.label(ALICE, RELEVANCE, shown.token, "YES")
    assert done(labelling, ALICE) == set()


def test_an_event_that_was_decided_on_in_another_past_is_not_added_and_a_lost_answer_is_no_second_one(redis):
    desk, events = Desk(redis), make_events(ALICE, EventKind.AGREED, make_label())
    with pytest.raises(Meanwhile):
        desk.append(events[1])
    desk.append(events[0])
    desk.append(events[0])
    assert desk.events(ALICE) == events[:1]


def test_an_item_that_left_the_data_set_is_not_labelled(redis):
    pool = SmallPool(NAMES)
    labelling = make_labelling(redis, {RELEVANCE: pool})
    agree(labelling, ALICE)
    shown = labelling.next(ALICE, RELEVANCE).shown
    assert shown is not None
    pool.names = tuple(name for name in NAMES if name != shown.asked.item_id)
    labelling.label(ALICE, RELEVANCE, shown.token, "YES")
    assert done(labelling, ALICE) == set()
    following = labelling.next(ALICE, RELEVANCE).shown
    assert following is not None
    assert following.asked.item_id != shown.asked.item_id


def test_an_item_that_reads_otherwise_by_now_is_shown_anew_and_what_was_labelled_stays(redis):
    pool = SmallPool(NAMES)
    labelling = make_labelling(redis, {RELEVANCE: pool})
    agree(labelling, ALICE)
    first = label_next(labelling, ALICE, RELEVANCE, "YES")
    shown = labelling.next(ALICE, RELEVANCE).shown
    assert shown is not None
    pool.data_sha = "d" * 40
    labelling.label(ALICE, RELEVANCE, shown.token, "YES")
    assert done(labelling, ALICE) == {first}, "the person read another text"
    anew = labelling.next(ALICE, RELEVANCE).shown
    assert anew is not None
    assert (anew.asked.data_sha, anew.token == shown.token) == ("d" * 40, False)
    while labelling.next(ALICE, RELEVANCE).shown:
        label_next(labelling, ALICE, RELEVANCE, "NO")
    asked = [given.label.asked for given in labelling.standing(ALICE).labels]
    assert sorted(each.item_id for each in asked) == sorted(NAMES), "nobody is asked twice"
    assert [each.data_sha for each in asked] == [SHA, *["d" * 40] * 5]
    assert sum(map(len, Desk(redis).counts("org/set", RELEVANCE).values())) == len(NAMES)


def test_no_name_of_a_person_stands_in_redis(labelling, redis):
    label_next(labelling, ALICE, RELEVANCE, "YES")
    names = {key.decode() for key in redis.scan_iter("rapport:label:*")}
    assert names >= {keys.PEOPLE, keys.UNSAVED, keys.events(ALICE), keys.tally("org/set", RELEVANCE)}


def test_tallies_are_made_anew_from_what_stands(labelling, redis):
    for person, word in ((ALICE, "YES"), (BOB, "NO")):
        label_next(labelling, person, RELEVANCE, word)
        label_next(labelling, person, RATING, "5")
    labelling.withdraw(BOB)
    before = {task: Desk(redis).counts("org/set", task) for task in Task}
    redis.delete(keys.tally("org/set", RELEVANCE))
    redis.hset(keys.tally("org/gone", RATING), "3 p/a", 7)
    Desk(redis).count_anew()
    assert {task: Desk(redis).counts("org/set", task) for task in Task} == before
    assert Desk(redis).counts("org/gone", RATING) == {}
