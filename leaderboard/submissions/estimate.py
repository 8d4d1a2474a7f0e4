"""How long something will take, told from what was measured; nothing is said where nothing was."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Sequence
from typing import NamedTuple

PACE_SECONDS = 300
"""How far back a pace looks."""


class Mark(NamedTuple):
    """What one batch of rows held."""

    at: float
    """Seconds by the clock of Redis."""
    rows: int
    """Answers and verdicts."""
    tokens: int
    """Tokens written by model and judge."""


class Pace(NamedTuple):
    """How fast a run goes, all workers together."""

    rows_per_second: float
    tokens_per_second: float
    measurements: int
    """Batches that this rests on."""


class Cost(NamedTuple):
    """What one finished run took."""

    items: int
    seconds: float
    """Of all its workers together, loading included."""


class Estimate(NamedTuple):
    """A time that is expected."""

    seconds: float
    measurements: int
    """How many measurements this rests on; 0 where there is nothing to do."""


NOTHING_TO_DO = Estimate(0.0, 0)


def pace_of(marks: Sequence[Mark], now: float) -> Pace | None:
    """Returns the pace of the last minutes; None with fewer than two batches in them, or after a jump of the clock.

    The first batch only begins the time: how long its own rows took is not known.

    Args:
        marks: Batches in any order.
        now: Seconds by the same clock.

    Example:
        >>> pace_of([Mark(100, 8, 400), Mark(110, 8, 400), Mark(116, 8, 200)], now=120)
        Pace(rows_per_second=0.8, tokens_per_second=30.0, measurements=2)
    """
    recent = sorted(mark for mark in marks if now - PACE_SECONDS <= mark.at <= now)
    if len(recent) < 2 or now <= recent[0].at:
        return None
    spent, later = now - recent[0].at, recent[1:]
    rows, tokens = sum(mark.rows for mark in later), sum(mark.tokens for mark in later)
    return Pace(rows / spent, tokens / spent, len(later))


def seconds_left(rows: int, pace: Pace | None) -> Estimate | None:
    """Returns how long a run in work still takes; None if nothing was measured, or nothing has come for long.

    Args:
        rows: Answers and verdicts that are still owed.
        pace: How fast it goes.

    Example:
        >>> seconds_left(40, Pace(0.5, 20.0, 12))
        Estimate(seconds=80.0, measurements=12)
        >>> seconds_left(40, None) is None
        True
    """
    if rows <= 0:
        return NOTHING_TO_DO
    if pace is None or pace.rows_per_second <= 0:
        return None
    return Estimate(rows / pace.rows_per_second, pace.measurements)


def expected_seconds(costs: Sequence[Cost], items: int | None = None) -> Estimate | None:
    """Returns what one worker takes for a run that has not begun: the median a question of those that were finished.

    Args:
        costs: What runs of the same protocol took.
        items: Questions that it asks; None takes as many as the others asked.

    Example:
        >>> expected_seconds([Cost(100, 50.0), Cost(100, 60.0), Cost(200, 400.0)], items=10)
        Estimate(seconds=6.0, measurements=3)
        >>> expected_seconds([]) is None
        True
    """
    known = [cost for cost in costs if cost.items > 0]
    if not known:
        return None
    a_question = statistics.median(cost.seconds / cost.items for cost in known)
    asked = statistics.median(cost.items for cost in known) if items is None else items
    return Estimate(a_question * asked, len(known))


def waiting_seconds(ahead: Sequence[Estimate | None], busy: Sequence[Estimate | None], workers: int) -> Estimate | None:
    """Returns how long a run waits for its first worker; None if there is no worker, or nothing to tell it from.

    Whoever is ahead takes the worker that is free first, and keeps it to the end.

    Args:
        ahead: What one worker takes for each run that is served before, in that order.
        busy: How long each worker that has work still has it.
        workers: How many there are, those that are busy among them.

    Example:
        >>> waiting_seconds([Estimate(60, 5), Estimate(90, 5)], [Estimate(30, 4)], workers=2)
        Estimate(seconds=60.0, measurements=14)
        >>> waiting_seconds([], [None], workers=2)
        Estimate(seconds=0.0, measurements=0)
        >>> waiting_seconds([], [None], workers=1) is None
        True
    """
    if workers <= 0:
        return None
    if len(ahead) + len(busy) < workers:
        return NOTHING_TO_DO
    known = [each for each in (*busy, *ahead) if each is not None]
    if len(known) < len(busy) + len(ahead):
        return None
    free = [*(each.seconds for each in known[: len(busy)]), *[0.0] * (workers - len(busy))]
    heapq.heapify(free)
    for each in known[len(busy) :]:
        heapq.heapreplace(free, free[0] + each.seconds)
    return Estimate(float(free[0]), sum(each.measurements for each in known))
