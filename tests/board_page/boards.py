"""Boards of rows at hand, and what the page shows of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

from evaluator.facts import ModelFacts
from leaderboard.board.build import Board
from leaderboard.open_data import layout
from leaderboard.open_data.figures import open_card, open_user_scores
from leaderboard.open_data.files import CARDS, USER_SCORES
from leaderboard.pages.board.index import BoardIndex
from leaderboard.pages.board.page import Shown
from leaderboard.pages.board.state import BoardState
from leaderboard.pages.board.view import BoardView, board_view
from leaderboard.pages.judge_view import judge_view
from leaderboard.pages.render import render
from leaderboard.results import HumanScorecard, Scorecard, with_facts
from leaderboard.store.base import Revision, Write
from leaderboard.store.local import LocalStore
from tests.builders import make_scorecard, make_user_scores
from tests.ranked import rank
from tests.released import write_board


def board_of(*cards: Scorecard, human: Iterable[HumanScorecard] = ()) -> Board:
    """A board of scorecards, each with the sums of twelve users behind it."""
    rows = rank(cards, {card.id: make_user_scores(card).users for card in cards})
    return Board(Revision("1"), rows, human=tuple(human))


def index_of(
    *cards: Scorecard, protocols: Iterable[str] = (), human: Iterable[HumanScorecard] = (), judge: str = ""
) -> BoardIndex:
    """What the page is laid out from."""
    board = board_of(*cards, human=human)
    view = judge_view(board.rows, judge)
    assert view is not None
    return BoardIndex(board, view, tuple(protocols))


def view_of(index: BoardIndex, **asked: object) -> BoardView:
    """What is shown of a state."""
    return board_view(index, BoardState()._replace(**asked))  # type: ignore[arg-type]


def html_of(index: BoardIndex, **asked: object) -> str:
    """What stands on the page of a state."""
    return render("results.html", **Shown(view_of(index, **asked), False).values)


def seen(html: str) -> str:
    """What stands between tags, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def table_of(html: str) -> str:
    """What stands in the body of the table, on one line."""
    return seen("".join(re.findall(r"<tbody.*?</tbody>", html, re.DOTALL)))


def names(view: BoardView) -> list[str]:
    """What the lines of the page are called, pinned ones first."""
    return [line.entry.name for line in (*view.pinned, *view.lines)]


def card_of(name: str, total: float | None, facts: ModelFacts | None = None, **changes: object) -> Scorecard:
    """A scorecard of a model that certain facts are known of; its id is made from its name."""
    card = make_scorecard(name, total, **{"id": f"{name.replace('/', '-')}@demo", **changes})
    return card if facts is None else with_facts(card, facts)


def publish_all(store: LocalStore, cards: Iterable[Scorecard]) -> None:
    """Writes scorecards and their users' sums into an empty public data set at once, and ranks them."""
    parts: dict[str, list[Scorecard]] = {}
    for card in cards:
        parts.setdefault(layout.scorecards_path(card.model), []).append(card)
    files = [Write(path, CARDS.encode(map(open_card, some))) for path, some in parts.items()]
    for some in parts.values():
        sums = [row for card in some for row in open_user_scores(card, make_user_scores(card))]
        files.append(Write(layout.user_scores_path(some[0].model), USER_SCORES.encode(sums)))
    store.commit(files, "scorecards")
    write_board(store)
