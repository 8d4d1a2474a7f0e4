"""Rank history: where results stood at each recorded change of the board, and where they stand now."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from evaluator.identity import digest
from leaderboard.board.build import BoardRow
from leaderboard.board.changes import Changes
from leaderboard.board.rankings import ranking_of
from leaderboard.open_data.changes import OpenChange
from leaderboard.pages.model.asked import model_address
from leaderboard.pages.plots.asked import MOST_IDS, RANKS, Asked
from leaderboard.pages.plots.places import Place
from leaderboard.pages.plots.plotted import (
    LABEL_LENGTH,
    Axis,
    Chart,
    Colour,
    Heading,
    Line,
    Plotted,
    Row,
    Series,
    count_of,
    label_of,
)

_WEEK = datetime.timedelta(days=7)
_APART = 100
"""Of the time that is drawn, the part by which each line stands to the right of the one before it."""
UNASKED = 5
"""Results that are drawn where none is asked for: the first of the ranking."""
TITLE = "Rank history"
_SAYS = (
    "Each line is one result, and its height is its rank, the first on top. A rank is 1 + the number of results that "
    "are significantly better. A bar spans the ranks that the data left open, at 95 % for the whole ranking together. "
    "A move is recorded once it makes a tenth of the rank and one rank at least, so a line ends with the rank of now. "
    "Lines are drawn a little apart, so that bars of one day can be seen; the table has the days."
)
_FIELDS = (
    *("scorecard", "model", "at", "what", "reason"),
    *("rank", "rank_low", "rank_high", "ranked", "total"),
)
_HEADINGS = (
    Heading("Day", "UTC"),
    Heading("What"),
    Heading("Rank", "of its judge, 95 %"),
    Heading("Ranked", "results"),
    Heading("Total", "points of 87.5"),
)
_LOOKS: Sequence[tuple[Colour, str]] = (
    ("accent", "circle"),
    ("loss", "diamond"),
    ("win", "square"),
    ("mark-ink", "triangle-up"),
    ("ink", "cross"),
    ("soft", "x"),
    ("accent", "star"),
    ("loss", "hexagon"),
)
_STEPS, _MOST_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000), 8
"""By how much ticks of ranks may lie apart, and how many there are."""
_LINES: Sequence[Line] = ("solid", "dash", "dot", "dashdot")
_WORDS = {"entered": "came to the board", "moved": "moved"}


class Moment(NamedTuple):
    """Where one result stood from some moment on."""

    row: BoardRow
    at: datetime.datetime
    """When the board was written that tells it: what happened before the record began is told as it was found then."""
    what: str
    reason: str | None
    rank: int | None
    """None where it did not rank."""
    ends: tuple[int, int] | None
    ranked: int
    total: float | None


def ranks_plot(place: Place, changes: Changes) -> Plotted:
    """Draws how the ranks of some results of a ranking moved.

    Args:
        place: The ranking; its address names the results, and without one the first are drawn.
        changes: The record of changes.

    Raises:
        RapportError: `data_error` if a row of the record is no change.
    """
    rows, ids, notes = _named(place)
    now = _now(place, changes)
    moments = [each for row in rows for each in moments_of(row, changes.of(row.scorecard_id), now, place)]
    asked = place.asked._replace(ids=ids)
    ranking = sum(row.rank_under_judge is not None for row in place.models)
    others = ranking - sum(row.rank_under_judge is not None for row in rows)
    plain = Plotted(
        *(asked, TITLE, _SAYS, (), count_of(len(rows), "result", [(others, "that rank as well: name them above")])),
        *(_HEADINGS, _FIELDS),
        notes=(*place.notes, *notes),
        choices=place.choices,
    )
    if not rows:
        return plain._replace(empty="No result ranks here yet." if place.models else "No results yet.")
    return plain._replace(
        found=tuple(_found(moments, changes, place)),
        rows=tuple(map(_row, moments)),
        chart=_chart(rows, moments),
    )


def moments_of(row: BoardRow, changes: Iterable[OpenChange], now: datetime.datetime, place: Place) -> Iterator[Moment]:
    """Yields where a result stood, in the order in which that was; the last is where it stands now.

    Args:
        row: The result.
        changes: What is told of it, in the order in which it was written.
        now: When the last one is.
        place: The ranking.
    """
    own = [each for each in changes if each.scorecard_id == row.scorecard_id]
    for each in sorted(own, key=lambda change: change.recorded_at):
        low, high = each.rank_after_low, each.rank_after_high
        ends = None if low is None or high is None else (low, high)
        told = (each.rank_after, ends, each.ranked, each.total_after)
        yield Moment(row, each.recorded_at, _WORDS.get(each.kind, each.kind), each.reason, *told)
    ranked = sum(other.rank_under_judge is not None for other in place.models)
    told_now = (row.rank_under_judge, row.rank_under_judge_interval, ranked, row.total.value)
    yield Moment(row, max([now, *(each.recorded_at for each in own)]), "stands now", None, *told_now)


def history_address(row: BoardRow) -> str:
    """Returns where the rank history of a result is drawn.

    Example:
        >>> history_address(row)  # doctest: +SKIP
        '/plots?plot=ranks&protocol=demo-v1&ranking=0a1b2c3d&ids=s-1.demo-v1@demo'
    """
    judge, table = "" if row.judge_status == "official" else row.judge, digest(ranking_of(row))[:8]
    return Asked(RANKS, protocol=row.protocol, ranking=table, judge=judge, ids=(row.scorecard_id,)).address


class _Named(NamedTuple):
    """The results that are drawn."""

    rows: list[BoardRow]
    ids: tuple[str, ...]
    """As an address names them; nothing where they are drawn unasked."""
    notes: list[str]
    """What of the address could not be meant."""


def _named(place: Place) -> _Named:
    """Returns the results that are asked for, or the first of the ranking."""
    ordered = sorted(place.models, key=_order)
    first = [row for row in ordered if row.rank_under_judge is not None][:UNASKED]
    by_name = {row.model: row for row in reversed(ordered)} | {row.scorecard_id: row for row in ordered}
    found = list({by_name[each].scorecard_id: by_name[each] for each in place.asked.ids if each in by_name}.values())
    notes = [f"{each} has no result in this ranking." for each in place.asked.ids if each not in by_name][:3]
    if len(found) > MOST_IDS:
        notes.append(f"{MOST_IDS} results are drawn at most; {len(found) - MOST_IDS} of those asked for are not.")
    if not found or found == first:
        return _Named(first, (), notes)
    return _Named(found[:MOST_IDS], _ids(found[:MOST_IDS], place), notes)


def _order(row: BoardRow) -> tuple[bool, int, float]:
    """Sorts results by rank under their judge, unranked ones last."""
    return row.rank_under_judge is None, row.rank_under_judge or 0, -(row.total.value or 0.0)


def _ids(rows: Iterable[BoardRow], place: Place) -> tuple[str, ...]:
    """Names results as an address does: a model by its name where that says which result is meant."""
    every = Counter(row.model for row in place.models)
    return tuple(row.model if every[row.model] == 1 and _fits(row.model) else row.scorecard_id for row in rows)


def _fits(name: str) -> bool:
    """Says whether a name can stand in a list."""
    return "," not in name and name == name.strip() and name.isprintable() and len(name) <= LABEL_LENGTH


def _now(place: Place, changes: Changes) -> datetime.datetime:
    """Returns until when lines are drawn: the last moment that the record or the ranking tells of."""
    every = [row.published_at for row in place.models]
    if changes.table.num_rows:
        every.append(changes.table["recorded_at"][changes.table.num_rows - 1].as_py())
    return max(every, default=datetime.datetime.fromtimestamp(0, datetime.UTC))


def _found(moments: Sequence[Moment], changes: Changes, place: Place) -> Iterator[str]:
    """Yields what the plot comes to, in sentences."""
    moved = sum(each.what == _WORDS["moved"] for each in moments)
    begins = f" since {changes.begins:%Y-%m-%d}" if changes.begins else ""
    yield f"Results of {place.of}; {moved:,} moves are recorded of them{begins}."
    if place.whose:
        yield place.whose
    if not changes.begins:
        yield "Nothing is recorded of the board yet, so only the ranks of now are drawn."


def _row(moment: Moment) -> Row:
    """Lays one moment out."""
    low, high = moment.ends or (None, None)
    why = f" ({moment.reason.replace('_', ' ')})" if moment.reason else ""
    return Row(
        moment.row.model,
        model_address(moment.row.scorecard_id),
        (
            f"{moment.at:%Y-%m-%d}",
            f"{moment.what}{why}",
            _rank(moment),
            f"{moment.ranked:,}",
            "–" if moment.total is None else f"{moment.total:.1f}",
        ),
        (
            *(moment.row.scorecard_id, moment.row.model, moment.at.isoformat(), moment.what, moment.reason),
            *(moment.rank, low, high, moment.ranked, moment.total),
        ),
    )


def _rank(moment: Moment) -> str:
    """Writes a rank with the ranks that the data left open."""
    if moment.rank is None:
        return "– (does not rank)"
    return f"{moment.rank:,} ({moment.ends[0]:,}–{moment.ends[1]:,})" if moment.ends else f"{moment.rank:,}"


def _chart(rows: Sequence[BoardRow], moments: Sequence[Moment]) -> Chart:
    """Draws one line a result."""
    ranks = [end for each in moments if each.rank for end in (each.rank, *(each.ends or ()))]
    times = [each.at for each in moments]
    span = max(max(times) - min(times), _WEEK)
    apart, pad = span / _APART, span / 25
    series = []
    for number, row in enumerate(rows):
        own = [each for each in moments if each.row is row]
        colour, symbol = _LOOKS[number % len(_LOOKS)]
        series.append(
            Series(
                *(label_of(row.model), colour, symbol),
                [(each.at + number * apart).isoformat() for each in own],
                [each.rank for each in own],
                [f"{label_of(row.model)}\n{each.at:%Y-%m-%d}: {each.what}\nrank {_rank(each)}" for each in own],
                y_ends=[each.ends for each in own],
                line=_LINES[number % len(_LINES)],
                stepped=True,
            )
        )
    most = max(ranks, default=1)
    begin, end = min(times) - pad, max(times) + pad + len(rows) * apart
    return Chart(
        Axis("Day, UTC", begin.isoformat(), end.isoformat(), dates=True),
        Axis("Rank", most + 0.5, 0.5 - most / 30, ticks=_ticks(most), labels=_labels(most)),
        tuple(series),
    )


def _ticks(most: int) -> tuple[float, ...]:
    """Returns ranks that are written beside the axis, 1 among them."""
    every = next(each for each in _STEPS if most // each <= _MOST_TICKS or each == _STEPS[-1])
    return (1.0, *(float(rank) for rank in range(every, most + 1, every) if rank != 1))


def _labels(most: int) -> tuple[str, ...]:
    """Writes these ranks."""
    return tuple(f"{tick:,.0f}" for tick in _ticks(most))
