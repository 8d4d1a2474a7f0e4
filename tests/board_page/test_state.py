"""The address of the board is its whole state: one address for each state, and none that is an error."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.pages.board.columns import COLUMNS
from leaderboard.pages.board.state import COMPACT, SHOWN, TRAINED, BoardState, read_state

NAMES = (
    *("protocol", "ranking", "judge", "q", "size", "licence", "family", "trained", "context", "complete"),
    *("show", "columns", "sort", "pin", "density", "page"),
)
CHOSEN = tuple(name for name, column in COLUMNS.items() if not column.always)
ANYTHING = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [*COLUMNS, *(f"-{name}" for name in COLUMNS), *SHOWN, *TRAINED, COMPACT, "1", "0", "-1", "nothing"]
    ),
    st.lists(st.sampled_from([*COLUMNS, *SHOWN, ""]), max_size=5).map(",".join),
    st.just("x" * 10_000),
    st.integers().map(str),
)


def read(query: str) -> BoardState:
    return read_state(parse_qsl(query.removeprefix("?"), keep_blank_values=True))


@given(st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), st.text(max_size=5)), ANYTHING), max_size=12))
def test_whatever_stands_in_an_address_is_a_state_and_that_has_one_address(parameters: list[tuple[str, str]]) -> None:
    state = read_state(parameters)
    query = state.query(page=state.page)
    assert read(query) == state
    assert read(query).query(page=state.page) == query
    assert state.page >= 1


@given(st.permutations([("q", "a b"), ("sort", "-total"), ("licence", "mit"), ("pin", "x@y"), ("density", COMPACT)]))
def test_parameters_in_whatever_order_are_the_same_state_with_the_same_address(found: list[tuple[str, str]]) -> None:
    assert read_state(found).query() == "?q=a%20b&licence=mit&sort=-total&density=compact&pin=x@y"


@pytest.mark.parametrize(
    "query",
    [
        "?page=0&page=-1",
        "?sort=nothing",
        "?sort=rank",
        "?q=%20%20&trained=perhaps&density=roomy&complete=yes",
        "?show=everything&columns=everything",
        "?show=references,published",
        "?licence=" + "x" * 300,
        "?q=a%00b",
        "?pin=" + "x" * 500,
        "?unheard=of&protocol=",
    ],
)
def test_what_cannot_be_meant_and_what_holds_unasked_are_left_out(query: str) -> None:
    assert read(query) == BoardState()


def test_a_form_says_what_is_not_checked_by_a_word_that_is_always_there() -> None:
    assert read("?show=nothing").show == ()
    assert read("?show=nothing&show=demo&show=references").show == ("references", "demo")
    assert read("?columns=model").columns == ()
    assert read("?columns=model&columns=size&columns=total").columns == ("total", "size")


def test_a_change_of_what_is_shown_leads_to_the_first_page_and_one_of_how_it_is_shown_does_not() -> None:
    third = BoardState(q="a", page=3)
    assert "page" not in third.query(licence="mit")
    assert "page" not in third.query(sort="size")
    for change in ({"density": COMPACT}, {"columns": ("size",)}, {"pin": ("a@b",)}):
        assert third.query(**change).endswith("page=3"), change


def test_a_scorecard_is_pinned_once_and_unpinned() -> None:
    one = read(BoardState().pinned('run@judge "&<b>'))
    assert one.pin == ('run@judge "&<b>',)
    assert read(one.pinned("other@judge")).pin == (*one.pin, "other@judge")
    assert one.pinned(one.pin[0]) == ""
    assert len(read("?" + "&".join(f"pin={number}" for number in range(50))).pin) == 20
