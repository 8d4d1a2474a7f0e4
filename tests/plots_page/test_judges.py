"""Judge against judge: the same answers, one version of each judge, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, t

from leaderboard.pages.plots.asked import asked_of
from leaderboard.pages.plots.judges import agreement, judges_plot
from leaderboard.pages.plots.plotted import Plotted
from leaderboard.results import INCOMPLETE, Scorecard
from tests.board_page.boards import board_of
from tests.plots_page.sites import by_model, column, judged


def plotted(*cards: Scorecard, **asked: str) -> Plotted:
    return judges_plot(board_of(*cards).rows, asked_of({"plot": "judges", **asked}.items()))


def twelve() -> list[Scorecard]:
    """Runs of twelve models; the second judge gives two points more but swaps the last two."""
    first = [20.0 + place for place in range(12)]
    second = [value + 2 for value in first]
    second[-2:] = second[:-3:-1]
    pairs = zip(first, second, strict=True)
    return [card for place, (x, y) in enumerate(pairs) for card in judged(f"org/m{place:02}", {"one": x, "two": y})]


def test_runs_that_both_judged_are_drawn_with_both_totals_and_their_difference() -> None:
    plot = plotted(*judged("org/a", {"one": 30.0, "two": 33.5}), *judged("org/b", {"one": 40.0}))
    assert [column(plot, name) for name in ("model", "total_x", "total_y", "difference")] == [
        ["org/a"],
        [30.0],
        [33.5],
        [3.5],
    ]
    assert column(plot, "total_y_low") == [30.5]
    assert plot.counted == "1 run is shown. Left out: 1 judged by one of the two alone."
    assert plot.chart is not None
    same, runs = plot.chart.series
    assert same.x == same.y
    assert (runs.x, runs.y) == ([30.0], [33.5])
    assert runs.x_ends == [(27.0, 33.0)]


def test_order_and_difference_are_told_with_intervals_over_models() -> None:
    cards = twelve()
    plot = plotted(*cards)
    x, y = (np.array(column(plot, name), dtype=float) for name in ("total_x", "total_y"))
    assert f"Kendall's tau-b {kendalltau(x, y).statistic:.2f} (" in plot.found[1]
    apart = y - x
    reach = t.ppf(0.975, 11) * apart.std(ddof=1) / np.sqrt(12)
    assert f"{apart.mean():+.1f} ({apart.mean() - reach:+.1f} to {apart.mean() + reach:+.1f})" in plot.found[2]


def test_few_models_have_no_interval_and_that_is_said() -> None:
    rows = board_of(*judged("org/a", {"one": 30.0, "two": 33.0}), *judged("org/b", {"one": 40.0, "two": 42.0})).rows
    pairs = [
        tuple(row for judge in ("one", "two") for row in rows if (row.model, row.judge) == (model, judge))
        for model in ("org/a", "org/b")
    ]
    tau, apart = agreement(pairs)  # type: ignore[arg-type]
    assert tau == "1.00 (no interval: fewer than 10 models)"
    assert apart == "+2.5 (no interval: fewer than 10 models)"


def test_incomplete_runs_and_other_versions_of_a_judge_are_counted_and_not_drawn() -> None:
    plot = plotted(
        *twelve(),
        *judged("org/half", {"one": 30.0, "two": 33.0}, unranked_because=(INCOMPLETE,)),
        *judged("org/older", {"one": 30.0, "two": 33.0}, judge_config="d" * 64),
        *judged("reference/gold", {"one": 50.0, "two": 50.0}),
    )
    assert len(plot.rows) == 12
    assert plot.counted == (
        "12 runs are shown. Left out: 1 incomplete, 1 under another version of a judge, its prompts or the data."
    )


@pytest.mark.parametrize("asked", ["two,one", "one,two"])
def test_judges_are_across_and_up_as_they_are_asked_for(asked: str) -> None:
    plot = plotted(*twelve(), judges=asked)
    across, up = asked.split(",")
    assert set(column(plot, "judge_x")) == {across}
    assert plot.asked.address == ("/plots?plot=judges" if across == "one" else "/plots?plot=judges&judges=two,one")
    assert plot.chart is not None
    assert (plot.chart.x.title, plot.chart.y.title) == (f"Total under {across}, points", f"Total under {up}, points")


def test_the_judge_that_decides_ranks_comes_first_and_other_pairs_can_be_chosen() -> None:
    plot = plotted(
        *judged("org/a", {"one": 30.0, "two": 33.0, "three": 31.0}), *judged("org/b", {"one": 40.0, "two": 41.0})
    )
    assert by_model(plot, "total_x") == {"org/a": 30.0, "org/b": 40.0}
    assert set(column(plot, "judge_y")) == {"two"}
    (choice,) = plot.choices
    assert [value for value, _, here in choice.options if here] == ["one,two"]
    assert {value for value, _, _ in choice.options} >= {"two,one", "one,three", "three,two"}


def test_judges_that_have_nothing_in_common_are_named_and_without_two_judges_there_is_a_reason() -> None:
    assert plotted(*twelve(), judges="one,<i>").notes == (
        "No model has been judged by both of one and <i> under demo-v1.",
    )
    alone = plotted(*judged("org/a", {"one": 30.0}))
    assert (alone.chart, alone.empty) == (None, "No model has been judged by two judges yet.")
