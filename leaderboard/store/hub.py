"""The store in a data set on the Hugging Face Hub: open to everyone, with the Hub's own history.

Reading goes by the hash of each content: what the head holds is known from a listing that is renewed where the head
has moved on, and contents are fetched once and kept on this machine. While the Hub does not answer, everything that
was fetched before can still be read, and `condition` says since when.

Every commit names the head it was made for, and the Hub refuses it if there is another by then. Whoever asked for no
certain parent is rebased and sent again. That also makes a commit whose answer was lost safe: a second try and the
first one, should it still arrive, cannot both succeed, and the history tells which one did.
"""

import builtins
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from leaderboard.store.base import (
    CommitInfo,
    Condition,
    Conflict,
    Operation,
    Revision,
    StoreBusy,
    StoreForbidden,
    StoreGone,
    Write,
)
from leaderboard.store.hub_budget import PROCESS_CALLS, Budget
from leaderboard.store.hub_cache import Cache
from leaderboard.store.hub_calls import Passing, Raced
from leaderboard.store.hub_client import HubClient, HubCommit
from leaderboard.store.hub_index import NOTHING
from leaderboard.store.hub_retry import Retry
from leaderboard.store.hub_view import HubView
from leaderboard.store.hub_words import read_words, write_words
from leaderboard.store.paths import check_operations, check_path

_SEARCHED_COMMITS = 1000
"""How far back a commit is looked for whose answer was lost."""


class HubStore:
    """A `Store` in a data set on the Hub. Opening it asks the Hub nothing.

    Names that `check_path` refuses, such as `.gitattributes`, are not part of the store, and commits that touched no
    other file are not part of its history.

    Example:
        >>> store = HubStore("org/rapport-results", Path("data/hub"))  # doctest: +SKIP
        >>> store.list("scorecards")  # doctest: +SKIP
        ['scorecards/org/model/s-20260101-0a1b2c3d.demo-v1@demo.json']
    """

    def __init__(
        self,
        repo_id: str,
        cache: Path,
        token: str | None = None,
        *,
        endpoint: str | None = None,
        fresh_seconds: float = 5.0,
        timeout_seconds: float = 20.0,
        budget: Budget | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the store in a data set.

        Args:
            repo_id: the data set, `owner/name`; see `create` for a new one.
            cache: folder of the copy on this machine; may be shared and may be deleted.
            token: a token that may write to the data set, or read it where it is private; None asks as anyone.
            endpoint: the Hub's address; None is the one that HF_ENDPOINT names.
            fresh_seconds: for how long the head is taken for the newest without asking. A commit always asks.
            timeout_seconds: how long the Hub may stay silent in a call.
            budget: what the Hub may be asked; None is what it takes, its calls shared by all stores of this process.
            clock: seconds that only ever grow.
            pause: waits for some seconds.

        Raises:
            StoreForbidden: if the token cannot be one.
            StoreFull: if there is no room for the cache.
            StoreUnavailable: if the cache's folder cannot be used.
        """
        self._budget = budget or Budget(calls=PROCESS_CALLS, clock=clock)
        self._client = HubClient(repo_id, token, endpoint, self._budget, timeout_seconds, pause)
        self._retry = Retry(clock=clock, pause=pause)
        self._view = HubView(self._client, Cache(cache), self._retry, fresh_seconds, clock)
        self._paths: dict[Revision, tuple[str, ...]] = {}
        self._committing = threading.Lock()

    @property
    def place(self) -> str:
        """The data set as the settings name it: `hub://owner/name`."""
        return self._client.place

    def create(self, *, private: bool = False) -> bool:
        """Make the data set on the Hub unless there is one, and return whether it was made.

        One that is there stays as it is, whoever may see it.
        """
        try:
            self.is_private()
            return False
        except StoreGone:
            pass
        try:
            self._client.create(private)
        except Raced:
            return False
        return True

    def is_private(self) -> bool:
        """Return whether the data set is hidden from everyone outside its owner's organisation; asks the Hub."""
        return self._retry.until_done(self._client.is_private, tries=3)

    def condition(self) -> Condition:
        """See `Store.condition`."""
        trouble = self._view.trouble
        if trouble is None:
            return Condition(commit_in=self._budget.commit_in())
        return Condition(self._view.answered, trouble.cause, self._budget.commit_in())

    def head(self) -> Revision:
        """See `Store.head`; up to `fresh_seconds` old, and older while the Hub does not answer."""
        return self._view.known().revision

    def read(self, path: str) -> bytes:
        """See `Store.read`."""
        return self.read_all([path])[path]

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes]:
        """See `Store.read_all`; what is not on this machine costs one call each, some of them at a time."""
        return self._view.contents([check_path(path) for path in paths])

    def hashes(self) -> dict[str, str]:
        """See `Store.hashes`; one call for each 1,000 files and folders."""
        return dict(self._retry.until_done(self._view.listed, tries=3, races=True).files)

    def list(self, prefix: str = "") -> builtins.list[str]:
        """See `Store.list`."""
        folder = prefix.removesuffix("/")
        if prefix:
            check_path(folder)
        return self._view.known().below(folder)

    def commit(
        self, operations: Sequence[Operation], message: str, expected_parent: Revision | None = None
    ) -> Revision:
        """See `Store.commit`.

        Raises:
            StoreBusy: if the Hub takes no commit for longer than some seconds; nothing was changed.
            StoreForbidden: if the token may not write, or there is none.
            StoreGone: if the data set is not there.
            StoreUnavailable: if the Hub failed again and again. Whether the commit arrived is then not known; to send
                it again does no harm.
        """
        check_operations(operations)
        self._check_token()
        attempt = _Attempt(operations, message, expected_parent)
        with self._committing:
            return self._retry.until_done(lambda: self._send(attempt), races=True)

    def squash(self, message: str) -> Revision:
        """See `Store.squash`.

        The Hub squashes whatever is the newest at that moment: what others commit meanwhile is kept.

        Raises:
            StoreError: as `commit` does. After `StoreUnavailable` it is not known whether it happened; to do it again
                does no harm.
        """
        self._check_token()
        attempt = _Attempt([], message, None)
        with self._committing:
            return self._retry.until_done(lambda: self._send_squash(attempt), races=True)

    def history(self, limit: int = 100) -> builtins.list[CommitInfo]:
        """See `Store.history`; needs the Hub, and some calls more for each commit that was made by hand."""
        if limit < 1:
            raise ValueError(f"a history of {limit} commits cannot be told; ask for at least 1")
        self._view.check()
        count = limit + 1
        while True:
            commits = self._retry.until_done(lambda: self._client.commits(count), tries=3)  # noqa: B023 - Called here.
            complete = len(commits) < count
            parents = [commit.revision for commit in commits[1:]] + [NOTHING.revision] * complete
            told = [self._told(commit, parent) for commit, parent in zip(commits, parents, strict=False)]
            infos = [info for info in told if info is not None]
            if complete or len(infos) >= limit:
                return infos[:limit]
            count *= 2

    def _check_token(self) -> None:
        if not self._client.can_write:
            raise StoreForbidden(self.place, "without a token it can only be read", "Set HF_TOKEN.")

    def _send(self, attempt: "_Attempt") -> Revision:
        """Try to make a commit, unless an earlier try turns out to have made it."""
        before = self._view.newest()
        if attempt.doubted and (landed := self._landed(attempt)):
            return landed
        if attempt.expected_parent is not None and attempt.expected_parent != before.revision:
            raise Conflict(attempt.expected_parent, before.revision)
        changes = before.changes(attempt.operations)
        if not changes:
            return before.revision
        if wait := self._budget.take_commit():
            raise StoreBusy(self.place, wait)
        words = write_words(attempt.message, attempt.id, [change.path for change in changes])
        try:
            made = self._client.commit(changes, words, before)
        except Passing:
            attempt.doubted = attempt.doubted or before.revision
            raise
        after = before.after(changes, made.revision, made.large)
        contents = {after.files[one.path]: one.content for one in changes if isinstance(one, Write)}
        self._view.follow(before, after, contents)
        return made.revision

    def _send_squash(self, attempt: "_Attempt") -> Revision:
        """Squash the history, unless an earlier try turns out to have done it."""
        before = self._view.newest()
        landed = self._landed(attempt) if attempt.doubted else None
        if landed is None or attempt.doubted is None:
            if wait := self._budget.take_commit():
                raise StoreBusy(self.place, wait)
            attempt.doubted = before.revision
            self._client.squash(write_words(attempt.message, attempt.id, None))
            landed = self._landed(attempt)
        if landed is None:
            raise Passing(self.place, "it does not show its new history yet")
        self._view.squashed(attempt.doubted, landed)
        self._paths.clear()
        return landed

    def _landed(self, attempt: "_Attempt") -> Revision | None:
        """Return the commit that an earlier try made although its answer was lost."""
        for commit in self._client.commits(_SEARCHED_COMMITS, until=attempt.doubted):
            if read_words(commit.words).id == attempt.id:
                return commit.revision
        return None

    def _told(self, commit: HubCommit, parent: Revision) -> CommitInfo | None:
        """Return a commit as the history tells it; None if a stranger made it and it touched no file of ours."""
        told = read_words(commit.words)
        paths = self._changed(commit.revision, parent) if told.paths is None else told.paths
        if not paths and told.id is None:
            return None
        return CommitInfo(commit.revision, parent, told.message, commit.time, paths)

    def _changed(self, revision: Revision, parent: Revision) -> tuple[str, ...]:
        """Return the files that a commit changed which does not say so itself."""
        if revision not in self._paths:
            self._paths[revision] = self._view.at(parent).changed(self._view.at(revision))
        return self._paths[revision]


class _Attempt:
    """One commit, through all tries to make it."""

    def __init__(self, operations: Sequence[Operation], message: str, expected_parent: Revision | None) -> None:
        self.operations, self.message, self.expected_parent = operations, message, expected_parent
        self.id = uuid.uuid4().hex
        self.doubted: Revision | None = None
        """The parent of the first try whose answer was lost."""
