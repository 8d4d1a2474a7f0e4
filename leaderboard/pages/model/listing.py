"""Which answers of a run are shown: a page of them in the order of question ids, or one with those beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

import numpy as np

from leaderboard.answers.choosing import Only, Outcomes, find, page_of
from leaderboard.answers.columns import Codes, Mask
from leaderboard.answers.table import ItemTable
from leaderboard.answers.texts import Answered, Said
from leaderboard.pages.figures import figure
from leaderboard.pages.model.asked import DEFECT, ONLY, SENTIMENTS, Asked

FIRST_LINES = 280
"""Characters of an answer that a list shows."""
_LABELS: Mapping[str, str] = {
    "": "All",
    "lost": "Lost",
    "tied": "Tied",
    "won": "Won",
    "missing": "Missing",
    "flipped": "Flipped by order",
    DEFECT: "Lost for a defect",
}
_ORDERS: Mapping[str, str] = {"answer_first": "Answer first", "gold_first": "Gold first", "single": "Alone"}
_OUTCOMES: Mapping[str, str] = {
    "win": "better than gold",
    "tie": "as good as gold",
    "loss": "worse than gold",
    "satisfied": "minds the appointment",
    "unsatisfied": "does not mind the appointment",
}
_STANDINGS: Mapping[str, str] = {"won": "win", "tied": "tie", "lost": "loss", "missing": ""}


class Tab(NamedTuple):
    """Answers that can be looked at instead."""

    label: str
    number: int
    """Answers that it finds, of those that the other filters leave."""
    address: str
    here: bool


class Choice(NamedTuple):
    """A field of the form, and what can be chosen in it."""

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...]
    """Value and label of each, all items first."""


class Verdict(NamedTuple):
    """One verdict as it is read."""

    order: str
    outcome: str
    """In words; why there is none where it is missing."""
    kind: str
    """`win`, `tie` or `loss`, by which it is coloured; empty where it is missing."""
    word: str | None
    completion: str | None
    why_not: str | None


class Shown(NamedTuple):
    """One answer as it is read."""

    answered: Answered
    address: str
    about: str
    """What the question is about, in words."""
    standing: str
    kind: str
    """As of `Verdict`."""
    score: str
    verdicts: tuple[Verdict, ...]
    beginning: str
    """The answer's first lines; empty where it is not shown."""
    longer: bool
    """Whether it goes on."""


class AnswersPage(NamedTuple):
    """A page of answers."""

    asked: Asked
    """What is shown, as it is best asked for."""
    tabs: tuple[Tab, ...]
    choices: tuple[Choice, ...]
    question_ids: tuple[str, ...]
    found: int
    pages: int
    before: str
    """Address of the page before; empty if there is none."""
    after: str


class Beside(NamedTuple):
    """Where an answer stands among those that are asked for."""

    number: int
    """From 1; 0 if it is none of them."""
    found: int
    before: str
    """Address of the answer before; empty if there is none."""
    after: str


def found_places(table: ItemTable, asked: Asked, among: Sequence[str] | None = None) -> Codes:
    """Returns the places of the answers that are asked for, in the order of question ids.

    Args:
        table: The run's items.
        asked: What is asked for.
        among: Questions whose answers hold the words that are asked for, as of `answers_with`.
    """
    places = _left(table, asked, among)
    return places[_mask(table, asked.only)[places]] if asked.only else places


def answers_listed(table: ItemTable, asked: Asked, among: Sequence[str] | None = None) -> AnswersPage:
    """Lays a page of answers out.

    Args:
        table: The run's items.
        asked: What is asked for; a page past the end is the last one.
        among: As of `found_places`.
    """
    left = _left(table, asked, among)
    counts = {name: int(_mask(table, name)[left].sum()) for name in ONLY} | {"": len(left)}
    there = page_of(left[_mask(table, asked.only)[left]] if asked.only else left, asked.page)
    asked = asked._replace(page=there.page)
    tabs = (Tab(_LABELS[name], counts[name], _only(asked, name), name == asked.only) for name in ("", *ONLY))
    return AnswersPage(
        asked,
        tuple(tabs),
        tuple(_choices(table, asked)),
        tuple(str(table.question_id[place]) for place in there.places),
        there.found,
        there.pages,
        asked._replace(page=there.page - 1).address if there.page > 1 else "",
        asked._replace(page=there.page + 1).address if there.page < there.pages else "",
    )


def beside(table: ItemTable, asked: Asked, place: int, among: Sequence[str] | None = None) -> Beside:
    """Returns what stands beside an answer among those that are asked for.

    Args:
        table: The run's items.
        asked: What is asked for.
        place: Where the answer stands in the table.
        among: As of `found_places`.
    """
    places = found_places(table, asked, among)
    at = int(np.searchsorted(places, place))
    is_there = at < len(places) and int(places[at]) == place
    before, after = at - 1, at + 1 if is_there else at

    def address(number: int) -> str:
        return asked.of(str(table.question_id[places[number]])) if 0 <= number < len(places) else ""

    return Beside(at + 1 if is_there else 0, len(places), address(before), address(after))


def shown(answered: Answered, asked: Asked) -> Shown:
    """Returns an answer as it is read, among those that are asked for."""
    said = answered.sentiment and SENTIMENTS.get(answered.sentiment)
    about = ", ".join(filter(None, [answered.type, answered.category, said, answered.split]))
    kind = _STANDINGS[answered.standing]
    text = " ".join((answered.answer or "")[: 4 * FIRST_LINES].split())
    return Shown(
        answered,
        asked.of(answered.question_id),
        about,
        answered.standing,
        kind,
        figure(answered.score),
        tuple(map(_verdict, answered.verdicts)) if answered.lost_because is None else (),
        text[:FIRST_LINES],
        len(text) > FIRST_LINES,
    )


def _left(table: ItemTable, asked: Asked, among: Sequence[str] | None) -> Codes:
    """Returns the places of the answers that all filters leave but that by outcome."""
    fields = {name: getattr(asked, name) or None for name in ("type", "split", "category", "sentiment")}
    return find(table, Only(q=asked.q, **fields), among)


def _mask(table: ItemTable, only: str) -> Mask:
    """Tells which items an outcome finds, (items,)."""
    if only == DEFECT:
        found: Mask = table.defect.code >= 0
        return found
    if only in get_args(Outcomes):
        return table.flipped if only == "flipped" else table.are(only)  # type: ignore[arg-type]
    return np.ones(len(table.question_id), dtype=np.bool_)


def _only(asked: Asked, name: str) -> str:
    """Returns the address of the same answers by another outcome."""
    return asked._replace(only=name, page=1).address


def _choices(table: ItemTable, asked: Asked) -> list[Choice]:
    """Returns the fields by which answers can be looked for; one that has a single value is left out."""
    words = {"type": table.type, "split": table.split, "category": table.category, "sentiment": table.sentiment}
    labels = {"type": "Type", "split": "Split", "category": "Category", "sentiment": "Sentiment"}
    found = []
    for name, column in words.items():
        options = [(value, SENTIMENTS.get(value, value)) for value in column.names]
        if len(options) > 1 or getattr(asked, name):
            found.append(Choice(name, labels[name], getattr(asked, name), (("", "all"), *options)))
    return found


def _verdict(said: Said) -> Verdict:
    """Writes a verdict."""
    if said.outcome is None:
        return Verdict(_ORDERS[said.slot_order], "missing", "", said.word, said.completion, said.why_not)
    kind = {"satisfied": "win", "unsatisfied": "loss"}.get(said.outcome, said.outcome)
    words = _OUTCOMES.get(said.outcome, said.outcome)
    return Verdict(_ORDERS[said.slot_order], words, kind, said.word, said.completion, said.why_not)
