"""Human agreement against its ceiling: each model on its own items, and how many reach one more human."""

from __future__ import annotations

from evaluator.human.tasks import Task
from leaderboard.pages.human.index import human_index
from leaderboard.pages.human.plot import standing
from leaderboard.pages.plots.asked import asked_of
from leaderboard.pages.plots.human import MOST_DRAWN, human_plot
from leaderboard.pages.plots.plotted import Plotted
from leaderboard.results import INCOMPLETE, HumanScorecard
from tests.human_boards import HALF_WIDTH, of_many_models, with_figures
from tests.human_runs import make_human_run
from tests.plots_page.sites import column

FIGURE = "single_kappa"


def plotted(*cards: HumanScorecard, **asked: str) -> Plotted:
    return human_plot(human_index(cards, (), ()), asked_of({"plot": "human", **asked}.items()))


def test_figures_stand_beside_one_more_human_and_the_ceiling_of_the_very_scorecard() -> None:
    cards = of_many_models(4)
    plot = plotted(*cards)
    assert column(plot, "value") == [card.result.figure(FIGURE).value for card in cards]  # type: ignore[union-attr]
    ones = [card.result.figure(f"{FIGURE}.one_more_human").value for card in cards]  # type: ignore[union-attr]
    assert column(plot, "one_more_human") == ones
    assert plot.chart is not None
    named = {each.name: each for each in plot.chart.series}
    dashed = named["One more human"]
    assert dashed.x == [value for value in ones for _ in range(2)]
    assert dashed.y == [0.5, 1.5, 1.5, 2.5, 2.5, 3.5, 3.5, 4.5]
    assert {"dash", "dot"} <= {each.line for each in plot.chart.series}
    assert plot.chart.y.labels == tuple(card.model for card in cards)


def test_how_many_reach_one_more_human_is_what_the_page_of_agreement_says_row_by_row() -> None:
    cards = of_many_models(9)
    signs = [found.sign for card in cards if (found := standing(card, FIGURE))]
    reach = sum(sign in "≈>" for sign in signs)
    assert 0 < reach < 9
    plot = plotted(*cards)
    assert f"{reach} of 9 agree about as much as one more human, or more." in plot.found
    filled = next(each for each in plot.chart.series if each.symbol == "diamond")  # type: ignore[union-attr]
    assert len(filled.x) == reach
    assert filled.x_ends[0] is not None
    assert round(filled.x_ends[0][1] - filled.x[0], 6) == HALF_WIDTH  # type: ignore[operator]


def test_what_lacks_the_figure_and_what_is_incomplete_is_counted() -> None:
    first, second, third = of_many_models(3)
    lacking = with_figures(second, **{FIGURE: None})
    half = third.model_copy(update={"unranked_because": (INCOMPLETE,)})
    plot = plotted(first, lacking, half)
    assert column(plot, "model") == [first.model]
    assert plot.counted == "1 result is shown. Left out: 1 without the figure, 1 incomplete."


def test_simulated_labels_are_never_called_peoples() -> None:
    plot = plotted(make_human_run(Task.RELEVANCE, 90).card)
    assert "one more simulated annotator" in plot.says
    assert any("say nothing of people" in each for each in plot.found)


def test_tasks_are_chosen_and_one_that_is_not_there_is_named() -> None:
    cards = [*of_many_models(2), *of_many_models(2, Task.RATING)]
    assert set(column(plotted(*cards, task="human-rating-v1"), "figure")) == {"spearman_within_annotators"}
    wrong = plotted(*cards, task="<b>", labels="none")
    assert wrong.notes == ("There is no result of <b>.", "There are no labels none of human-relevance-v1.")
    assert plotted().empty == "No results yet."


def test_of_many_models_the_first_are_drawn_and_all_stand_in_the_table() -> None:
    plot = plotted(*of_many_models(MOST_DRAWN + 5))
    assert len(plot.rows) == MOST_DRAWN + 5
    assert plot.chart is not None
    assert sum(len(each.x) for each in plot.chart.series if each.symbol) == MOST_DRAWN
    assert f"The {MOST_DRAWN} that agree most are drawn; the table and the files have all." in plot.found
