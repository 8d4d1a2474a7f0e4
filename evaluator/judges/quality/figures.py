"""From sums over users to a figure with its interval, or the reason why it has none."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from numpy.typing import NDArray

from evaluator.hicupid.scoring import rounded
from evaluator.judges.quality.records import QualityFigure, Why
from evaluator.metrics.clustered import Figure, Method, Missing, Spread, interval, missing, spread, spread_of_sums
from evaluator.metrics.intervals import Array
from evaluator.results import Interval


def of_sums(
    figure: Callable[[Array], Array], sums: Array, items: Array, method: Method, possible: int
) -> QualityFigure:
    """Returns a figure that is made of sums over users, with the jackknife's interval.

    Args:
        figure: Takes sums, (..., columns), and returns the figures, (...); not a number where not defined.
        sums: (users, columns).
        items: (users,): what counts of each.
        method: How its interval is made.
        possible: What there is, with what had to be left out.
    """
    if not items.sum():
        return without(Why.UNDEFINED, possible)
    return shown(spread_of_sums(figure, sums, items), method, int(items.sum()), possible)


def share_of(sums: Array, method: Method, possible: int) -> QualityFigure:
    """Returns the mean of what there is, of (users, 2) totals and numbers.

    Example:
        >>> import numpy as np
        >>> found = share_of(np.array([[1.0, 2], [2, 2]]), Method.SCORE, 5)
        >>> found.value, found.interval, found.counted, found.counted_share, found.users, found.reason.value
        (0.75, None, 4, 0.8, 2, 'few_clusters')
    """
    return of_sums(lambda some: some[..., 0] / some[..., 1], sums, sums[:, 1], method, possible)


def of_entries(
    figure: Figure, users: Sequence[Hashable] | NDArray[Any], method: Method, possible: int
) -> QualityFigure:
    """Returns a figure that is recomputed on some of its entries, with the jackknife's interval.

    Args:
        figure: Takes places of entries and returns the figure of these, or None.
        users: (entries,): each entry's user.
        method: How its interval is made.
        possible: What there is, with what had to be left out.
    """
    if not len(users):
        return without(Why.UNDEFINED, possible)
    return shown(spread(figure, users), method, len(users), possible)


def shown(
    found: Spread,
    method: Method,
    counted: int,
    possible: int,
    scale: Callable[[float], float] = float,
) -> QualityFigure:
    """Returns a figure as it is told, rounded.

    Args:
        found: The figure and its spread.
        method: How its interval is made.
        counted: What it is made of.
        possible: That and what was left out.
        scale: Takes the figure and the ends of its interval to the scale on which they are told; it rises. Where an end
            is too large for a number there is no interval.
    """
    ends, reason = interval(found, method), missing(found, method)
    told = None if reason is None else why(reason)
    shown_ends = None
    if ends is not None:
        try:
            shown_ends = Interval(low=_told(scale(ends.low)), high=_told(scale(ends.high)), users=ends.users)
        except OverflowError:
            told = Why.ONE_DECIDES
    value = float(found.value)
    return QualityFigure(
        value=_told(scale(value)) if math.isfinite(value) else None,
        interval=shown_ends,
        counted=counted,
        possible=possible,
        users=int(found.users),
        reason=told,
    )


def without(reason: Why, possible: int) -> QualityFigure:
    """Returns the figure that is not there."""
    return QualityFigure(value=None, interval=None, counted=0, possible=possible, users=0, reason=reason)


def why(reason: Missing) -> Why:
    """Returns a reason of the metrics by its name here.

    Example:
        >>> all(why(reason).name == reason.name for reason in Missing)
        True
    """
    return Why(reason.name.lower())


def _told(value: float) -> float:
    """Rounds a value; a zero has no sign."""
    return rounded(value) or 0.0
