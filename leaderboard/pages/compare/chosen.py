"""Which results an address means, what they are called beside each other, and why some cannot be compared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from evaluator.plurals import several
from leaderboard.answers.pairs import MOST, why_not_comparable
from leaderboard.board.build import Board, BoardRow
from leaderboard.board.rankings import Ranking, ranking_of
from leaderboard.pages.compare.asked import Asked
from leaderboard.pages.model.index import NOTHING as NO_MODELS
from leaderboard.pages.model.index import ModelIndex, first_choice, model_index
from leaderboard.pages.tables import Link
from leaderboard.results import Scorecard

OFFERED = 100
"""Names that the form offers; any other can be typed."""


class CompareIndex(NamedTuple):
    """The rows of a board as they are looked up: laid out once for each state of it."""

    models: ModelIndex
    by_ranking: dict[Ranking, list[BoardRow]]
    """Rows that may be compared with each other, in the board's order."""
    cards: dict[str, Scorecard]
    """Scorecards behind the rows, by id."""


NOTHING = CompareIndex(NO_MODELS, {}, {})
"""Of a board without any."""


class Reason(NamedTuple):
    """Why there is no comparison."""

    name: str
    """What it is about, as somebody called it; empty where the sentence says it."""
    says: str
    """A sentence."""


class Refusal(NamedTuple):
    """What is said where nothing can be compared."""

    title: str
    reasons: tuple[Reason, ...]
    remedy: str
    """What to do, as a sentence."""
    kept: tuple[str, ...] = ()
    """Scorecards to which the form adds others; fewer than `MOST`."""
    ways: tuple[Link, ...] = ()
    """Where it is done."""
    status: int = 200


def compare_index(board: Board) -> CompareIndex:
    """Lays the rows of a board out."""
    by_ranking: dict[Ranking, list[BoardRow]] = defaultdict(list)
    for row in board.rows:
        by_ranking[ranking_of(row)].append(row)
    return CompareIndex(model_index(board), dict(by_ranking), dict(board.cards))


def chosen(index: CompareIndex, ids: Sequence[str]) -> list[BoardRow | None]:
    """Returns the row that each id means; None of one that nobody knows.

    The id of a scorecard means that. A model's name means its newest result in the ranking of the first scorecard that
    is named; without one, or where the model has none there, its official, newest one.
    """
    found = [index.models.by_id.get(each) for each in ids]
    settled = next((ranking_of(row) for row in found if row is not None), None)
    for place, name in enumerate(ids):
        if found[place] is None and (rows := index.models.by_name.get(name)):
            alike = [row for row in rows if ranking_of(row) == settled]
            found[place] = first_choice(alike or rows)
            settled = settled or ranking_of(first_choice(rows))
    return found


def called(rows: Sequence[BoardRow]) -> tuple[str, ...]:
    """Returns what results are called beside each other: each by its model, and by as little more as tells it apart."""
    ways: tuple[Callable[[BoardRow], str], ...] = (
        lambda row: row.model,
        lambda row: row.model if row.adapter is None else f"{row.model} with {row.adapter}",
        lambda row: f"{row.model} at {row.revision[:8]}",
        lambda row: f"{row.model}, {row.submission_id}",
    )
    for way in ways:
        names = tuple(map(way, rows))
        if len(set(names)) == len(names):
            return names
    return tuple(row.scorecard_id for row in rows)


def offered(index: CompareIndex, rows: Sequence[BoardRow]) -> tuple[str, ...]:
    """Returns what the form offers to add: models of the same ranking, those nearest on the board.

    Args:
        index: All there is.
        rows: What is compared already; nothing offers the first ranking of the board.
    """
    ranking = ranking_of(rows[0]) if rows else next(iter(index.by_ranking), None)
    every = index.by_ranking.get(ranking, []) if ranking else []
    own = {row.scorecard_id for row in rows}
    first = min((place for place, row in enumerate(every) if row.scorecard_id in own), default=0)
    start = max(0, min(first - OFFERED // 2, len(every) - OFFERED))
    near = [row for row in every[start : start + OFFERED + MOST] if row.scorecard_id not in own]
    return tuple(dict.fromkeys(_offer(index, row) for row in near))[:OFFERED]


def refusal(index: CompareIndex, asked: Asked, found: Sequence[BoardRow | None]) -> Refusal | None:
    """Says why what is asked for cannot be compared; None if, by what is known of the results, it can.

    Args:
        index: All there is.
        asked: What is asked for.
        found: What its ids mean, as of `chosen`.
    """
    unknown = [name for name, row in zip(asked.ids, found, strict=True) if row is None]
    rows = [row for row in found if row is not None]
    kept = list(dict.fromkeys(row.scorecard_id for row in rows))
    if unknown:
        reasons = tuple(Reason(name, "is no result on the board; it may have been withdrawn.") for name in unknown)
        remedy = "Write a model as the board does, organisation/name, or take the id of a scorecard."
        return Refusal("There is no such result", reasons, remedy, tuple(kept[: MOST - 1]), _others(asked, kept), 404)
    if len(kept) < len(rows):
        twice = [
            row for place, row in enumerate(rows) if row.scorecard_id in {each.scorecard_id for each in rows[:place]}
        ]
        reasons = tuple(Reason(row.model, "is named twice.") for row in twice)
        remedy = "A result cannot be compared with itself: name another one."
        return Refusal("The same result twice", reasons, remedy, tuple(kept[: MOST - 1]), _others(asked, kept))
    if len(rows) < 2:
        reasons = (Reason(rows[0].model, "stands alone.") if rows else Reason("", "Nothing is named yet."),)
        return Refusal("What is to be compared?", reasons, f"Name two to {MOST} results of one ranking.", tuple(kept))
    if len(rows) > MOST:
        reasons = (Reason("", f"{several(len(rows), 'result')} are named, and at most {MOST} are compared at once."),)
        ways = tuple(Link(asked.of(_without(kept, row)), f"Without {row.model}") for row in rows)
        ways = ways if len(rows) == MOST + 1 else (Link(asked.of(kept[:MOST]), f"The first {MOST}"),)
        return Refusal("Too many at once", reasons, "Leave some out.", tuple(kept[: MOST - 1]), ways)
    unlike = why_not_comparable([index.cards[row.scorecard_id] for row in rows])
    if unlike is None:
        return None
    under = tuple(
        Reason(
            name,
            f"stands under protocol {row.protocol}, judge {row.judge}, data {row.data_source} at {row.data_sha[:8]}.",
        )
        for name, row in zip(called(rows), rows, strict=True)
    )
    remedy = "Only results of one ranking can be compared: they must share protocol, judge, prompts and data."
    return Refusal(
        "These were not asked the same", (Reason("", unlike), *under), remedy, (kept[0],), _same(index, asked, rows)
    )


def missing_rows(asked: Asked, rows: Sequence[BoardRow], reasons: Sequence[tuple[int, str]]) -> Refusal:
    """Says that single answers of some results cannot be looked at.

    Args:
        asked: What is asked for.
        rows: What is to be compared.
        reasons: Place among the rows and why, of each that has none.
    """
    names, ids = called(rows), [row.scorecard_id for row in rows]
    left = [each for place, each in enumerate(ids) if place not in dict(reasons)]
    return Refusal(
        "Single answers are not public",
        tuple(Reason(names[place], why) for place, why in reasons),
        "Results are compared item by item, which needs the public rows of each. Name others.",
        tuple(left[: MOST - 1]),
        _others(asked, left) if len(left) < len(ids) else (),
    )


def nothing_shared(asked: Asked, rows: Sequence[BoardRow]) -> Refusal:
    """Says that no item was judged of all results."""
    says = "No item was judged of all of them, so there is nothing to compare them on."
    ids = [row.scorecard_id for row in rows]
    ways = (
        ()
        if len(rows) == 2
        else tuple(
            Link(asked.of(_without(ids, row)), f"Without {name}") for name, row in zip(called(rows), rows, strict=True)
        )
    )
    return Refusal("They share no items", (Reason("", says),), "Leave one out, or name others.", (ids[0],), ways)


def _others(asked: Asked, kept: Sequence[str]) -> tuple[Link, ...]:
    """Offers to compare what is left, where that is enough."""
    return (Link(asked.of(kept), "Compare the others"),) if 2 <= len(kept) <= MOST else ()


def _same(index: CompareIndex, asked: Asked, rows: Sequence[BoardRow]) -> tuple[Link, ...]:
    """Offers the same models in rankings in which all of them have a result."""
    found: dict[Ranking, list[str]] = {}
    for row in index.models.by_name.get(rows[0].model, ()):
        ranking = ranking_of(row)
        alike = [_newest(index, each.model, ranking) for each in rows]
        ids = [each.scorecard_id for each in alike if each is not None]
        if len(set(ids)) == len(rows):
            found.setdefault(ranking, ids)
    return tuple(
        Link(asked.of(ids), f"The same models under {ranking.protocol}, judge {ranking.judge}")
        for ranking, ids in found.items()
    )


def _newest(index: CompareIndex, model: str, ranking: Ranking) -> BoardRow | None:
    """Returns a model's newest row in a ranking."""
    return next((row for row in index.models.by_name.get(model, ()) if ranking_of(row) == ranking), None)


def _offer(index: CompareIndex, row: BoardRow) -> str:
    """Returns how the form names a row: by its model, where that means the row and can stand in a list."""
    newest = _newest(index, row.model, ranking_of(row))
    return row.model if newest is row and "," not in row.model and row.model == row.model.strip() else row.scorecard_id


def _without(ids: Sequence[str], row: BoardRow) -> list[str]:
    """Returns all ids but one."""
    return [each for each in ids if each != row.scorecard_id]
