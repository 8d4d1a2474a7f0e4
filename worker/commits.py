"""Counts what is committed to a store, for those who watch the publisher."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from leaderboard.store.base import Condition, Operation, Revision, Store, StoreError


class Commits:
    """Counts the commits of one store from now on; the store stays what it is, and of its own class.

    Example:
        >>> from leaderboard.store.local import LocalStore
        >>> commits = Commits(LocalStore(folder))  # doctest: +SKIP
        >>> commits.made, commits.failed, commits.silence  # doctest: +SKIP
        (0, 0, None)
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Stands before the store's `commit`; `clock` gives seconds that only ever grow."""
        self._store, self._clock, self._commit = store, clock, store.commit
        self._made_at: float | None = None
        self.made = 0
        """Commits that succeeded, those that changed nothing among them."""
        self.failed = 0
        """Commits that did not."""
        # No wrapper: it would hide of which class the store is, by which it is told whether an archive is private.
        store.commit = self._counted  # type: ignore[method-assign]

    @property
    def silence(self) -> float | None:
        """Seconds since the last commit that succeeded; None before the first."""
        return None if self._made_at is None else self._clock() - self._made_at

    def condition(self) -> Condition:
        """Returns how the store is doing; asks nobody."""
        return self._store.condition()

    def _counted(
        self, operations: Sequence[Operation], message: str, expected_parent: Revision | None = None
    ) -> Revision:
        """See `Store.commit`."""
        try:
            revision = self._commit(operations, message, expected_parent)
        except StoreError:
            self.failed += 1
            raise
        self.made += 1
        self._made_at = self._clock()
        return revision
