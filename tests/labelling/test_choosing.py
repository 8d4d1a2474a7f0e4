"""Which item comes next, as a function of what is labelled."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.labelling.choosing import (
    ATTENTION_EVERY,
    attention_due,
    attention_left,
    choose,
    disagreement,
    items_in_all,
)
from tests.labelling.people import ALICE, BOB

NAMES = [f"item-{number}" for number in range(8)]
COUNTS = st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(["YES", "NO"]), st.integers(0, 4)))


@given(COUNTS, st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_the_next_item_is_never_done_and_has_the_fewest_labels_of_those_not_skipped(counts, done, skipped):
    chosen = choose(NAMES, counts, done, skipped, ALICE)
    left = [name for name in NAMES if name not in done]
    if not left:
        assert chosen is None
        return
    assert chosen in left
    first = [name for name in left if name not in skipped] or left
    assert chosen in first
    assert sum(counts.get(chosen, {}).values()) == min(sum(counts.get(name, {}).values()) for name in first)


def test_of_items_with_as_many_labels_the_one_that_people_disagree_on_comes_first():
    counts = {"a": {"1": 2, "5": 2}, "b": {"3": 3, "4": 1}, "c": {"3": 4}}
    order = []
    while (chosen := choose(["c", "b", "a"], counts, order, (), ALICE)) is not None:
        order.append(chosen)
    assert order == ["a", "b", "c"]


def walk(person: str) -> list[str]:
    order: list[str] = []
    while (chosen := choose(NAMES, {}, order, (), person)) is not None:
        order.append(chosen)
    return order


def test_ties_are_in_an_order_of_each_persons_own_that_stays():
    assert sorted(walk(ALICE)) == NAMES
    assert walk(ALICE) == walk(ALICE)
    assert walk(ALICE) != walk(BOB)
    firsts = Counter(walk(f"annotator-{number:05d}")[0] for number in range(400))
    assert min(firsts[name] for name in NAMES) > 20


@pytest.mark.parametrize(
    ("given_words", "expected"), [({}, 0), ({"YES": 5}, 0), ({"YES": 1, "NO": 1}, 1), ({"YES": 2, "NO": 1}, 2 / 3)]
)
def test_disagreement_is_the_chance_that_two_people_differ(given_words, expected):
    assert disagreement(given_words) == pytest.approx(expected)


@given(st.text("0123456789abcdef", min_size=5, max_size=20), st.integers(0, 40))
def test_one_item_in_twelve_is_an_attention_item(name, block):
    places = range(block * ATTENTION_EVERY, (block + 1) * ATTENTION_EVERY)
    assert sum(attention_due(place, f"annotator-{name}", "rating") for place in places) == 1


def test_the_place_of_attention_items_is_not_the_same_for_all():
    places = {next(n for n in range(12) if attention_due(n, f"annotator-{k:05d}", "rating")) for k in range(200)}
    assert places == set(range(12))


def test_an_attention_item_is_shown_once():
    names = ("x", "y", "z")
    first = attention_left(names, (), ALICE)
    assert first in names
    assert attention_left(names, [first], ALICE) not in (first, None)
    assert attention_left(names, names, ALICE) is None


@pytest.mark.parametrize("items", [0, 1, 11, 12, 23, 128])
def test_the_way_through_a_task_is_as_long_as_it_is_said_to_be(items):
    """Walks through a task of so many items with four attention items."""
    done, attention = 0, 0
    while done - attention < items:
        if attention_due(done, ALICE, "rating") and attention < 4:
            attention += 1
        done += 1
    assert abs(done - items_in_all(items, 4)) <= 1
