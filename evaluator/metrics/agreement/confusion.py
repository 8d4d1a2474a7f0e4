"""Confusion matrices, and the figures that follow from them alone.

Matrices add up over items: those of all users less those of one are the matrices without him, so that figures on many
parts of the same items cost one pass over the labels.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.float64]
"""Labels or figures in double precision; NaN is a gap."""
Places = NDArray[np.intp]
"""Places in an axis, from 0."""
Distance = Literal["nominal", "linear", "quadratic"]
"""How far two classes are apart: 1, the difference of the labels, or its square."""

_NOTHING = 1e-9
"""What floating point may leave of nothing to divide by, in comparisons."""
_LARGEST_CODE = 63
"""Labels that are whole numbers from 0 to here are counted without being sorted."""


def classes_of(*labels: Labels) -> Labels:
    """Returns the sorted classes that occur in labels, gaps aside."""
    present: set[float] = set()
    for some in labels:
        known = some[~np.isnan(some)] if np.isnan(some).any() else some
        codes = _small(known)
        present.update((np.unique(known) if codes is None else np.flatnonzero(np.bincount(codes))).tolist())
    return np.array(sorted(present), dtype=np.float64)


def coded(labels: Labels, classes: Labels) -> Places:
    """Returns each label's place among sorted classes, all of which must be there."""
    codes, names = _small(labels), _small(classes)
    if codes is None or names is None:
        return np.searchsorted(classes, labels)
    places = np.zeros(_LARGEST_CODE + 1, dtype=np.intp)
    places[names] = np.arange(len(names))
    return places[codes]


def _small(labels: Labels) -> Places | None:
    """Labels as small whole numbers, or None where they are not."""
    if not len(labels):
        return labels.astype(np.intp)
    if labels.min() < 0 or labels.max() > _LARGEST_CODE:
        return None
    codes = labels.astype(np.intp)
    return codes if np.array_equal(codes, labels) else None


def numbered(places: Places) -> Places:
    """Returns places numbered from 0 in their order, without gaps."""
    return np.asarray(np.cumsum(np.bincount(places) > 0) - 1)[places]


def tally(
    first: Labels,
    second: Labels,
    classes: Labels,
    groups: Places | None = None,
    weights: Labels | None = None,
    count: int | None = None,
) -> Labels:
    """Counts which labels meet, in groups.

    Args:
        first: (n,) labels without gaps.
        second: (n,) what they are compared with.
        classes: Sorted classes; every label is one.
        groups: (n,) places of groups; one group if None.
        weights: (n,) how much each comparison counts; 1 if None.
        count: Number of groups; those that occur if None.

    Returns:
        (groups, classes, classes): rows are those of `first`.

    Example:
        >>> tally(np.array([1.0, 1, 0]), np.array([1.0, 0, 0]), np.array([0.0, 1])).tolist()
        [[[1.0, 0.0], [1.0, 1.0]]]
    """
    size = len(classes)
    places = coded(first, classes) * size + coded(second, classes)
    if count is None:
        count = 1 if groups is None else int(groups.max(initial=-1)) + 1
    if groups is not None:
        places = places + groups * (size * size)
    found = np.bincount(places, weights, count * size * size)
    return found.astype(np.float64).reshape(count, size, size)


def distances(classes: Labels, distance: Distance) -> Labels:
    """Returns how far classes are apart, (classes, classes)."""
    apart = np.abs(classes[:, None] - classes)
    if distance == "nominal":
        return (apart > 0).astype(np.float64)
    return apart if distance == "linear" else apart**2


def kappa_of(matrices: Labels, apart: Labels | None = None) -> Labels:
    """Returns Cohen kappas, each the mean of several groups' kappas.

    Cohen, Educational and Psychological Measurement 20 (1960), and Psychological Bulletin 70 (1968) with distances: one
    less the ratio of the disagreement that is there to that which independent raters of the same shares would have.

    A group weighs as much as its second side, the reference, would by chance disagree with itself: by its items and by
    how much the reference varies, whatever the first side says. Where it never does, a kappa is 0 or not defined, and
    so is that of the whole if that holds of all groups.

    Args:
        matrices: (..., groups, classes, classes) confusion matrices.
        apart: (classes, classes) distances; 1 between any two if None.

    Returns:
        (...) figures of at most 1; NaN where no disagreement is expected.

    Example:
        >>> float(kappa_of(np.array([[[2.0, 0], [1, 1]]])))
        0.5
    """
    if apart is None:
        apart = 1 - np.eye(matrices.shape[-1])
    expected, _, columns = _expected(matrices)
    observed = np.einsum("...gkl,kl->...g", matrices, apart)
    chance = np.einsum("...gkl,kl->...g", expected, apart)
    varied = np.einsum("...gk,...gl,kl->...g", columns, columns, apart)
    weights = _divided(varied, columns.sum(axis=-1), empty=0.0)
    kappas = _divided(chance - observed, chance, empty=0.0)
    constant = np.where(chance.sum(axis=-1) > _NOTHING, 0.0, np.nan)
    total = weights.sum(axis=-1)
    mean = _divided((weights * kappas).sum(axis=-1), total)
    return np.asarray(np.where(total > _NOTHING, mean, constant))


def matthews_of(matrices: Labels) -> Labels:
    """Returns Matthews correlations, each within several groups together.

    Of two classes it is Pearson's correlation; of more Gorodkin's (Computational Biology and Chemistry 28, 2004). Over
    groups covariances and variances add up.

    Args:
        matrices: (..., groups, classes, classes) confusion matrices.

    Returns:
        (...) figures in -1..1; NaN where either side is constant within all groups.
    """
    expected, rows, columns = _expected(matrices)
    sizes = rows.sum(axis=-1)
    joint = np.trace(matrices - expected, axis1=-2, axis2=-1).sum(axis=-1)
    spreads = [(sizes - _divided((side**2).sum(axis=-1), sizes, empty=0.0)).sum(axis=-1) for side in (rows, columns)]
    return np.clip(_divided(joint, np.sqrt(spreads[0] * spreads[1])), -1, 1)


def f1_of(matrices: Labels, place: int) -> Labels:
    """Returns F1 of a class, all groups in one: the harmonic mean of precision and recall.

    Args:
        matrices: (..., groups, classes, classes) confusion matrices.
        place: Place of the class.

    Returns:
        (...) figures in 0..1; NaN where nobody names the class.
    """
    matrix = matrices.sum(axis=-3)
    named = matrix[..., place, :].sum(axis=-1) + matrix[..., :, place].sum(axis=-1)
    return _divided(2 * matrix[..., place, place], named)


def _expected(matrices: Labels) -> tuple[Labels, Labels, Labels]:
    """What independent raters would have, (..., groups, classes, classes), and both sides' shares."""
    rows, columns = matrices.sum(axis=-1), matrices.sum(axis=-2)
    sizes = rows.sum(axis=-1)[..., None, None]
    return _divided(rows[..., :, None] * columns[..., None, :], sizes, empty=0.0), rows, columns


def _divided(over: Any, under: Any, empty: float = np.nan) -> Labels:
    """A ratio, with a value of its own where there is nothing to divide by."""
    over, under = np.broadcast_arrays(over, under)
    out = np.full(over.shape, empty, dtype=np.float64)
    return np.asarray(np.divide(over, under, out=out, where=under > _NOTHING))


def known(figure: Any) -> float | None:
    """Returns a figure, or None for NaN."""
    return None if np.isnan(figure) else float(figure)
