"""What holds of a person after what happened, and what becomes of it if Redis loses something."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from evaluator.human.records import Rating
from evaluator.human.tasks import Order
from evaluator.records import Outcome, SlotOrder
from leaderboard.labelling.attention import load_attention
from leaderboard.labelling.consent import CONSENT
from leaderboard.labelling.instructions import instruction_of, wording_name
from leaderboard.labelling.records import ORDERS_OF, WORDS_OF, EventKind, PersonEvent, Task
from leaderboard.labelling.standing import merged, standing_of
from tests.labelling.people import ALICE, make_events, make_label

AGREED, WITHDREW = EventKind.AGREED, EventKind.WITHDREW
JUDGED = {
    "run_id": "s-20260101-0a1b2c3d.demo-v1",
    "model": "org/m",
    "question_id": "test_1/1",
    "content_hash": "0" * 64,
}
FIRST, SECOND = make_label("p1/a1"), make_label("p1/a2", "NO")


def items(*done) -> list[str]:
    return [given.label.asked.item_id for given in standing_of(make_events(ALICE, *done)).labels]


def test_labels_stand_until_they_are_taken_back_or_withdrawn():
    assert items(AGREED, FIRST, SECOND) == ["p1/a1", "p1/a2"]
    assert items(AGREED, FIRST, SECOND, 2) == ["p1/a2"]
    assert items(AGREED, FIRST, SECOND, WITHDREW) == []
    assert items(AGREED, FIRST, WITHDREW, AGREED, SECOND) == ["p1/a2"]


def test_a_withdrawal_stays_known_when_somebody_comes_back():
    back = standing_of(make_events(ALICE, AGREED, FIRST, WITHDREW, AGREED))
    assert back.may_label()
    assert back.withdrew_at is not None
    assert not standing_of(make_events(ALICE, AGREED, FIRST, WITHDREW)).may_label()


def test_consent_to_another_text_is_none():
    standing = standing_of(make_events(ALICE, AGREED))
    assert standing.may_label()
    assert not standing.may_label(CONSENT.model_copy(update={"version": "labelling-v0"}))
    assert not standing.may_label(CONSENT.model_copy(update={"paragraphs": ("Something else.",)}))


def test_the_attention_record_counts_right_answers():
    known = make_label("item-1", "YES", attention=("NO",)), make_label("item-2", "NO", attention=("NO",))
    assert standing_of(make_events(ALICE, AGREED, *known, FIRST)).attention == (2, 1)


def test_the_first_answer_to_an_attention_item_counts_even_if_it_is_taken_back():
    wrong, right = (make_label("item-1", word, attention=("NO",)) for word in ("YES", "NO"))
    assert standing_of(make_events(ALICE, AGREED, wrong, 2, right)).attention == (1, 0)
    assert standing_of(make_events(ALICE, AGREED, right, 2, wrong, 4)).attention == (1, 1)
    assert standing_of(make_events(ALICE, AGREED, wrong, WITHDREW, AGREED)).attention == (0, 0)


def test_what_holds_can_be_worked_out_bit_by_bit():
    known = make_label("item-1", "YES", attention=("NO",))
    events = make_events(ALICE, AGREED, FIRST, known, 2, SECOND, 3, WITHDREW, AGREED, SECOND, 9)
    for cut in range(len(events) + 1):
        assert standing_of(events[cut:], standing_of(events[:cut])) == standing_of(events)


@pytest.mark.parametrize(
    ("order", "word", "rating"),
    [(Order.GENERIC_FIRST, "5", 5), (Order.PERSONALISED_FIRST, "5", 1), (Order.PERSONALISED_FIRST, "3", 3)],
)
def test_a_rating_is_of_the_personalised_answer_whatever_stood_first(order, word, rating):
    assert make_label(word=word, task=Task.RATING, order=order).rating is Rating(rating)


@pytest.mark.parametrize(
    ("order", "word", "outcome"),
    [
        (SlotOrder.ANSWER_FIRST, "A", Outcome.WIN),
        (SlotOrder.GOLD_FIRST, "A", Outcome.LOSS),
        (SlotOrder.GOLD_FIRST, "B", Outcome.WIN),
        (SlotOrder.GOLD_FIRST, "tie", Outcome.TIE),
    ],
)
def test_a_verdict_is_of_the_models_answer_whatever_stood_first(order, word, outcome):
    assert make_label(word=word, task=Task.PAIRS, order=order, judged=JUDGED).outcome is outcome


@pytest.mark.parametrize(
    "broken",
    [
        {"word": "MAYBE"},
        {"word": "6", "task": Task.RATING, "order": Order.GENERIC_FIRST},
        {"task": Task.RATING, "word": "1"},
        {"order": Order.GENERIC_FIRST},
        {"task": Task.PAIRS, "word": "A", "order": SlotOrder.ANSWER_FIRST},
        {"task": Task.PAIRS, "word": "A", "order": SlotOrder.SINGLE, "judged": JUDGED},
        {"attention": ("MAYBE",)},
        {"item_id": "two words"},
        {"item_id": ""},
    ],
)
def test_a_label_that_fits_no_task_is_none(broken):
    with pytest.raises(ValidationError):
        make_label(**broken)


@pytest.mark.parametrize("held", [{"kind": "labelled"}, {"kind": "withdrew", "took_back": 1}, {"kind": "agreed"}])
def test_an_event_says_what_its_kind_says_and_no_more(held):
    with pytest.raises(ValidationError, match="too little or too much"):
        PersonEvent.model_validate(make_events(ALICE, WITHDREW)[0].model_dump() | held)


def test_redis_goes_on_where_it_knows_all_that_is_stored():
    saved = make_events(ALICE, AGREED, FIRST)
    live = make_events(ALICE, AGREED, FIRST, SECOND)
    assert merged(saved, live) == live
    assert merged(live, saved) == live
    assert merged(saved, ()) == saved


def test_what_an_older_redis_was_given_goes_behind_what_is_stored_and_nothing_is_labelled_twice():
    saved = make_events(ALICE, AGREED, FIRST, SECOND)
    third = make_label("p1/a3")
    again = make_label("p1/a1", "NO")
    live = make_events(ALICE, AGREED, third, again)
    result = merged(saved, live)
    assert result[:3] == saved
    assert [event.sequence for event in result] == [1, 2, 3, 4]
    assert items(AGREED, FIRST, SECOND, third) == [given.label.asked.item_id for given in standing_of(result).labels]


def test_a_label_that_was_corrected_in_an_older_redis_stays_corrected():
    saved = make_events(ALICE, AGREED, FIRST, SECOND)
    anew, third = make_label("p1/a1", "NO"), make_label("p1/a3")
    result = merged(saved, make_events(ALICE, AGREED, FIRST, 2, anew, third, 5))
    assert [given.label for given in standing_of(result).labels] == [SECOND, anew]
    assert [event.took_back for event in result] == [None, None, None, 2, None, None, 6]


def test_taking_back_a_label_that_has_another_number_now_takes_back_no_other():
    result = merged(make_events(ALICE, AGREED, FIRST, SECOND), make_events(ALICE, AGREED, SECOND, 2))
    assert [given.label for given in standing_of(result).labels] == [FIRST, SECOND]


def test_nothing_is_labelled_after_a_withdrawal_that_redis_forgot():
    saved = make_events(ALICE, AGREED, FIRST, WITHDREW)
    live = make_events(ALICE, AGREED, FIRST, SECOND)
    assert standing_of(merged(saved, live)).labels == ()


@pytest.mark.parametrize("task", list(Task))
def test_every_task_is_explained_with_two_examples_and_has_attention_items_of_its_words(task):
    instruction = instruction_of(task)
    assert tuple(choice.word for choice in instruction.words) == WORDS_OF[task]
    assert len(instruction.examples) == 2
    assert {example.word for example in instruction.examples} <= set(WORDS_OF[task])
    assert "@" in wording_name(task)
    attention = load_attention()
    for name in attention.names(task):
        for order in ORDERS_OF[task] or (None,):
            item = attention.get(task, name)
            assert item is not None
            assert set(item.words(order)) <= set(WORDS_OF[task])
            assert "attention" not in name


def test_an_attention_item_is_right_in_either_order():
    attention = load_attention()
    for task in (Task.RATING, Task.PAIRS):
        for name in attention.names(task):
            item = attention.get(task, name)
            assert item is not None
            judged = {"judged": JUDGED} if task is Task.PAIRS else {}
            said = set()
            for order in ORDERS_OF[task]:
                for word in item.words(order):
                    label = make_label(name, word, task, order=order, **judged)
                    said.add(label.rating or label.outcome)
            assert len(said) == len(item.right)
