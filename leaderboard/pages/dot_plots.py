"""Where the marks of a dot plot stand: figures in, places along one line out, and no drawing.

A row is one thing with its figure, its interval and what it is to be read beside; all rows share one axis. Places are
in percent of that axis, so that a template can draw them at any width (`templates/plots.html`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

_MOST_TICKS = 6
_MOST_DOUBLINGS = 20
"""Powers of two to either side that a logarithmic axis has room for: a millionfold."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0, 20.0)
"""By which a unit is multiplied to make round steps; the last one is wide enough however ends are rounded outwards."""


Shape: TypeAlias = Literal["diamond", "stroke"]
"""How a mark is drawn: what it is never hangs on its colour alone."""


class Scale(StrEnum):
    """How values become places."""

    LINEAR = "linear"
    LOG = "log"
    """Equal ratios are equally long; of values above 0."""


class Mark(NamedTuple):
    """What a figure is to be read beside, on the same line."""

    name: str
    value: float
    shape: Shape


class Dot(NamedTuple):
    """One row of a plot."""

    name: str
    value: float | None
    """None where there is no figure."""
    low: float | None = None
    high: float | None = None
    """Ends of the interval; None where there is none."""
    marks: tuple[Mark, ...] = ()
    written: str = ""
    """The figure as it is read."""
    notes: tuple[str, ...] = ()
    """What stands below it: its interval, or why there is none, what it is of, and what is beside it."""
    strong: bool = False
    """Whether it stands out from the others."""
    address: str = ""
    """Where more of it stands."""


class Axis(NamedTuple):
    """The line that all rows share."""

    low: float
    high: float
    scale: Scale
    ticks: tuple[float, ...]
    """Values that are written below it, rising."""
    reference: float | None = None
    """The value that says nothing, such as a ratio of 1."""


class Place(NamedTuple):
    """Where a value stands."""

    at: float
    """In 0..100, percent of the axis from the left."""
    cut: bool
    """Whether the value lies beyond the axis, so that this is only its end."""


class Span(NamedTuple):
    """Where an interval stands."""

    low: Place
    high: Place


class Tick(NamedTuple):
    """A value below the axis."""

    at: float
    label: str


class PlacedMark(NamedTuple):
    """Where a mark stands."""

    mark: Mark
    place: Place


class Row(NamedTuple):
    """A dot with its places."""

    dot: Dot
    place: Place | None
    span: Span | None
    marks: tuple[PlacedMark, ...]
    says: str
    """What is drawn, in words."""


class Plot(NamedTuple):
    """All that is drawn."""

    rows: tuple[Row, ...]
    ticks: tuple[Tick, ...]
    reference: float | None
    """Where the reference of the axis stands; None where it has none."""
    shapes: tuple[tuple[Shape, str], ...]
    """Shape and name of each kind of mark that is drawn, in the order in which they come."""


class Bar(NamedTuple):
    """A rate in percent beside what it must keep to."""

    length: float | None
    """In 0..100; None where there is no rate."""
    allowed: tuple[float, float] | None
    """From where to where it may reach; None without a bound."""
    bound: float | None
    """Where the bound stands."""


def dot_plot(rows: Iterable[Dot], axis: Axis) -> Plot:
    """Places rows on an axis.

    Args:
        rows: In the order in which they are shown.
        axis: What they share.

    Example:
        >>> plot = dot_plot([Dot("a", 0.5, 0.25, 2.0)], Axis(0.0, 1.0, Scale.LINEAR, (0.0, 1.0)))
        >>> plot.rows[0].place.at, plot.rows[0].span.low.at, plot.rows[0].span.high
        (50.0, 25.0, Place(at=100.0, cut=True))
    """
    placed = tuple(_row(dot, axis) for dot in rows)
    shapes = {each.mark.name: each.mark.shape for row in placed for each in row.marks}
    return Plot(
        placed,
        tuple(Tick(place_of(tick, axis).at, written(tick, axis.scale)) for tick in axis.ticks),
        None if axis.reference is None else place_of(axis.reference, axis).at,
        tuple((shape, name) for name, shape in shapes.items()),
    )


def axis_of(
    rows: Iterable[Dot],
    scale: Scale = Scale.LINEAR,
    *,
    shown: tuple[float, float],
    most: tuple[float, float] | None = None,
    reference: float | None = None,
) -> Axis:
    """Returns an axis on which every figure and mark has a place, and intervals as far as they do not dwarf them.

    Args:
        rows: What is to be placed.
        scale: How values become places.
        shown: Values that the axis holds whatever the rows say: its ends where they all lie between.
        most: How far it goes for the sake of an interval; None goes as far as they do.
        reference: The value that says nothing.

    Raises:
        ValueError: If `shown` has no length, or holds a value that a logarithmic axis has no place for.

    Example:
        >>> axis_of([Dot("a", 1.3)], shown=(0.0, 1.0)).ticks
        (0.0, 0.5, 1.0, 1.5)
        >>> axis_of([Dot("a", 3.0)], Scale.LOG, shown=(0.5, 2.0)).ticks
        (0.5, 1.0, 2.0, 4.0)
    """
    low, high = shown
    if not low < high or (scale is Scale.LOG and low <= 0):
        raise ValueError(f"an axis cannot begin with {shown}")
    wanted = [low, high, *_wanted(rows, most)]
    if reference is not None:
        wanted.append(reference)
    if scale is Scale.LOG:
        ticks = _doublings([value for value in wanted if value > 0])
    else:
        ticks = _even_steps(min(wanted), max(wanted))
    return Axis(ticks[0], ticks[-1], scale, ticks, reference)


def place_of(value: float, axis: Axis) -> Place:
    """Returns where a value stands; one beyond the axis stands at its end.

    Example:
        >>> place_of(1.0, Axis(0.25, 4.0, Scale.LOG, ())), place_of(0.0, Axis(0.25, 4.0, Scale.LOG, ()))
        (Place(at=50.0, cut=False), Place(at=0.0, cut=True))
    """
    if value < axis.low or value > axis.high:
        return Place(0.0 if value < axis.low else 100.0, True)
    low, high, at = (_on(axis.scale, each) for each in (axis.low, axis.high, value))
    return Place(round(100 * (at - low) / (high - low), 3), False)


def written(value: float, scale: Scale) -> str:
    """Writes a value below an axis; a ratio under 1 as a fraction.

    Example:
        >>> written(0.25, Scale.LOG), written(2.0, Scale.LOG), written(-0.5, Scale.LINEAR), written(0.0, Scale.LINEAR)
        ('1/4', '2', '−0.5', '0')
    """
    if scale is Scale.LOG and value < 1:
        return f"1/{1 / value:,.0f}"
    return f"{value:,.6g}".replace("-", "−")


def bar_of(rate: float | None, at_least: float | None, at_most: float | None) -> Bar:
    """Places a rate in percent beside its bound.

    Args:
        rate: In 0..100; None where there is none.
        at_least: What it must reach; None without such a bound.
        at_most: What it must not pass; None without such a bound.

    Example:
        >>> bar_of(12.5, None, 5.0)
        Bar(length=12.5, allowed=(0.0, 5.0), bound=5.0)
    """
    bound = at_most if at_least is None else at_least
    allowed = None if bound is None else (at_least or 0.0, 100.0 if at_most is None else at_most)
    return Bar(rate, allowed, bound)


def _wanted(rows: Iterable[Dot], most: tuple[float, float] | None) -> Iterable[float]:
    """Yields the values that need a place; of intervals those that are not too far out."""
    for row in rows:
        if row.value is not None:
            yield row.value
        yield from (mark.value for mark in row.marks)
        for end in (row.low, row.high):
            if end is not None:
                yield end if most is None else min(max(end, most[0]), most[1])


def _even_steps(low: float, high: float) -> tuple[float, ...]:
    """Returns round values, evenly apart, from below the lowest to above the highest."""
    rough = (high - low) / (_MOST_TICKS - 1)
    unit = 10.0 ** math.floor(math.log10(rough))
    for step in (unit * step for step in _STEPS):
        first, last = math.floor(round(low / step, 9)), math.ceil(round(high / step, 9))
        if last - first < _MOST_TICKS:
            break
    return tuple(round(place * step, 12) + 0.0 for place in range(first, last + 1))


def _doublings(values: Sequence[float]) -> tuple[float, ...]:
    """Returns powers of two from below the lowest to above the highest; so few that they can be read, 1 among them."""
    low = max(-_MOST_DOUBLINGS, math.floor(round(math.log2(min(values)), 9)))
    high = min(_MOST_DOUBLINGS, math.ceil(round(math.log2(max(values)), 9)))
    every = max(1, math.ceil((high - low) / (_MOST_TICKS - 1)))
    first, last = math.floor(low / every), math.ceil(high / every)
    return tuple(2.0 ** (place * every) for place in range(first, last + 1))


def _on(scale: Scale, value: float) -> float:
    """Returns a value as its scale measures it."""
    return math.log(value) if scale is Scale.LOG else value


def _row(dot: Dot, axis: Axis) -> Row:
    """Places one row; one without a figure has its marks all the same."""
    marks = tuple(PlacedMark(mark, place_of(mark.value, axis)) for mark in dot.marks)
    says = "; ".join((f"{dot.name}: {dot.written if dot.value is not None else 'no figure'}", *dot.notes))
    span = None
    if dot.value is not None and dot.low is not None and dot.high is not None:
        span = Span(place_of(dot.low, axis), place_of(dot.high, axis))
    return Row(dot, None if dot.value is None else place_of(dot.value, axis), span, marks, says)
