"""What is worked out once for each state of the board, whoever asks: texts, sets, orders and cells of each table."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from markupsafe import Markup

from evaluator.protocol import is_reference
from leaderboard.board.build import Board
from leaderboard.pages.agreement_columns import AgreementColumns, agreement_columns
from leaderboard.pages.board.columns import AGREEMENT, COLUMNS, SHOWN_UNASKED
from leaderboard.pages.board.entries import Entry, entries_of
from leaderboard.pages.board.filters import Masks, masks_of, text_of
from leaderboard.pages.human_tables import known_human
from leaderboard.pages.judge_view import JudgeView, judge_view
from leaderboard.pages.tables import Section, Table, sections

_MOST_CELLS = 60_000
"""Cells that a table keeps; some 20 MB of text."""
_MOST_JUDGES = 4
"""Views under a judge that are kept beside each other."""


class TableIndex:
    """The lines of one ranking, with all that filters, sorting and pages need; each made when it is first needed."""

    def __init__(self, entries: Sequence[Entry], agreement: AgreementColumns | None) -> None:
        """Takes the lines in the order of the board."""
        self.entries, self.agreement = entries, agreement
        self._orders: dict[tuple[str, bool], list[int]] = {}
        self._cells: dict[tuple[int, str], Markup] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that there are."""
        return tuple(name for name in COLUMNS if self.agreement or name not in AGREEMENT)

    @cached_property
    def shown_unasked(self) -> tuple[str, ...]:
        """Names of the columns that are shown unasked, beside those that are always there.

        Those of agreement with labels are, once there is any figure of it.
        """
        there = any(cell.card for entry in self.entries for cell in entry.agreement)
        return tuple(name for name in SHOWN_UNASKED if there or name not in AGREEMENT)

    @cached_property
    def masks(self) -> Masks:
        """Sets of lines."""
        return masks_of(self.entries)

    @cached_property
    def texts(self) -> list[str]:
        """What is searched."""
        return list(map(text_of, self.entries))

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Lines by their names."""
        return {entry.key: place for place, entry in enumerate(self.entries)}

    def order(self, sort: str) -> list[int]:
        """Returns all lines sorted by a column; equal ones stay in the order of the board.

        Args:
            sort: A column's name, after a minus from the greatest down. What is missing stands last either way.
        """
        name, descending = sort.removeprefix("-"), sort.startswith("-")
        if (name, descending) not in self._orders:
            keys = [COLUMNS[name].key(entry) for entry in self.entries]
            there = [place for place, key in enumerate(keys) if key is not None]
            there.sort(key=lambda place: keys[place], reverse=descending)  # type: ignore[arg-type, return-value]
            self._orders[name, descending] = there + [place for place, key in enumerate(keys) if key is None]
        return self._orders[name, descending]

    def cell(self, place: int, column: str) -> Markup:
        """Returns the cell of a line."""
        found = self._cells.get((place, column))
        if found is None:
            if len(self._cells) >= _MOST_CELLS:
                self._cells.clear()
            found = self._cells[place, column] = COLUMNS[column].cell(self.entries[place])
        return found


class BoardIndex:
    """The board under one judge, or under those that decide ranks."""

    def __init__(self, board: Board, view: JudgeView, protocols: Sequence[str]) -> None:
        """Lays rows out.

        Args:
            board: All rows.
            view: Those of them that are shown.
            protocols: Ids of protocols that have a place without a row too.
        """
        of_hicupid = [] if view.judge else [name for name in protocols if known_human(name) is None]
        self.board, self.view = board, view
        self.sections: Sequence[Section] = sections(view.rows, of_hicupid)
        self.has_people = bool(board.human) or any(map(known_human, protocols))
        self._agreement = agreement_columns(self.sections, board.human) if self.has_people else {}
        self._tables: dict[tuple[str, str], TableIndex] = {}

    def table(self, section: Section, table: Table | None) -> TableIndex:
        """Returns the lines of a table; without one those that others have published."""
        key = (section.protocol, table.id if table else "")
        if key not in self._tables:
            columns = self._agreement.get(table.id) if table else None
            entries = entries_of(table.rows if table else (), section.published, dict(columns.cells) if columns else {})
            self._tables[key] = TableIndex(entries, columns)
        return self._tables[key]

    @cached_property
    def models(self) -> Mapping[tuple[str, str], int]:
        """By protocol and table: rows of models."""
        return {
            (section.protocol, table.id): sum(not is_reference(row.model) for row in table.rows)
            for section in self.sections
            for table in section.tables
        }

    @cached_property
    def homes(self) -> Mapping[str, tuple[str, str]]:
        """By scorecard: the protocol and the table that it stands in; of a reference the first one."""
        found: dict[str, tuple[str, str]] = {}
        for section in self.sections:
            for table in section.tables:
                for row in table.rows:
                    found.setdefault(row.scorecard_id, (section.protocol, table.id))
        return found


class _Kept(NamedTuple):
    """What was made of one state of the board."""

    board: Board
    by_judge: dict[str, BoardIndex]


class Indexes:
    """Makes what is shown once for each state of the board, however many ask at once."""

    def __init__(self, protocols: Sequence[str]) -> None:
        """Shows of each of these protocols at least that there is nothing yet."""
        self._protocols = protocols
        self._lock = threading.Lock()
        self._kept: tuple[_Kept, ...] = ()
        """Of the newest board, and while that is being prepared of the one before, which everybody still reads."""

    def of(self, board: Board, judge: str) -> BoardIndex | None:
        """Returns what is shown of a board under a judge; None if the board has no row of that judge.

        While nobody can read the board, nobody can tell who has judged: then there is nothing under any judge.
        """
        if not board.revision:
            return BoardIndex(board, JudgeView((), judge), self._protocols)
        kept = self._kept
        for place, each in enumerate(kept):
            if each.board is board and (there := each.by_judge.get(judge)):
                if place == 0 and len(kept) > 1:  # Whoever finds the newest one came after it was prepared.
                    self._kept = kept[:1]
                return there
        with self._lock:
            return self._made(board, judge)

    def _made(self, board: Board, judge: str) -> BoardIndex | None:
        """Returns what is shown, and makes it if it is not there yet; to be called by one at a time."""
        kept = next((each for each in self._kept if each.board is board), None)
        if kept is None:
            kept = _Kept(board, {})
            self._kept = (kept, *self._kept[:1])
        if (there := kept.by_judge.get(judge)) is not None:
            return there
        view = judge_view(board.rows, judge)
        if view is None:
            return None
        if len(kept.by_judge) >= _MOST_JUDGES:
            del kept.by_judge[next(name for name in kept.by_judge if name)]
        kept.by_judge[judge] = BoardIndex(board, view, self._protocols)
        return kept.by_judge[judge]
