"""A comparison of two judges as plain text for a terminal, as Markdown, and as JSON.

Strangers have a hand in what is written out: models' answers, judges' words, names. None of it reaches a terminal as
anything but text, or Markdown as anything but code.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from evaluator.human.report.text import Heading, Table, markdown
from leaderboard.checks.records import shown
from leaderboard.rescoring.comparing_words import Block, Quote, blocks
from leaderboard.rescoring.comparison import Comparison

WIDTH = 100
"""Columns of a terminal's text."""
FLIPS_SHOWN = 1
"""Flips of each kind that are written out."""
LONGEST_QUOTE = 4000
"""Characters of a quote that are written out; JSON has all."""
_INDENT = "    "
_GAP = "  "
_AT_ONCE = 500
"""Characters that are spelled out at a time: the house's function cuts what is longer than a line."""


def as_text(found: Comparison, *, flips: int = FLIPS_SHOWN, width: int = WIDTH) -> str:
    """Returns a comparison for a terminal: aligned tables, no line that could steer it.

    Args:
        found: The comparison.
        flips: How many flips of each kind are shown with the words of both judges, at least 0.
        width: Columns that paragraphs and quotes are wrapped to, at least 80; a table too wide for it has its first
            column on lines of their own.

    Raises:
        ValueError: If the width is less than 80.
    """
    if width < 80:
        raise ValueError("a comparison takes 80 columns at least")
    parts = ("\n".join(_lines(part, width)) for part in blocks(found, shown, flips))
    return "\n\n".join(parts) + "\n"


def as_markdown(found: Comparison, *, flips: int = FLIPS_SHOWN) -> str:
    """Returns a comparison as Markdown: names stand in code spans, quotes in code blocks.

    Args:
        found: The comparison.
        flips: How many flips of each kind are shown with the words of both judges, at least 0.
    """
    return markdown([_markdown_part(part) for part in blocks(found, _in_code, flips)])


def as_json(found: Comparison) -> str:
    """Returns all of a comparison as JSON, in ASCII, so that it may be printed; it reads back as an equal record."""
    return json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _lines(part: Block, width: int) -> Iterator[str]:
    """Yields the lines of a part."""
    if isinstance(part, Heading):
        title = shown(part.text)
        yield title
        if part.level < 3:
            yield ("=" if part.level == 1 else "-") * min(len(title), width)
    elif isinstance(part, Table):
        yield from _table(part, width)
    elif isinstance(part, Quote):
        yield shown(part.title)
        yield from _quoted(part.text, width)
    else:
        yield from textwrap.wrap(part, width, break_on_hyphens=False)


def _table(table: Table, width: int) -> Iterator[str]:
    """Yields a table, words flush left and figures flush right."""
    cells = [tuple(map(shown, row)) for row in (table.head, *table.rows)]
    columns = list(zip(*cells, strict=True))
    widths = [max(map(len, column)) for column in columns]
    left = [not number or not any(map(_is_figure, column[1:])) for number, column in enumerate(columns)]
    aligned = [_aligned(row, widths, left) for row in cells]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        yield from aligned
        return
    for number, (name, line) in enumerate(zip(columns[0], aligned, strict=True)):
        if number:
            yield name
        yield _INDENT + line[widths[0] + len(_GAP) :]


def _aligned(row: Sequence[str], widths: Sequence[int], left: Sequence[bool]) -> str:
    cells = (
        cell.ljust(size) if to_left else cell.rjust(size) for cell, size, to_left in zip(row, widths, left, strict=True)
    )
    return _GAP.join(cells).rstrip()


def _is_figure(cell: str) -> bool:
    """Says whether a cell holds a figure, so that its column is flush right."""
    return cell[:1].isdigit() or cell[:1] in ("+", "-", "[")


def _quoted(text: str, width: int) -> Iterator[str]:
    """Yields the lines of what a stranger wrote, spelled out and indented; what is left out is told."""
    for line in text[:LONGEST_QUOTE].splitlines() or [""]:
        for wrapped in textwrap.wrap(_spelled(line), width - len(_INDENT), break_on_hyphens=False) or [""]:
            yield (_INDENT + wrapped).rstrip()
    if len(text) > LONGEST_QUOTE:
        yield f"({len(text) - LONGEST_QUOTE:,} more characters; JSON has all)"


def _spelled(line: str) -> str:
    """Returns a line of any length that a terminal does not obey."""
    return "".join(shown(line[start : start + _AT_ONCE]) for start in range(0, len(line), _AT_ONCE))


def _markdown_part(part: Block) -> Heading | Table | str:
    """Returns a part that Markdown takes as it is; a quote becomes a code block."""
    if isinstance(part, Quote):
        return f"{part.title}:\n\n" + "\n".join(line or _INDENT for line in _quoted(part.text, WIDTH))
    return part


def _in_code(name: str) -> str:
    r"""Returns a stranger's name as code, which Markdown reads nothing into.

    Example:
        >>> _in_code("org/model"), _in_code("a`b<i>")
        ('`org/model`', '`a\\x60b<i>`')
    """
    spelled = shown(name).replace("`", r"\x60")
    return f"`{spelled}`" if name else ""
