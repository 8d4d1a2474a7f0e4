"""What the board shows of a state: filters, sorting, pins and pages, of which none moves a rank."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.facts import ModelFacts
from leaderboard.pages.board.columns import COLUMNS
from leaderboard.pages.board.filters import FACETS, search
from leaderboard.pages.board.index import BoardIndex
from leaderboard.pages.board.state import TRAINED
from leaderboard.pages.board.view import PAGE_LENGTH
from leaderboard.pages.facts import SIZE_CLASSES
from leaderboard.records import TrainingData
from leaderboard.results import Scorecard
from tests.board_page.boards import card_of, html_of, index_of, names, seen, table_of, view_of
from tests.builders import make_declaration

REFERENCE = {"unranked_because": ("reference",)}
LICENCES = ("apache-2.0", "mit", None)


def mixed() -> list[Scorecard]:
    """Models that differ in all that is filtered by, two of them alike in each."""
    cards = []
    for number in range(24):
        facts = ModelFacts(
            architecture=("Qwen3ForCausalLM", "LlamaForCausalLM")[number % 2],
            parameters=None if number % 5 == 0 else 10**8 * 3**number,
            licence=LICENCES[number % 3],
            context_length=1024 * (number % 7 + 1),
        )
        told = make_declaration(training_data=list(TrainingData)[number % 4])
        changes = {"declaration": told, "submitter": f"user-{number % 4}"}
        cards.append(card_of(f"org/model-{number}", 80 - 2 * number, None if number == 7 else facts, **changes))
    return [
        *cards,
        card_of("reference/gold", 50, **REFERENCE),
        card_of("org/half", 49, unranked_because=("incomplete",)),
        card_of("org/tried", 48, unranked_because=("deterministic engine",)),
    ]


@cache
def mixed_index() -> BoardIndex:
    return index_of(*mixed())


@pytest.fixture
def index() -> BoardIndex:
    return mixed_index()


def ranks(index: BoardIndex, **asked: object) -> dict[str, object]:
    """What stands in the first cell of each line."""
    found = {}
    view = view_of(index, **asked)
    for line in (*view.pinned, *view.lines):
        found[line.entry.name] = line.cells.partition("</td>")[0]
    return found


ASKED = st.fixed_dictionaries(
    {},
    optional={
        "q": st.sampled_from(["org", "model-1", "user-2 qwen", "MIT", "nobody"]),
        "size": st.sampled_from(SIZE_CLASSES),
        "licence": st.sampled_from(["mit", "apache-2.0", "not told"]),
        "family": st.sampled_from(["qwen", "not told", "llama"]),
        "trained": st.sampled_from(TRAINED),
        "complete": st.booleans(),
        "show": st.sampled_from([None, (), ("demo",), ("references", "incomplete")]),
        "sort": st.sampled_from([f"{minus}{name}" for name in COLUMNS for minus in ("", "-")]),
        "pin": st.sampled_from([(), ("org-model-3@demo",), ("org-model-9@demo", "org-half@demo")]),
    },
)


@given(ASKED)
def test_nothing_that_is_asked_for_moves_a_rank(asked: dict[str, object]) -> None:
    board = mixed_index()
    everything = ranks(board, show=("references", "demo", "incomplete"))
    shown = ranks(board, **asked)
    assert shown.items() <= everything.items()


@given(ASKED)
def test_each_line_is_shown_once_and_only_pinned_ones_are_outside_the_filters(asked: dict[str, object]) -> None:
    view = view_of(mixed_index(), **asked)
    every = [line.entry.key for line in (*view.pinned, *view.lines)]
    assert len(every) == len(set(every))
    assert [line.entry.key for line in view.pinned] == list(asked.get("pin", ()))  # type: ignore[call-overload]
    assert not any(line.outside for line in view.lines)


@pytest.mark.parametrize("sort", [name for name in COLUMNS if name != "rank"])
def test_missing_values_stand_last_whichever_way_a_column_is_sorted(index: BoardIndex, sort: str) -> None:
    key = COLUMNS[sort].key
    for way, minus in ((1, ""), (-1, "-")):
        view = view_of(index, sort=f"{minus}{sort}", show=("references", "demo", "incomplete"))
        found = [key(line.entry) for line in view.lines]
        there = [each for each in found if each is not None]
        assert found == there + [None] * (len(found) - len(there)), sort
        assert all(one == two or (one < two) == (way == 1) for one, two in pairwise(there)), sort  # type: ignore[operator]


def test_something_is_missing_in_the_columns_of_what_a_repository_tells(index: BoardIndex) -> None:
    for name in ("size", "licence", "length", "family", "lc"):
        keys = [COLUMNS[name].key(line.entry) for line in view_of(index).lines]
        assert None in keys, "or the test above says nothing"


def test_equal_values_stay_in_the_order_of_the_board(index: BoardIndex) -> None:
    place = {name: number for number, name in enumerate(names(view_of(index)))}
    for sort in ("licence", "-licence"):
        lines = [line.entry for line in view_of(index, sort=sort).lines]
        for one, two in pairwise(lines):
            if COLUMNS["licence"].key(one) == COLUMNS["licence"].key(two):
                assert place[one.name] < place[two.name]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("", 24),
        ("MODEL-1", 11),
        ("model-1 user-1", 3),
        ("user-1 model-1", 3),
        ("qwen", 12),
        ("apache", 8),
        ("demo", 24),
        ("nobody", 0),
        ("bdi", 0),
        ("href", 0),
        ("not told", 0),
        ("< >", 0),
        ("org model", 24),
    ],
)
def test_search_finds_what_all_terms_are_in_whatever_the_case_and_never_markup(
    index: BoardIndex, q: str, found: int
) -> None:
    view = view_of(index, q=q)
    assert sum(line.entry.is_model for line in view.lines) == found
    assert view.counted == f"{found} of 26 models"


def test_terms_do_not_run_on_from_one_text_into_the_next() -> None:
    assert search(["one\ntwo"], ["onetwo"]) == 0
    assert search(["one\ntwo", "two one"], ["one", "two"]) == 0b11
    board = index_of(card_of("org/mit", 60, submitter="ann"), card_of("org/b", 50, submitter="mitann"))
    assert names(view_of(board, q="mitann")) == ["org/b"]


@pytest.mark.parametrize("name", FACETS)
def test_a_facet_says_how_many_models_each_of_its_values_shows(index: BoardIndex, name: str) -> None:
    for others in ({}, {"q": "user-1"}, {"trained": "no"} if name != "trained" else {"licence": "mit"}):
        (facet,) = [each for each in view_of(index, **others).facets if each.name == name]
        values = [option for option in facet.options if option.value]
        assert len(values) > 1
        for option in values:
            view = view_of(index, **others, **{name: option.value})
            count = sum(line.entry.is_model for line in view.lines)
            assert option.label.endswith(f"({count})"), option
            (same,) = [each for each in view.facets if each.name == name]
            assert [each.label for each in same.options] == [each.label for each in facet.options], "to choose another"


def test_only_what_is_judged_in_full_is_complete() -> None:
    card = card_of("org/a", 60)
    less = card.model_copy(update={"id": "b@demo", "model": "org/b", "result": card.result.model_copy(
        update={"judged": card.result.items - 1})})  # fmt: skip
    assert names(view_of(index_of(card, less), complete=True)) == ["org/a"]


def test_demo_and_incomplete_rows_are_behind_switches(index: BoardIndex) -> None:
    assert {"org/half", "org/tried"}.isdisjoint(names(view_of(index)))
    assert "reference/gold" in names(view_of(index))
    assert "org/half" in names(view_of(index, show=("incomplete",)))
    assert "reference/gold" not in names(view_of(index, show=("incomplete",)))
    assert [kind.label for kind in view_of(index).kinds] == [
        "References (1)",
        "Demo rows (1)",
        "Incomplete rows (1)",
    ]


def test_rows_of_a_demo_are_shown_where_there_are_no_others_and_the_page_says_so() -> None:
    demo = index_of(card_of("org/a", 60, unranked_because=("demo judge",)), card_of("reference/gold", 50, **REFERENCE))
    view = view_of(demo)
    assert names(view) == ["org/a", "reference/gold"]
    assert "All results here are a demo" in view.note
    assert names(view_of(demo, show=("references",))) == ["reference/gold"]
    assert view_of(demo, show=("references", "published", "demo")).state.show is None, "which is how it is unasked"


def test_a_form_without_a_box_for_published_figures_does_not_leave_them_out_elsewhere() -> None:
    here = [card_of(name, 50, protocol="official-v1") for name in ("org/a", "reference/gold")]
    board = index_of(*here, protocols=("paper",))
    state = view_of(board, show=("references",)).state
    assert state.show is None
    assert "as published" in html_of(board, protocol="paper", show=state.show)


def test_pinned_rows_stand_on_top_also_when_they_are_filtered_out_and_say_so(index: BoardIndex) -> None:
    pins = ("org-half@demo", "org-model-9@demo")
    view = view_of(index, pin=pins, q="model-9")
    assert [(line.entry.name, line.outside) for line in view.pinned] == [("org/half", True), ("org/model-9", False)]
    assert [line.entry.name for line in view.lines] == []
    assert view.counted == "1 of 26 models"
    html = html_of(index, pin=pins, q="model-9")
    assert html.count("outside the filters") == 1
    assert "/compare?ids=org-half%40demo,org-model-9%40demo" in html
    assert "/compare" not in html_of(index, pin=pins[:1])


def test_a_pin_in_another_table_leads_there() -> None:
    here, there = card_of("org/a", 60), card_of("org/b", 60, judge_revision="r2", id="b@demo")
    board = index_of(here, there)
    first = view_of(board)
    other = here if first.lines[0].entry.name == "org/b" else there
    (tab,) = view_of(board, pin=(other.id,)).elsewhere
    ranking = re.findall(r"ranking=(\w+)", tab.address)[0]
    assert names(view_of(board, ranking=ranking, pin=(other.id,))) == [other.model]
    assert view_of(board, pin=("gone@demo",)).elsewhere == ()


def test_a_page_has_fifty_rows_and_a_number_too_high_gives_the_last() -> None:
    board = index_of(*(card_of(f"org/m{number}", number / 2) for number in range(2 * PAGE_LENGTH + 3)))
    pages = [view_of(board, page=number) for number in (1, 2, 3, 999_999)]
    assert [len(view.lines) for view in pages] == [PAGE_LENGTH, PAGE_LENGTH, 3, 3]
    assert len({name for view in pages for name in names(view)}) == 2 * PAGE_LENGTH + 3
    assert pages[3].state.page == 3
    assert pages[0].paging.before == ""
    assert pages[0].paging.after == "/?page=2"
    assert pages[2].paging.after == ""
    assert "page 2 of 3" in seen(html_of(board, page=2))


def test_what_there_is_not_gives_the_nearest_there_is_and_stands_in_no_address(index: BoardIndex) -> None:
    view = view_of(index, protocol="nothing", ranking="nothing", context="nothing", columns=("verification",))
    assert view.state.query() == "?columns=model"
    assert len(view.lines) == 25
    none = html_of(index, licence="unheard-of")
    assert "No row fits these filters" in none
    assert 'value="unheard-of" selected' in none


def test_columns_are_chosen_and_the_first_two_are_always_there(index: BoardIndex) -> None:
    assert [head.name for head in view_of(index, columns=()).heads] == ["rank", "model"]
    assert [head.name for head in view_of(index, columns=("size", "total")).heads] == ["rank", "model", "total", "size"]
    unasked = tuple(head.name for head in view_of(index).heads[2:])
    assert view_of(index, columns=unasked).state.columns is None
    every = view_of(index, columns=tuple(COLUMNS))
    assert len(every.heads) >= 20
    row = html_of(index, columns=tuple(COLUMNS)).partition('<tr id="row-org-model-0@demo"')[2].partition("</tr>")[0]
    assert row.count("<td ") + row.count("<th ") == len(every.heads) + 1


def test_a_heading_turns_the_order_round_and_says_how_it_is_sorted(index: BoardIndex) -> None:
    heads = {head.name: head for head in view_of(index).heads}
    assert (heads["rank"].sorted, heads["rank"].address) == ("ascending", "/?sort=-rank")
    assert (heads["total"].sorted, heads["total"].address) == ("", "/?sort=-total")
    heads = {head.name: head for head in view_of(index, sort="-total").heads}
    assert (heads["total"].sorted, heads["total"].address) == ("descending", "/?sort=total")
    assert heads["rank"].address == "/"
    assert 'aria-sort="descending"' in html_of(index, sort="-total")


def test_a_context_mode_leaves_the_protocols_that_have_it() -> None:
    cards = [card_of("org/a", 60, protocol=name, id=f"{name}@demo") for name in ("official-v1", "gold-v1", "paper")]
    board = index_of(*cards)
    view = view_of(board, context="gold")
    assert [tab.label for tab in view.tabs] == ["gold-v1"]
    assert view.place.section.protocol == "gold-v1"
    assert len(view_of(board).tabs) == 3
    assert [mode.value for mode in view_of(board).modes] == ["", "full", "gold"]


def test_a_sentence_says_what_the_first_total_means(index: BoardIndex) -> None:
    told = view_of(index, sort="total", q="model-9").sentence
    assert told.startswith(
        "A Total of 80.0, as in the first place here, means: of the answers on what a user likes, 50.0"
    )
    assert "50.0 % match it" in told
    assert "As good as gold throughout is 50; 87.5 is the most there is." in told


def test_the_interval_of_a_total_is_drawn_on_one_scale_with_its_figures_beside_it() -> None:
    from evaluator.results import Interval

    card = card_of("org/a", 60)
    total = replace(card.result.total, interval=Interval(low=55.04, high=65.06, users=40))
    board = index_of(card.model_copy(update={"result": card.result.model_copy(update={"total": total})}))
    page = html_of(board)
    assert 'class="range" aria-hidden="true" style="--at:60.0;--low:55.0;--high:65.1"' in page
    assert "60.0 55.0 to 65.1 judged 3 of 3" in table_of(page)


def test_every_column_says_in_a_sentence_what_it_is_where_its_heading_can_be_reached(index: BoardIndex) -> None:
    page = html_of(index, columns=tuple(COLUMNS))
    for head in view_of(index, columns=tuple(COLUMNS)).heads:
        assert head.column.tip.endswith("."), head.name
        assert f'id="sort-{head.name}" href=' in page
        assert f'aria-describedby="tip-{head.name}"' in page
        assert f'role="tooltip" id="tip-{head.name}"' in page
