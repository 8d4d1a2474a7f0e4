"""A store that is waited for, however long it wants to be left alone: nobody waits for what looks after stores."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from leaderboard.store.base import CommitInfo, Condition, Operation, Revision, Store, StoreBusy

Done = TypeVar("Done")


class PatientStore:
    """A `Store` that never says that it is busy.

    Example:
        >>> PatientStore(store).read("README.md")  # doctest: +SKIP
        b'...'
    """

    def __init__(
        self,
        store: Store,
        tell: Callable[[str], None] = lambda words: None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Reads and writes `store`; `tell` is told before each pause."""
        self._store, self._tell, self._pause = store, tell, pause

    def condition(self) -> Condition:
        """See `Store.condition`."""
        return self._store.condition()

    def head(self) -> Revision:
        """See `Store.head`."""
        return self._patiently(self._store.head)

    def read(self, path: str) -> bytes:
        """See `Store.read`."""
        return self._patiently(lambda: self._store.read(path))

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes]:
        """See `Store.read_all`."""
        wanted = list(paths)
        return self._patiently(lambda: self._store.read_all(wanted))

    def hashes(self) -> dict[str, str]:
        """See `Store.hashes`."""
        return self._patiently(self._store.hashes)

    def list(self, prefix: str = "") -> builtins.list[str]:
        """See `Store.list`."""
        return self._patiently(lambda: self._store.list(prefix))

    def commit(
        self, operations: Sequence[Operation], message: str, expected_parent: Revision | None = None
    ) -> Revision:
        """See `Store.commit`."""
        return self._patiently(lambda: self._store.commit(operations, message, expected_parent))

    def squash(self, message: str) -> Revision:
        """See `Store.squash`."""
        return self._patiently(lambda: self._store.squash(message))

    def history(self, limit: int = 100) -> builtins.list[CommitInfo]:
        """See `Store.history`."""
        return self._patiently(lambda: self._store.history(limit))

    def _patiently(self, call: Callable[[], Done]) -> Done:
        """Returns what a call returns once no limit is in its way."""
        while True:
            try:
                return call()
            except StoreBusy as error:
                self._tell(f"{error}")
                self._pause(error.seconds)
