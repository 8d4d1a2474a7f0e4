"""From public scorecards to the rows of the board: a pure function of what everyone may read.

A row carries every figure with its count, its interval and its provenance, and the name of the scorecard behind it.
Official results are ranked; everything else is shown without a rank and says why.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from evaluator.hicupid.desiderata import desiderata
from evaluator.results import Desiderata, PairwiseScores, Rate, SplitScores, Total
from leaderboard.board.human import read_human_cards
from leaderboard.board.places import Place, Places
from leaderboard.board.public import read_cards, read_places
from leaderboard.board.rankings import OF_JUDGE, Ranking, ranking_of
from leaderboard.board.sharing import shared
from leaderboard.records import protocol_of
from leaderboard.results import HumanScorecard, Provenance, Scorecard
from leaderboard.scorecards import scorecard_id
from leaderboard.store.base import Revision, Store


class BoardRow(Provenance):
    """One row of the board: a scorecard laid out flat, with its place."""

    scorecard_id: str
    rank: int | None
    """1 + the number of rows that are significantly better, of those of the same `Ranking`; None where the row does not
    rank."""
    rank_interval: tuple[int, int] | None
    """The best and the worst rank that the data leave open, at 95 % for all rows of the ranking together."""
    rank_under_judge: int | None
    """As `rank`, as if the row's judge decided ranks: equal where it does; None where anything else than that judge's
    status keeps the row out."""
    rank_under_judge_interval: tuple[int, int] | None
    """As `rank_interval`, likewise."""
    judge_status_since: datetime.datetime | None
    """When a promotion gave the judge its status for this protocol; None where none did."""
    users: int
    items: int
    generations: int
    judged: int
    judged_share: float | None
    defects: tuple[tuple[str, int], ...]
    verdicts: int
    missing: int
    missing_because: tuple[tuple[str, int], ...]
    clashes: int
    persona: PairwiseScores
    profile: PairwiseScores
    schedule: Rate
    total: Total
    by_split: tuple[SplitScores, ...]
    bleu: Rate
    rouge_l: Rate
    evidence_recall: Rate
    desiderata: Desiderata
    position_consistency: Rate
    slot_a_share: Rate
    prefill_efficiency: float | None
    stage_seconds: dict[str, float]
    published_at: datetime.datetime


class Board(NamedTuple):
    """All rows at one state of the store."""

    revision: Revision
    rows: tuple[BoardRow, ...]
    problems: tuple[str, ...] = ()
    """One sentence for each file that could not be read, naming it; the rows are those of all the others."""
    cards: Mapping[str, Scorecard] = MappingProxyType({})
    """The scorecards behind the rows, by id."""
    lags: bool = False
    """Whether ranks and gaps are those among other results than these: a new board is being worked out."""
    human: tuple[HumanScorecard, ...] = ()
    """Scorecards of human-grounded tasks, by task, in order and without ranks."""
    places: Places = MappingProxyType({})
    """Of each row."""


def build_board(results: Store, last: Board | None = None) -> Board:
    """Reads every public scorecard, and the places that were worked out when the board was last written.

    A file that cannot be read costs its own rows and no others. A scorecard that is newer than the board is shown
    without a rank until it has one.

    Args:
        results: The public data set of results.
        last: What was built before, whose rows are taken over where nothing about them is new.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    revision = results.head()
    found, human = read_cards(results), read_human_cards(results)
    placed = read_places(results)  # Last: what it takes for a while lies beside what stays, and is given back whole.
    cards = {card.id: card for each in found.cards if (card := placed.as_told(each))}
    places = {card.id: placed.of(card) for card in cards.values()}
    rows = board_rows(cards.values(), places, last)
    problems = tuple(sorted({**found.problems, **placed.problems, **human.problems}.values()))
    lags = len(cards) < len(found.cards) or placed.lag_behind(found.cards)
    return Board(revision, rows, problems, cards, lags, human.cards, places)


def board_rows(cards: Iterable[Scorecard], places: Places, last: Board | None = None) -> tuple[BoardRow, ...]:
    """Returns rows in the order of the board: ranked ones first, then the others, each ranking by ranking.

    Within a ranking they are in the order of rank and Total, missing ones last. Rows of different protocols or judges
    never share a ranking.

    Args:
        cards: The scorecards.
        places: The place of each of them.
        last: A board whose rows of the very same scorecards in the same places are taken over.
    """
    same = {} if last is None else {row.scorecard_id: row for row in last.rows if _is_same(row, last, places)}
    rows = shared(
        same[card.id] if last and card.id in same and last.cards[card.id] is card else _row(card, places[card.id])
        for card in cards
    )
    return tuple(sorted(rows, key=_order))


def _is_same(row: BoardRow, last: Board, places: Places) -> bool:
    """Says whether a row stands where it stood."""
    return row.scorecard_id in last.cards and last.places.get(row.scorecard_id) == places.get(row.scorecard_id)


def find_row(results: Store, run_id: str) -> BoardRow:
    """Returns the board's row of a run under its protocol's judge.

    Raises:
        KeyError: If it has not been published.
    """
    from evaluator.protocol import hicupid_protocol

    wanted = scorecard_id(run_id, hicupid_protocol(protocol_of(run_id)).judge)
    for row in build_board(results).rows:
        if row.scorecard_id == wanted:
            return row
    raise KeyError(wanted)


def standing(row: BoardRow) -> tuple[bool, int, float, str, str]:
    """Sorts the rows of a ranking: by rank, unranked ones last, then by Total and name, so that no two are equal."""
    total = -1.0 if row.total.value is None else row.total.value
    return row.rank is None, row.rank or 0, -total, row.model, row.scorecard_id


def scorecard_of(rows: Iterable[BoardRow], name: str) -> BoardRow | None:
    """Returns the row of a scorecard, or of a run under the judge that decides ranks; None if there is none.

    Args:
        rows: Those of the board, in its order.
        name: Id of the scorecard or the run; of a run that no such judge has judged the first row counts.
    """
    found = [row for row in rows if name in (row.scorecard_id, row.run_id)]
    return min(found, key=lambda row: row.judge_status != "official", default=None)


def under_judge(row: BoardRow) -> BoardRow:
    """Returns a row as it stands among those of its judge: with its rank there, and without that judge's status.

    What the row says of official ranks is lost: it is to be shown where it is said whose ranks these are.
    """
    return row.model_copy(
        update={
            "rank": row.rank_under_judge,
            "rank_interval": row.rank_under_judge_interval,
            "unranked_because": tuple(reason for reason in row.unranked_because if reason not in OF_JUDGE),
        }
    )


def order_under_judge(row: BoardRow) -> tuple[bool, Ranking, tuple[bool, int, float, str, str]]:
    """Sorts rows as the board does, by the ranks under their judges."""
    return _order(under_judge(row))


def _order(row: BoardRow) -> tuple[bool, Ranking, tuple[bool, int, float, str, str]]:
    """Sorts ranked before unranked, then ranking by ranking."""
    return row.rank is None, ranking_of(row), standing(row)


def _row(card: Scorecard, place: Place) -> BoardRow:
    """Lays a scorecard out flat."""
    rank, there, result = place.rank, place.under_judge, card.result
    from_result = BoardRow.model_fields.keys() & type(result).model_fields.keys()
    provenance = {name: getattr(card, name) for name in Provenance.model_fields}
    provenance["unranked_because"] = (*card.unranked_because, *place.unranked_because)
    return BoardRow.model_construct(  # All of it was checked when the scorecard was read.
        rank=rank.rank if rank else None,
        rank_interval=(rank.low, rank.high) if rank else None,
        rank_under_judge=there.rank if there else None,
        rank_under_judge_interval=(there.low, there.high) if there else None,
        judge_status_since=place.since,
        scorecard_id=card.id,
        desiderata=desiderata(result, place.lc, place.generalisation),
        stage_seconds=dict(card.stage_seconds),
        published_at=card.created_at,
        **provenance,
        **{name: getattr(result, name) for name in from_result},
    )
