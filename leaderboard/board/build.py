"""From stored scorecards to the rows of the board: a pure function of what is stored.

A row carries every figure with its count, its interval and its provenance, and the name of the scorecard behind it.
Official results are ranked; everything else is shown without a rank and says why.
"""

from __future__ import annotations

import datetime
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Generic, NamedTuple, TypeVar

from evaluator.errors import RapportError
from evaluator.records import Record
from evaluator.results import PairwiseScores, Rate, Total
from leaderboard.records import Provenance, Scorecard, Tombstone, protocol_of
from leaderboard.scorecards import scorecard_id
from leaderboard.store import layout
from leaderboard.store.base import Revision, Store, StoreError
from leaderboard.store.rows import read_record

Kind = TypeVar("Kind", bound=Record)


class BoardRow(Provenance):
    """One row of the board: a scorecard laid out flat, with its place."""

    scorecard_id: str
    rank: int | None
    """Place among rows that share protocol, judge, prompts and data, 1 is best; None where the row does not rank."""
    users: int
    items: int
    generations: int
    verdicts: int
    missing: int
    persona: PairwiseScores
    profile: PairwiseScores
    schedule: Rate
    total: Total
    position_consistency: Rate
    prefill_efficiency: float | None
    stage_seconds: dict[str, float]
    published_at: datetime.datetime


class Board(NamedTuple):
    """All rows at one state of the store."""

    revision: Revision
    rows: tuple[BoardRow, ...]
    problems: tuple[str, ...] = ()
    """One sentence for each file that could not be read, naming it; the rows are those of all the others."""


class _Ranking(NamedTuple):
    """What two results must share to be ranked against each other."""

    protocol: str
    judge: str
    judge_revision: str
    prompt_pack: str
    data_sha: str


class _Files(NamedTuple, Generic[Kind]):
    """All records of a folder, and what is wrong with the others by path."""

    records: list[Kind]
    problems: dict[str, str]


def build_board(store: Store) -> Board:
    """Reads every scorecard that was not withdrawn and returns the board.

    A file that cannot be read costs its own row and no other. A withdrawal counts even then: its path says whose it is.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    revision = store.head()
    cards = _read_all(store, layout.SCORECARDS, Scorecard)
    tombstones = _read_all(store, layout.TOMBSTONES, Tombstone)
    withdrawn = {tombstone.submission_id for tombstone in tombstones.records}
    withdrawn |= {PurePosixPath(path).stem for path in tombstones.problems}
    rows = rank(card for card in cards.records if card.submission_id not in withdrawn)
    return Board(revision, rows, (*cards.problems.values(), *tombstones.problems.values()))


def _read_all(store: Store, folder: str, kind: type[Kind]) -> _Files[Kind]:
    """Reads a folder file by file, setting aside what cannot be read."""
    files: _Files[Kind] = _Files([], {})
    for path in store.list(folder):
        try:
            files.records.append(read_record(store.read(path), kind, path))
        except RapportError as error:
            files.problems[path] = error.message
        except StoreError as error:
            files.problems[path] = f"{path} cannot be read: {error}."
    return files


def rank(cards: Iterable[Scorecard]) -> tuple[BoardRow, ...]:
    """Returns rows in the order of the board: ranked ones first, then the others, each ranking by ranking.

    Within a ranking they are in the order of their Totals, missing ones last; equal Totals share a rank. Rows of
    different protocols or judges never share a ranking.
    """
    ordered = sorted(cards, key=_order)
    totals: dict[_Ranking, list[float]] = defaultdict(list)
    for card in filter(_ranks, ordered):
        insort(totals[_ranking(card)], -_total(card))
    return tuple(
        _row(card, bisect_left(totals[_ranking(card)], -_total(card)) + 1 if _ranks(card) else None) for card in ordered
    )


def find_row(store: Store, run_id: str) -> BoardRow:
    """Returns the board's row of a run under its protocol's judge.

    Raises:
        KeyError: If it has not been published.
    """
    from evaluator.protocol import load_protocol

    wanted = scorecard_id(run_id, load_protocol(protocol_of(run_id)).judge)
    for row in build_board(store).rows:
        if row.scorecard_id == wanted:
            return row
    raise KeyError(wanted)


def _ranks(card: Scorecard) -> bool:
    """Says whether a scorecard takes part in the ranking."""
    return not card.unranked_because and card.result.total.value is not None


def _ranking(card: Scorecard) -> _Ranking:
    """Names the ranking that a scorecard belongs to: whatever differs in one of these is not comparable."""
    return _Ranking(card.protocol, card.judge, card.judge_revision, card.prompt_pack, card.data_sha)


def _total(card: Scorecard) -> float:
    """The Total, or less than any if there is none."""
    value = card.result.total.value
    return -1.0 if value is None else value


def _order(card: Scorecard) -> tuple[bool, _Ranking, float, str, str]:
    """Sorts ranked before unranked, then by Total, then by name, so that the order is always the same."""
    return not _ranks(card), _ranking(card), -_total(card), card.model, card.id


def _row(card: Scorecard, place: int | None) -> BoardRow:
    """Lays a scorecard out flat."""
    from_result = BoardRow.model_fields.keys() & type(card.result).model_fields.keys()
    return BoardRow(
        rank=place,
        scorecard_id=card.id,
        stage_seconds=dict(card.stage_seconds),
        published_at=card.created_at,
        **{name: getattr(card, name) for name in Provenance.model_fields},
        **{name: getattr(card.result, name) for name in from_result},
    )
