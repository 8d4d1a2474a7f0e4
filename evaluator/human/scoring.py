"""From what a rater said of items, and what people said of them, to the figures of a stage, each with its interval.

A pure function of labels: equal labels give equal figures. Names, and how each interval is made, are those of
`evaluator.human.figures`; the gap to made-up users needs a second sample and is not among them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.scoring import rounded
from evaluator.human.figures import ALWAYS_NO, ALWAYS_YES, FIGURES, NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.human.labelled import OTHER, Labelled
from evaluator.metrics import agreement
from evaluator.metrics.agreement import HeldOut, Labels, Measure
from evaluator.metrics.alternative_annotator import (
    Duels,
    advantage_probability,
    alternative_annotator_test,
    duels,
    duels_tested,
)
from evaluator.metrics.clustered import Figure, Method, Missing, interval, missing, spread
from evaluator.records import Record
from evaluator.results import Interval

Places = NDArray[np.intp]


class HumanFigure(Record):
    """One figure of a stage."""

    value: float | None
    """None where it is not defined on these labels."""
    interval: Interval | None
    """95 %, clustered by user, under the same annotators and prompts; None where `reason` says why."""
    labels: int
    """Labels, pairs of labels, or items, that it is made of."""
    users: int
    """Users whose items these are."""
    tied: int = 0
    """Labels, or items, that are left out since the votes they would be compared with are tied."""
    reason: Missing | None = None
    """Why there is no figure, or else no interval; `evaluator.human.figures` has more to say of those without one."""


HumanFigures = Mapping[str, HumanFigure]
"""By name, as in `evaluator.human.figures` but for the stage."""


class _Stage:
    """Collects the figures of a stage."""

    def __init__(self, name: str, labelled: Labelled) -> None:
        """Knows none yet."""
        self._name, self._users = name, labelled.users
        self.figures: dict[str, HumanFigure] = {}

    def add(self, name: str, figure: Figure, items: Places, tied: int = 0) -> None:
        """Adds a figure.

        Args:
            name: Its name.
            figure: Takes places of entries and returns the figure of these.
            items: (entries,): the place of each entry's item.
            tied: Entries that were left out, since votes are tied.
        """
        found = figure_of(figure, self._users[items], FIGURES[f"{self._name}.{name}"].method)
        self.figures[name] = found.model_copy(update={"tied": tied})

    def put(
        self, name: str, value: float | None, items: Places, tied: int = 0, reason: Missing = Missing.NO_METHOD
    ) -> None:
        """Adds a figure that is known already and has no interval."""
        found = shown(value, None, self._users[items], reason)
        self.figures[name] = found.model_copy(update={"tied": tied})


def figure_of(figure: Figure, users: NDArray[Any], method: Method | None) -> HumanFigure:
    """Returns a figure as it is published.

    Args:
        figure: Takes places of entries and returns the figure of these.
        users: (entries,): each entry's user.
        method: How its interval is made; None for none.

    Example:
        >>> ratings = np.array([1.0, 2, 3])
        >>> found = figure_of(lambda left: float(ratings[left].mean()), np.array([0, 0, 1]), Method.STUDENT)
        >>> found.value, found.interval, found.reason.value
        (2.0, None, 'fewer than 10 users')
    """
    if not len(users):
        return shown(None, None, users, Missing.UNDEFINED)
    if method is None:
        return shown(figure(np.arange(len(users))), None, users, Missing.NO_METHOD)
    found = spread(figure, users)
    value = float(found.value) if np.isfinite(found.value) else None
    return shown(value, interval(found, method), users, missing(found, method))


def shown(value: float | None, found: Interval | None, users: NDArray[Any], reason: Missing | None) -> HumanFigure:
    """Rounds a figure and its interval, and counts the entries and the users whose they are.

    Args:
        value: The figure.
        found: Its interval.
        users: (entries,): each entry's user.
        reason: Why there is no interval; of a figure that is not there, it is that unless it says more.
    """
    ends = found and replace(found, low=rounded(found.low), high=rounded(found.high))
    rounded_value = rounded(value) or (None if value is None else 0.0)  # A zero has no sign.
    return HumanFigure(
        value=rounded_value,
        interval=ends,
        labels=len(users),
        users=len(np.unique(users)),
        reason=Missing.UNDEFINED if value is None and reason is not Missing.TRIVIAL else reason,
    )


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
    _add_majority(found, table, rater, of)
    held = agreement.against_majority(table, rater)
    _add_each(found, "", agreement.class_measures(of), held.comparisons.rater, held)
    _add_class_humans(found, held, of)
    _add_baselines(found, table, rater, held, of)
    _add_singles(found, agreement.against_singles(table, rater), of)
    answered = np.flatnonzero(~np.isnan(rater) & ~np.isnan(table).all(axis=1))
    found.add(
        "selection_ratio",
        lambda left: agreement.selection_ratio(rater[answered[left]], table[answered[left]], of),
        answered,
    )
    _add_human_selection(found, table, answered, of)
    _add_alpha(found, table, "nominal")
    _add_test(found, labelled, rater, epsilon, "classes")
    for suffix, label in ((f".{ALWAYS_YES}", of), (f".{ALWAYS_NO}", OTHER)):
        _add_winning_rates(found, labelled, np.where(np.isnan(rater), np.nan, label), epsilon, "classes", suffix)
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
    held = agreement.against_mean(table, rater)
    _add_each(found, "", agreement.RATING_MEASURES, held.comparisons.rater, held)
    _add_rating_humans(found, held)
    _add_means(found, table, rater)
    openly = np.array([float(mentioned[name]) if name in mentioned else np.nan for name in labelled.items])
    _add_effect(found, "mention_effect", openly, rater)
    people = np.where(np.isnan(rater), np.nan, agreement.mean(table))
    _add_effect(found, f"mention_effect.{ONE_MORE_HUMAN}", openly, people)
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
    _add_class_humans(found, agreement.against_majority(labelled.table, anyone), of)
    _add_human_singles(found, agreement.against_singles(labelled.table, anyone))
    _add_alpha(found, labelled.table, "nominal")
    return found.figures


def human_ratings(stage: str, labelled: Labelled) -> HumanFigures:
    """Returns the figures of `score_ratings` that no rater has a part in, but for the mention effect.

    Args:
        stage: `rating`.
        labelled: What people said.
    """
    found = _Stage(stage, labelled)
    _add_rating_humans(found, agreement.against_mean(labelled.table, np.zeros(len(labelled.items))))
    _add_alpha(found, labelled.table, "ordinal")
    return found.figures


def _add_answered(found: _Stage, rater: Labels) -> None:
    """Adds the share of items that were answered."""
    answered = ~np.isnan(rater)
    found.add("answered", lambda left: float(answered[left].mean()), np.arange(len(rater)))


def _add_majority(found: _Stage, table: Labels, rater: Labels, of: float) -> None:
    """Adds F1 against the majority of all annotators, each item once, and that of the baselines."""
    votes = agreement.majority(table)
    items = np.flatnonzero(~np.isnan(rater) & ~np.isnan(votes.labels))
    truth, tied = votes.labels[items], int((votes.tied & ~np.isnan(rater)).sum())
    for suffix, own in (("", rater[items]), (f".{ALWAYS_YES}", np.full(len(items), of))):
        found.add(f"f1_majority{suffix}", partial(_f1, own, truth, of), items, tied)
    no = agreement.f1(np.full(len(items), OTHER), truth, of)
    found.put(f"f1_majority.{ALWAYS_NO}", no, items, tied)


def _f1(own: Labels, truth: Labels, of: float, left: Places) -> float | None:
    return agreement.f1(own[left], truth[left], of)


def _add_means(found: _Stage, table: Labels, rater: Labels) -> None:
    """Adds rank correlations with the mean of all annotators, each item once."""
    means = agreement.mean(table)
    items = np.flatnonzero(~np.isnan(rater) & ~np.isnan(means))
    for name, correlation in (("spearman", agreement.spearman), ("kendall", agreement.kendall)):
        found.add(f"{name}_mean", partial(_correlation, correlation, rater[items], means[items]), items)


def _correlation(
    correlation: Callable[[Labels, Labels], float | None], own: Labels, means: Labels, left: Places
) -> float | None:
    return correlation(own[left], means[left])


def _add_each(found: _Stage, suffix: str, measures: Mapping[str, Measure], own: Labels, held: HeldOut) -> None:
    """Adds figures of some labels against the others."""
    for name, measure in measures.items():
        figure = partial(_measured, measure, own, held)
        found.add(f"{name}{suffix}", figure, held.comparisons.items, held.tied)


def _measured(measure: Measure, own: Labels, held: HeldOut, left: Places) -> float | None:
    return measure(own[left], held.comparisons.take(left))


def _add_class_humans(found: _Stage, held: HeldOut, of: float) -> None:
    """Adds what one more human reaches against the majority of the others, and what nobody can pass."""
    every = held.comparisons
    _add_each(found, f".{ONE_MORE_HUMAN}", agreement.class_measures(of), every.human, held)
    ceiling = agreement.class_ceiling(every, of)
    for name in agreement.class_measures(of):
        highest = getattr(ceiling, name)
        if highest is not None and agreement.is_trivial(every):
            found.put(f"{name}.{NOISE_CEILING}", None, every.items, held.tied, Missing.TRIVIAL)
        else:
            found.put(f"{name}.{NOISE_CEILING}", highest, every.items, held.tied)


def _add_rating_humans(found: _Stage, held: HeldOut) -> None:
    """Adds what one more human reaches against the mean of the others, and what nobody can pass."""
    every = held.comparisons
    _add_each(found, f".{ONE_MORE_HUMAN}", agreement.RATING_MEASURES, every.human, held)
    ceiling = agreement.rating_ceiling(every)
    for name in agreement.RATING_MEASURES:
        found.put(f"{name}.{NOISE_CEILING}", getattr(ceiling, name), every.items)


def _add_baselines(found: _Stage, table: Labels, rater: Labels, held: HeldOut, of: float) -> None:
    """Adds what always yes and always no come to, against the majority of the others."""
    items = held.comparisons.items
    yes = agreement.class_measures(of)["f1"]
    found.add(f"f1.{ALWAYS_YES}", partial(_measured, yes, np.full(len(items), of), held), items, held.tied)
    trivial = agreement.class_agreement(table, rater, of)
    for name in ("kappa", "matthews", "f1"):
        found.put(f"{name}.{ALWAYS_NO}", getattr(trivial.always_no, name), items, held.tied)
    for name in ("kappa", "matthews"):
        found.put(f"{name}.{ALWAYS_YES}", getattr(trivial.always_yes, name), items, held.tied)


def _add_human_selection(found: _Stage, table: Labels, answered: Places, of: float) -> None:
    """Adds how many times as often as the others one more human names the class: 1, since all take turns at it."""
    shared = answered[(~np.isnan(table[answered])).sum(axis=1) > 1]
    value = 1.0 if (table[shared] == of).any() else None
    found.put(f"selection_ratio.{ONE_MORE_HUMAN}", value, shared)


def _add_singles(found: _Stage, pairs: HeldOut, of: float) -> None:
    """Adds figures against single annotators, and what always yes and always no come to."""
    every = pairs.comparisons
    _add_each(found, "", {"single_kappa": agreement.single_kappa}, every.rater, pairs)
    for whose, label in ((ALWAYS_YES, of), (ALWAYS_NO, OTHER)):
        value = agreement.single_kappa(np.full(len(every.items), label), every)
        found.put(f"single_kappa.{whose}", value, every.items)
    _add_human_singles(found, pairs)


def _add_human_singles(found: _Stage, pairs: HeldOut) -> None:
    """Adds what one more human reaches against single annotators, and what nobody can pass."""
    every = pairs.comparisons
    _add_each(found, f".{ONE_MORE_HUMAN}", {"single_kappa": agreement.single_kappa}, every.human, pairs)
    found.put(f"single_kappa.{NOISE_CEILING}", agreement.single_kappa_ceiling(every), every.items)


def _add_alpha(found: _Stage, table: Labels, level: Literal["nominal", "ordinal"]) -> None:
    """Adds the annotators' own agreement."""
    several = np.flatnonzero((~np.isnan(table)).sum(axis=1) > 1)
    found.add("alpha", lambda left: agreement.krippendorff_alpha(table[several[left]], level), several)


def _add_test(
    found: _Stage, labelled: Labelled, rater: Labels, epsilon: float, scale: Literal["classes", "ratings"]
) -> None:
    """Adds the alternative annotator test."""
    every = duels(labelled.table, rater, scale)
    for suffix, balanced in (("", False), ("_balanced", True))[: 2 if scale == "classes" else 1]:
        counted = duels_tested(every, labelled.users, balanced=balanced)
        found.add(f"advantage_probability{suffix}", partial(_advantage, counted, balanced), counted.items)
    _add_winning_rates(found, labelled, rater, epsilon, scale)


def _add_winning_rates(
    found: _Stage,
    labelled: Labelled,
    rater: Labels,
    epsilon: float,
    scale: Literal["classes", "ratings"],
    whose: str = "",
) -> None:
    """Adds the share of annotators whom some rater may stand in for."""
    every = duels(labelled.table, rater, scale)
    for suffix, balanced in (("", False), ("_balanced", True))[: 2 if scale == "classes" else 1]:
        test = alternative_annotator_test(
            labelled.table, rater, epsilon=epsilon, scale=scale, balanced=balanced, clusters=labelled.users
        )
        counted = duels_tested(every, labelled.users, balanced=balanced)
        found.put(f"winning_rate{suffix}{whose}", test.winning_rate, counted.items)


def _advantage(every: Duels, balanced: bool, left: Places) -> float | None:
    return advantage_probability(every.take(left), balanced=balanced)


def _add_effect(found: _Stage, name: str, openly: Labels, ratings: Labels) -> None:
    """Adds by how much an item's rating is higher where the answer names the attribute openly."""
    items = np.flatnonzero(~np.isnan(openly) & ~np.isnan(ratings))
    known, group = ratings[items], openly[items]

    def effect(left: Places) -> float | None:
        means = [known[left][group[left] == value] for value in (1.0, 0.0)]
        return float(means[0].mean() - means[1].mean()) if all(map(len, means)) else None

    found.add(name, effect, items)
