"""The synthetic-to-human gap: a model's figure on made-up users, less the same figure on people's labels."""

from __future__ import annotations

import math

from evaluator.hicupid.scoring import rounded
from evaluator.human.figures import GAP
from evaluator.human.results import NamedFigure
from evaluator.results import Interval

COMPARED = "f1_majority"
"""The figure that means the same beside one truth as beside several people: that against the majority of all."""


def synthetic_gap(synthetic: NamedFigure, labelled: NamedFigure) -> NamedFigure:
    """Returns by how much a figure is higher on made-up users than on labels, as a figure of its own.

    The samples are independent, so their intervals are put together by the distances of either from its figure, on the
    side that matters: MOVER (Zou and Donner, Statistics in Medicine 27, 2008, 1693-1702). There is no interval unless
    both have one. Labels, users and ties are those of both together; the interval rests on the users of the smaller
    sample.

    Args:
        synthetic: The figure on made-up users.
        labelled: The same on people's labels, or on those that stand in their place.

    Example:
        >>> def f1(value: float, low: float, high: float) -> NamedFigure:
        ...     ends = Interval(low=low, high=high, users=20)
        ...     return NamedFigure(name=COMPARED, value=value, interval=ends, labels=90, users=20, tied=0, reason=None)
        >>> gap = synthetic_gap(f1(0.9, 0.86, 0.93), f1(0.5, 0.46, 0.53))
        >>> gap.name, gap.value, gap.interval.low, gap.interval.high, gap.users
        ('f1_majority.gap', 0.4, 0.35, 0.45, 40)
    """
    value, ends = _difference(synthetic, labelled)
    return NamedFigure(
        name=f"{labelled.name}.{GAP}",
        value=value,
        interval=ends,
        labels=synthetic.labels + labelled.labels,
        users=synthetic.users + labelled.users,
        tied=synthetic.tied + labelled.tied,
        reason="undefined" if value is None else synthetic.reason or labelled.reason,
    )


def _difference(one: NamedFigure, other: NamedFigure) -> tuple[float | None, Interval | None]:
    """Returns the one less the other, and its interval, as far as there are such."""
    if one.value is None or other.value is None:
        return None, None
    gap = one.value - other.value
    if one.interval is None or other.interval is None:
        return _shown(gap), None
    below = math.hypot(one.value - one.interval.low, other.interval.high - other.value)
    above = math.hypot(one.interval.high - one.value, other.value - other.interval.low)
    users = min(one.interval.users, other.interval.users)
    return _shown(gap), Interval(low=_shown(gap - below), high=_shown(gap + above), users=users)


def _shown(value: float) -> float:
    """Rounds what is published; a zero has no sign."""
    return rounded(value) or 0.0
