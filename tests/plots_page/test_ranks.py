"""Rank history: what was recorded in the order of time, and at its end the rank of now."""

from __future__ import annotations

import datetime

from leaderboard.board.changes import NO_CHANGES, build_changes
from leaderboard.pages.plots.asked import MOST_IDS, asked_of
from leaderboard.pages.plots.places import place_of
from leaderboard.pages.plots.ranks import UNASKED, history_address, ranks_plot
from leaderboard.store.local import LocalStore
from tests.board_page.boards import board_of, card_of
from tests.plots_page.sites import column, placed, record

NAMES = [f"org/m{place}" for place in range(MOST_IDS + 2)]
CARDS = [card_of(name, 60.0 - place) for place, name in enumerate(NAMES)]


def test_a_line_goes_through_what_is_recorded_and_ends_with_the_rank_of_now(store: LocalStore) -> None:
    told = record(store, CARDS[1], 7, 4, 3)
    plot = ranks_plot(placed(*CARDS, plot="ranks", ids="org/m1"), build_changes(store))
    assert column(plot, "rank") == [7, 4, 3, 2]
    assert column(plot, "rank_low")[:3] == [7, 4, 3]
    assert column(plot, "rank_high")[:3] == [8, 5, 4]
    assert column(plot, "what") == ["came to the board", "moved", "moved", "stands now"]
    assert [datetime.datetime.fromisoformat(str(each)) for each in column(plot, "at")][-2:] == [told, told]
    assert plot.chart is not None
    (line,) = plot.chart.series
    assert (line.y, line.stepped) == ([7, 4, 3, 2], True)
    assert line.y_ends[0] == (7, 8)
    assert plot.chart.y.low > plot.chart.y.high, "the first rank is on top"


def test_a_rank_of_before_the_record_stands_where_the_record_found_it(store: LocalStore) -> None:
    record(store, CARDS[0], 1)
    changes = build_changes(store)
    early = changes._replace(
        table=changes.table.set_column(
            changes.table.schema.get_field_index("at"),
            changes.table.schema.field("at"),
            [[datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)]],
        )
    )
    plot = ranks_plot(placed(CARDS[0], plot="ranks"), early)
    assert str(column(plot, "at")[0]).startswith("2026-03-04")


def test_unasked_the_first_are_drawn_each_in_a_shape_of_its_own() -> None:
    plot = ranks_plot(placed(*CARDS, plot="ranks"), NO_CHANGES)
    assert column(plot, "model") == NAMES[:UNASKED]
    assert plot.chart is not None
    assert len({each.symbol for each in plot.chart.series}) == UNASKED
    assert "Nothing is recorded of the board yet, so only the ranks of now are drawn." in plot.found
    assert plot.asked.address == "/plots?plot=ranks"
    assert f"Left out: {len(NAMES) - UNASKED} that rank as well" in plot.counted


def test_a_name_that_is_not_there_is_named_and_so_is_how_many_are_too_many() -> None:
    asked = ",".join(["nobody", *NAMES])
    plot = ranks_plot(placed(*CARDS, plot="ranks", ids=asked), NO_CHANGES)
    assert plot.notes == (
        "nobody has no result in this ranking.",
        f"{MOST_IDS} results are drawn at most; 2 of those asked for are not.",
    )
    assert plot.asked.ids == tuple(NAMES[:MOST_IDS])
    alone = ranks_plot(placed(*CARDS, plot="ranks", ids="nobody"), NO_CHANGES)
    assert column(alone, "model") == NAMES[:UNASKED]


def test_a_name_that_says_nothing_or_breaks_a_list_is_written_as_its_scorecard() -> None:
    twice = [card_of("org/a", 50.0), card_of("org/a", 40.0, id="other@demo"), card_of("org/b,c", 30.0, id="bc@demo")]
    asked = {"plot": "ranks", "ids": "other@demo,bc@demo,org-a@demo"}
    plot = ranks_plot(placed(*twice, **asked), NO_CHANGES)
    assert plot.asked.ids == ("other@demo", "bc@demo", "org-a@demo")


def test_a_result_that_no_longer_ranks_has_a_gap_and_says_so(store: LocalStore) -> None:
    card = card_of("org/gone", 50.0, unranked_because=("flagged",))
    record(store, card, 2)
    plot = ranks_plot(placed(CARDS[0], card, plot="ranks", ids="org/gone"), build_changes(store))
    assert column(plot, "rank") == [2, None]
    assert plot.rows[-1].cells[2] == "– (does not rank)"


def test_a_board_without_a_rank_and_one_without_a_result_say_so() -> None:
    nothing = ranks_plot(placed(plot="ranks"), NO_CHANGES)
    unranked = ranks_plot(placed(card_of("org/a", 50.0, unranked_because=("flagged",)), plot="ranks"), NO_CHANGES)
    assert (nothing.empty, unranked.empty) == ("No results yet.", "No result ranks here yet.")


def test_the_address_on_a_models_page_draws_that_result() -> None:
    candidate = card_of("org/a", 50.0, judge="other", judge_status="candidate", unranked_because=("candidate judge",))
    for card in (CARDS[0], candidate):
        rows = board_of(*CARDS[:2], candidate).rows
        row = next(row for row in rows if row.scorecard_id == card.id)
        query = history_address(row).partition("?")[2]
        plot = ranks_plot(place_of(rows, asked_of(tuple(each.split("=", 1)) for each in query.split("&"))), NO_CHANGES)
        assert plot.notes == ()
        assert card.model in column(plot, "model")
