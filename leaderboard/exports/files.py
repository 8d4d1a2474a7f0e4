"""The files as they are sent, made once for each state of the board however many ask."""

from __future__ import annotations

import gzip
import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from leaderboard.board.build import Board, BoardRow
from leaderboard.exports.entry import Edition, entry_of
from leaderboard.exports.formats import BOARD_FORMATS, CARD_FORMATS, HUMAN_FORMATS, CardFormat
from leaderboard.open_data.figures import open_scorecard
from leaderboard.open_data.human_figures import open_human_figures

_MOST_KEPT = 512
"""Files of single scorecards that are kept; one that is not is made again."""
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9@._-]")
_NOTHING = RapportError(Cause.NOT_FOUND, "There is no such export.", "The board's page links to those that there are.")


class File(NamedTuple):
    """One file, ready to be sent."""

    name: str
    """Under which it is saved: letters, digits and `@._-`."""
    media_type: str
    content: bytes
    packed: bytes
    """The same, compressed with gzip."""
    etag: str


class Exports:
    """Makes files of what the page shows, and keeps them while it shows the same."""

    def __init__(self, board: Callable[[], tuple[Board, tuple[str, ...]]], site: str | None = None) -> None:
        """Exports a board.

        Args:
            board: Returns it as it is now, and what is wrong with it, in sentences.
            site: The site's own address; None where it is not known.
        """
        self._read = board
        self._site = site.rstrip("/") if site else None
        self._lock = threading.Lock()
        self._state: _State | None = None

    def board_file(self, name: str, judge: str = "") -> File:
        """Returns a file of the whole board, or of the figures of human-grounded tasks.

        Args:
            name: Such as `board.csv` or `human.csv`.
            judge: The only judge whose rows are in it; those of all judges if empty. It parts the board alone.

        Raises:
            RapportError: `not_found` if there is none of that name, or no row of that judge; `infrastructure` if the
                board cannot be read.
        """
        if name in HUMAN_FORMATS and not judge:
            return self._now().human_file(name)
        if name not in BOARD_FORMATS:
            raise _NOTHING
        return self._now().board_file(name, judge)

    def scorecard_file(self, name: str) -> File:
        """Returns a file of one scorecard.

        Args:
            name: The scorecard's id and an ending, such as `s-20260101-0a1b2c3d.demo-v1@demo.bib`.

        Raises:
            RapportError: `not_found` if there is none of that name, `infrastructure` if the board cannot be read.
        """
        return self._now().scorecard_file(name)

    def _now(self) -> _State:
        """Returns the present state."""
        board, problems = self._read()
        if problems and not board.revision:
            raise RapportError(Cause.INFRASTRUCTURE, problems[0], "Try again in a while.")
        edition = Edition(board.revision, self._site, problems)
        with self._lock:
            if self._state is None or self._state.edition != edition:
                self._state = _State(edition, board)
            return self._state


class _State:
    """All files of one state of the board, each made when it is first asked for."""

    def __init__(self, edition: Edition, board: Board) -> None:
        self.edition = edition
        self._rows, self._behind = board.rows, board.cards
        self._by_id = {row.scorecard_id: row for row in board.rows}
        self._board_lock, self._card_lock = threading.Lock(), threading.Lock()
        self._human_cards = board.human
        self._board: dict[str, dict[str, File]] = {}
        """By the judge whose rows alone are in them; empty for all."""
        self._human: dict[str, File] = {}
        self._cards: dict[str, File] = {}

    def board_file(self, name: str, judge: str = "") -> File:
        """Returns a file of all rows; whoever asks first makes the others too, since reading is what takes long."""
        with self._board_lock:
            if judge not in self._board:
                mine = [row for row in self._rows if judge in ("", row.judge)]
                if judge and not mine:  # What nobody can ask for is not kept either.
                    raise _NOTHING
                rows = [open_scorecard(row, self._behind[row.scorecard_id]) for row in mine]
                whose = f"rapport-{judge}" if judge else "rapport"
                self._board[judge] = {
                    each: file_of(f"{whose}-{each}", form.media_type, form.encode(rows, self.edition))
                    for each, form in BOARD_FORMATS.items()
                }
            return self._board[judge][name]

    def human_file(self, name: str) -> File:
        """Returns a file of all figures of human-grounded tasks; whoever asks first makes the others too."""
        with self._board_lock:
            if not self._human:
                rows = [row for card in self._human_cards for row in open_human_figures(card)]
                self._human = {
                    each: file_of(f"rapport-{each}", form.media_type, form.encode(rows, self.edition))
                    for each, form in HUMAN_FORMATS.items()
                }
            return self._human[name]

    def scorecard_file(self, name: str) -> File:
        """Returns a file of one row."""
        with self._card_lock:
            if name not in self._cards:
                row, form = next(self._meant_by(name), (None, None))
                if row is None or form is None:
                    raise _NOTHING
                content = form.encode(entry_of(row, self._behind[row.scorecard_id]), self.edition)
                while len(self._cards) >= _MOST_KEPT:
                    del self._cards[next(iter(self._cards))]
                self._cards[name] = file_of(name, form.media_type, content)
            return self._cards[name]

    def _meant_by(self, name: str) -> Iterator[tuple[BoardRow, CardFormat]]:
        """Yields what a name can mean: one ending may end with another one."""
        for ending, form in CARD_FORMATS.items():
            row = self._by_id.get(name.removesuffix(ending)) if name.endswith(ending) else None
            if row is not None:
                yield row, form


def file_of(name: str, media_type: str, content: bytes) -> File:
    """Returns content ready to be sent."""
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    return File(_NOT_IN_A_NAME.sub("_", name), media_type, content, gzip.compress(content, mtime=0), etag)
