"""The synthetic-to-human gap: a model's figure on made-up users, less the same figure on people's labels."""

from __future__ import annotations

import math

from evaluator.hicupid.scoring import rounded
from evaluator.human.results import HumanResult, NamedFigure
from evaluator.human.tasks import Task
from evaluator.records import Record
from evaluator.results import Interval

GAPS = ("f1_majority",)
"""Figures that mean the same beside one truth as beside several people: those against the majority of all."""


class SyntheticGap(Record):
    """By how much a model does better on made-up users than on people."""

    task: Task
    figure: str
    """Which figure, such as `f1_majority`."""
    synthetic: float
    """On made-up users."""
    human: float
    """On people's labels."""
    value: float
    """The first less the second: above 0 where made-up users flatter the model."""
    interval: Interval | None
    """95 %; None unless both figures have one."""
    users: tuple[int, int]
    """Made-up users, and people."""


def synthetic_gap(synthetic: HumanResult, human: HumanResult, name: str = GAPS[0]) -> SyntheticGap | None:
    """Returns the gap of a figure; None where one of the two is not defined.

    The samples are independent, so their intervals are put together by the distances of either from its figure, on the
    side that matters: MOVER (Zou and Donner, Statistics in Medicine 27, 2008, 1693-1702).

    Args:
        synthetic: The result on made-up users.
        human: The result of the same task on people's labels.
        name: The figure.

    Raises:
        ValueError: If they are results of different tasks.
    """
    if synthetic.task is not human.task:
        raise ValueError(f"{synthetic.task} is not {human.task}")
    first, second = synthetic.figure(name), human.figure(name)
    if first is None or second is None or first.value is None or second.value is None:
        return None
    return SyntheticGap(
        task=human.task,
        figure=name,
        synthetic=first.value,
        human=second.value,
        value=rounded(first.value - second.value),
        interval=_difference(first, first.value, second, second.value),
        users=(first.users, second.users),
    )


def _difference(one: NamedFigure, value: float, other: NamedFigure, other_value: float) -> Interval | None:
    """Returns the interval of a difference of independent figures."""
    if one.interval is None or other.interval is None:
        return None
    below = math.hypot(value - one.interval.low, other.interval.high - other_value)
    above = math.hypot(one.interval.high - value, other_value - other.interval.low)
    gap = value - other_value
    users = min(one.interval.users, other.interval.users)
    return Interval(low=rounded(gap - below), high=rounded(gap + above), users=users)
