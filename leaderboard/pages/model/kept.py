"""The items of runs, and what they come to by slice: read when they are first asked for, and kept for a while."""

from __future__ import annotations

from typing import NamedTuple

from leaderboard.answers.slices import Slice, SliceGap, sentiment_gaps, slices_of
from leaderboard.answers.table import ItemTable, NoItems
from leaderboard.pages.tables_of_items import ItemTables, Keep
from leaderboard.results import Scorecard

_SLICES = 512
"""How many are kept; those of one scorecard take some kB."""


class Sliced(NamedTuple):
    """What a run came to by slice."""

    slices: tuple[Slice, ...]
    gaps: tuple[SliceGap, ...]
    lost: int
    """Items whose answers are worse than the reference answer, or did not satisfy."""
    items: int


class Items:
    """The items of scorecards, from the public rows."""

    def __init__(self, tables: ItemTables) -> None:
        """Asks for tables that other pages ask for too."""
        self.results = tables.results
        self._tables, self._slices = tables, Keep[Sliced](_SLICES)

    def table(self, card: Scorecard) -> ItemTable | NoItems:
        """Returns the items behind a scorecard, or why they cannot be shown.

        Raises:
            RapportError: `data_error` if a file is broken.
            StoreError: If the data set cannot be read.
        """
        return self._tables.get(card)

    def sliced(self, card: Scorecard) -> Sliced | NoItems:
        """Returns what a run came to by slice, or why nobody can say.

        Raises:
            RapportError: As of `table`.
            StoreError: As of `table`.
        """
        return self._slices.get((card.id, card.rows_sha), lambda: _sliced(self.table(card)))


def _sliced(table: ItemTable | NoItems) -> Sliced | NoItems:
    """Works slices out."""
    if isinstance(table, NoItems):
        return table
    lost = int(table.are("lost").sum())
    return Sliced(slices_of(table), sentiment_gaps(table), lost, len(table.question_id))
