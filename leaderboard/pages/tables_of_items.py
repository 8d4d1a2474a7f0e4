"""The items of scorecards for every page that shows single answers: read when first asked for, the last ones kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from leaderboard.answers.table import ItemTable, NoItems, read_item_table
from leaderboard.memory import give_back
from leaderboard.results import Scorecard
from leaderboard.store.base import BadPath, Store

TABLES = 16
"""Tables that are kept; one of 20,000 items takes about 4 MB."""

Value = TypeVar("Value")


class _Slot(Generic[Value]):
    """A place for one value."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.found: list[Value] = []


class Keep(Generic[Value]):
    """Keeps what was asked for last; however many ask for the same at once, it is made once.

    Example:
        >>> keep = Keep[str](2)
        >>> keep.get(1, lambda: "made"), keep.get(1, lambda: "made again")
        ('made', 'made')
    """

    def __init__(self, most: int) -> None:
        """Keeps so many."""
        self._most, self._lock = most, threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot[Value]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value | NoItems]) -> Value | NoItems:
        """Returns what a key names; what cannot be made, or is not there yet, is tried again when next asked for."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            if len(self._slots) > self._most:
                self._slots.popitem(last=False)
        with slot.lock:
            if slot.found:
                return slot.found[0]
            made = make()
            if not isinstance(made, NoItems):
                slot.found.append(made)
            return made


class ItemTables:
    """The items of scorecards, from the public rows; safe to ask from several threads."""

    def __init__(self, results: Store, most: int = TABLES) -> None:
        """Reads from the public data set of results.

        Args:
            results: The data set.
            most: How many tables are kept.
        """
        self.results = results
        self._tables = Keep[ItemTable](most)

    def get(self, card: Scorecard) -> ItemTable | NoItems:
        """Returns the items behind a scorecard, or why they cannot be shown.

        Raises:
            RapportError: `data_error` if a file is broken.
            StoreError: If the data set cannot be read.
        """
        return self._tables.get((card.id, card.rows_sha), lambda: self._read(card))

    def _read(self, card: Scorecard) -> ItemTable | NoItems:
        """Reads the items behind a scorecard."""
        try:
            return read_item_table(self.results, card)
        except BadPath:
            return NoItems("No rows can lie under its model's name.")
        finally:
            give_back()
