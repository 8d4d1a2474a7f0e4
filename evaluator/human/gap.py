"""The synthetic-to-human gap: a model's figure on made-up users, less the same figure on people's labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from evaluator.hicupid.scoring import rounded
from evaluator.human.figures import ALWAYS_YES, GAP
from evaluator.human.results import NamedFigure
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.records import small_record
from evaluator.results import Interval

_OF_CLASSES = ("f1_majority", f"f1_majority.{ALWAYS_YES}")
COMPARED: Mapping[AnyTask, tuple[str, ...]] = MappingProxyType(
    {
        Task.VERIFICATION: _OF_CLASSES,
        Task.RELEVANCE: _OF_CLASSES,
        JudgedTask.EXTRACTION: ("recall",),
    }
)
"""The figures that mean the same beside one truth as beside several people, such as F1 against the majority of all. F1
hangs on how common the class is, so that of always yes stands beside: its gap is what base rates alone make of it."""


@small_record
class Gap(NamedFigure):
    """A gap of a scorecard on labels, and what is behind it: it is never stored with the scorecard."""

    other_scorecard_id: str
    """The scorecard on made-up users."""
    other_answered_share: float | None
    """Share of that one's items with an answer that can be read, 0 to 1; None without items."""


def gap_name(figure: str) -> str:
    """Names the gap of a figure.

    Example:
        >>> gap_name("recall"), gap_name("f1_majority.always_yes")
        ('recall.gap', 'f1_majority.gap.always_yes')
    """
    name, *whose = figure.split(".")
    return ".".join((name, GAP, *whose))


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
        ...     return NamedFigure(name="recall", value=value, interval=ends, labels=90, users=20, tied=0, reason=None)
        >>> gap = synthetic_gap(f1(0.9, 0.86, 0.93), f1(0.5, 0.46, 0.53))
        >>> gap.name, gap.value, gap.interval.low, gap.interval.high, gap.users
        ('recall.gap', 0.4, 0.35, 0.45, 40)
    """
    value, ends = _difference(synthetic, labelled)
    return NamedFigure(
        name=gap_name(labelled.name),
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
