"""A report as a terminal shows it: in colour and as wide as it is, or as Markdown where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from evaluator.human.report.text import Block, Heading, Table, markdown

_STYLES = {1: "bold underline", 2: "bold cyan", 3: "bold"}


def print_blocks(parts: Sequence[Block]) -> None:
    """Prints the parts of a report to standard output."""
    if not sys.stdout.isatty():
        print(markdown(parts), end="")
        return
    console = Console()
    for part in parts:
        console.print(_shown(part))
        if not isinstance(part, Heading):
            console.print()


def _shown(part: Block) -> Text | RichTable:
    """Returns a part for a terminal; what a data set says is never read as markup."""
    if isinstance(part, Heading):
        return Text(part.text, style=_STYLES[part.level])
    if not isinstance(part, Table):
        return Text(part.replace("*", ""))
    table = RichTable(box=None, pad_edge=False)
    for place, name in enumerate(part.head):
        table.add_column(Text(name), justify="right" if place else "left", overflow="fold")
    for row in part.rows:
        table.add_row(*map(Text, row))
    return table
