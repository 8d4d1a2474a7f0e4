"""Which items of a run a reader asks for, page by page, and where several runs differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluator.metrics.intervals import Array
from leaderboard.answers.columns import Codes, Mask
from leaderboard.answers.table import ItemTable, Standing

PAGE_SIZE = 20
"""Items on a page."""

Outcomes: TypeAlias = Literal["lost", "tied", "won", "missing", "flipped"]
"""What items are filtered by; `flipped` where the two slot orders disagree."""
Which: TypeAlias = Literal["differ", "alike", "missing"]
"""Items on which runs score differently or the same, and those that some run has no score of."""


class Only(NamedTuple):
    """What a reader asks for; all that is given must hold."""

    outcome: Outcomes | None = None
    type: str | None = None
    split: str | None = None
    category: str | None = None
    sentiment: str | None = None
    """`POS` or `NEG`."""
    q: str = ""
    """Words, all of which must stand in the question's id, whatever their case."""


class Page(NamedTuple):
    """A page of what was found."""

    places: tuple[int, ...]
    """Places of the items in the table."""
    found: int
    """Items on all pages."""
    page: int
    """From 1; the last one where a later one was asked for."""
    pages: int
    """At least 1."""


class ItemBeside(NamedTuple):
    """One question with what several runs got for it."""

    question_id: str
    type: str
    split: str
    user_id: int
    category: str | None
    sentiment: str | None
    scores: tuple[float | None, ...]
    """By run, 0..100; None where a verdict is missing."""
    standings: tuple[Standing, ...]
    """By run."""
    spread: float | None
    """The best score less the worst; None where one is missing."""


class Differences(NamedTuple):
    """A page of questions, those first on which runs differ most."""

    rows: tuple[ItemBeside, ...]
    found: int
    page: int
    pages: int
    counts: Mapping[Which, int]
    """Questions of each kind that the other filters leave, whichever run is best."""


def find(table: ItemTable, only: Only, among: Sequence[str] | None = None) -> Codes:
    """Returns the places of the items that a reader asks for, in the order of question ids.

    Args:
        table: The run.
        only: What is asked for.
        among: Questions by id that were found otherwise, such as by their answers' text; an item is found by its id or
            by being one of these. None where nothing else was searched.
    """
    found = np.ones(len(table.question_id), dtype=np.bool_)
    if only.outcome is not None:
        found &= table.flipped if only.outcome == "flipped" else table.are(only.outcome)
    for name in ("type", "split", "category", "sentiment"):
        if (word := getattr(only, name)) is not None:
            found &= getattr(table, name).are(word)
    if only.q.split():
        named = holds_words(pa.array(table.question_id), only.q)
        if among:
            places = table.places(list(among))
            named[places[places >= 0]] = True
        found &= named
    return np.flatnonzero(found)


def counts(table: ItemTable, only: Only) -> dict[Outcomes, int]:
    """Returns how many items there are of each outcome, of those that the other filters leave."""
    left = find(table, only._replace(outcome=None))
    return {
        outcome: int((table.flipped if outcome == "flipped" else table.are(outcome))[left].sum())
        for outcome in get_args(Outcomes)
    }


def page_of(places: Codes, page: int, size: int = PAGE_SIZE) -> Page:
    """Returns a page of what was found.

    Example:
        >>> page_of(np.array([3, 5, 8]), page=7, size=2)
        Page(places=(8,), found=3, page=2, pages=2)
    """
    pages = max(1, -(-len(places) // size))
    number = min(max(1, page), pages)
    return Page(tuple(places[(number - 1) * size : number * size].tolist()), len(places), number, pages)


def holds_words(texts: pa.Array, words: str) -> Mask:
    """Tells which texts hold all of some words, whatever their case, (texts,); one that is not there holds none.

    Example:
        >>> holds_words(pa.array(["Ramen, as always.", "Soup", None]), "ramen ALWAYS").tolist()
        [True, False, False]
    """
    found = np.ones(len(texts), dtype=np.bool_)
    for word in words.split():
        holds = pc.match_substring(texts, word, ignore_case=True)
        found &= pc.fill_null(holds, False).to_numpy(zero_copy_only=False)
    return found


def differences(
    tables: Sequence[ItemTable],
    which: Which = "differ",
    best: int | None = None,
    only: Only | None = None,
    page: int = 1,
) -> Differences:
    """Returns the questions on which some runs differ most, or do not, or that some run has no score of.

    Args:
        tables: Two to four runs on one data set under one judge.
        which: Which questions; all were asked of every run.
        best: Place of the run that must score higher than every other one; None for any.
        only: What else must hold, but for the outcome.
        page: Which page, from 1.
    """
    first = tables[0]
    chosen = find(first, (only or Only())._replace(outcome=None))
    places = np.array([table.places(first.question_id[chosen]) for table in tables]).reshape(len(tables), -1)
    places = places[:, (places >= 0).all(axis=0)]
    scores = np.array([table.score[place] for table, place in zip(tables, places, strict=True)])
    spread = scores.max(axis=0, initial=-np.inf) - scores.min(axis=0, initial=np.inf)
    kinds: Mapping[Which, Mask] = {"differ": spread > 0, "alike": spread == 0, "missing": np.isnan(spread)}
    wanted = kinds[which]
    if best is not None:
        wanted = wanted & (scores[best] > np.delete(scores, best, axis=0)).all(axis=0)
    left = np.flatnonzero(wanted)
    order = left[np.argsort(-spread[left], kind="stable")]
    there = page_of(order, page)
    rows = tuple(_beside(tables, places[:, place], scores[:, place]) for place in there.places)
    counts = {name: int(mask.sum()) for name, mask in kinds.items()}
    return Differences(rows, there.found, there.page, there.pages, counts)


def _beside(tables: Sequence[ItemTable], places: Codes, scores: Array) -> ItemBeside:
    """Returns one question with what the runs got for it."""
    first, place = tables[0], int(places[0])
    missing = bool(np.isnan(scores).any())
    return ItemBeside(
        question_id=str(first.question_id[place]),
        type=first.type.at(place) or "",
        split=first.split.at(place) or "",
        user_id=first.users[first.user[place]][1],
        category=first.category.at(place),
        sentiment=first.sentiment.at(place),
        scores=tuple(None if np.isnan(score) else float(score) for score in scores),
        standings=tuple(table.standing(int(own)) for table, own in zip(tables, places, strict=True)),
        spread=None if missing else float(scores.max() - scores.min()),
    )
