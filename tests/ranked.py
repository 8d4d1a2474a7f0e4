"""Rows of the board from scorecards and users' sums at hand, by way of the files that a release would write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from evaluator.hicupid.user_scores import UserScore
from leaderboard.board.build import BoardRow, board_rows
from leaderboard.board.places import Places, work_out_places
from leaderboard.open_data import layout
from leaderboard.open_data.figures import open_user_scores
from leaderboard.open_data.files import USER_SCORES
from leaderboard.open_data.records import OpenUserScore
from leaderboard.results import Scorecard
from tests.builders import make_user_scores

Sums = Mapping[str, Sequence[UserScore]]


def rank(cards: Iterable[Scorecard], sums: Sums) -> tuple[BoardRow, ...]:
    """The rows of some scorecards, given their users' sums."""
    shown = list(cards)
    return board_rows(shown, places_of(shown, sums))


def places_of(cards: Sequence[Scorecard], sums: Sums) -> Places:
    """The places of some scorecards, given their users' sums."""
    parts: dict[str, list[OpenUserScore]] = defaultdict(list)
    for card in cards:
        path = layout.user_scores_path(card.model)
        if users := sums.get(card.id):
            parts[path] += open_user_scores(card, make_user_scores(card).model_copy(update={"users": tuple(users)}))
        else:
            parts[path] += ()
    files = {path: USER_SCORES.put(None, rows, path) for path, rows in parts.items()}
    return work_out_places(cards, files.items()).places
