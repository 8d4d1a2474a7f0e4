"""Readers find the items that they ask for, page by page."""

from __future__ import annotations

import numpy as np
import pytest

from leaderboard.answers.choosing import Only, counts, find, page_of
from leaderboard.answers.table import ItemTable
from tests.answers.runs import made_up_run


@pytest.fixture(scope="module")
def table() -> ItemTable:
    return made_up_run(20).table


@pytest.mark.parametrize("outcome", ["won", "tied", "lost", "missing", "flipped"])
def test_an_outcome_is_found(table: ItemTable, outcome) -> None:
    found = find(table, Only(outcome))
    expected = [
        place
        for place in range(len(table.score))
        if (table.flipped[place] if outcome == "flipped" else table.standing(place) == outcome)
    ]
    assert found.tolist() == expected
    assert len(expected) == counts(table, Only("won"))[outcome] > 0


def test_all_that_is_asked_for_must_hold(table: ItemTable) -> None:
    found = find(table, Only("lost", "persona", "test_2", "food", "POS")).tolist()
    assert found
    for place in range(len(table.score)):
        told = (table.type, table.split, table.category, table.sentiment)
        fits = tuple(words.at(place) for words in told) == ("persona", "test_2", "food", "POS")
        assert (place in found) == (fits and table.standing(place) == "lost")
    assert not len(find(table, Only(category="none such")))
    assert not len(find(table, Only(sentiment="")))
    assert sum(counts(table, Only(type="schedule")).values()) >= table.type.are("schedule").sum()


def test_words_are_looked_for_in_ids_and_in_what_was_found_otherwise(table: ItemTable) -> None:
    assert table.question_id[find(table, Only(q=" TEST_1  0-1"))].tolist() == [
        name for name in table.question_id if "test_1" in name and "0-1" in name
    ]
    assert len(find(table, Only(q=" "))) == len(table.score)
    also = find(table, Only(q="test_1/0-3"), ["test_2/1-0", "gone/1"])
    assert table.question_id[also].tolist() == ["test_1/0-3", "test_2/1-0"]
    assert not len(find(table, Only(q=".*")))


@pytest.mark.parametrize(("page", "there"), [(-3, [0, 1]), (1, [0, 1]), (2, [2, 3]), (3, [4]), (10**9, [4])])
def test_pages_hold_what_was_found_once(page: int, there: list[int]) -> None:
    assert list(page_of(np.arange(5), page, 2).places) == there
    assert page_of(np.arange(0), page, 2)[1:] == (0, 1, 1)
