"""Results to export: made up, but built as the board builds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from evaluator.results import Interval
from leaderboard.board.build import BoardRow
from leaderboard.exports.entry import Edition, Entry, entry_of
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.figures import open_scorecard
from leaderboard.results import Scorecard
from tests.builders import make_scorecard, make_user_scores
from tests.ranked import rank

EDITION = Edition("a1b2c3d4e5f6", "https://rapport.example")
HUB_DATA = {"data_source": "12kimih/HiCUPID", "data_sha": "d" * 40}
HOSTILE = '=HYPERLINK("http://evil","x")'


def make_card(model: str = "org/model", total: float | None = 48.25, **changes: Any) -> Scorecard:
    """Returns a scorecard whose Total has an interval."""
    card = make_scorecard(model, total, **changes)
    interval = None if total is None else Interval(low=total - 3, high=total + 3, users=12)
    return with_total(card, interval=interval)


def with_total(card: Scorecard, **changes: Any) -> Scorecard:
    """Returns a scorecard with another Total."""
    total = replace(card.result.total, **changes)
    return card.model_copy(update={"result": card.result.model_copy(update={"total": total})})


def rows_of(*cards: Scorecard) -> tuple[BoardRow, ...]:
    """Returns the board of some scorecards."""
    return rank(cards, {card.id: make_user_scores(card).users for card in cards})


def make_entry(card: Scorecard | None = None) -> Entry:
    """Returns a scorecard with its row on a board of its own."""
    card = card or make_card(**HUB_DATA)
    (row,) = rows_of(card)
    return entry_of(row, card)


def columns_of_board(*cards: Scorecard) -> Sequence[OpenScorecard]:
    """Returns the public rows of a board of some scorecards."""
    by_id = {card.id: card for card in cards}
    return [open_scorecard(row, by_id[row.scorecard_id]) for row in rows_of(*cards)]
