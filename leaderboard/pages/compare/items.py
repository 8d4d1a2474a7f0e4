"""The items of a comparison as they are read: which are shown, what each result got for them, and its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.questions import QuestionType
from leaderboard.answers.choosing import ItemBeside, Only, Which, differences
from leaderboard.answers.pairs import taken
from leaderboard.answers.slices import members_of
from leaderboard.answers.sources import NoText, SourceText, source_of
from leaderboard.answers.table import ItemTable
from leaderboard.answers.texts import Answered, answers_page
from leaderboard.pages.compare.asked import Asked
from leaderboard.pages.figures import figure
from leaderboard.pages.model.asked import Asked as AskedAnswers
from leaderboard.results import Scorecard
from leaderboard.store.base import Store

FIRST_LINES = 600
"""Characters of an answer that stand beside the others."""
_TABS: Mapping[Which, str] = {
    "differ": "They differ",
    "alike": "They score the same",
    "missing": "A verdict is missing",
}
_ONCE = NoText("It is told once, beside the first result.")
_FEELINGS = {"POS": "likes", "NEG": "dislikes"}
_SATISFIES = {"won": "satisfied", "lost": "not satisfied", "tied": "tied", "missing": "missing"}
_KINDS = {"won": "win", "tied": "tie", "lost": "loss", "missing": "none"}


class Tab(NamedTuple):
    """Items that can be looked at instead."""

    label: str
    items: int | None
    """Items there; None where that is not told."""
    address: str
    here: bool


class Got(NamedTuple):
    """What one result got for an item."""

    outcome: str
    """In words."""
    kind: str
    """`win`, `tie`, `loss` or `none`, by which it is marked."""
    score: str
    because: str
    """Why a verdict is missing; empty where none is."""
    beginning: str
    """The answer's first characters; empty where it is not shown."""
    longer: bool
    """Whether the answer goes on."""
    why_not: str
    """A sentence: why the answer is not shown; empty where it is."""
    address: str
    """Where all of it stands."""


class ItemShown(NamedTuple):
    """One item."""

    question_id: str
    about: str
    """Type, category and feeling."""
    text: SourceText | None
    """What was asked; None where it may not be shown."""
    got: tuple[Got, ...]
    """By result."""


class ItemsPage(NamedTuple):
    """A page of items."""

    asked: Asked
    """What is shown, as it is best asked for."""
    tabs: tuple[Tab, ...]
    types: tuple[Tab, ...]
    slice: str
    """The name of the slice that alone is shown; empty for all."""
    rows: tuple[ItemShown, ...]
    found: int
    pages: int
    no_text: str
    """Why questions are not shown, as a sentence; empty where they are."""


def items_page(results: Store, cards: Sequence[Scorecard], tables: Sequence[ItemTable], asked: Asked) -> ItemsPage:
    """Lays out the items that are asked for.

    Args:
        results: The public data set of results.
        cards: Two to four results of one ranking.
        tables: Their items.
        asked: What is asked for; of a slice that there is none of all items are shown.

    Raises:
        RapportError: `data_error` if a file is broken.
        StoreError: If the results cannot be read.
    """
    chosen = _of_slice(tables[0], asked)
    asked = asked if chosen is not None else asked._replace(slice="")
    among = [tables[0] if chosen is None else chosen, *tables[1:]]
    only = Only(type=asked.type or None)
    there = differences(among, asked.only, only=only, page=asked.page)
    asked = asked._replace(page=there.page)
    ids = [row.question_id for row in there.rows]
    source = source_of(cards[0])
    answered = [
        {each.question_id: each for each in answers_page(results, card, table, ids, source if place == 0 else _ONCE)}
        for place, (card, table) in enumerate(zip(cards, tables, strict=True))
    ]
    because = [_why_missing(table, ids) for table in tables]
    rows = tuple(
        _shown(row, [of.get(row.question_id) for of in answered], cards, [of[place] for of in because])
        for place, row in enumerate(there.rows)
    )
    return ItemsPage(
        asked,
        tuple(
            Tab(label, there.counts[which], asked.items(only=which), which == asked.only)
            for which, label in _TABS.items()
        ),
        tuple(
            Tab(name.capitalize() or "All types", None, asked.items(type=name), name == asked.type)
            for name in ("", *map(str, QuestionType))
        ),
        asked.slice.partition(":")[2],
        rows,
        there.found,
        there.pages,
        source.reason if isinstance(source, NoText) else "",
    )


def _of_slice(table: ItemTable, asked: Asked) -> ItemTable | None:
    """Returns the items of the slice that is asked for; None where none is, or there is no such one."""
    kind, _, name = asked.slice.partition(":")
    for members in members_of(table) if name else ():
        places = [place for place, (own, _) in enumerate(members.names) if own == name]
        if members.kind == kind and places:
            rows = np.flatnonzero(np.isin(members.place, places))
            return taken(table, rows, table, rows)
    return None


def _why_missing(table: ItemTable, question_ids: Sequence[str]) -> list[str]:
    """Returns of each question why a verdict is missing, in words; nothing where none is."""
    places = table.places(list(question_ids)).tolist()
    return [(table.missing.at(place) or "").replace("_", " ") for place in places]


def _shown(
    row: ItemBeside, answered: Sequence[Answered | None], cards: Sequence[Scorecard], because: Sequence[str]
) -> ItemShown:
    """Lays out one item; all that is given beside it is by result."""
    about = (row.type, row.category, _FEELINGS.get(row.sentiment or ""))
    text = answered[0].text if answered[0] is not None else None
    return ItemShown(
        row.question_id,
        " · ".join(each for each in about if each),
        text if isinstance(text, SourceText) else None,
        tuple(_got(row, place, answered[place], card, because[place]) for place, card in enumerate(cards)),
    )


def _got(row: ItemBeside, place: int, answered: Answered | None, card: Scorecard, because: str) -> Got:
    """Returns what one result got for an item."""
    standing = row.standings[place]
    text = answered.answer if answered is not None else None
    why = "" if text is not None else (answered and answered.why_no_answer) or "It is not among the public rows."
    return Got(
        _SATISFIES[standing] if row.type == QuestionType.SCHEDULE else standing,
        _KINDS[standing],
        figure(row.scores[place]),
        because if standing == "missing" else "",
        (text or "")[:FIRST_LINES],
        len(text or "") > FIRST_LINES,
        why,
        AskedAnswers(card.id).of(row.question_id),
    )
