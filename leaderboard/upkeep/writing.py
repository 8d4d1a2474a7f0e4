"""Writes to a store while its publisher is at rest: in commits that a Hub takes, and under the publisher's mark."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from leaderboard.store.base import Operation, Revision, Store, Write

FILES_A_COMMIT = 80
"""A commit is made once it writes as many files."""
_SIGNED = re.compile(r"\(([0-9a-f]{16}:[0-9]{1,15})\)\Z")
_FEW, _MANY = 1, 100


def last_mark(archive: Store) -> str:
    """Returns the publisher's mark of the newest commit that bears one; empty if none does.

    A publisher that finds it there goes on with what Redis holds.
    """
    for limit in (_FEW, _MANY):
        for commit in archive.history(limit):
            if found := _SIGNED.search(commit.message):
                return found[1]
    return ""


def unknown_mark() -> str:
    """Returns a mark that no publisher has set: the next one then compares Redis with the archive, which counts."""
    return f"{secrets.token_hex(8)}:0"


class Writer:
    """Writes to one store, on top of what it holds when each commit is made.

    Example:
        >>> writer = Writer(archive, last_mark(archive))  # doctest: +SKIP
        >>> writer.commit([Write("README.md", b"...")], "card")  # doctest: +SKIP
    """

    def __init__(self, store: Store, mark: str = "") -> None:
        """Writes to `store`; `mark` stands at the end of every message."""
        self._store, self._mark = store, mark
        self._waiting: list[Operation] = []

    def put(self, operations: Sequence[Operation], words: str) -> None:
        """Writes operations that belong together along with others, once they are enough for a commit."""
        self._waiting += operations
        if sum(isinstance(operation, Write) for operation in self._waiting) >= FILES_A_COMMIT:
            self.flush(words)

    def flush(self, words: str) -> None:
        """Writes what waits."""
        if self._waiting:
            self.commit(self._waiting, words)
        self._waiting = []

    def commit(self, operations: Sequence[Operation], words: str) -> None:
        """Makes one commit.

        Raises:
            Conflict: If somebody else wrote to the store since its head was looked at.
            StoreError: If the store fails.
        """
        self._store.commit(operations, self._signed(words), self._store.head())

    def squash(self, words: str) -> Revision:
        """Makes the store forget whatever is no longer in it."""
        return self._store.squash(self._signed(words))

    def _signed(self, words: str) -> str:
        return f"{words} ({self._mark})" if self._mark else words
