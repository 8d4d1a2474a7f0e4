"""Which item comes next, as a function of what is labelled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.errors import RapportError
from evaluator.human.importers.pseudonyms import Salt
from leaderboard.labelling.choosing import (
    ATTENTION_EVERY,
    Lot,
    attention_due,
    attention_left,
    choose,
    disagreement,
    drawn_of,
)
from leaderboard.labelling.drawing import FILE, drawing_key
from tests.labelling.people import ALICE, BOB, KEY

LOT = Lot(KEY, ALICE)

NAMES = [f"item-{number}" for number in range(8)]
COUNTS = st.dictionaries(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(["YES", "NO"]), st.integers(0, 4)))


@given(COUNTS, st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)))
def test_the_next_item_is_never_done_and_has_the_fewest_labels_of_those_not_skipped(counts, done, skipped):
    chosen = choose(NAMES, counts, done, skipped, LOT)
    first = [name for name in NAMES if name not in done and name not in skipped]
    if not first:
        assert chosen is None
        return
    assert chosen in first
    assert sum(counts.get(chosen, {}).values()) == min(sum(counts.get(name, {}).values()) for name in first)


def test_of_items_with_as_many_labels_the_one_that_people_disagree_on_comes_first():
    counts = {"a": {"1": 2, "5": 2}, "b": {"3": 3, "4": 1}, "c": {"3": 4}}
    order = []
    while (chosen := choose(["c", "b", "a"], counts, order, (), LOT)) is not None:
        order.append(chosen)
    assert order == ["a", "b", "c"]


def walk(person: str) -> list[str]:
    order: list[str] = []
    while (chosen := choose(NAMES, {}, order, (), Lot(KEY, person))) is not None:
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
    assert sum(attention_due(place, Lot(KEY, f"annotator-{name}"), "rating") for place in places) == 1


def test_the_place_of_attention_items_is_not_the_same_for_all():
    lots = [Lot(KEY, f"annotator-{number:05d}") for number in range(200)]
    places = {next(given for given in range(12) if attention_due(given, lot, "rating")) for lot in lots}
    assert places == set(range(12))


def test_an_attention_item_is_shown_once():
    names = ("x", "y", "z")
    first = attention_left(names, (), LOT)
    assert first in names
    assert attention_left(names, [first], LOT) not in (first, None)
    assert attention_left(names, names, LOT) is None


def test_nobody_without_the_key_can_work_out_what_is_drawn() -> None:
    other = Lot(b"another key", ALICE)
    places = [[attention_due(given, lot, "rating") for given in range(240)] for lot in (LOT, other)]
    assert places[0] != places[1]
    orders = [[drawn_of("AB", lot, str(number)) for number in range(40)] for lot in (LOT, other)]
    assert orders[0] != orders[1]
    assert choose(NAMES, {}, (), (), LOT) == min(NAMES, key=LOT.draw)
    assert KEY.decode() not in repr(LOT)


def test_the_key_follows_from_the_sites_secret_or_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    secret = drawing_key(Salt(b"the secret of a site"), tmp_path)
    assert secret != drawing_key(Salt(b"the secret of another"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    made = drawing_key(None, tmp_path / "data")
    assert len(made) == 32
    assert drawing_key(None, tmp_path / "data") == made != drawing_key(None, tmp_path / "other")
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE]
    with pytest.raises(RapportError, match="neither read nor made"):
        drawing_key(None, tmp_path / "data" / FILE)
