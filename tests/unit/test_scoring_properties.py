"""Scoring is a pure function of the set of rows: the order in which they lie never shows."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.errors import Cause
from evaluator.hicupid.scoring import score
from evaluator.records import Generation, Outcome
from tests.builders import (
    LOSS,
    NO,
    PERSONA,
    PROFILE,
    SCHEDULE,
    TIE,
    WIN,
    YES,
    Answered,
    answered,
    make_generation,
    make_item,
    make_verdict,
)

pair_outcomes = st.lists(st.sampled_from([WIN, TIE, LOSS, None]), min_size=2, max_size=2)


@st.composite
def answered_items(draw) -> list[Answered]:
    """Up to twenty items of some users, with verdicts missing here and there."""
    entries = []
    for number in range(draw(st.integers(1, 20))):
        type_ = draw(st.sampled_from([PERSONA, PROFILE, SCHEDULE]))
        outcomes: list[Outcome | None]
        outcomes = [draw(st.sampled_from([YES, NO, None]))] if type_ is SCHEDULE else draw(pair_outcomes)
        split = draw(st.sampled_from(["test_1", "test_2"]))
        item = make_item(f"{split}/{number}", type_, user_id=draw(st.integers(1, 12)))
        entries.append(answered(item, *outcomes, cached_tokens=draw(st.integers(0, 100))))
    return entries


@given(answered_items(), st.randoms(use_true_random=False))
def test_shuffled_rows_give_a_byte_identical_result(entries: list[Answered], shuffler: random.Random):
    items = [entry.item for entry in entries]
    generations = [row for entry in entries for row in entry.generations]
    verdicts = [row for entry in entries for row in entry.verdicts]
    straight = score(items, generations, verdicts).model_dump_json()
    for rows in (items, generations, verdicts):
        shuffler.shuffle(rows)
    assert score(items, generations, verdicts).model_dump_json() == straight


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"answer": "Another answer."}, id="another answer"),
        pytest.param({"answer": None, "failure": Cause.TIMEOUT}, id="a failure"),
        pytest.param({"cached_tokens": 50, "shared_tokens": 90}, id="another cost"),
    ],
)
def test_which_of_two_rows_under_one_key_counts_does_not_depend_on_their_order(changes):
    entry = answered(make_item("test_1/1"), WIN, WIN)
    (first,) = entry.generations
    second: Generation = make_generation(first.key, **({"answer": first.answer} | changes))
    forwards = score([entry.item], [first, second], entry.verdicts)
    assert score([entry.item], [second, first], entry.verdicts) == forwards


def test_which_of_two_verdicts_under_one_key_counts_does_not_depend_on_their_order():
    entry = answered(make_item("test_1/1"))
    win, loss = (make_verdict(entry.generations[0], outcome) for outcome in (WIN, LOSS))
    forwards = score([entry.item], entry.generations, [win, loss])
    assert score([entry.item], entry.generations, [loss, win]) == forwards


@given(answered_items())
def test_every_item_and_every_verdict_is_accounted_for(entries: list[Answered]):
    generations = [row for entry in entries for row in entry.generations]
    verdicts = [row for entry in entries for row in entry.verdicts]
    result = score([entry.item for entry in entries], generations, verdicts)
    asked = sum(len(entry.item.orders) for entry in entries)
    assert (result.items, result.generations) == (len(entries), len(entries))
    assert (result.verdicts, result.missing) == (len(verdicts), asked - len(verdicts))


@given(answered_items())
def test_the_worst_case_is_never_above_the_total_nor_the_total_above_its_maximum(entries: list[Answered]):
    rows = [row for entry in entries for row in entry.verdicts]
    total = score([e.item for e in entries], [row for e in entries for row in e.generations], rows).total
    if total.value is not None:
        assert 0 <= total.worst_case <= total.value <= 87.5


@given(answered_items())
def test_scoring_the_same_rows_twice_changes_nothing(entries: list[Answered]):
    items = [entry.item for entry in entries]
    generations = [row for entry in entries for row in entry.generations]
    verdicts = [row for entry in entries for row in entry.verdicts]
    assert score(items, generations * 2, verdicts * 2) == score(items, generations, verdicts)
