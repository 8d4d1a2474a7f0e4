"""Rows as CSV, by RFC 4180: UTF-8, a header, every text quoted, every number bare, what is missing an empty cell.

A spreadsheet takes a text that begins like a formula for one, and would run it. Such a text gets an apostrophe before
it, and so does one that begins with an apostrophe: who takes one leading apostrophe away has the text as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.columns import columns_of, to_columns
from leaderboard.open_data.records import OpenRecord

_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a formula may begin; some spreadsheets take the wide signs for the narrow ones."""
_MARK = "'"


def encode_csv(rows: Iterable[OpenRecord], kind: type[OpenRecord] = OpenScorecard) -> bytes:
    """Returns rows, in their order, below the names of the columns.

    Args:
        rows: All of one kind.
        kind: Which; rows of the board if left out.

    Example:
        >>> encode_csv([])[:22]
        b'"schema_version","rank'
    """
    names = list(columns_of(kind).model_fields)
    lines = [names, *(to_columns(row).model_dump(mode="json").values() for row in rows)]
    return "".join(",".join(map(cell, line)) + "\r\n" for line in lines).encode()


def cell(value: Any) -> str:
    """Returns a value as it stands in a cell.

    Python's own writer cannot leave missing values bare where it quotes texts.

    Args:
        value: A text, a number, a truth value, or None.

    Example:
        >>> print(cell("=1+1"), cell(-2.5), cell(None), cell(True), sep=",")
        "'=1+1",-2.5,,true
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return '"' + defuse(value).replace('"', '""') + '"'


def defuse(text: str) -> str:
    """Returns a text that no spreadsheet takes for a formula.

    Example:
        >>> defuse("@SUM(A1)"), defuse("org/model"), defuse("'quoted'")
        ("'@SUM(A1)", 'org/model', "''quoted'")
    """
    return _MARK + text if text.startswith((*_RISKY, _MARK)) else text
