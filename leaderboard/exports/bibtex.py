"""How to cite a scorecard or the board, as BibTeX: the entry itself and the two papers that it rests on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from leaderboard.exports.entry import Edition, Entry
from leaderboard.exports.words import conditions, interval_words, standing, worst_case_words
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.papers import PAPERS

# BibTeX counts every brace, an escaped one too, so braces are written by name.
_NAMED = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{sign: f"\\{sign}" for sign in "$&#%_"},
}
_ESCAPES = str.maketrans(_NAMED)
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9.:-]+")
_NOT_PRINTED = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")


def tex(text: str) -> str:
    r"""Returns a text as TeX prints it, on one line, whatever stands in it.

    Example:
        >>> tex("50% of my_model{}")
        '50\\% of my\\_model\\textbraceleft{}\\textbraceright{}'
    """
    return _NOT_PRINTED.sub(" ", text).strip().translate(_ESCAPES)


def scorecard_bib(entry: Entry, edition: Edition) -> bytes:
    """Returns the citation of one scorecard."""
    card = entry.card
    fields = {
        "title": f"{{HiCUPID}} results of {tex(card.model)}",
        "author": "{Rapport}",
        "howpublished": "Rapport, a leaderboard for personalised assistants",
        "year": f"{card.created_at:%Y}",
        "date": f"{card.created_at:%Y-%m-%d}",
        "version": tex(f"scorecard {card.id}, schema {card.schema_version}, board {edition.revision}"),
        "note": tex(_note(entry)),
        "url": _address(edition.page_of(quote(card.submission_id))),
    }
    return _file(f"rapport:{card.id}", fields)


def board_bib(rows: Sequence[OpenScorecard], edition: Edition) -> bytes:
    """Returns the citation of the board at one state; its date is that of its newest scorecard."""
    newest = max((row.created_at for row in rows), default=None)
    fields = {
        "title": "Rapport: a leaderboard for personalised assistants",
        "author": "{Rapport}",
        "year": f"{newest:%Y}" if newest else None,
        "date": f"{newest:%Y-%m-%d}" if newest else None,
        "version": tex(f"board {edition.revision}"),
        "note": f"scorecards: {len(rows)}",
        "url": _address(edition.site),
    }
    return _file(f"rapport:board:{edition.revision[:12]}", fields)


def _note(entry: Entry) -> str:
    """Writes what a reader needs to weigh the result."""
    card = entry.card
    total = card.result.total
    return "; ".join(
        [
            *conditions(entry),
            f"data {card.data_source} at {card.data_sha}",
            f"Total {'missing' if total.value is None else f'{total.value:.2f}'}",
            interval_words(total.interval),
            f"{total.judged} of {total.items} items judged",
            worst_case_words(total),
            standing(entry),
        ]
    )


def _address(address: str | None) -> str | None:
    """Returns an address of which no sign means anything to TeX."""
    return address and quote(address, safe=":/?=.-")


def _file(key: str, fields: Mapping[str, str | None]) -> bytes:
    """Writes an entry, and below it the papers."""
    lines = "".join(f"  {name:<12} = {{{value}}},\n" for name, value in fields.items() if value)
    entry = f"@misc{{{_NOT_IN_A_KEY.sub(':', key)},\n{lines}}}\n"
    return "\n".join([entry, *PAPERS]).encode()
