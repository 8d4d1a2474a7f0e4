"""Saves the log of what maintainers do to the store."""

from __future__ import annotations

from redis import Redis

from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.journal import files_of, saved_up_to
from leaderboard.store.base import Store
from worker.parts import Part


class ActSaver:
    """Gathers what maintainers did: at once, in a new file that is never written again.

    An entry is appended in one go with what was done. Entries are read after all else that goes into a commit, so the
    store never holds something that a maintainer did without its entry; an entry may be there a commit before it. One
    that cannot be read is saved as it stands, under its number.

    Example:
        >>> part = ActSaver(redis, store).gather(count=20, at_once=True)  # doctest: +SKIP
    """

    def __init__(self, redis: Redis, store: Store) -> None:
        """Reads `store`, once: what it holds."""
        self._desk, self._store = MaintainDesk(redis), store
        self._saved: int | None = None
        """The last entry that the store holds; None where that has to be looked up."""

    def gather(self, *, count: int, at_once: bool) -> Part | None:
        """Returns what has news; None if there is nothing.

        Args:
            count: How many entries there were when this step began.
            at_once: Whether something is written anyway, with which entries may have come since.
        """
        if count == 0 and not at_once:
            return None
        if self._saved is None:
            self._saved = saved_up_to(self._store)
        if count <= self._saved and not at_once:
            return None
        entries = self._desk.from_on(self._saved + 1)
        if not entries:
            return None
        self._saved = None  # Until it is known that the store took it.
        words = f"{len(entries)} acts of maintainers"
        return Part(words, tuple(files_of(entries)), lambda: self._note(entries[-1].place))

    def _note(self, last: int) -> None:
        """Notes what the store holds."""
        self._saved = last
