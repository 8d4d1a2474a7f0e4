"""Files of a store with what is to become of them, worked out before anything is committed."""

from __future__ import annotations

import builtins

from leaderboard.store.base import BadPath, Delete, NotFound, Operation, Store, StoreCorrupt, Write

ITS_OWN = (NotFound, BadPath, StoreCorrupt)
"""What is wrong with some file of a store; all other errors are about a store as a whole."""


class PendingFiles:
    """Reads files as they will be after a commit that is not made yet.

    Example:
        >>> files = PendingFiles(store)  # doctest: +SKIP
        >>> files.put("judges.parquet", b"...")  # doctest: +SKIP
        >>> files.operations  # doctest: +SKIP
        [Write(path='judges.parquet', content=b'...')]
    """

    def __init__(self, store: Store) -> None:
        """Changes nothing yet."""
        self._store = store
        self._found: dict[str, bytes | None] = {}
        self._changed: dict[str, Operation] = {}

    def read(self, path: str) -> bytes | None:
        """Returns a file's content as it will be; None if there is none."""
        if change := self._changed.get(path):
            return change.content if isinstance(change, Write) else None
        if path not in self._found:
            try:
                self._found[path] = self._store.read(path)
            except NotFound:
                self._found[path] = None
        return self._found[path]

    def holds(self, path: str) -> bool:
        """Says whether there will be such a file, without reading it."""
        return path in self.list(path.rpartition("/")[0])

    def list(self, folder: str) -> builtins.list[str]:
        """Returns the sorted paths of all files that there will be in a folder and below it."""
        changed = {path: change for path, change in self._changed.items() if path.startswith(f"{folder}/")}
        new = {path for path, change in changed.items() if isinstance(change, Write)}
        return sorted({*self._store.list(folder)} - changed.keys() | new)

    def put(self, path: str, content: bytes | None) -> None:
        """Replaces a file; None takes it out."""
        self._changed[path] = Delete(path) if content is None else Write(path, content)

    def copy(self) -> PendingFiles:
        """Returns what can go on without this one."""
        other = PendingFiles(self._store)
        other._found, other._changed = dict(self._found), dict(self._changed)
        return other

    def take(self, other: PendingFiles) -> None:
        """Becomes what a copy has come to."""
        self._found, self._changed = dict(other._found), dict(other._changed)

    @property
    def operations(self) -> builtins.list[Operation]:
        """What is to be committed."""
        return list(self._changed.values())

    @property
    def written(self) -> int:
        """How many files are to be written."""
        return sum(isinstance(change, Write) for change in self._changed.values())
