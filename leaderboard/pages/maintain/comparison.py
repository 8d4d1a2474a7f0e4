"""An old and a new judge side by side on a page: the figures that decide first, then all that the terminal says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from evaluator.human.report.text import Heading, Table
from leaderboard.checks.records import shown
from leaderboard.rescoring import comparing_cells as cells
from leaderboard.rescoring.comparing_words import Quote, blocks
from leaderboard.rescoring.comparison import Comparison, Figure, Move

LONGEST_QUOTE = 4000
"""Characters of a quote that are shown; the JSON has all."""
_MOVED = (Move.LEFT, Move.ENTERED, Move.APART, Move.MOVED)


class Part(NamedTuple):
    """A part of the page: one of these is set."""

    heading: Heading | None = None
    anchor: str = ""
    """Of a heading that can be led to."""
    table: Table | None = None
    quote: Quote | None = None
    left_out: int = 0
    """Characters of the quote that are not shown."""
    words: str = ""


class Headline(NamedTuple):
    """One of the figures that decide."""

    name: str
    value: str
    beside: str
    """Its interval or why it has none, and of how much it is."""
    anchor: str


def headline(found: Comparison) -> list[Headline]:
    """Returns the figures that a maintainer looks at first."""
    same, ends = cells.share(found.agreement.raw)
    of = f"{found.agreement.raw.compared:,} verdicts of {found.agreement.raw.users:,} users"
    moves = Counter(model.move for model in found.models)
    moved = sum(moves[move] for move in _MOVED)
    lines = [
        Headline("Verdicts that are the same, %", same, f"{ends} of {of}", "verdicts"),
        Headline("Kappa", *_with_interval(found.agreement.kappa), "verdicts"),
        Headline("Verdicts that flip", f"{found.flipped:,}", f"of {of}", "flips"),
        Headline("Rank intervals that move", f"{moved:,}", _ranked(found), "models"),
    ]
    if found.people is None:
        return [*lines, Headline("Agreement with people", "unknown", found.no_people_because or "", "people")]
    gain = found.people.kappa_difference
    value = cells.signed(gain.value, 3)
    beside = f"{_doubt(gain)}, on {found.people.compared:,} answers that people judged"
    return [*lines, Headline("Kappa with people, new less old", value, beside, "people")]


def _ranked(found: Comparison) -> str:
    """Says of how many runs ranks could move."""
    ranked = sum(model.move is not Move.UNRANKED for model in found.models)
    return f"of {ranked:,} runs that rank under either judge" if ranked else f"none of {len(found.models):,} runs ranks"


def parts_of(found: Comparison, flips: int) -> list[Part]:
    """Returns a comparison part by part, but for its title.

    Args:
        found: The comparison.
        flips: How many flips of each kind are shown with the words of both judges, at least 0.
    """
    return list(_parts(found, flips))


def _parts(found: Comparison, flips: int) -> Iterator[Part]:
    """Yields the parts."""
    for block in blocks(found, shown, flips):
        if isinstance(block, Heading):
            if block.level > 1:
                yield Part(heading=block, anchor=block.text.lower() if block.level == 2 else "")
        elif isinstance(block, Table):
            yield Part(table=block)
        elif isinstance(block, Quote):
            text = block.text[:LONGEST_QUOTE]
            yield Part(quote=Quote(block.title, text), left_out=len(block.text) - len(text))
        else:
            yield Part(words=block)


def _with_interval(found: Figure) -> tuple[str, str]:
    """Writes a figure, and its interval or why it has none."""
    return cells.figure(found)[0], _doubt(found)


def _doubt(found: Figure) -> str:
    """Writes the interval of a figure, or why it has none."""
    return f"95 % {cells.ends(found.interval, 3)}" if found.interval else f"no interval: {found.reason}"
