"""The store in a folder of this machine: the default, and what the Hub's store is measured against.

The files lie under `files/` exactly as they were written, so that `datasets.load_dataset` and a person with a file
manager read them without this code. Everything that makes commits whole lies beside them in `.rapport-store/`.

Any number of processes may use one folder, as long as it is on a local disk. Three `flock` locks order them:

- `writers` is held by a writer from reading the head to its new revision: that makes `expected_parent` mean something.
- `readers` is shared by all who read and held alone by a writer while it applies its commit, so a reader sees a commit
  whole or not at all, and waits for no writer's slow part, which is laying the commit out.
- `gate` is passed by readers on their way to `readers` and closed by a writer that waits for it; without it readers
  that overlap each other would keep a writer waiting for ever.

Whoever opens the folder, and whoever takes a lock, first completes a commit whose writer died after its commit point.
Writers and openers also throw away what one left that died before it.
"""

import builtins
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from leaderboard.store.base import (
    BadPath,
    CommitInfo,
    Condition,
    Conflict,
    NotFound,
    Operation,
    Revision,
    StoreCorrupt,
    Write,
)
from leaderboard.store.disk import locked, told_failures
from leaderboard.store.hashes import sha256
from leaderboard.store.local_log import Plan, new_entry, squashed_entry
from leaderboard.store.paths import check_operations, check_path, folders_of
from leaderboard.store.staging import Bookkeeping

_ABSENT = {errno.ENOENT, errno.ENOTDIR}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LocalStore:
    """A `Store` in a local folder; opening it costs the same however many files it holds.

    Symbolic links and names that `check_path` refuses are not part of the store: reading and listing pass them over.

    Example:
        >>> import tempfile
        >>> from leaderboard.store import Delete
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = LocalStore(Path(folder))
        ...     first = store.commit([Write("runs/1.json", b"{}")], "first run")
        ...     second = store.commit([Write("runs/2.json", b"[]")], "second run", expected_parent=first)
        ...     store.list("runs"), store.read("runs/2.json"), store.head() == second
        (['runs/1.json', 'runs/2.json'], b'[]', True)
    """

    def __init__(self, folder: Path, now: Callable[[], datetime] = _utc_now) -> None:
        """Open the store in a folder, making it if there is none.

        Args:
            folder: where `files/` and `.rapport-store/` lie or shall lie.
            now: the clock that dates commits; must return a time with a zone.

        Raises:
            StoreFull: if there is no room to make it, or to complete a commit that was left behind.
            StoreUnavailable: if the folder cannot be made, read or written.
            StoreCorrupt: if it holds something the store did not write.
        """
        self._folder = folder.absolute()
        self._files = self._folder / "files"
        self._hidden = self._folder / ".rapport-store"
        self._book = Bookkeeping(self._hidden, self._files)
        self._now = now
        with told_failures(self._folder):
            self._hidden.mkdir(parents=True, exist_ok=True)
            if not self._book.created() or self._book.untidy():
                with self._writing():
                    pass
            self._check_files()

    def condition(self) -> Condition:
        """See `Store.condition`; always current, and takes a commit at any time."""
        return Condition()

    def head(self) -> Revision:
        """See `Store.head`; a new store's is 40 zeros."""
        with told_failures(self._folder), self._reading():
            return self._book.head().revision

    def read(self, path: str) -> bytes:
        """See `Store.read`."""
        return self.read_all([path])[path]

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes]:
        """See `Store.read_all`; a writer waits meanwhile."""
        wanted = [check_path(path) for path in paths]
        with told_failures(self._folder), self._reading():
            return {path: self._content(path) for path in wanted}

    def hashes(self) -> dict[str, str]:
        """See `Store.hashes`; reads every file."""
        with told_failures(self._folder), self._reading():
            return {path: sha256((self._files / path).read_bytes()) for path in sorted(_files_below(self._files, ""))}

    def list(self, prefix: str = "") -> builtins.list[str]:
        """See `Store.list`; takes time in proportion to the files below the prefix."""
        folder = prefix.removesuffix("/")
        if prefix:
            check_path(folder)
        way = [*folders_of(folder), folder] if folder else []
        with told_failures(self._folder), self._reading():
            if not all(stat.S_ISDIR(_mode(self._files / step)) for step in way):
                return []
            return sorted(_files_below(self._files / folder, f"{folder}/" if folder else ""))

    def commit(
        self, operations: Sequence[Operation], message: str, expected_parent: Revision | None = None
    ) -> Revision:
        """See `Store.commit`.

        If the process is stopped inside, the commit has happened whole or not at all; on return it survives a power
        cut. Should the disk fail (not: be full) after the commit point, `StoreUnavailable` is raised and the commit
        is completed by whoever comes next.

        Raises:
            ValueError: if the message is not valid text.
        """
        check_operations(operations)
        with told_failures(self._folder), self._writing():
            parent = self._book.head().revision
            if expected_parent is not None and expected_parent != parent:
                raise Conflict(expected_parent, parent)
            plan = self._plan(operations)
            manifest = plan.manifest()
            if not manifest.paths():
                return parent
            entry = new_entry(parent, manifest, message, self._now().astimezone(UTC))
            try:
                self._book.stage(plan, manifest, entry)
                with self._alone():
                    self._book.seal()
                    self._book.apply(manifest)
            finally:
                self._book.sweep()
            return entry.revision

    def squash(self, message: str) -> Revision:
        """See `Store.squash`; as safe from being stopped as `commit` is.

        Raises:
            ValueError: if the message is not valid text.
        """
        with told_failures(self._folder), self._writing():
            entry = squashed_entry(self._book.all_entries(), message, self._now().astimezone(UTC))
            try:
                self._book.stage_squash(entry)
                with self._alone():
                    self._book.seal()
                    self._book.complete()
            finally:
                self._book.sweep()
            return entry.revision

    def history(self, limit: int = 100) -> builtins.list[CommitInfo]:
        """See `Store.history`; reads no more of the log than it needs."""
        if limit < 1:
            raise ValueError(f"a history of {limit} commits cannot be told; ask for at least 1")
        with told_failures(self._folder), self._reading():
            return [entry.info() for entry in self._book.entries(limit)]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        while True:
            with ExitStack() as stack:
                with locked(self._hidden / "gate", shared=True):
                    stack.enter_context(locked(self._hidden / "readers", shared=True))
                if not self._book.pending():
                    self._check_files()
                    yield
                    return
            with self._writing():
                pass

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with locked(self._hidden / "writers"):
            self._book.create()
            self._check_files()
            if self._book.pending():
                with self._alone():
                    self._book.complete()
            self._book.sweep()
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with locked(self._hidden / "gate"), locked(self._hidden / "readers"):
            yield

    def _plan(self, operations: Sequence[Operation]) -> Plan:
        plan = Plan([], [], [])
        for operation in operations:
            path = operation.path
            if isinstance(operation, Write):
                self._check_room(path)
                if not self._holds(path):
                    plan.additions.append(operation)
                elif not self._equals(path, operation.content):
                    plan.replacements.append(operation)
            elif self._holds(path):
                plan.deletions.append(path)
        return plan

    def _check_files(self) -> None:
        """Refuse a store whose files were taken away: it would pass for an empty one."""
        if not stat.S_ISDIR(_mode(self._files)):
            raise StoreCorrupt(str(self._files), "it is not a folder")

    def _content(self, path: str) -> bytes:
        if not self._holds(path):
            raise NotFound(path)
        return (self._files / path).read_bytes()

    def _holds(self, path: str) -> bool:
        folders = all(stat.S_ISDIR(_mode(self._files / folder)) for folder in folders_of(path))
        return folders and stat.S_ISREG(_mode(self._files / path))

    def _equals(self, path: str, content: bytes) -> bool:
        file = self._files / path
        return file.stat().st_size == len(content) and file.read_bytes() == content

    def _check_room(self, path: str) -> None:
        for folder in folders_of(path):
            if (mode := _mode(self._files / folder)) and not stat.S_ISDIR(mode):
                raise BadPath(path, f"{folder!r} is not a folder in the store")
        if (mode := _mode(self._files / path)) and not stat.S_ISREG(mode):
            raise BadPath(path, "something other than a file has that name in the store")


def _mode(path: Path) -> int:
    """Return what lies at a path without following a link there; 0 if nothing does."""
    try:
        return path.lstat().st_mode
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
        return 0


def _files_below(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = prefix + entry.name
            if not _is_allowed(path):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(Path(entry.path), f"{path}/")
            elif entry.is_file(follow_symlinks=False):
                yield path


def _is_allowed(path: str) -> bool:
    try:
        check_path(path)
    except BadPath:
        return False
    return True
