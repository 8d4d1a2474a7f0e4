"""How long something will take, told from what was measured; nothing is said where nothing was."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from pydantic import Field

from evaluator.records import Record

PACE_SECONDS = 300
"""How far back a pace looks."""
NEAREST = 7
"""Most runs that an expectation rests on."""
SAME_SIZE = 1.5
"""Factor in parameters within which models take the same time, as far as anybody can tell beforehand."""
FURTHEST = 8.0
"""Factor in parameters beyond which what a model took tells nothing about another one."""


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


class Cost(Record):
    """What one finished run of a model took.

    Example:
        >>> Cost(run_id="s-20260101-0a1b2c3d.demo-v1", items=100, seconds=50.0, parameters=8_000_000_000).schema_version
        2
    """

    schema_version: Literal[1, 2] = 2
    """1 is a note from before it was noted of which run and size it was; it tells nothing about a model."""
    run_id: str | None = None
    items: int = Field(ge=0)
    """Questions that were asked."""
    seconds: float = Field(ge=0)
    """Of all its workers together, loading included."""
    parameters: int | None = Field(default=None, gt=0)
    """Of the model; None where they are not known."""


class Estimate(NamedTuple):
    """A time that is expected."""

    seconds: float
    measurements: int
    """How many measurements this rests on; 0 where there is nothing to do."""


NOTHING_TO_DO = Estimate(0.0, 0)


class Expectation(NamedTuple):
    """What one worker is expected to take for a whole run of a model, told from what other runs took."""

    seconds: float
    least: float
    """The shortest that the runs tell, in seconds."""
    most: float
    """The longest."""
    runs: int
    """How many it rests on."""
    sizes: tuple[int, int]
    """Parameters of the smallest and of the largest of their models."""
    measured: bool
    """Whether these are of this model's size; if not, it is worked out from those of others."""

    @property
    def estimate(self) -> Estimate:
        """The time alone, with the number of runs."""
        return Estimate(self.seconds, self.runs)


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


def expected(costs: Sequence[Cost], parameters: int | None, items: int | None) -> Expectation | None:
    """Returns what one worker takes for a run of a model that has not begun; None where nothing like it was measured.

    Runs count that asked as many questions, of models of nearly its size on a logarithmic scale, the nearest
    `NEAREST` of them, the latest among equals. If some are of its size, within a factor of `SAME_SIZE`, it takes the
    median of these, and the interval is what they span. If none is, those within a factor of `FURTHEST` are scaled.
    What a run took at this size lies between as long as it did (loading, the judge) and as many times as long as the
    model has parameters (prefilling and decoding): the geometric middle of the two is taken of each run, then the
    median, and the interval spans both ends of all.

    Args:
        costs: What runs of the same protocol took, the latest first.
        parameters: Of the model; None where they are not known, which tells nothing.
        items: Questions that it is asked; None where that is not known, and runs of any number count.

    Example:
        >>> def took(minutes: float, billions: float) -> Cost:
        ...     return Cost(items=100, seconds=60 * minutes, parameters=int(billions * 1e9))
        >>> expected([took(20, 7), took(30, 8), took(600, 70)], 8_000_000_000, 100)
        Expectation(seconds=1500.0, least=1200.0, most=1800.0, runs=2, sizes=(7000000000, 8000000000), measured=True)
        >>> expected([took(10, 2)], 8_000_000_000, 100)
        Expectation(seconds=1200.0, least=600.0, most=2400.0, runs=1, sizes=(2000000000, 2000000000), measured=False)
        >>> expected([took(600, 70)], 100_000_000, 100) is None
        True
    """
    if not parameters:
        return None
    sized = [
        (parameters / cost.parameters, cost.seconds, cost.parameters)
        for cost in costs
        if cost.parameters and items in (None, cost.items)
    ]
    nearest = sorted(sized, key=lambda run: abs(math.log(run[0])))[:NEAREST]
    same = [run for run in nearest if _within(run[0], SAME_SIZE)]
    rests_on = same or [run for run in nearest if _within(run[0], FURTHEST)]
    if not rests_on:
        return None
    ends = [(seconds, seconds if same else seconds * ratio) for ratio, seconds, _ in rests_on]
    sizes = [size for *_, size in rests_on]
    return Expectation(
        seconds=statistics.median(math.sqrt(low * high) for low, high in ends),
        least=min(map(min, ends)),
        most=max(map(max, ends)),
        runs=len(rests_on),
        sizes=(min(sizes), max(sizes)),
        measured=bool(same),
    )


def together(parts: Sequence[Expectation | None]) -> Expectation | None:
    """Returns what several runs of a model take one after the other; None if of one nothing is known, or there is none.

    Example:
        >>> short = Expectation(60.0, 50.0, 90.0, 3, (7, 8), measured=True)
        >>> together([short, Expectation(600.0, 600.0, 600.0, 1, (2, 2), measured=False)])
        Expectation(seconds=660.0, least=650.0, most=690.0, runs=4, sizes=(2, 8), measured=False)
        >>> together([short, None]) is None
        True
    """
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    return Expectation(
        seconds=sum(part.seconds for part in known),
        least=sum(part.least for part in known),
        most=sum(part.most for part in known),
        runs=sum(part.runs for part in known),
        sizes=(min(part.sizes[0] for part in known), max(part.sizes[1] for part in known)),
        measured=all(part.measured for part in known),
    )


def _within(ratio: float, factor: float) -> bool:
    """Says whether two sizes differ by no more than a factor."""
    return 1 / factor <= ratio <= factor


class Place(NamedTuple):
    """One run that waits for its first worker."""

    workers: frozenset[int]
    """Which of the workers could take it, by their place among all."""
    lasts: Estimate | None
    """How long it keeps one; None where nothing tells."""


def beginnings(waiting: Iterable[Place], free: Sequence[Estimate | None]) -> Iterator[Estimate | None]:
    """Yields how long each of some runs waits; None where no worker could take it, or too little is known.

    Each takes the worker that is free first of those that it could take, and keeps it to its end. Where it is not known
    when, any of these may be the one.

    Args:
        waiting: In the order in which they are served.
        free: How long each worker is busy with what it has, `NOTHING_TO_DO` if it is idle; None where nothing tells.

    Example:
        >>> either, one = frozenset({0, 1}), frozenset({1})
        >>> queue = [Place(either, Estimate(60.0, 5)), Place(one, Estimate(90.0, 5)), Place(either, None)]
        >>> [each and each.seconds for each in beginnings(queue, [NOTHING_TO_DO, Estimate(30.0, 4)])]
        [0.0, 30.0, 60.0]
    """
    left = list(free)
    for workers, lasts in waiting:
        known = {worker: each for worker in workers if (each := left[worker]) is not None}
        first = min(known, key=lambda worker: (known[worker].seconds, worker), default=None)
        if first is None or (len(known) < len(workers) and known[first].seconds > 0):
            yield None
            left = [None if worker in workers else each for worker, each in enumerate(left)]
            continue
        begins = known[first]
        yield begins
        left[first] = lasts and Estimate(begins.seconds + lasts.seconds, begins.measurements + lasts.measurements)
