"""The alternative annotator test: whether a rater may stand in for one of the annotators.

Calderon, Reichart and Dror, "The Alternative Annotator Test for LLM-as-a-Judge", ACL 2025. For every label of an
annotator it is asked whose agrees better with the others' labels of the item, the rater's or his own. The rater wins
against the annotator if he is significantly better once `epsilon` is granted to him, since people cost time and money.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.metrics.agreement.confusion import Labels, Places, classes_of, coded, numbered
from evaluator.metrics.agreement.others import Cells, cells_of, most_votes, votes_of
from evaluator.metrics.intervals import linearise, tail
from evaluator.records import Record

LEAST_ANNOTATORS = 3
LEAST_ITEMS = 30
"""For each annotator."""
FALSE_DISCOVERIES = 0.05
"""Rate among the annotators whom the rater is said to win against (Benjamini and Yekutieli)."""
PASSING = 0.5
"""Share of annotators to be won against."""

_ROUNDING = 1e-9
"""Squared errors this close are equal."""


class Untested(StrEnum):
    """Why there is no test."""

    FEW_ANNOTATORS = "fewer than 3 annotators could be tested"
    FEW_ITEMS = "fewer than 30 items"
    ONE_CLASS = "the others name one class alone"
    ONE_CLUSTER = "all items, or all of a class, are of one user"


class Duels(NamedTuple):
    """For every label of an annotator, whether the rater agrees better with the others than he does."""

    items: Places
    """(n,): places of the items."""
    annotators: Places
    """(n,): columns."""
    difference: Labels
    """(n,): 1 where the annotator agrees better, -1 where the rater does, 0 where both do as well: W_h - W_f."""
    reference: Labels
    """(n,): the majority of the others; NaN where their votes are tied, and for ratings."""

    def take(self, entries: NDArray[Any]) -> Duels:
        """Returns some of the entries.

        Args:
            entries: A mask of them all, or places.
        """
        return Duels(*(column[entries] for column in self))


class AnnotatorTest(Record):
    """A rater's duels with one annotator."""

    annotator: int
    """His column."""
    items: int
    """Items that count."""
    tied: int
    """Items left out, since the others' votes are tied; only where classes are balanced."""
    clusters: int
    advantage_probability: float | None
    """0..1: how often the rater agrees at least as well; None where no item counts."""
    difference: float | None
    """-1..1: how much more often the annotator agrees better than the rater."""
    p_value: float | None
    """One-sided, against a difference of at least epsilon; None where it cannot be tested."""
    wins: bool | None
    """Whether the rater wins against him, all tests considered."""
    reason: Untested | None


class AlternativeAnnotatorTest(Record):
    """Whether a rater may stand in for an annotator."""

    epsilon: float
    balanced: bool
    """Whether each class of the others' majority counts the same."""
    winning_rate: float | None
    """0..1, of the annotators tested."""
    advantage_probability: float | None
    """0..1, mean of the annotators tested."""
    passes: bool | None
    """Whether the winning rate is at least one half."""
    tested: int
    """Annotators tested."""
    annotators: tuple[AnnotatorTest, ...]
    """All who have a duel."""
    reason: Untested | None
    """Why there is no test."""


def duels(table: Labels, rater: Labels, scale: Literal["classes", "ratings"]) -> Duels:
    """Returns who agrees better with the others, label by label.

    Agreement with classes is the share of the others who gave the same, agreement with ratings the root mean squared
    distance from theirs.

    Args:
        table: (items, annotators), one column for each real annotator; NaN for gaps.
        rater: (items,) labels of the rater, who is none of them; NaN where there is no answer.
        scale: What labels are.

    Raises:
        ValueError: There is not one label for each item.

    Example:
        >>> found = duels(np.array([[1.0, 1, 0]]), np.array([1.0]), "classes")
        >>> found.difference.tolist(), found.reference.tolist()
        ([0.0, 0.0, -1.0], [nan, nan, 1.0])
    """
    cells = cells_of(table, rater)
    if scale == "ratings":
        reference = np.full(len(cells.items), np.nan)
        return Duels(cells.items, cells.annotators, _nearer(cells, rater, len(table)), reference)
    classes = classes_of(cells.labels, rater[cells.items])
    votes = votes_of(cells.items, cells.labels, classes, len(table))[cells.items]
    every, own = np.arange(len(votes)), coded(cells.labels, classes)
    votes[every, own] -= 1
    agreed = votes[every, own] - votes[every, coded(rater[cells.items], classes)]
    return Duels(cells.items, cells.annotators, np.sign(agreed).astype(float), most_votes(votes, classes).labels)


def advantage_probability(found: Duels, *, balanced: bool = False) -> float | None:
    """Returns how often the rater agrees at least as well as an annotator, the mean over annotators.

    Args:
        found: Duels with the annotators that count; balanced, those with tied votes have no part in it.
        balanced: Whether each class of the others' majority counts the same for an annotator.

    Returns:
        A figure in 0..1; None where there is no duel.
    """
    counted = found.take(_counting(found, balanced))
    if not len(counted.items):
        return None
    strata, size = _strata(counted.reference, balanced)
    places = numbered(counted.annotators) * size + strata
    wins, labels = (np.bincount(places, some) for some in (counted.difference <= 0, None))
    there = labels > 0
    rates = wins[there] / labels[there]
    owners = numbered(np.flatnonzero(there) // size)
    return float((np.bincount(owners, rates) / np.bincount(owners)).mean())


def alternative_annotator_test(
    table: Labels,
    rater: Labels,
    *,
    epsilon: float,
    scale: Literal["classes", "ratings"] = "classes",
    balanced: bool = False,
    clusters: NDArray[Any] | None = None,
) -> AlternativeAnnotatorTest:
    """Tests whether a rater may stand in for an annotator.

    Each annotator's test is a one-sided t test of the mean difference. With clusters, errors and degrees of freedom are
    those of `intervals.linearise`; with as many items for each they are those of the clusters' means. Without, each
    item is one. Where all differences are alike, p is that of the sign test.

    Args:
        table: (items, annotators), one column for each real annotator; NaN for gaps.
        rater: (items,) labels of the rater, who is none of them; NaN where there is no answer.
        epsilon: What the rater is granted: 0.2 next to experts, 0.15 to skilled annotators, 0.1 to others.
        scale: What labels are.
        balanced: Whether each class of the others' majority counts the same, so that nobody passes by always naming the
            usual one. Where their votes are tied there is none; such items are left out and counted.
        clusters: (items,) the user of each item; every item is one if None.

    Raises:
        ValueError: There is not one label for each item, or ratings should be balanced, which have no classes.
    """
    if balanced and scale == "ratings":
        raise ValueError("ratings have no classes that could be balanced")
    every = duels(table, rater, scale)
    owners = np.arange(len(table)) if clusters is None else clusters
    tests = [_test(own, owners, epsilon, balanced) for own in _by_annotator(every)]
    return _summary(tests, epsilon, balanced)


def duels_tested(found: Duels, clusters: NDArray[Any], *, balanced: bool = False) -> Duels:
    """Returns the duels with annotators who are tested: the test's advantage probability is that of these.

    Args:
        found: Duels with all.
        clusters: (items,) the user of each item.
        balanced: Whether each class of the others' majority counts the same.

    Returns:
        None of the duels where fewer than three annotators can be tested.
    """
    some = [own for own in _by_annotator(found) if untested(_cells(own, clusters, balanced)[1], balanced) is None]
    columns = [int(own.annotators[0]) for own in some] if len(some) >= LEAST_ANNOTATORS else []
    return found.take(np.isin(found.annotators, columns))


def untested(items: Labels, balanced: bool) -> Untested | None:
    """Returns why a rater's duels with one annotator are not tested, None where they are.

    Args:
        items: (users, classes) numbers of items that count; one column if classes are not balanced.
        balanced: Whether each class of the others' majority counts the same.

    Example:
        >>> [untested(np.array([[20.0], [more]]), balanced=False) for more in (9.0, 10.0)]
        [<Untested.FEW_ITEMS: 'fewer than 30 items'>, None]
    """
    classes = items[:, items.sum(axis=0) > 0]
    if items.sum() < LEAST_ITEMS:
        return Untested.FEW_ITEMS
    if balanced and classes.shape[1] < 2:
        return Untested.ONE_CLASS
    return Untested.ONE_CLUSTER if ((classes > 0).sum(axis=0) < 2).any() else None


def _summary(tests: list[AnnotatorTest], epsilon: float, balanced: bool) -> AlternativeAnnotatorTest:
    """All tests considered."""
    tested = [test for test in tests if test.p_value is not None]
    if len(tested) < LEAST_ANNOTATORS:
        return AlternativeAnnotatorTest(
            epsilon=epsilon,
            balanced=balanced,
            winning_rate=None,
            advantage_probability=None,
            passes=None,
            tested=len(tested),
            annotators=tuple(tests),
            reason=Untested.FEW_ANNOTATORS,
        )
    from scipy.stats import false_discovery_control  # Whoever reads results alone starts sooner without it.

    adjusted = false_discovery_control([test.p_value for test in tested], method="by")
    wins = {test.annotator: bool(p_value <= FALSE_DISCOVERIES) for test, p_value in zip(tested, adjusted, strict=True)}
    rate = float(np.mean(list(wins.values())))
    return AlternativeAnnotatorTest(
        epsilon=epsilon,
        balanced=balanced,
        winning_rate=rate,
        advantage_probability=float(np.mean([test.advantage_probability for test in tested])),
        passes=rate >= PASSING,
        tested=len(tested),
        annotators=tuple(test.model_copy(update={"wins": wins.get(test.annotator)}) for test in tests),
        reason=None,
    )


def _by_annotator(found: Duels) -> Iterator[Duels]:
    """The duels with each annotator who has any."""
    for column in np.unique(found.annotators).tolist():
        yield found.take(found.annotators == column)


def _test(found: Duels, clusters: NDArray[Any], epsilon: float, balanced: bool) -> AnnotatorTest:
    """The test of one annotator."""
    totals, items = _cells(found, clusters, balanced)
    reason = untested(items, balanced)
    return AnnotatorTest(
        annotator=int(found.annotators[0]),
        items=int(items.sum()),
        tied=len(found.items) - int(items.sum()),
        clusters=len(items),
        advantage_probability=advantage_probability(found, balanced=balanced),
        difference=float((totals.sum(axis=0) / items.sum(axis=0)).mean()) if len(items) else None,
        p_value=None if reason else _below(totals, items, epsilon),
        wins=None,
        reason=reason,
    )


def _cells(found: Duels, clusters: NDArray[Any], balanced: bool) -> tuple[Labels, Labels]:
    """Summed differences and numbers of the duels that count, both (users, classes)."""
    counted = _counting(found, balanced)
    strata, size = _strata(found.reference[counted], balanced)
    owners = np.unique(clusters[found.items[counted]], return_inverse=True)[1]
    users = int(owners.max(initial=-1)) + 1
    totals, items = (
        np.bincount(owners * size + strata, weights, users * size).reshape(users, size).astype(float)
        for weights in (found.difference[counted], None)
    )
    return totals, items


def _below(totals: Labels, items: Labels, epsilon: float) -> float:
    """One-sided p of a mean, of the classes' means if there are several, against being epsilon or more."""
    size = items.shape[1]
    estimate = linearise(totals, items, np.full(size, 1 / size))
    shifted = estimate._replace(value=estimate.value - epsilon)
    p_value = float(tail(shifted))
    return p_value if shifted.value < 0 else 1 - p_value


def _counting(found: Duels, balanced: bool) -> NDArray[np.bool_]:
    """Which duels count: if classes are balanced, those with a class."""
    return ~np.isnan(found.reference) if balanced else np.ones(len(found.items), dtype=bool)


def _strata(reference: Labels, balanced: bool) -> tuple[Places, int]:
    """The class of each reference, and how many there are; one for all if they are not balanced."""
    if not balanced:
        return np.zeros(len(reference), dtype=np.intp), 1
    classes = classes_of(reference)
    return coded(reference, classes), max(len(classes), 1)


def _nearer(cells: Cells, rater: Labels, items: int) -> Labels:
    """Signs of the rater's squared errors less the annotator's, against the others' ratings, (n,)."""
    own, his = cells.labels, rater[cells.items]
    sums, counts = (np.bincount(cells.items, weights, items)[cells.items] for weights in (own, None))
    further = (his - own) * ((counts - 1) * (his + own) - 2 * (sums - own))
    return np.asarray(np.where(np.abs(further) <= _ROUNDING, 0.0, np.sign(further)))
