"""The board as an answer: laid out from what is kept of its state, with what a browser checks its own copy by."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from leaderboard.board.build import Board
from leaderboard.pages.board.index import Indexes
from leaderboard.pages.board.state import BoardState, read_state
from leaderboard.pages.board.view import BoardView, board_view, densities, form_fields
from leaderboard.pages.render import STATIC

_PAGES = STATIC.parent
_DIGITS = 32


class Shown(NamedTuple):
    """The board as it is asked for."""

    view: BoardView
    unknown_judge: bool
    """Whether a judge was asked for that the board has no row of; then the board is that of the official ones."""
    readable: bool = True
    """Whether anybody can tell what is on the board."""

    @property
    def values(self) -> dict[str, object]:
        """What the templates are told."""
        query = self.view.state.query()
        return {
            "view": self.view,
            "readable": self.readable,
            "fields": form_fields(self.view),
            "densities": densities(self.view),
            "address": f"/{query}",
            "rows_address": f"/rows{query}",
        }


class BoardPage:
    """Lays the board out; what it works out for one visitor serves all."""

    def __init__(self, protocols: Sequence[str] = ()) -> None:
        """Shows of each of these protocols at least that there is nothing yet."""
        self._indexes = Indexes(protocols)

    def prepare(self, board: Board) -> None:
        """Works out what every visitor of a board needs."""
        self.shown(board, read_state(()))

    def shown(self, board: Board, state: BoardState) -> Shown:
        """Returns what is shown of a board."""
        found = self._indexes.of(board, state.judge)
        unknown = found is None
        if found is None:
            state = state._replace(judge="")
            found = self._indexes.of(board, "")
        if found is None:
            raise AssertionError("a board is there under the judges that decide ranks, whoever they are")
        return Shown(board_view(found, state), unknown, bool(board.revision))


def validator(board: Board, state: BoardState, *also: str) -> str:
    """Returns a weak validator (RFC 9110, 8.8.3) of what is shown: equal ones mean equal pages.

    Args:
        board: What there is.
        state: What is asked for, in its one form.
        also: What else stands on the page.
    """
    today = datetime.datetime.now(datetime.UTC).date().isoformat()  # The news are those of a week.
    parts = (_code(), today, board.revision, str(board.lags), str(len(board.rows)), *board.problems, state.query())
    told = "\0".join((*parts, *also)).encode("utf-8", "surrogatepass")
    return f'W/"{hashlib.sha256(told).hexdigest()[:_DIGITS]}"'


@cache
def _code() -> str:
    """Names what writes pages, so that a new version of it is never taken for the old one's page."""
    found = hashlib.sha256()
    for path in sorted(_files()):
        found.update(path.read_bytes())
    return found.hexdigest()


def _files() -> Iterable[Path]:
    """Yields the files that decide how a page looks."""
    for pattern in ("*.py", "about/terms.py", "board/*.py", "templates/*.html", "static/*"):
        yield from (path for path in _PAGES.glob(pattern) if path.is_file())
