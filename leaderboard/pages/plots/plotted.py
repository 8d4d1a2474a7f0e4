"""What every plot comes to: sentences, a table, and a drawing of the same figures; and the files of both."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from evaluator.plurals import several
from evaluator.results import Interval
from leaderboard.exports.csv_file import cell
from leaderboard.pages.plots.asked import Asked

Value: TypeAlias = str | float | int | None
"""A figure or a text as it stands in a file; None where it is missing."""
Colour: TypeAlias = Literal["accent", "win", "loss", "tie", "soft", "ink", "mark-ink"]
"""A named variable of the style sheet, which makes light and dark."""
Line: TypeAlias = Literal["", "solid", "dash", "dot", "dashdot"]
"""How a line is drawn; empty for none."""
LABEL_LENGTH = 40
"""Characters of a name that a drawing has room for; the table has it whole."""


class Heading(NamedTuple):
    """The head of a column of the table."""

    label: str
    unit: str = ""


class Row(NamedTuple):
    """One line of the table and of the files."""

    name: str
    address: str
    """Where more of it stands; empty where nowhere."""
    cells: tuple[str, ...]
    """As they are read: one a heading."""
    values: tuple[Value, ...]
    """As they stand in files: one a field."""


class Axis(NamedTuple):
    """One axis of a drawing."""

    title: str
    low: float | str | None = None
    high: float | str | None = None
    """From where to where it goes, of dates as texts; None leaves it to the drawing. A low end above the high one turns
    it round."""
    log: bool = False
    dates: bool = False
    ticks: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    """What stands at each of the ticks; without any the drawing chooses."""


class Series(NamedTuple):
    """Marks of one kind, and the line through them."""

    name: str
    """As the legend has it."""
    colour: Colour
    symbol: str
    """A shape as Plotly names it; what a mark is never hangs on its colour alone. Empty for a line alone."""
    x: Sequence[Value]
    y: Sequence[Value]
    texts: Sequence[str] = ()
    """What is said of each mark, a line each; none of a line that only guides the eye."""
    x_ends: Sequence[tuple[float, float] | None] = ()
    y_ends: Sequence[tuple[float, float] | None] = ()
    """Intervals; None where there is none."""
    line: Line = ""
    stepped: bool = False
    """Whether a value holds until the next one."""


class Chart(NamedTuple):
    """A drawing."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    rows: int = 0
    """Lines that need room of their own one below the other; 0 where it can be of any height."""


class Choice(NamedTuple):
    """Something that can be chosen: a select of the form."""

    name: str
    """Of the parameter."""
    label: str
    options: tuple[tuple[str, str, bool], ...]
    """Value, words, and whether it is what is shown."""


class Plotted(NamedTuple):
    """One plot."""

    asked: Asked
    """What is shown, as it is best asked for."""
    title: str
    says: str
    """What it shows and how to read it."""
    found: tuple[str, ...]
    """What it comes to, a sentence each."""
    counted: str
    """How many are shown, how many are left out, and why."""
    headings: tuple[Heading, ...]
    """Of the cells; the first column is the name's."""
    fields: tuple[str, ...]
    """Of the values, for programs."""
    rows: tuple[Row, ...] = ()
    chart: Chart | None = None
    """None where there is nothing to be drawn."""
    notes: tuple[str, ...] = ()
    """What of the address could not be meant."""
    choices: tuple[Choice, ...] = ()
    empty: str = ""
    """Why there is no row."""


def label_of(name: str) -> str:
    """Returns a name as a drawing has it: cut, and without what no letter stands for, such as marks of direction.

    Example:
        >>> label_of("org/" + "m" * 50), label_of("org/" + chr(0x202E) + "a<b>")
        ('org/mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm…', 'org/�a<b>')
    """
    short = name if len(name) <= LABEL_LENGTH else f"{name[: LABEL_LENGTH - 1]}…"
    return "".join("�" if unicodedata.category(each)[0] == "C" else each for each in short)


def ends_of(within: Interval | None) -> tuple[float, float] | None:
    """Returns the ends of an interval."""
    return None if within is None else (within.low, within.high)


def count_of(shown: int, what: str, left_out: Iterable[tuple[int, str]]) -> str:
    """Says how many are shown, and of the others how many are left out for which reason.

    Args:
        shown: How many are.
        what: One of them.
        left_out: Numbers, and what is so of them.

    Example:
        >>> count_of(2, "result", [(1, "of unknown size"), (0, "incomplete")])
        '2 results are shown. Left out: 1 of unknown size.'
        >>> count_of(1, "result", [])
        '1 result is shown, and none is left out.'
    """
    are = "is" if shown == 1 else "are"
    told = [f"{number:,} {why}" for number, why in left_out if number]
    if not told:
        return f"{several(shown, what)} {are} shown, and none is left out."
    return f"{several(shown, what)} {are} shown. Left out: {', '.join(told)}."


def csv_of(plot: Plotted) -> bytes:
    """Returns all rows of a plot as CSV; see `leaderboard.exports.csv_file`."""
    lines = (plot.fields, *(row.values for row in plot.rows))
    return "".join(",".join(map(cell, line)) + "\r\n" for line in lines).encode()


def json_of(plot: Plotted) -> bytes:
    """Returns all rows of a plot as JSON, with what they are."""
    told = {
        "title": plot.title,
        "says": plot.says,
        "found": plot.found,
        "counted": plot.counted,
        "address": plot.asked.address,
        "rows": [dict(zip(plot.fields, row.values, strict=True)) for row in plot.rows],
    }
    return _encoded(told)


def chart_of(plot: Plotted) -> bytes:
    """Returns what is drawn of a plot as JSON; empty where there is nothing."""
    chart = plot.chart
    if chart is None:
        return _encoded({"series": []})
    told = {
        "title": plot.title,
        "x": chart.x._asdict(),
        "y": chart.y._asdict(),
        "series": [each._asdict() for each in chart.series],
        "rows": chart.rows,
    }
    return _encoded(told)


def _encoded(value: Any) -> bytes:
    """Returns JSON without a number that is none."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
