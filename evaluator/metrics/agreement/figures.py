"""Figures of two label vectors, or of a whole table; items that lack a label are left out."""

from __future__ import annotations

from typing import Literal

import krippendorff
import numpy as np

from evaluator.metrics.agreement.confusion import (
    Distance,
    Labels,
    Places,
    classes_of,
    coded,
    distances,
    f1_of,
    kappa_of,
    known,
    matthews_of,
    numbered,
    tally,
)


def compared(first: Labels, second: Labels) -> int:
    """Returns how many items have both labels.

    Example:
        >>> compared(np.array([1.0, np.nan]), np.array([0.0, 1.0]))
        1
    """
    return int(_both(first, second).sum())


def kappa(
    first: Labels,
    second: Labels,
    *,
    distance: Distance = "nominal",
    within: Places | None = None,
) -> float | None:
    """Returns Cohen's kappa: agreement beyond chance.

    Args:
        first: (n,) labels.
        second: (n,) labels of the same items; with groups, those of the reference.
        distance: How much it matters which classes are mixed up; "linear" and "quadratic" are by the labels' values.
        within: (n,) places of groups: the mean of the groups' kappas, weighted by their items and by how much the
            second side varies, whatever the first one says.

    Returns:
        A figure of at most 1, and 0 for chance; None where both name the same class throughout.

    Example:
        >>> round(kappa(np.array([1.0, 1, 0, 0]), np.array([1.0, 0, 0, np.nan])), 3)
        0.4
    """
    both = _both(first, second)
    first, second = first[both], second[both]
    classes = classes_of(first, second)
    matrices = tally(first, second, classes, _groups(within, both))
    return known(kappa_of(matrices, distances(classes, distance)))


def matthews(first: Labels, second: Labels, *, within: Places | None = None) -> float | None:
    """Returns Matthews' correlation: of two classes, that of Pearson, Spearman and Kendall as well.

    Args:
        first: (n,) labels.
        second: (n,) labels of the same items.
        within: (n,) places of groups: the correlation within groups, whose covariances and variances add up.

    Returns:
        A figure in -1..1; None where either side is constant.
    """
    both = _both(first, second)
    first, second = first[both], second[both]
    return known(matthews_of(tally(first, second, classes_of(first, second), _groups(within, both))))


def f1(rater: Labels, reference: Labels, of: float) -> float | None:
    """Returns F1 of a class: the harmonic mean of precision and recall.

    Args:
        rater: (n,) labels.
        reference: (n,) what they should be.
        of: The class.

    Returns:
        A figure in 0..1; None where neither names the class.
    """
    both = _both(rater, reference)
    yes, truth = (np.where(labels[both] == of, 1.0, 0.0) for labels in (rater, reference))
    return known(f1_of(tally(yes, truth, np.array([0.0, 1.0])), 1))


def selection_ratio(rater: Labels, table: Labels, of: float) -> float | None:
    """Returns how many times as often as annotators a rater names a class, on the items that both labelled.

    Each item counts once: the share of its annotators who name the class stands beside the rater's answer.

    Args:
        rater: (items,) labels.
        table: (items, annotators).
        of: The class.

    Returns:
        A figure of at least 0, and 1 for as often; None where no annotator names it.

    Example:
        >>> selection_ratio(np.array([1.0, 1, 1, 0]), np.array([[1.0, 1], [0, 1], [0, np.nan], [0, 0]]), 1)
        2.0
    """
    there = ~np.isnan(table)
    both = there.any(axis=1) & ~np.isnan(rater)
    expected = float(((table[both] == of).sum(axis=1) / there[both].sum(axis=1)).sum())
    return float((rater[both] == of).sum()) / expected if expected else None


def bias(rater: Labels, reference: Labels) -> float | None:
    """Returns the mean of rater less reference, in their unit; None where nothing is compared."""
    apart = (rater - reference)[_both(rater, reference)]
    return float(apart.mean()) if len(apart) else None


def mean_absolute_error(rater: Labels, reference: Labels) -> float | None:
    """Returns the mean absolute difference, in the labels' unit; None where nothing is compared."""
    apart = (rater - reference)[_both(rater, reference)]
    return float(np.abs(apart).mean()) if len(apart) else None


def spearman(first: Labels, second: Labels, *, within: Places | None = None) -> float | None:
    """Returns Spearman's rank correlation.

    Args:
        first: (n,) ratings.
        second: (n,) ratings of the same items.
        within: (n,) places of groups: the partial rank correlation given the group, which is that of what the ranks
            over all groups are above the group's own mean.

    Returns:
        A figure in -1..1; None where either side is constant, within all groups.

    Example:
        >>> spearman(np.array([1.0, 2, 3, 9]), np.array([1.0, 2, 5, np.nan]))
        1.0
    """
    both = _both(first, second)
    groups = _groups(within, both)
    one, other = (centred_ranks(ratings[both], groups) for ratings in (first, second))
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(np.clip(one @ other / size, -1, 1)) if size else None


def kendall(first: Labels, second: Labels, *, within: Places | None = None) -> float | None:
    """Returns Kendall's tau-b: of pairs of items, how many more stand in the same order than in the opposite one.

    Args:
        first: (n,) ratings.
        second: (n,) ratings of the same items.
        within: (n,) places of groups: only pairs within a group count, so much that each group counts by its items;
            what tau-b divides by adds up likewise.

    Returns:
        A figure in -1..1; None where either side is constant, within all groups.
    """
    both = _both(first, second)
    groups = _groups(within, both)
    sums = np.zeros(3)
    for members in members_of(groups, int(both.sum())):
        sums += _pairs(first[both][members], second[both][members]) / max(len(members) - 1, 1)
    size = float(np.sqrt(sums[1] * sums[2]))
    return float(np.clip(sums[0] / size, -1, 1)) if size else None


def krippendorff_alpha(table: Labels, level: Literal["nominal", "ordinal", "interval"] = "nominal") -> float | None:
    """Returns Krippendorff's alpha: agreement beyond chance of all raters of a table, gaps allowed.

    Krippendorff, Content Analysis (4th edition, 2018), chapter 12. Items with fewer than two labels have no part in it.

    Args:
        table: (items, raters).
        level: How far two labels are apart.

    Returns:
        A figure of at most 1, and 0 for chance; None where such items have one class alone, or there are none.

    Example:
        >>> krippendorff_alpha(np.array([[1.0, 1], [0, 0], [1, 0], [1, np.nan]]))
        0.4444444444444444
    """
    there = ~np.isnan(table)
    there &= (there.sum(axis=1) > 1)[:, None]
    labels = table[there]
    classes = classes_of(labels)
    if len(classes) < 2:
        return None
    items = np.nonzero(there)[0]
    counts = np.bincount(items * len(classes) + coded(labels, classes), minlength=len(table) * len(classes))
    return float(
        krippendorff.alpha(
            value_counts=counts.reshape(len(table), -1), value_domain=classes, level_of_measurement=level
        )
    )


def centred_ranks(ratings: Labels, groups: Places | None) -> Labels:
    """Returns ranks over all groups, ties at their middle, less the group's mean."""
    from scipy.stats import rankdata  # As below: whoever reads figures alone starts sooner without it.

    ranks = rankdata(ratings)
    if groups is None:
        groups = np.zeros(len(ranks), dtype=np.intp)
    return centred(ranks, groups)


def centred(values: Labels, groups: Places) -> Labels:
    """Returns values less their group's mean."""
    means = np.bincount(groups, values) / np.maximum(np.bincount(groups), 1)
    return np.asarray(values - means[groups])


def members_of(groups: Places | None, count: int) -> list[Places]:
    """Returns the places of each group's members, in order; all are one group if there are none."""
    if groups is None:
        return [np.arange(count)]
    return np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])


def _pairs(first: Labels, second: Labels) -> Labels:
    """Pairs in the same order less those in the opposite one, and the pairs that each side does not tie."""
    from scipy.stats import kendalltau

    untied = [_untied(ratings) for ratings in (first, second)]
    size = np.sqrt(untied[0] * untied[1])
    ordered = kendalltau(first, second).statistic * size if size else 0.0
    return np.array([ordered, *untied])


def _untied(ratings: Labels) -> float:
    """Pairs of different ratings."""
    ties = np.unique(ratings, return_counts=True)[1]
    return (len(ratings) * (len(ratings) - 1) - int((ties * (ties - 1)).sum())) / 2


def _both(first: Labels, second: Labels) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which items have both labels."""
    return np.asarray(~(np.isnan(first) | np.isnan(second)))


def _groups(within: Places | None, both: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Places | None:
    """The groups of the items that have both labels, numbered anew."""
    return None if within is None else numbered(within[both])
