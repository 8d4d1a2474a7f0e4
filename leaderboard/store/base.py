"""What a store is: files under versioned paths, changed only by whole commits.

The publisher, the ledger and the board are written against this interface, so that a laptop's folder and a Hub data
set repository are interchangeable. It is kept as small as what both can promise: a head, files, commits that happen
whole or not at all, and a history. Rules that hold for every backend (how a failure is told here, which paths and
operations are allowed in `paths`) live in one place, so that no backend can be more lenient than another.
"""

import builtins
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, NewType, Protocol

Revision = NewType("Revision", str)
"""The name of one state of the store: 40 hexadecimal digits, opaque to everyone but the backend."""

MAX_PATH_LENGTH = 1000
"""Longest path, in characters."""


class Write(NamedTuple):
    """Put a file into the store, or replace it."""

    path: str
    """POSIX path relative to the store's root."""
    content: bytes
    """The whole new content."""


class Delete(NamedTuple):
    """Take a file out of the store; harmless if it is not there."""

    path: str
    """POSIX path relative to the store's root."""


Operation = Write | Delete


class CommitInfo(NamedTuple):
    """One commit, as the history tells it."""

    revision: Revision
    """The state after the commit."""
    parent: Revision
    """The state before it."""
    message: str
    """Why it was made, in the writer's words."""
    time: datetime
    """When it was made, in UTC."""
    paths: tuple[str, ...]
    """The files it wrote or deleted, sorted; files whose content stayed the same are left out."""


class Condition(NamedTuple):
    """How a store is doing, as far as it knows without asking anyone.

    Example:
        >>> Condition().current
        True
    """

    stale_since: datetime | None = None
    """When its home last answered, if reads are answered from a copy since then; None if they are current."""
    reason: str = ""
    """Why they are not current, for people; empty if they are."""
    commit_in: float = 0.0
    """Seconds until it will take a commit; 0 if it takes one now."""

    @property
    def current(self) -> bool:
        """Whether reads show what the store holds now."""
        return self.stale_since is None


class StoreError(Exception):
    """A store could not do what it was asked."""

    cause: str = "the store failed"
    """What went wrong; also what `str()` gives."""
    remedy: str = "Look at the cause and try again."
    """What a person can do about it."""

    def __str__(self) -> str:
        """Return the cause."""
        return self.cause


class NotFound(StoreError):
    """No file lies at this path."""

    remedy = "Check the path, or list the folder to see what is stored."

    def __init__(self, path: str) -> None:
        """Take the path that was asked for."""
        super().__init__(path)
        self.path = path
        self.cause = f"there is no file {self.path!r} in the store"


class Conflict(StoreError):
    """Someone else committed first: the head is no longer the parent that the writer built upon."""

    remedy = "Read the store again, redo the change on top of what it holds now, and commit that."

    def __init__(self, expected: Revision, actual: Revision) -> None:
        """Take the parent that the writer expected and the head that the store has."""
        super().__init__(expected, actual)
        self.expected = expected
        self.actual = actual
        self.cause = f"the store has moved on: expected its head to be {self.expected}, but it is {self.actual}"


class StoreFull(StoreError):
    """The disk or a quota has no room left for the commit."""

    remedy = "Free some space and start again; nothing stored was changed."

    def __init__(self, place: str) -> None:
        """Take the place that is full, as a person would name it."""
        super().__init__(place)
        self.place = place
        self.cause = f"no free disk space left for the store at {self.place}"


class StoreUnavailable(StoreError):
    """The place that holds the store cannot be read or written just now."""

    remedy = "Check that the place exists, that this process may read and write it, and that its disk is sound."

    def __init__(self, place: str, reason: str) -> None:
        """Take the place and what the system said about it."""
        super().__init__(place, reason)
        self.place = place
        self.reason = reason
        self.cause = f"the store at {self.place} cannot be used: {self.reason}"


class StoreBusy(StoreError):
    """The store takes nothing more for a while: a limit on calls or commits is reached."""

    remedy = "Wait; nothing is lost meanwhile, and what waits is sent as soon as the store takes it."

    def __init__(self, place: str, seconds: float) -> None:
        """Take the place, and how long it wants to be left alone."""
        super().__init__(place, seconds)
        self.place = place
        self.seconds = seconds
        self.cause = f"the store at {self.place} takes nothing for the next {self.seconds:.0f} seconds"


class StoreForbidden(StoreError):
    """Whoever asks may not do this, and asking again will not change that."""

    def __init__(self, place: str, reason: str, remedy: str) -> None:
        """Take the place, what is not allowed there, and what would allow it."""
        super().__init__(place, reason, remedy)
        self.place = place
        self.reason = reason
        self.remedy = remedy
        self.cause = f"the store at {self.place} refuses: {self.reason}"


class StoreGone(StoreError):
    """The place that held the store is not there, or hides from whoever asks."""

    def __init__(self, place: str, remedy: str) -> None:
        """Take the place and how to bring it back."""
        super().__init__(place, remedy)
        self.place = place
        self.remedy = remedy
        self.cause = f"there is no store at {self.place}, or it is private and this process may not see it"


class StoreCorrupt(StoreError):
    """A file of the store is not what the store itself wrote there."""

    remedy = "Stop every writer and restore the named file from a copy; the store never damages it by itself."

    def __init__(self, file: str, reason: str) -> None:
        """Take the damaged file and what is wrong with it."""
        super().__init__(file, reason)
        self.file = file
        self.reason = reason
        self.cause = f"{self.file} is damaged: {self.reason}"


class BadPath(StoreError):
    """A path that no backend can keep, or that cannot stand beside another path."""

    remedy = (
        "Use a relative path with '/' between its parts, each part made of letters, digits and . _ = @ + - "
        "and not starting with a dot; a name is either a file or a folder, never both."
    )

    def __init__(self, path: str, reason: str) -> None:
        """Take the path and the rule it breaks."""
        super().__init__(path, reason)
        self.path = path
        self.reason = reason
        self.cause = f"the path {self.path[:MAX_PATH_LENGTH]!r} cannot be stored: {self.reason}"


class Store(Protocol):
    """Files under versioned paths. Every method may be called by many threads and processes at the same time.

    Every method but `condition` raises `StoreUnavailable` when the place behind the store cannot be used and
    `StoreCorrupt` when it holds something the store did not write. A store that is not on this machine may also raise
    `StoreBusy`, `StoreForbidden` and `StoreGone`; while its home does not answer it answers reads from a copy, if it
    has one, and `condition` says so.
    """

    def condition(self) -> Condition:
        """Tell how the store is doing; asks nobody, so a page may call it every time."""
        ...

    def head(self) -> Revision:
        """Return the newest revision; an empty store has one too."""
        ...

    def read(self, path: str) -> bytes:
        """Return the content of one file at the head.

        Never answers from the middle of a commit: once a read has shown one file of a commit, every later read shows
        that commit's other files too. For several files of one and the same revision, compare `head()` before the
        first and after the last.

        Raises:
            NotFound: if no file lies there.
            BadPath: if no file could.
        """
        ...

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of many files, all of one and the same revision, by path.

        Reads as `read` does, but as many at a time as the store is fast with. All contents are in memory at once: ask
        for some hundred files at a time. What was read before a failure is not read again by the next try.

        Raises:
            NotFound: if one of them is not there.
            BadPath: if one of them could not be.
        """
        ...

    def hashes(self) -> dict[str, str]:
        """Return what the store's home holds now: the path of each file with the hash of its content.

        Answers from no copy, and takes time in proportion to all that is stored. A hash is 64 hexadecimal digits of
        SHA-256, or the 40 of git's SHA-1; `hashes.is_content` tells whether a content has either.
        """
        ...

    def list(self, prefix: str = "") -> builtins.list[str]:
        """Return the sorted paths of all files in a folder and below it.

        Args:
            prefix: the folder, with or without a closing `/`; empty for the whole store. Only whole parts count:
                `run` does not list `runs/1`. A folder that does not exist has no files.

        Raises:
            BadPath: if no folder could have that name.
        """
        ...

    def commit(
        self, operations: Sequence[Operation], message: str, expected_parent: Revision | None = None
    ) -> Revision:
        """Apply all operations or none, and return the new head.

        Operations that change nothing (a write of the same bytes, a deletion of an absent file) are left out; when
        none remain, the current head is returned and the history does not grow, so that a publisher that is unsure
        whether its last commit arrived may simply send it again. A stale `expected_parent` is a conflict even then:
        two writers that both counted from 5 to 6 write the same bytes, and one of the two counts would be lost.

        A conflict is raised, not returned, because a returned one is easily not looked at, and a lost update would
        pass for success.

        Args:
            operations: what to do, in any order.
            message: why, for a person who reads the history.
            expected_parent: the head that the operations were computed from. Leave it out only if they are right
                whatever the store holds, such as a new file under a name nobody else uses.

        Raises:
            Conflict: if the head is not `expected_parent`; nothing was changed.
            StoreFull: if there is no room; nothing was changed.
            BadPath: if a path is not allowed (see `check_operations`) or is a folder in the store, or lies below a
                file of it; nothing was changed.
        """
        ...

    def squash(self, message: str) -> Revision:
        """Forget all earlier contents and commits, for good, and return the new head.

        The files stay as they are. The head becomes another one, so every writer that expects an earlier parent meets
        a conflict, and the history begins anew with one commit that names all files. Needed where something has to be
        gone for good: a commit that deletes it comes first.

        Args:
            message: why, in the one commit that is left.
        """
        ...

    def history(self, limit: int = 100) -> builtins.list[CommitInfo]:
        """Return the newest commits, newest first.

        Args:
            limit: how many at most, at least 1.

        Raises:
            ValueError: if the limit is below 1.
        """
        ...
