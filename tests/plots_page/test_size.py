"""Score against size: who is on the frontier, what is left out and why, and what is drawn."""

from __future__ import annotations

from evaluator.plurals import several
from leaderboard.pages.plots.size import MOST_INTERVALS, size_plot
from leaderboard.results import INCOMPLETE
from tests.plots_page.sites import HALF_WIDTH, by_model, column, placed, sized

B = 10**9


def test_every_model_that_ranks_and_has_a_size_is_drawn_and_all_others_are_counted() -> None:
    plot = size_plot(
        placed(
            sized("org/small", 30.0, B),
            sized("org/large", 50.0, 7 * B),
            sized("org/worse", 40.0, 8 * B),
            sized("org/unknown", 60.0, None),
            sized("org/half", 70.0, B, unranked_because=(INCOMPLETE,)),
            sized("org/flagged", 70.0, B, unranked_because=("flagged",)),
            sized("reference/gold", 50.0, None),
        )
    )
    assert by_model(plot, "on_frontier") == {"org/small": True, "org/large": True, "org/worse": False}
    assert plot.counted == (
        "3 results are shown. Left out: 1 of unknown size, 1 incomplete, 1 not ranked for another reason."
    )
    assert plot.found[0] == "3 models of demo-v1; 2 on the frontier."


def test_marks_and_intervals_are_those_of_the_table() -> None:
    plot = size_plot(placed(sized("org/a", 30.0, B), sized("org/b", 20.0, 2 * B)))
    assert plot.chart is not None
    below, on = plot.chart.series
    assert (below.x, below.y, below.y_ends) == ([2 * B], [20.0], [(20 - HALF_WIDTH, 20 + HALF_WIDTH)])
    assert (on.x, on.y, on.symbol, on.stepped) == ([B], [30.0], "diamond", True)
    assert on.symbol != below.symbol, "never colour alone"
    assert plot.chart.x.log
    assert plot.chart.x.low < B < 2 * B < plot.chart.x.high
    assert column(plot, "total_low") == [30 - HALF_WIDTH, 20 - HALF_WIDTH]
    assert plot.rows[0].cells[1] == "30.0 (27.0 to 33.0)"


def test_where_nobody_ranks_all_that_have_a_total_are_drawn_and_that_is_said() -> None:
    demo = {"unranked_because": ("deterministic engine",)}
    plot = size_plot(placed(sized("org/a", 30.0, B, **demo), sized("org/b", None, B, **demo)))
    assert column(plot, "model") == ["org/a"]
    assert plot.counted == "1 result is shown. Left out: 1 without a Total."
    assert "None of these results ranks; the board says why." in plot.found


def test_without_a_size_and_without_a_result_there_is_no_drawing_but_a_reason() -> None:
    unknown, nothing = size_plot(placed(sized("org/a", 30.0, None))), size_plot(placed())
    assert (unknown.chart, unknown.empty) == (None, "The size of no model here is known.")
    assert (nothing.chart, nothing.empty) == (None, "No results yet.")


def test_of_many_models_the_intervals_on_the_frontier_alone_are_drawn_and_all_stand_in_the_table() -> None:
    many = [sized(f"org/m{place:03}", 20 + place / 100, B) for place in range(MOST_INTERVALS + 1)]
    plot = size_plot(placed(*many))
    assert plot.chart is not None
    assert [any(each.y_ends) for each in plot.chart.series] == [False, True]
    assert None not in column(plot, "total_high")
    assert several(len(many), "result") in plot.counted


def test_what_of_the_address_is_not_there_is_said_and_the_nearest_is_drawn() -> None:
    place = placed(sized("org/a", 30.0, B), protocol="<b>", ranking="none", judge="nobody")
    plot = size_plot(place)
    assert plot.notes == (
        "There is no result by the judge nobody.",
        "There is no result under <b>.",
        "There is no ranking none of demo-v1.",
    )
    assert plot.asked.address == "/plots"
    assert column(plot, "model") == ["org/a"]
