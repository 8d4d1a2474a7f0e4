"""Many scorecards of human-grounded tasks, made of a few that were really scored: for pages that show them."""

from __future__ import annotations

from dataclasses import replace

from evaluator.human.results import NamedFigure
from evaluator.human.tasks import Task
from evaluator.results import Interval
from leaderboard.results import HumanScorecard
from tests.human_runs import demo_items, make_human_run, of_people

HALF_WIDTH = 0.08
"""Of every interval."""


def of_many_models(count: int, task: Task = Task.RELEVANCE, name: str = "org/model-{:04}") -> list[HumanScorecard]:
    """Returns scorecards of a task on people's labels, one a model; model by model their figures are lower.

    Args:
        count: How many.
        task: What they were asked.
        name: What each is called, by its number from 0.
    """
    base = make_human_run(task, asked=of_people(demo_items(task))).card
    return [_variant(base, place, count, name.format(place)) for place in range(count)]


def with_figures(card: HumanScorecard, **values: float | None) -> HumanScorecard:
    """Returns a scorecard with other figures, by name: with an interval each, and missing where there is no value."""
    figures = tuple(
        _valued(figure, values[figure.name]) if figure.name in values else figure for figure in card.result.figures
    )
    return card.model_copy(update={"result": card.result.model_copy(update={"figures": figures})})


def _variant(base: HumanScorecard, place: int, count: int, model: str) -> HumanScorecard:
    """Returns the scorecard of another model."""
    run_id = f"s-20260301-{place:08x}.{base.protocol}"
    value = 0.75 - 0.7 * place / count
    card = with_figures(base, **{name: value for name in _OWN if base.result.figure(name)})
    named = {"id": f"{run_id}@people", "run_id": run_id, "submission_id": run_id.split(".")[0], "model": model}
    return card.model_copy(update=named)


_OWN = ("kappa", "single_kappa", "f1_majority", "spearman_within_annotators", "spearman_mean")


def _valued(figure: NamedFigure, value: float | None) -> NamedFigure:
    """Returns a figure with another value."""
    if value is None:
        return replace(figure, value=None, interval=None, reason="undefined")
    within = Interval(low=value - HALF_WIDTH, high=value + HALF_WIDTH, users=12)
    return replace(figure, value=value, interval=within, reason=None)
