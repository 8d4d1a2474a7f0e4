"""A figure on all labels and without each user in turn: differences of such figures keep what they share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.human.scoring import HumanFigure, shown
from evaluator.metrics.clustered import Figure, Method, Missing, Spread, interval, missing, spread_of
from evaluator.metrics.intervals import Array, Estimate, tail


class Resampled(NamedTuple):
    """A figure, and what it would be without each user of the task."""

    value: float
    """NaN where it is not defined."""
    without: Array
    """(users,)."""
    items: Array
    """(users,): each user's labels; one without any does not count."""

    def less(self, other: Resampled) -> Resampled:
        """Returns this figure less another one on the same users.

        Example:
            >>> one = Resampled(0.5, np.array([0.25, 0.75]), np.array([3.0, 3.0]))
            >>> one.less(one).without.tolist()
            [0.0, 0.0]
        """
        return Resampled(self.value - other.value, self.without - other.without, self.items + other.items)

    def spread(self) -> Spread:
        """Returns how sure the figure is, clustered by user."""
        return spread_of(np.array(self.value), self.without, self.items)

    def shown(self, users: NDArray[np.intp], method: Method = Method.STUDENT) -> HumanFigure:
        """Returns the figure as it is published.

        Args:
            users: (labels,): each label's user.
            method: How its interval is made.
        """
        if math.isnan(self.value):
            return shown(None, None, users, Missing.UNDEFINED)
        found = self.spread()
        return shown(self.value, interval(found, method), users, missing(found, method))


def resample(figure: Figure, users: NDArray[np.intp], count: int) -> Resampled:
    """Looks at a figure without each user in turn.

    Args:
        figure: Takes places of labels and returns the figure of these.
        users: (labels,): each label's user.
        count: Number of users of the task.
    """
    items = np.bincount(users, minlength=count).astype(np.float64)
    value = _number(figure, np.arange(len(users)))
    without = [_number(figure, np.flatnonzero(users != user)) if items[user] else value for user in range(count)]
    return Resampled(value, np.array(without), items)


def mean_figure(some: Sequence[Resampled]) -> Resampled:
    """Returns the mean of some figures on the same users; its number of labels is that of all."""
    return Resampled(
        float(np.mean([each.value for each in some])),
        np.mean([each.without for each in some], axis=0),
        np.sum([each.items for each in some], axis=0),
    )


def two_sided(found: Spread) -> float:
    """Returns how likely a figure at least this far from 0 would be if it were 0.

    Example:
        >>> round(two_sided(Spread(0.25, 0.1, 11, 12)), 3)
        0.03
    """
    estimate = Estimate(found.value, found.deviation, found.freedom, np.empty(0), found.users, enough=True)
    return float(np.minimum(2 * tail(estimate), 1.0))


def rejected(p_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Returns which of several hypotheses fall, none of them wrongly at this level, by Holm's test.

    Holm, Scandinavian Journal of Statistics 6 (1979): from the smallest p value on, each is held against the level
    divided by the number of those left, until one stands.

    Example:
        >>> rejected([0.04, 0.01, 0.03])
        [False, True, False]
    """
    fall = [False] * len(p_values)
    for done, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[place] > level / (len(p_values) - done):
            break
        fall[place] = True
    return fall


def _number(figure: Figure, left: NDArray[Any]) -> float:
    found = figure(left)
    return math.nan if found is None else found
