"""From stored scorecards to the rows of the board: a pure function of what is stored.

A row carries every figure with its count, its interval and its provenance, and the name of the scorecard behind it.
Official results are ranked; everything else is shown without a rank and says why.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Generic, NamedTuple, TypeVar

from evaluator.errors import RapportError
from evaluator.hicupid.user_scores import UserScore, total_sums
from evaluator.metrics.ranks import Rank, ranks
from evaluator.records import Record
from evaluator.results import Desiderata, PairwiseScores, Rate, SplitScores, Total
from leaderboard.board.partners import Partners, Sums, find_partners, with_partners
from leaderboard.records import Provenance, Scorecard, Tombstone, protocol_of
from leaderboard.scorecards import UserScores, scorecard_id
from leaderboard.store import layout
from leaderboard.store.base import Revision, Store, StoreError
from leaderboard.store.rows import read_record

Kind = TypeVar("Kind", bound=Record)


_TOO_FEW_USERS = "too few users in common"


class BoardRow(Provenance):
    """One row of the board: a scorecard laid out flat, with its place."""

    scorecard_id: str
    rank: int | None
    """1 + the number of rows that are significantly better, of those of the same `Ranking`; None where the row does not
    rank."""
    rank_interval: tuple[int, int] | None
    """The best and the worst rank that the data leave open, at 95 % for all rows of the ranking together."""
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


class Ranking(NamedTuple):
    """What two results must share to be ranked against each other; fields are those of `Provenance`."""

    protocol: str
    judge: str
    judge_revision: str
    prompt_pack: str
    data_sha: str
    protocol_config: str
    judge_config: str
    judge_engine: str
    judge_dtype: str
    context: tuple[tuple[str, str], ...]


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
    cards = _read_all(store, store.list(layout.SCORECARDS), Scorecard)
    tombstones = _read_all(store, store.list(layout.TOMBSTONES), Tombstone)
    withdrawn = {tombstone.submission_id for tombstone in tombstones.records}
    withdrawn |= {PurePosixPath(path).stem for path in tombstones.problems}
    shown = [card for card in cards.records if card.submission_id not in withdrawn]
    sums = _read_all(store, _wanted_sums(shown), UserScores)
    rows = rank(shown, {scores.scorecard_id: scores.users for scores in sums.records})
    return Board(revision, rows, tuple(sorted({**cards.problems, **tombstones.problems, **sums.problems}.values())))


def _wanted_sums(cards: Iterable[Scorecard]) -> list[str]:
    """Returns the paths of the users' sums that ranks and comparisons need: those of the others are not read."""
    shown = {card.id: card for card in cards}
    wanted = {card.id for card in shown.values() if _ranks(card)}
    for card_id, partners in find_partners(shown.values()).items():
        others = {other for other in partners if other is not None}
        wanted |= others | {card_id} if others else set()
    return [layout.user_scores_path(shown[card_id].model, card_id) for card_id in sorted(wanted)]


def _read_all(store: Store, paths: Iterable[str], kind: type[Kind]) -> _Files[Kind]:
    """Reads files one by one, setting aside what cannot be read."""
    files: _Files[Kind] = _Files([], {})
    for path in paths:
        try:
            files.records.append(read_record(store.read(path), kind, path))
        except RapportError as error:
            files.problems[path] = error.message
        except StoreError as error:
            files.problems[path] = f"{path} cannot be read: {error}."
    return files


def rank(cards: Iterable[Scorecard], sums: Sums) -> tuple[BoardRow, ...]:
    """Returns rows in the order of the board: ranked ones first, then the others, each ranking by ranking.

    Within a ranking they are in the order of rank and Total, missing ones last. Rows of different protocols or judges
    never share a ranking.

    Args:
        cards: The scorecards.
        sums: Their users' sums. A row without them, or with too few users in common with others, does not rank.
    """
    shown = list(cards)
    places = _places(shown, sums)
    partners = find_partners(shown)
    rows = [
        _row(card, places.get(card.id), with_partners(card, partners.get(card.id, Partners()), sums)) for card in shown
    ]
    return tuple(sorted(rows, key=_order))


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


def _places(cards: Iterable[Scorecard], sums: Sums) -> dict[str, Rank | None]:
    """Ranks the scorecards that take part, each ranking by itself."""
    rivals: dict[Ranking, list[tuple[str, tuple[UserScore, ...]]]] = defaultdict(list)
    for card in cards:
        if _ranks(card):
            rivals[ranking_of(card)].append((card.id, tuple(sums.get(card.id, ()))))
    places: dict[str, Rank | None] = {}
    for models in rivals.values():
        places |= _ranks_of(tuple(sorted(models)))
    return places


@lru_cache(maxsize=4)
def _ranks_of(models: tuple[tuple[str, tuple[UserScore, ...]], ...]) -> Mapping[str, Rank | None]:
    """Ranks models by their users' sums; kept, since it takes seconds and most changes of a store change no rank."""
    return ranks(total_sums(dict(models)))


def ranking_of(row: Provenance) -> Ranking:
    """Names the ranking that a result belongs to: whatever differs in one of these is not comparable."""
    return Ranking(*(getattr(row, name) for name in Ranking._fields))


def standing(row: BoardRow) -> tuple[bool, int, float, str, str]:
    """Sorts the rows of a ranking: by rank, unranked ones last, then by Total and name, so that no two are equal."""
    total = -1.0 if row.total.value is None else row.total.value
    return row.rank is None, row.rank or 0, -total, row.model, row.scorecard_id


def _order(row: BoardRow) -> tuple[bool, Ranking, tuple[bool, int, float, str, str]]:
    """Sorts ranked before unranked, then ranking by ranking."""
    return row.rank is None, ranking_of(row), standing(row)


def _row(card: Scorecard, place: Rank | None, found: Desiderata) -> BoardRow:
    """Lays a scorecard out flat."""
    from_result = BoardRow.model_fields.keys() & type(card.result).model_fields.keys()
    provenance = {name: getattr(card, name) for name in Provenance.model_fields}
    if place is None and _ranks(card):
        provenance["unranked_because"] = (_TOO_FEW_USERS,)
    return BoardRow(
        rank=place and place.rank,
        rank_interval=place and (place.low, place.high),
        scorecard_id=card.id,
        desiderata=found,
        stage_seconds=dict(card.stage_seconds),
        published_at=card.created_at,
        **provenance,
        **{name: getattr(card.result, name) for name in from_result},
    )
