"""Main figures of agreement as they are read: each with its interval, and with what it is to be read beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from evaluator.human.figures import (
    ALWAYS_NO,
    ALWAYS_YES,
    FIGURES,
    INSTEAD,
    JUDGES_OWN,
    NOISE_CEILING,
    ONE_MORE_HUMAN,
    SHOWN_CEILING,
    WITHOUT,
)
from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.human.tasks import AnyTask, Task
from leaderboard.board.human import main_figures
from leaderboard.board.human_gaps import GAP_FIGURE, RECALL_GAP
from leaderboard.open_data.human_figures import listed_under, why_no_interval
from leaderboard.results import HumanScorecard

_NAMES = {
    "kappa": "Kappa, majority",
    "single_kappa": "Kappa, single annotators",
    "f1_majority": "F1",
    GAP_FIGURE: "Synthetic-to-human gap",
    RECALL_GAP: "Synthetic-to-human gap",
    "selection_ratio": "Selection ratio",
    "spearman_within_annotators": "Spearman, within annotators",
    "spearman_mean": "Spearman, mean",
    "bias": "Bias",
    "mean_absolute_error": "Mean absolute error",
    "recall": "Recall of what was accepted",
    "accepted": "Accepted by the verifier",
    "attributes_per_user": "Attributes a user",
    "win": "Wins over generic",
    "tie": "Ties with generic",
    "uplift": "Uplift over 3",
    "no_better_responses": "Responses no better than generic",
    "no_better_ratings": "Ratings no better than generic",
    "mentioned": "Mentioned openly",
    "mention_effect": "Effect of mentioning",
    "inflation": "Inflation over people",
}
"""Headings of the main figures."""
_NOT_THERE = dict.fromkeys((GAP_FIGURE, RECALL_GAP), "not run on made-up users in the same way")
"""Why a scorecard lacks a main figure, where that is not for its labels."""
_CLASSES: tuple[AnyTask, ...] = (Task.VERIFICATION, Task.RELEVANCE)
_ONE_MORE = {RaterKind.SIMULATED: "one more simulated annotator", RaterKind.TRUTH: "one more annotator"}
"""Who stands in the place of one more human."""
_RATERS = {RaterKind.SIMULATED: "simulated annotators", RaterKind.TRUTH: "the truth"}
"""Whose labels a judge is set beside, where not people's."""
_SEVERAL = (RaterKind.PERSON, RaterKind.SIMULATED)
"""Labels that several annotators gave of an item, so that there is one more of them."""
_OF_JUDGES = {"single_kappa": "the verifier's kappa", "spearman_within_annotators": "the judge's Spearman"}
"""How the agreement of judges is called; see `JUDGES_OWN`."""


class Cell(NamedTuple):
    """One main figure of a row."""

    name: str
    """As its column is headed."""
    value: str
    doubt: str
    """Its interval, or why there is none."""
    beside: tuple[tuple[str, str], ...]
    """What one more human reaches, what no rater can pass, and the trivial baselines: name and value."""


def number(value: float | None) -> str:
    """Writes a figure of agreement, a missing one as a dash.

    Example:
        >>> number(0.41256), number(-0.0), number(None)
        ('0.413', '0.000', '–')
    """
    return "–" if value is None else f"{value + 0.0:.3f}"


def doubt(stage: str, figure: NamedFigure) -> str:
    """Writes the interval of a figure, or why there is none."""
    if figure.interval is not None:
        return f"{number(figure.interval.low)} to {number(figure.interval.high)}"
    why = why_no_interval(stage, figure) or ""
    return f"{'missing' if figure.value is None else 'no interval'}: {why}"


def says(stage: str, name: str, kind: RaterKind) -> str:
    """Says what a figure is; labels of a program, and what made-up users were made from, are never called people's.

    Args:
        stage: What it is listed under; see `listed_under`.
        name: Its name there.
        kind: Whose labels it is about.

    Example:
        >>> says("relevance", "f1.always_no", RaterKind.PERSON)
        'F1 of always no'
    """
    known = FIGURES.get(f"{stage}.{name}")
    told = known.says if known else name.replace("_", " ").replace(".", ", ")
    return told.replace("one more human", _ONE_MORE.get(kind, "one more human"))


def cells_of(card: HumanScorecard, names: Iterable[str]) -> tuple[Cell, ...]:
    """Returns figures of a scorecard, each with what stands beside it.

    Args:
        card: The scorecard.
        names: The figures', of `leaderboard.board.human.MAIN`.
    """
    figures = {figure.name: figure for figure in card.result.figures}
    return tuple(_cell(card, name, figures) for name in names)


def _cell(card: HumanScorecard, name: str, figures: Mapping[str, NamedFigure]) -> Cell:
    """Returns one figure of a scorecard, which has these."""
    task, kind, figure = card.result.task, card.result.kind, figures.get(name)
    if figure is None:
        why = _NOT_THERE.get(name, "there is none on such labels")
        return Cell(heading(name, kind), number(None), f"missing: {why}", ())
    beside = (*_beside(card, name, figures), *_judge_beside(card, name))
    return Cell(heading(name, kind), number(figure.value), doubt(listed_under(task), figure), beside)


def heading(name: str, kind: RaterKind) -> str:
    """Returns the heading of a main figure; simulated labels are nobody's."""
    is_gap = name in (GAP_FIGURE, RECALL_GAP)
    return "Synthetic-to-simulated gap" if is_gap and kind is RaterKind.SIMULATED else _NAMES[name]


def _beside(card: HumanScorecard, name: str, figures: Mapping[str, NamedFigure]) -> Iterator[tuple[str, str]]:
    """Yields what stands beside a figure, or why it does not."""
    task, kind, stage = card.result.task, card.result.kind, listed_under(card.result.task)
    named = {
        ONE_MORE_HUMAN: _ONE_MORE.get(kind, "one more human"),
        NOISE_CEILING: "noise ceiling",
        ALWAYS_YES: "always yes",
        ALWAYS_NO: "always no",
    }
    for part, label in named.items():
        whole = f"{name}.{part}"
        # Against majorities of three the ceiling is 1 whatever they say, and would only look like room.
        trivial = part == NOISE_CEILING and task in _CLASSES and whole != SHOWN_CEILING
        if f"{stage}.{whole}" in FIGURES and not trivial:
            yield label, _value(figures, whole)
        elif f"{stage}.{whole}" in WITHOUT and kind in _SEVERAL:
            yield label, WITHOUT[f"{stage}.{whole}"]
    fair = INSTEAD.get(name)
    if fair is not None and kind in _SEVERAL and fair not in main_figures(task, kind):
        yield "against the others alone", _value(figures, fair)
        yield f"{named[ONE_MORE_HUMAN]} against them", _value(figures, f"{fair}.{ONE_MORE_HUMAN}")


def _judge_beside(card: HumanScorecard, name: str) -> Iterator[tuple[str, str]]:
    """Yields how far the judge agrees with labels of the same data set, where a figure is worth what that is."""
    figure = JUDGES_OWN.get(f"{listed_under(card.result.task)}.{name}")
    if figure is None or card.result.judging is None:
        return
    kind, own = card.result.kind, {each.name: each for each in card.result.judging.figures}
    yield f"{_OF_JUDGES[figure]} with {_RATERS.get(kind, 'people')}", _value(own, figure)
    if kind in _SEVERAL:
        yield _ONE_MORE.get(kind, "one more human"), _value(own, f"{figure}.{ONE_MORE_HUMAN}")
        yield "noise ceiling", _value(own, f"{figure}.{NOISE_CEILING}")


def _value(figures: Mapping[str, NamedFigure], name: str) -> str:
    """Writes one of some figures; one that is not among them as a dash."""
    return number(figures[name].value if name in figures else None)
