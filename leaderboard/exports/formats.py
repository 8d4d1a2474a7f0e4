"""Every format in which the board or a scorecard can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from leaderboard.board.build import BoardRow
from leaderboard.exports.bibtex import board_bib, scorecard_bib
from leaderboard.exports.csv_file import encode_csv
from leaderboard.exports.entry import Edition, Entry
from leaderboard.exports.eval_results import encode_eval_results, why_not_offered
from leaderboard.exports.every_eval_ever import encode_eee
from leaderboard.exports.json_file import encode_board_json, encode_human_json, encode_scorecard
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.files import encode_board
from leaderboard.open_data.human import OpenHumanFigure
from leaderboard.store.parquet import encode_parquet

BOARD = "/exports"
"""Address below which the board's files stand."""
SCORECARDS = "/exports/scorecard"
"""Address below which the files of scorecards stand."""
_CSV = "text/csv; charset=utf-8; header=present"
_PARQUET = "application/vnd.apache.parquet"


class BoardFormat(NamedTuple):
    """A file of all rows of the board."""

    label: str
    media_type: str
    encode: Callable[[Sequence[OpenScorecard], Edition], bytes]


class HumanFormat(NamedTuple):
    """A file of all figures of human-grounded tasks."""

    label: str
    media_type: str
    encode: Callable[[Sequence[OpenHumanFigure], Edition], bytes]


class CardFormat(NamedTuple):
    """A file of one scorecard."""

    label: str
    media_type: str
    encode: Callable[[Entry, Edition], bytes]
    """Raises `RapportError` with `not_found` where there is none of an entry."""
    why_not: Callable[[BoardRow], str] = lambda row: ""
    """Says why there is none of a row; empty where there may be one."""


BOARD_FORMATS: Mapping[str, BoardFormat] = {
    "board.csv": BoardFormat("CSV", _CSV, lambda rows, of: encode_csv(rows)),
    "board.parquet": BoardFormat("Parquet", _PARQUET, lambda rows, of: encode_board(rows)),
    "board.json": BoardFormat("JSON", "application/json", encode_board_json),
    "board.bib": BoardFormat("BibTeX", "application/x-bibtex; charset=utf-8", board_bib),
}
"""By the file's name."""

HUMAN_FORMATS: Mapping[str, HumanFormat] = {
    "human.csv": HumanFormat("CSV", _CSV, lambda rows, of: encode_csv(rows, OpenHumanFigure)),
    "human.parquet": HumanFormat("Parquet", _PARQUET, lambda rows, of: encode_parquet(rows, OpenHumanFigure)),
    "human.json": HumanFormat("JSON", "application/json", encode_human_json),
}
"""By the file's name, beside those of the board."""

CARD_FORMATS: Mapping[str, CardFormat] = {
    ".json": CardFormat("JSON", "application/json", encode_scorecard),
    ".eee.json": CardFormat("Every Eval Ever", "application/json", encode_eee),
    ".eval_results.yaml": CardFormat(
        "Hugging Face .eval_results", "application/yaml", encode_eval_results, why_not_offered
    ),
    ".bib": CardFormat("BibTeX", "application/x-bibtex; charset=utf-8", scorecard_bib),
}
"""By the ending that follows the scorecard's id."""


def board_links(judge: str = "") -> list[tuple[str, str]]:
    """Lists address and label of each file of the board.

    Args:
        judge: The only judge whose rows are in the files; those of all judges if empty.

    Example:
        >>> board_links()[0], board_links("demo")[0]
        (('/exports/board.csv', 'CSV'), ('/exports/board.csv?judge=demo', 'CSV'))
    """
    query = f"?judge={quote(judge, safe='')}" if judge else ""
    return [(f"{BOARD}/{name}{query}", form.label) for name, form in BOARD_FORMATS.items()]


def human_board_links() -> list[tuple[str, str]]:
    """Lists address and label of each file of the figures of human-grounded tasks.

    Example:
        >>> human_board_links()[0]
        ('/exports/human.csv', 'CSV')
    """
    return [(f"{BOARD}/{name}", form.label) for name, form in HUMAN_FORMATS.items()]


def scorecard_links(row: BoardRow) -> list[tuple[str, str]]:
    """Lists address and label of each file that there is of a row's scorecard."""
    beginning = f"{SCORECARDS}/{quote(row.scorecard_id, safe='@')}"
    return [(beginning + ending, form.label) for ending, form in CARD_FORMATS.items() if not form.why_not(row)]
