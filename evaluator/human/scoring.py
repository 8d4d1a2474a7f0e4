"""From what a rater said of items, and what people said of them, to the figures of a stage, each with its interval.

A pure function of labels: equal labels give equal figures. Names, and how each interval is made, are those of
`evaluator.human.figures`; the gap to made-up users needs a second sample and is not among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.scoring import rounded
from evaluator.human.figures import ALWAYS_NO, ALWAYS_YES, FIGURES, NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.human.labelled import Labelled
from evaluator.metrics import agreement
from evaluator.metrics.agreement import Comparisons, Labels
from evaluator.metrics.alternative_annotator import (
    LEAST_ITEMS,
    Duels,
    advantage_probability,
    alternative_annotator_test,
    duels,
)
from evaluator.metrics.clustered import Figure, Method, interval, spread
from evaluator.records import Record
from evaluator.results import Interval

Places = NDArray[np.intp]


class HumanFigure(Record):
    """One figure of a stage."""

    value: float | None
    """None where it is not defined on these labels."""
    interval: Interval | None
    """95 %, clustered by user; None where `evaluator.human.figures` says so, and below ten users."""
    labels: int
    """Labels, or pairs of labels, that it is made of."""
    users: int
    """Users whose items these are."""


HumanFigures = Mapping[str, HumanFigure]
"""By name, as in `evaluator.human.figures` but for the stage."""


class _Stage:
    """Collects the figures of a stage."""

    def __init__(self, name: str, labelled: Labelled) -> None:
        """Knows none yet."""
        self._name, self._users = name, labelled.users
        self.figures: dict[str, HumanFigure] = {}

    def add(self, name: str, figure: Figure, items: Places) -> None:
        """Adds a figure.

        Args:
            name: Its name.
            figure: Takes places of entries and returns the figure of these.
            items: (entries,): the place of each entry's item.
        """
        self.figures[name] = figure_of(figure, self._users[items], FIGURES[f"{self._name}.{name}"].method)

    def put(self, name: str, value: float | None, items: Places) -> None:
        """Adds a figure that is known already and has no interval."""
        self.figures[name] = shown(value, None, self._users[items])


def figure_of(figure: Figure, users: NDArray[Any], method: Method | None) -> HumanFigure:
    """Returns a figure as it is published.

    Args:
        figure: Takes places of entries and returns the figure of these.
        users: (entries,): each entry's user.
        method: How its interval is made; None for none.

    Example:
        >>> ratings = np.array([1.0, 2, 3])
        >>> figure_of(lambda left: float(ratings[left].mean()), np.array([0, 0, 1]), Method.STUDENT).value
        2.0
    """
    if not len(users):
        return shown(None, None, users)
    found = interval(spread(figure, users), method) if method else None
    return shown(figure(np.arange(len(users))), found, users)


def shown(value: float | None, found: Interval | None, users: NDArray[Any]) -> HumanFigure:
    """Rounds a figure and its interval, and counts the entries and the users whose they are.

    Args:
        value: The figure.
        found: Its interval.
        users: (entries,): each entry's user.
    """
    ends = found and Interval(low=rounded(found.low), high=rounded(found.high), users=found.users)
    rounded_value = rounded(value) or (None if value is None else 0.0)  # A zero has no sign.
    return HumanFigure(value=rounded_value, interval=ends, labels=len(users), users=len(np.unique(users)))


def score_classes(
    stage: str, labelled: Labelled, said: Mapping[str, float], *, of: float, epsilon: float
) -> HumanFigures:
    """Returns the figures of a stage whose labels are classes.

    Args:
        stage: `verification` or `relevance`.
        labelled: What people said.
        said: What the rater said, by item; one that is missing, or whose answer is invalid, is unanswered.
        of: The class that matters.
        epsilon: What the alternative annotator test grants the rater.
    """
    table, rater = labelled.table, labelled.rater(said)
    found = _Stage(stage, labelled)
    _add_answered(found, rater)
    held = agreement.against_majority(table, rater).comparisons
    _add_each(found, "", _class_figures(held.rater, held, of), held)
    _add_class_humans(found, held, of)
    found.add(f"f1.{ALWAYS_YES}", _class_figures(np.full(len(held.items), of), held, of)["f1"], held.items)
    trivial = agreement.class_agreement(table, rater, of)
    for name in ("kappa", "matthews", "f1"):
        found.put(f"{name}.{ALWAYS_NO}", getattr(trivial.always_no, name), held.items)
    for name in ("kappa", "matthews"):
        found.put(f"{name}.{ALWAYS_YES}", getattr(trivial.always_yes, name), held.items)
    _add_singles(found, agreement.against_singles(table, rater).comparisons, of)
    _add_alpha(found, table, "nominal")
    _add_test(found, labelled, rater, epsilon, "classes")
    return found.figures


def score_ratings(
    stage: str, labelled: Labelled, said: Mapping[str, float], mentioned: Mapping[str, bool], *, epsilon: float
) -> HumanFigures:
    """Returns the figures of a stage whose labels are ratings.

    Args:
        stage: `rating`.
        labelled: What people said.
        said: What the rater said, by item; one that is missing, or whose answer is invalid, is unanswered.
        mentioned: Whether the personalised answer names the attribute openly, by item; where that cannot be told, the
            item has no part in the mention effect.
        epsilon: What the alternative annotator test grants the rater.
    """
    table, rater = labelled.table, labelled.rater(said)
    found = _Stage(stage, labelled)
    _add_answered(found, rater)
    held = agreement.against_mean(table, rater).comparisons
    _add_each(found, "", _rating_figures(held.rater, held), held)
    _add_rating_humans(found, held)
    openly = np.array([float(mentioned[name]) if name in mentioned else np.nan for name in labelled.items])
    _add_effect(found, "mention_effect", openly, np.arange(len(rater)), rater)
    items, columns = np.nonzero(~np.isnan(table))
    _add_effect(found, f"mention_effect.{ONE_MORE_HUMAN}", openly, items, table[items, columns])
    _add_alpha(found, table, "ordinal")
    _add_test(found, labelled, rater, epsilon, "ratings")
    return found.figures


def human_classes(stage: str, labelled: Labelled, *, of: float) -> HumanFigures:
    """Returns the figures of `score_classes` that no rater has a part in: what annotators reach among themselves.

    Args:
        stage: `verification` or `relevance`.
        labelled: What people said.
        of: The class that matters.
    """
    anyone = np.full(len(labelled.items), of)
    found = _Stage(stage, labelled)
    _add_class_humans(found, agreement.against_majority(labelled.table, anyone).comparisons, of)
    _add_human_singles(found, agreement.against_singles(labelled.table, anyone).comparisons)
    _add_alpha(found, labelled.table, "nominal")
    return found.figures


def human_ratings(stage: str, labelled: Labelled) -> HumanFigures:
    """Returns the figures of `score_ratings` that no rater has a part in, but for the mention effect.

    Args:
        stage: `rating`.
        labelled: What people said.
    """
    found = _Stage(stage, labelled)
    _add_rating_humans(found, agreement.against_mean(labelled.table, np.zeros(len(labelled.items))).comparisons)
    _add_alpha(found, labelled.table, "ordinal")
    return found.figures


def _add_answered(found: _Stage, rater: Labels) -> None:
    """Adds the share of items that were answered."""
    answered = ~np.isnan(rater)
    found.add("answered", lambda left: float(answered[left].mean()), np.arange(len(rater)))


def _add_each(found: _Stage, suffix: str, figures: Mapping[str, Figure], held: Comparisons) -> None:
    """Adds figures against the others."""
    for name, figure in figures.items():
        found.add(f"{name}{suffix}", figure, held.items)


def _add_class_humans(found: _Stage, held: Comparisons, of: float) -> None:
    """Adds what one more human reaches against the majority of the others, and what nobody can pass."""
    _add_each(found, f".{ONE_MORE_HUMAN}", _class_figures(held.human, held, of), held)
    ceiling = agreement.class_ceiling(held, of)
    for name in ("kappa", "matthews", "f1"):
        found.put(f"{name}.{NOISE_CEILING}", getattr(ceiling, name), held.items)


def _add_rating_humans(found: _Stage, held: Comparisons) -> None:
    """Adds what one more human reaches against the mean of the others, and what nobody can pass."""
    _add_each(found, f".{ONE_MORE_HUMAN}", _rating_figures(held.human, held), held)
    ceiling = agreement.rating_ceiling(held)
    for name in ("spearman", "kendall", "mean_absolute_error", "bias"):
        found.put(f"{name}.{NOISE_CEILING}", getattr(ceiling, name), held.items)


def _class_figures(own: Labels, held: Comparisons, of: float) -> dict[str, Figure]:
    """Figures of some labels against the majority of the others, as functions of places."""
    yes, truth = (np.where(some == of, 1.0, 0.0) for some in (own, held.reference))
    return {
        "kappa": lambda left: agreement.kappa(own[left], held.reference[left], within=held.annotators[left]),
        "matthews": lambda left: agreement.matthews(yes[left], truth[left], within=held.annotators[left]),
        "f1": lambda left: agreement.f1(own[left], held.reference[left], of),
    }


def _rating_figures(own: Labels, held: Comparisons) -> dict[str, Figure]:
    """Figures of some ratings against the mean of the others, as functions of places."""
    reference, annotators = held.reference, held.annotators
    return {
        "spearman": lambda left: agreement.spearman(own[left], reference[left], within=annotators[left]),
        "kendall": lambda left: agreement.kendall(own[left], reference[left], within=annotators[left]),
        "mean_absolute_error": lambda left: agreement.mean_absolute_error(own[left], reference[left]),
        "bias": lambda left: agreement.bias(own[left], reference[left]),
    }


def _add_singles(found: _Stage, pairs: Comparisons, of: float) -> None:
    """Adds figures against single annotators."""

    def ratio(left: Places) -> float | None:
        some = pairs.take(left)
        return agreement.selection_ratio(some.rater, some.reference, of, weights=some.weights)

    found.add("single_kappa", partial(_single_kappa, pairs, pairs.rater), pairs.items)
    _add_human_singles(found, pairs)
    found.add("selection_ratio", ratio, pairs.items)


def _add_human_singles(found: _Stage, pairs: Comparisons) -> None:
    """Adds what one more human reaches against single annotators, and what nobody can pass."""
    found.add(f"single_kappa.{ONE_MORE_HUMAN}", partial(_single_kappa, pairs, pairs.human), pairs.items)
    found.put(f"single_kappa.{NOISE_CEILING}", agreement.kappa_ceiling(pairs), pairs.items)


def _single_kappa(pairs: Comparisons, own: Labels, left: Places) -> float | None:
    some = pairs.take(left)
    return agreement.kappa(own[left], some.reference, within=some.annotators, weights=some.weights)


def _add_alpha(found: _Stage, table: Labels, level: Literal["nominal", "ordinal"]) -> None:
    """Adds the annotators' own agreement."""
    several = np.flatnonzero((~np.isnan(table)).sum(axis=1) > 1)
    found.add("alpha", lambda left: agreement.krippendorff_alpha(table[several[left]], level), several)


def _add_test(
    found: _Stage, labelled: Labelled, rater: Labels, epsilon: float, scale: Literal["classes", "ratings"]
) -> None:
    """Adds the alternative annotator test."""
    every = duels(labelled.table, rater, scale)
    numbers = np.bincount(every.annotators, minlength=len(labelled.annotators))
    tested = every.take(numbers[every.annotators] >= LEAST_ITEMS)
    for suffix, balanced in (("", False), ("_balanced", True))[: 2 if scale == "classes" else 1]:
        found.add(f"advantage_probability{suffix}", partial(_advantage, tested, balanced), tested.items)
        test = alternative_annotator_test(
            labelled.table, rater, epsilon=epsilon, scale=scale, balanced=balanced, clusters=labelled.users
        )
        found.put(f"winning_rate{suffix}", test.winning_rate, tested.items)


def _advantage(every: Duels, balanced: bool, left: Places) -> float | None:
    return advantage_probability(every.take(left), balanced=balanced)


def _add_effect(found: _Stage, name: str, openly: Labels, items: Places, ratings: Labels) -> None:
    """Adds by how much ratings are higher where the answer names the attribute openly."""
    known = ~np.isnan(openly[items]) & ~np.isnan(ratings)
    items, ratings, group = items[known], ratings[known], openly[items[known]]

    def effect(left: Places) -> float | None:
        means = [ratings[left][group[left] == value] for value in (1.0, 0.0)]
        return float(means[0].mean() - means[1].mean()) if all(map(len, means)) else None

    found.add(name, effect, items)
