"""The publisher's mark as it is written down: in Redis, in a file of the publisher's, and in the store's history.

A mark names an era, which begins when the ledger was last compared with the store, and counts on within it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from leaderboard.store.base import Store
from leaderboard.store.disk import make_folder, sync_folder, told_failures

_MARK = re.compile(r"([0-9a-f]{16}):([0-9]{1,15})")
_SIGNED = re.compile(rf"\(({_MARK.pattern})\)\Z")
_FEW, _MANY = 1, 100
"""Commits that are looked at first, and if these were made by hand."""


class Mark(NamedTuple):
    """A moment in the time for which Redis has kept its memory.

    Example:
        >>> mark = Mark("0123456789abcdef", 41)
        >>> str(mark.next), read_mark(str(mark)) == mark
        ('0123456789abcdef:42', True)
    """

    era: str
    """16 hexadecimal digits."""
    number: int

    @property
    def next(self) -> Mark:
        """The mark that follows."""
        return Mark(self.era, self.number + 1)

    def reaches(self, other: Mark) -> bool:
        """Says whether it is of the same era and not earlier."""
        return self.era == other.era and self.number >= other.number

    def __str__(self) -> str:
        """Returns what is written down."""
        return f"{self.era}:{self.number}"


def read_mark(words: str) -> Mark | None:
    """Returns the mark that was written down so; None if it is none.

    Example:
        >>> read_mark("0123456789abcdef:41").number, read_mark("tests:0"), read_mark("")
        (41, None, None)
    """
    found = _MARK.fullmatch(words)
    return Mark(found[1], int(found[2])) if found else None


def signed(message: str, mark: Mark) -> str:
    """Returns the message of a commit, with the mark under which it is made.

    Example:
        >>> signed("2 batches", Mark("0123456789abcdef", 41))
        '2 batches (0123456789abcdef:41)'
    """
    return f"{message} ({mark})"


def saved_mark(store: Store) -> Mark | None:
    """Returns the mark of the newest commit that bears one; None if none of the newest does."""
    for limit in (_FEW, _MANY):
        for commit in store.history(limit):
            if found := _SIGNED.search(commit.message):
                return read_mark(found[1])
    return None


class Noted(NamedTuple):
    """What a publisher leaves to the next one."""

    mark: Mark
    """The mark that was left in Redis, or the one before it."""
    since: Mark | None
    """The newest mark in the store when the era began."""


class MarkFile:
    """The file in which a publisher notes its mark.

    Example:
        >>> MarkFile(None).read() is None
        True
    """

    def __init__(self, path: Path | None) -> None:
        """Writes to `path`; without one nothing is noted, and the next publisher compares Redis with the store."""
        self._path = path

    def read(self) -> Noted | None:
        """Returns what was noted; None if that cannot be told."""
        if self._path is None:
            return None
        try:
            lines = self._path.read_text(encoding="ascii").split("\n")
        except (OSError, UnicodeDecodeError):
            return None  # Whatever became of it: the ledger is compared with the store, which is always right.
        mark = read_mark(lines[0])
        return Noted(mark, read_mark(lines[1])) if mark and len(lines) == 3 else None

    def write(self, noted: Noted, *, durably: bool) -> None:
        """Replaces what is noted, whole or not at all.

        Args:
            noted: What is noted.
            durably: Whether it has to outlast a power cut, not just this process.

        Raises:
            StoreError: If the disk is full or cannot be written.
        """
        if self._path is None:
            return
        with told_failures(self._path.parent):
            make_folder(self._path.parent)
            new = self._path.with_name(f"{self._path.name}.new")
            with new.open("w", encoding="ascii") as file:
                file.write(f"{noted.mark}\n{noted.since or ''}\n")
                if durably:
                    file.flush()
                    os.fsync(file.fileno())
            new.replace(self._path)
            if durably:
                sync_folder(self._path.parent)
