"""Main figures of agreement as they are read: each with its interval, and with what it is to be read beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from evaluator.human.figures import FIGURES, INSTEAD, NOISE_CEILING, ONE_MORE_HUMAN, SHOWN_CEILING, WITHOUT
from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.human.tasks import AnyTask, Task
from leaderboard.board.human import main_figures
from leaderboard.board.human_gaps import GAP_FIGURE, RECALL_GAP
from leaderboard.board.human_words import BY_SEVERAL, doubt, judges_own, number, parts, raters
from leaderboard.open_data.human_figures import listed_under
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
    "inflation": "Inflation over {raters}",
}
"""Headings of the main figures; `heading` says who raters are."""
_NOT_THERE = dict.fromkeys((GAP_FIGURE, RECALL_GAP), "not run on made-up users in the same way")
"""Why a scorecard lacks a main figure, where that is not for its labels."""
_CLASSES: tuple[AnyTask, ...] = (Task.VERIFICATION, Task.RELEVANCE)


class Cell(NamedTuple):
    """One main figure of a row."""

    name: str
    """As its column is headed."""
    value: str
    doubt: str
    """Its interval, or why there is none."""
    beside: tuple[tuple[str, str], ...]
    """What one more human reaches, what no rater can pass, and the trivial baselines: name and value. What is the same
    in every row, or in none, is told of the column instead; see `notes_of`."""


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
    if name in (GAP_FIGURE, RECALL_GAP) and kind is RaterKind.SIMULATED:
        return "Synthetic-to-simulated gap"
    return _NAMES[name].format(raters=raters(kind))


def is_trivial(task: AnyTask, name: str) -> bool:
    """Says whether a ceiling is not worth showing: against majorities of three it is 1 whatever they say.

    Example:
        >>> is_trivial(Task.RELEVANCE, "kappa.noise_ceiling"), is_trivial(Task.RELEVANCE, "single_kappa.noise_ceiling")
        (True, False)
    """
    return task in _CLASSES and name.endswith(f".{NOISE_CEILING}") and name != SHOWN_CEILING


def notes_of(task: AnyTask, kind: RaterKind, name: str) -> tuple[str, ...]:
    """Says of a column what stands beside none of its figures, and why: it is not there, or always the same.

    Example:
        >>> notes_of(Task.RELEVANCE, RaterKind.PERSON, "f1_majority")[0]
        'one more human: none, for he has a part in that majority'
        >>> notes_of(Task.RELEVANCE, RaterKind.PERSON, "kappa")
        ('always yes, always no: it is 0 or not defined by construction, whatever the labels',)
    """
    stage, found = listed_under(task), dict[str, list[str]]()
    for part, label in parts(kind).items():
        whole = f"{stage}.{name}.{part}"
        if _is_fixed(whole):
            why = FIGURES[whole].why.removesuffix(".")
            found.setdefault(why[:1].lower() + why[1:], []).append(label)
        elif whole in WITHOUT and kind in BY_SEVERAL:
            found.setdefault(WITHOUT[whole], []).append(label)
    return tuple(f"{', '.join(labels)}: {why}" for why, labels in found.items())


def _is_fixed(name: str) -> bool:
    """Says whether a figure, under its stage, is the same whatever the labels."""
    return name in FIGURES and "by construction" in FIGURES[name].why


def _beside(card: HumanScorecard, name: str, figures: Mapping[str, NamedFigure]) -> Iterator[tuple[str, str]]:
    """Yields what stands beside a figure."""
    task, kind, stage = card.result.task, card.result.kind, listed_under(card.result.task)
    named = parts(kind)
    for part, label in named.items():
        whole = f"{name}.{part}"
        if f"{stage}.{whole}" in FIGURES and not is_trivial(task, whole) and not _is_fixed(f"{stage}.{whole}"):
            yield label, _value(figures, whole)
    fair = INSTEAD.get(name)
    if fair is not None and kind in BY_SEVERAL and fair not in main_figures(task, kind):
        yield "against the others alone", _value(figures, fair)
        yield f"{named[ONE_MORE_HUMAN]} against them", _value(figures, f"{fair}.{ONE_MORE_HUMAN}")


def _judge_beside(card: HumanScorecard, name: str) -> Iterator[tuple[str, str]]:
    """Yields how far the judge agrees with labels of the same data set, where a figure is worth what that is."""
    judging = card.result.judging
    if judging is not None:
        own = {figure.name: figure for figure in judging.figures}
        for label, figure in judges_own(card.result.task, card.result.kind, name):
            yield label, _value(own, figure)


def _value(figures: Mapping[str, NamedFigure], name: str) -> str:
    """Writes one of some figures; one that is not among them as a dash."""
    return number(figures[name].value if name in figures else None)
