"""Score against size: which models score highest for their number of parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from evaluator.plurals import several
from leaderboard.board.build import BoardRow
from leaderboard.pages.facts import size_in_words
from leaderboard.pages.figures import bounds, estimate, figure, share
from leaderboard.pages.model.asked import model_address
from leaderboard.pages.plots.frontier import frontier
from leaderboard.pages.plots.places import Place, ranked_of
from leaderboard.pages.plots.plotted import (
    Axis,
    Chart,
    Heading,
    Plotted,
    Row,
    Series,
    count_of,
    ends_of,
    label_of,
)

MOST_INTERVALS = 150
"""Models whose intervals are all drawn; of more, those on the frontier alone, or nothing else could be seen."""
TITLE = "Score against size"
_SAYS = (
    "Each mark is one result: the further to the right, the more parameters the model has, and the higher, the better "
    "it did. A diamond is on the efficient frontier: no model of at most its size has a higher Total. The frontier "
    "goes by the Totals alone; where intervals overlap it is open which model belongs there."
)
_FIELDS = (
    *("scorecard", "model", "adapter", "revision", "parameters"),
    *("total", "total_low", "total_high", "users", "judged", "items", "rank", "rank_low", "rank_high", "on_frontier"),
)
_HEADINGS = (
    Heading("Size", "parameters"),
    Heading("Total", "points of 87.5, 95 %"),
    Heading("Judged", "items"),
    Heading("Rank"),
    Heading("Efficient frontier"),
)


def size_plot(place: Place) -> Plotted:
    """Draws the Totals of a ranking against the sizes of its models; of an adapter that is the size of its base.

    Args:
        place: The ranking.
    """
    chosen = ranked_of(place)
    sized = [row for row in chosen.rows if row.total.value is not None and _size(row)]
    left_out = ((len(chosen.rows) - len(sized), "of unknown size"), *chosen.left_out)
    on = set(frontier([_size(row) for row in sized], [row.total.value or 0.0 for row in sized]))
    models = [row.scorecard_id for place, row in enumerate(sized) if place in on]
    plain = Plotted(place.asked, TITLE, _SAYS, (), "", _HEADINGS, _FIELDS, notes=place.notes, choices=place.choices)
    if not sized:
        return plain._replace(empty=_why_nothing(chosen.rows), counted=count_of(0, "result", left_out))
    rows = sorted(sized, key=lambda row: (row.scorecard_id not in models, _size(row), -(row.total.value or 0.0)))
    return plain._replace(
        found=tuple(_found(sized, sorted(on), chosen.unranked, place)),
        counted=count_of(len(sized), "result", left_out),
        rows=tuple(_row(row, row.scorecard_id in models) for row in rows),
        chart=_chart(rows, len(models)),
    )


def _found(sized: Sequence[BoardRow], on: Sequence[int], unranked: bool, place: Place) -> Iterable[str]:
    """Yields what the plot comes to, in sentences."""
    yield f"{several(len({row.model for row in sized}), 'model')} of {place.of}; {len(on):,} on the frontier."
    if place.whose:
        yield place.whose
    if unranked:
        yield "None of these results ranks; the board says why."
    if len(sized) > MOST_INTERVALS:
        yield "Intervals are drawn on the frontier alone, and stand in the table of all."


def _why_nothing(rows: Sequence[BoardRow]) -> str:
    """Says why there is nothing to draw."""
    return "The size of no model here is known." if rows else "No results yet."


def _size(row: BoardRow) -> int:
    """Returns a model's parameters; 0 where nobody knows."""
    return (row.facts.parameters if row.facts else None) or 0


def _row(row: BoardRow, on: bool) -> Row:
    """Lays one result out."""
    total, rank = row.total, row.rank_interval or (None, None)
    within = ends_of(total.interval) or (None, None)
    ranked = "–" if row.rank is None else f"{row.rank:,} ({rank[0]:,}–{rank[1]:,})"
    return Row(
        row.model if row.adapter is None else f"{row.model} with {row.adapter}",
        model_address(row.scorecard_id),
        (
            size_in_words(_size(row)),
            estimate(total.value, total.interval),
            f"{share(total.judged, total.items)}, {total.judged:,} of {total.items:,}",
            ranked,
            "on it" if on else "below it",
        ),
        (
            *(row.scorecard_id, row.model, row.adapter, row.revision, _size(row)),
            *(total.value, *within, total.interval.users if total.interval else row.users, total.judged, total.items),
            *(row.rank, *rank, on),
        ),
    )


def _chart(rows: Sequence[BoardRow], on: int) -> Chart:
    """Draws results, those on the frontier first."""
    sizes = [_size(row) for row in rows]
    ticks = ticks_between(min(sizes), max(sizes))
    many = len(rows) > MOST_INTERVALS
    below = _series("Other models", rows[on:])._replace(colour="accent", symbol="circle-open")
    frontier_ = _series("Efficient frontier", rows[:on])._replace(colour="win", symbol="diamond")
    return Chart(
        Axis(
            "Parameters",
            ticks[0],
            ticks[-1],
            log=True,
            ticks=ticks,
            labels=tuple(map(_tick, ticks)),
        ),
        Axis("Total, points of 87.5"),
        (below._replace(y_ends=()) if many else below, frontier_._replace(line="solid", stepped=True)),
    )


def _series(name: str, rows: Sequence[BoardRow]) -> Series:
    """Returns the marks of some results."""
    return Series(
        name,
        "accent",
        "circle",
        [_size(row) for row in rows],
        [row.total.value for row in rows],
        [
            f"{label_of(row.model)}\n{size_in_words(_size(row))}\nTotal {figure(row.total.value)}, "
            f"{bounds(row.total.interval)}"
            for row in rows
        ],
        y_ends=[ends_of(row.total.interval) for row in rows],
    )


def _tick(value: float) -> str:
    """Writes a round number of parameters.

    Example:
        >>> _tick(1e9), _tick(5e8)
        ('1B', '500M')
    """
    return size_in_words(round(value)).replace(".0", "")


def ticks_between(low: float, high: float) -> tuple[float, ...]:
    """Returns round values from below the lowest to above the highest, so many that a logarithmic axis can be read.

    Args:
        low: Above 0.
        high: At least as much.

    Example:
        >>> ticks_between(134_515_008, 7_615_616_512)
        (100000000.0, 1000000000.0, 10000000000.0)
        >>> ticks_between(2e9, 2e9)
        (1000000000.0, 2000000000.0, 5000000000.0)
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if last - first > 1:
        return tuple(10.0**power for power in range(first, last + 1))
    steps = [step * 10.0**power for power in range(first - 1, last + 2) for step in (1, 2, 5)]
    begin = max(each for each in steps if each < low)
    end = min(each for each in steps if each > high)
    return tuple(each for each in steps if begin <= each <= end)
