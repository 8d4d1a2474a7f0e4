"""What a process knows of a data set on the Hub, and how it stays true: asked for now and then, kept on this machine.

While the Hub does not answer, what was read before is still there, and `trouble` says what is wrong.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

from leaderboard.store.base import (
    NotFound,
    Revision,
    StoreBusy,
    StoreError,
    StoreForbidden,
    StoreFull,
    StoreGone,
    StoreUnavailable,
)
from leaderboard.store.hub_cache import Cache
from leaderboard.store.hub_calls import Raced
from leaderboard.store.hub_client import HubClient
from leaderboard.store.hub_index import NOTHING, Index, full_index, next_index
from leaderboard.store.hub_retry import Retry

log = logging.getLogger("rapport.store")

_TROUBLE_SECONDS = 15.0
"""A Hub that did not answer is not asked again for this time: no visitor waits for it."""

_LAG_SECONDS = 60.0
"""For how long the Hub may still name a head of which we know the successor."""

_FETCHES = 6
"""Contents fetched at a time. Once the calls are spent, each waits for its turn: the last no longer than 4 seconds."""

_AWAY = (StoreUnavailable, StoreBusy, StoreGone, StoreForbidden)
"""What keeps the Hub from answering; what was read before can still be read."""


class HubView:
    """The newest known state of a data set and the contents of its files; for any number of threads."""

    def __init__(
        self, client: HubClient, cache: Cache, retry: Retry, fresh_seconds: float, clock: Callable[[], float]
    ) -> None:
        """Begin with what the cache holds, asking nobody."""
        self._client, self._cache, self._retry = client, cache, retry
        self._fresh_seconds, self._clock = fresh_seconds, clock
        self._index = cache.index()
        self._ask_at = float("-inf")
        self._followed: dict[Revision, float] = {}
        self._swept = False
        self._asking = threading.Lock()
        self.trouble: StoreError | None = None
        """Why the Hub did not answer when it was last asked; None if it did."""
        self.answered = cache.confirmed() if self._index else datetime.now(UTC)
        """When it last answered, in UTC."""

    def known(self) -> Index:
        """Return what the store holds as far as is known, asking the Hub if that is too old.

        Raises:
            StoreError: what keeps the Hub from answering, if nothing is known.
        """
        index = self._index
        if index is not None and self._clock() < self._ask_at:
            return index
        # Whoever knows something does not wait for another thread that is asking already.
        if not self._asking.acquire(blocking=index is None):
            assert index is not None
            return index
        try:
            if self._clock() >= self._ask_at:
                with self._noting():
                    return self._ask()
        except _AWAY:
            if self._index is None:
                raise
        finally:
            self._asking.release()
        if self._index is None:
            raise self._same_trouble()
        return self._index

    def newest(self) -> Index:
        """Return what the Hub holds now.

        Raises:
            StoreError: what keeps it from answering.
        """
        with self._asking, self._noting():
            return self._ask()

    def check(self) -> None:
        """Return if the Hub answered when it was last asked, and ask it if that is too long ago.

        Raises:
            StoreError: what keeps it from answering.
        """
        self.known()
        if self.trouble is not None:
            raise self._same_trouble()

    def at(self, revision: Revision) -> Index:
        """Return what the Hub held at a revision of its history."""
        if revision == NOTHING.revision:
            return NOTHING
        near = self.known()
        return self._retry.until_done(
            lambda: next_index(near, revision, lambda folder: self._client.entries(revision, folder))
        )

    def listed(self) -> Index:
        """Return what the Hub lists of its newest commit, file by file."""
        revision = self.newest().revision
        return full_index(revision, self._client.entries(revision, recursive=True))

    def contents(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the contents of some files, all of one revision, by path.

        Raises:
            NotFound: if there is no such file.
            StoreError: what keeps the Hub from answering, if a content is not on this machine.
        """
        try:
            return self._contents(paths, self.known())
        except Raced:
            # The history was rewritten since the index was made: what it names is nowhere any more.
            return self._contents(paths, self.newest())

    def follow(self, before: Index, after: Index, contents: dict[str, bytes]) -> None:
        """Take note of a commit of our own.

        Args:
            before: what it was made on.
            after: what the store holds now.
            contents: by hash, what it wrote.
        """
        with self._asking:
            if self._index is before:
                self._adopt(after)
        for oid, content in contents.items():
            with self._kept_or_not():
                self._cache.keep(oid, content)

    def squashed(self, old: Revision, new: Revision) -> None:
        """Take note that all history became one commit.

        Args:
            old: what was the newest before.
            new: the commit.
        """
        with self._asking:
            index = self._index or NOTHING
            # Whoever has asked since then knows of it, or of what came after it.
            if index.revision == old:
                index = self._adopt(next_index(index, new, lambda folder: self._client.entries(new, folder)))
            with self._kept_or_not():
                self._cache.forget_others(index.files.values())

    def _ask(self) -> Index:
        head, index = self._client.head(), self._index
        if index is None:
            index = self._adopt(full_index(head, self._client.entries(head, recursive=True)))
        elif head != index.revision and not self._lags(head):
            index = self._adopt(next_index(index, head, lambda folder: self._client.entries(head, folder)))
        else:
            with self._kept_or_not():
                self._cache.confirm()
        self.answered, self.trouble = datetime.now(UTC), None
        self._ask_at = self._clock() + self._fresh_seconds
        return index

    def _lags(self, head: Revision) -> bool:
        return self._clock() - self._followed.get(head, float("-inf")) < _LAG_SECONDS

    def _adopt(self, index: Index) -> Index:
        """Take what the Hub holds as known, and throw away what it does not hold any more."""
        old = self._index or NOTHING
        self._followed = {revision: at for revision, at in self._followed.items() if self._lags(revision)}
        self._followed[old.revision] = self._clock()
        self._followed.pop(index.revision, None)
        self._index = index
        with self._kept_or_not():
            self._cache.save(index)
            if self._swept:
                self._cache.forget(set(old.files.values()) - set(index.files.values()))
            else:
                self._cache.forget_others(index.files.values())
                self._swept = True
        return index

    def _contents(self, paths: Sequence[str], index: Index) -> dict[str, bytes]:
        for path in paths:
            if path not in index.files:
                raise NotFound(path)
        names = {path: index.files[path] for path in paths}
        held = {oid: content for oid in set(names.values()) if (content := self._cache.content(oid)) is not None}
        missing = {oid: path for path, oid in names.items() if oid not in held}
        if missing:
            held |= self._fetch_all(missing, index.revision)
        return {path: held[oid] for path, oid in names.items()}

    def _fetch_all(self, missing: Mapping[str, str], revision: Revision) -> dict[str, bytes]:
        """Fetch contents, each with one call; the first failure ends it.

        Args:
            missing: hash to a path that has this content.
            revision: the commit that has these paths.
        """
        with ThreadPoolExecutor(min(_FETCHES, len(missing)), thread_name_prefix="fetch") as pool:
            fetches = {oid: pool.submit(self._fetch, path, revision, oid) for oid, path in missing.items()}
            try:
                return {oid: fetch.result() for oid, fetch in fetches.items()}
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _fetch(self, path: str, revision: Revision, oid: str) -> bytes:
        if self.trouble is not None and self._clock() < self._ask_at:
            raise self._same_trouble()
        with self._noting():
            content = self._retry.until_done(lambda: self._client.content(path, revision, oid), tries=3)
        with self._kept_or_not():
            self._cache.keep(oid, content)
        return content

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Remember what keeps the Hub from answering, and leave it alone for a while."""
        try:
            yield
        except Raced:
            raise
        except _AWAY as error:
            self.trouble = error
            seconds = error.seconds if isinstance(error, StoreBusy) else 0.0
            self._ask_at = self._clock() + max(_TROUBLE_SECONDS, seconds)
            raise

    def _same_trouble(self) -> StoreError:
        """Return an equal error to raise: one that many threads raise would grow with each."""
        assert self.trouble is not None
        return type(self.trouble)(*self.trouble.args)

    @contextmanager
    def _kept_or_not(self) -> Iterator[None]:
        """A copy that cannot be kept costs another call, and keeps nobody from reading or writing."""
        try:
            yield
        except (StoreFull, StoreUnavailable) as error:
            log.error("the copy of %s is not kept: %s", self._client.place, error)
