"""Totals and ranks of runs that both judges have judged: the board's own rankings, as if either judge were official."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.scoring import HIGHEST_TOTAL
from evaluator.hicupid.user_scores import UserScore, total_sums
from evaluator.metrics.agreement import kendall
from evaluator.metrics.intervals import Difference, paired_difference
from evaluator.metrics.ranks import Rank, rank_board
from leaderboard.board.places import TOO_FEW_USERS
from leaderboard.board.rankings import Ranking, ranking_of, takes_part
from leaderboard.board.sums import SumsTable
from leaderboard.open_data.figures import open_user_scores
from leaderboard.open_data.records import OpenUserScore
from leaderboard.rescoring.comparing_rows import Scored
from leaderboard.rescoring.comparing_tables import rounded_difference
from leaderboard.rescoring.comparison import ModelSide, Move
from leaderboard.results import JUDGE_REASONS, Scorecard
from leaderboard.store.parquet import encode_parquet


class _Place(NamedTuple):
    """Where a run stands under one judge."""

    rank: Rank | None
    ranked: int
    unranked_because: tuple[str, ...]


class Standings:
    """The scorecards of one judge with their users' sums, 64 bytes a user."""

    def __init__(self, disregarded: Collection[str] = ()) -> None:
        """Holds none yet.

        Args:
            disregarded: Reasons that keep nobody from being ranked here, beside the status of the judge.
        """
        self._disregarded = frozenset(disregarded)
        self._cards: dict[str, Scorecard] = {}
        self._sums = SumsTable()

    @property
    def cards(self) -> Sequence[Scorecard]:
        """The scorecards, in the order in which they were added."""
        return tuple(self._cards.values())

    def add(self, scored: Scored) -> None:
        """Adds a scorecard with its users' sums."""
        card = scored.card
        self._cards[card.id] = card
        # The table reads what a release writes, so both rank by the same numbers.
        self._sums.add(encode_parquet(open_user_scores(card, scored.users), OpenUserScore), card.id)

    def sides(self) -> dict[str, ModelSide]:
        """Returns what this judge makes of each run, by run id."""
        places = self._places()
        return {card.run_id: _side(card, places[card.id]) for card in self._cards.values()}

    def less(self, other: Standings, mine: Scorecard, theirs: Scorecard) -> Difference:
        """Returns the Total of a scorecard less that of another judge's, over the users that both have."""
        users = {"mine": self._users(mine), "theirs": other._users(theirs)}
        sums = total_sums(users)
        return rounded_difference(paired_difference(sums["mine"], sums["theirs"]), HIGHEST_TOTAL)

    def _users(self, card: Scorecard) -> Sequence[UserScore]:
        return self._sums.users(card.id) if card.id in self._sums else ()

    def _places(self) -> dict[str, _Place]:
        """Ranks each ranking by itself, as the board does."""
        places, rankings = dict[str, _Place](), defaultdict[Ranking, list[str]](list)
        for card in sorted(self._cards.values(), key=lambda card: card.id):
            lenient = self._as_if_official(card)
            if takes_part(lenient) and card.id in self._sums:
                rankings[ranking_of(card)].append(card.id)
            else:
                places[card.id] = _Place(None, 0, lenient.unranked_because or (NO_TOTAL,))
        for names in rankings.values():
            ranks = rank_board(self._sums.board(names))
            ranked = sum(rank is not None for rank in ranks)
            for name, rank in zip(names, ranks, strict=True):
                places[name] = _Place(rank, ranked, () if rank else (TOO_FEW_USERS,))
        return places

    def _as_if_official(self, card: Scorecard) -> Scorecard:
        """Returns a scorecard without the reasons that do not count here."""
        free = {*self._disregarded, JUDGE_REASONS.get(card.judge_status)}
        left = tuple(reason for reason in card.unranked_because if reason not in free)
        return card.model_copy(update={"unranked_because": left})


NO_TOTAL = "no Total"
"""Why a scorecard does not rank in which a question type has no judged item."""


def move_of(old: ModelSide, new: ModelSide) -> Move:
    """Says what becomes of a run's rank interval."""
    before, now = old.rank, new.rank
    if before is None or now is None:
        return Move.UNRANKED if before is now else Move.LEFT if now is None else Move.ENTERED
    if (before.low, before.high) == (now.low, now.high):
        return Move.SAME
    return Move.APART if now.low > before.high or now.high < before.low else Move.MOVED


def order_agreement(sides: Iterable[tuple[ModelSide, ModelSide]]) -> float | None:
    """Returns Kendall's tau-b of runs' old and new Totals; None where either side has fewer than two different ones."""
    totals = [
        (old.total.value, new.total.value)
        for old, new in sides
        if old.total.value is not None and new.total.value is not None
    ]
    if len(totals) < 2:
        return None
    old, new = np.array(totals, dtype=np.float64).T
    found = kendall(old, new)
    return None if found is None else round(found, 6)


def _side(card: Scorecard, place: _Place) -> ModelSide:
    result = card.result
    return ModelSide(
        scorecard_id=card.id,
        total=result.total,
        judged_share=result.judged_share,
        missing=result.missing,
        missing_because=result.missing_because,
        rank=place.rank,
        ranked=place.ranked,
        unranked_because=place.unranked_because,
    )
