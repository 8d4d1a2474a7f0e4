"""How a local store survives being stopped at any moment: stage, seal, apply, finish.

Renaming one file is atomic, renaming twenty is not. So a commit is first laid out completely in a hidden folder, made
durable, and then *sealed* by one rename of that folder: that rename is the commit point. Before it the commit never
was; after it whoever comes next can finish it, because everything needed lies in the sealed folder. The hidden folder:

    HEAD                the current revision, and how many bytes of the log belong to it
    log.jsonl           one line per commit; bytes beyond what HEAD counts are of a commit that never was
    staged/             a commit being laid out; thrown away if its writer dies
    commit/             a sealed commit being applied; completed if its writer dies. Without a manifest it is rubbish
      manifest.json     what to do
      HEAD              the HEAD to be
      contents/0, 1, …  the new contents, in the manifest's order

All that needs disk space (contents, log line, HEAD, folders) is claimed before the seal. What is left afterwards are
renames, and those that need a new name come first, while they can still be taken back. The locks are the caller's.
"""

import hashlib
import json
import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from leaderboard.store.base import CommitInfo, Revision, StoreCorrupt, Write
from leaderboard.store.disk import append_durably, make_folder, prune, sync_folder, write_durably

EMPTY = Revision("0" * 40)
"""The revision of a store that has no commit yet."""

_TAIL_BYTES = 64 * 1024


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Head(_Record):
    """The store's current state, as kept in HEAD."""

    format: Literal[1] = 1
    """Layout of the hidden folder."""
    revision: Revision
    """The newest commit."""
    log_bytes: int
    """Length of the log up to and including that commit's line."""


class LogEntry(_Record):
    """One line of the log."""

    revision: Revision
    """SHA-256 over parent and changes, its first 40 hexadecimal digits."""
    parent: Revision
    """The revision before it."""
    message: str
    """The writer's reason."""
    time: AwareDatetime
    """When it was made, in UTC."""
    changes: dict[str, str | None]
    """Path to the SHA-256 of its new content, or to None if it was deleted; sorted by path."""

    def info(self) -> CommitInfo:
        """Return the entry as the store's interface tells it."""
        return CommitInfo(self.revision, self.parent, self.message, self.time, tuple(self.changes))


class Manifest(_Record):
    """What a staged commit does, as `(path, SHA-256)` pairs. Their contents are numbered through both lists."""

    additions: tuple[tuple[str, str], ...]
    """New files."""
    replacements: tuple[tuple[str, str], ...]
    """Files that exist and get new content."""
    deletions: tuple[str, ...]
    """Files that go."""

    def paths(self) -> list[str]:
        """Return every path the commit touches."""
        return [path for path, _ in (*self.additions, *self.replacements)] + list(self.deletions)


class Plan(NamedTuple):
    """The part of a commit's operations that changes something."""

    additions: list[Write]
    """Writes of paths that hold no file yet."""
    replacements: list[Write]
    """Writes of paths that hold other content."""
    deletions: list[str]
    """Paths that hold a file which is to go."""

    def manifest(self) -> Manifest:
        """Return the plan with contents replaced by their hashes."""
        return Manifest(
            additions=tuple((write.path, _sha256(write.content)) for write in self.additions),
            replacements=tuple((write.path, _sha256(write.content)) for write in self.replacements),
            deletions=tuple(self.deletions),
        )


def new_entry(parent: Revision, manifest: Manifest, message: str, time: datetime) -> LogEntry:
    """Return the log entry of a commit, its revision derived from its parent and what it changes.

    Raises:
        ValueError: if the message is not valid text or the time has no zone.

    Example:
        >>> from datetime import UTC
        >>> change = Manifest(additions=(("a", "00"),), replacements=(), deletions=())
        >>> new_entry(EMPTY, change, "first", datetime(2025, 1, 1, tzinfo=UTC)).revision[:8]
        'b2fade77'
    """
    changes: dict[str, str | None] = dict((*manifest.additions, *manifest.replacements))
    changes.update(dict.fromkeys(manifest.deletions))
    changes = dict(sorted(changes.items()))
    revision = Revision(_sha256(json.dumps([parent, changes]).encode())[:40])
    return LogEntry(revision=revision, parent=parent, message=message, time=time, changes=changes)


class Bookkeeping:
    """The hidden folder of one local store, and the files it is about.

    Reading needs the caller's shared lock, everything else its exclusive ones. Failures of the disk come out as
    `OSError`; the caller knows how to tell them.
    """

    def __init__(self, hidden: Path, files: Path) -> None:
        """Take the hidden folder and the folder of the stored files; both must be on one file system."""
        self._hidden = hidden
        self._files = files
        self._head = hidden / "HEAD"
        self._log = hidden / "log.jsonl"
        self._staged = hidden / "staged"
        self._commit = hidden / "commit"

    def create(self) -> None:
        """Make an empty store unless there is one.

        Raises:
            StoreCorrupt: if there is a log but no HEAD.
        """
        if self._head.exists():
            return
        if self._log.exists() and self._log.stat().st_size:
            raise StoreCorrupt(str(self._head), "it is missing although commits are logged")
        make_folder(self._files)
        self._log.touch()
        draft = self._hidden / "HEAD.new"
        draft.unlink(missing_ok=True)
        write_durably({draft: Head(revision=EMPTY, log_bytes=0).model_dump_json().encode()})
        sync_folder(self._hidden)
        draft.rename(self._head)
        sync_folder(self._hidden)

    def created(self) -> bool:
        """Tell whether the store has been made."""
        return self._head.exists()

    def pending(self) -> bool:
        """Tell whether a sealed commit waits to be completed; until then nobody may read."""
        return (self._commit / "manifest.json").exists()

    def untidy(self) -> bool:
        """Tell whether a writer is at work or died at work."""
        return self._staged.exists() or self._commit.exists()

    def head(self) -> Head:
        """Read HEAD.

        Raises:
            StoreCorrupt: if it is missing or not readable as one.
        """
        try:
            return Head.model_validate_json(self._head.read_bytes())
        except FileNotFoundError as error:
            raise StoreCorrupt(str(self._head), "it is missing") from error
        except ValidationError as error:
            raise StoreCorrupt(str(self._head), "it does not hold a revision") from error

    def entries(self, limit: int) -> list[LogEntry]:
        """Read the newest log entries, newest first, without reading the older ones.

        Raises:
            StoreCorrupt: if the log is shorter than HEAD says, or a line is not an entry.
        """
        end = self.head().log_bytes
        try:
            with self._log.open("rb") as log:
                lines = _last_lines(log, end, limit)
            return [LogEntry.model_validate_json(line) for line in reversed(lines)]
        except FileNotFoundError as error:
            raise StoreCorrupt(str(self._log), "it is missing") from error
        except (EOFError, ValidationError) as error:
            raise StoreCorrupt(str(self._log), "it does not hold the commits that HEAD counts") from error

    def stage(self, plan: Plan, manifest: Manifest, entry: LogEntry) -> None:
        """Lay a commit out and claim the space it needs; nothing of it counts yet.

        Raises:
            StoreCorrupt: if the log is shorter than HEAD says.
        """
        line = entry.model_dump_json().encode() + b"\n"
        log_bytes = self.head().log_bytes
        contents = self._staged / "contents"
        contents.mkdir(parents=True)
        drafts = {contents / str(n): write.content for n, write in enumerate((*plan.additions, *plan.replacements))}
        head = Head(revision=entry.revision, log_bytes=log_bytes + len(line))
        drafts[self._staged / "HEAD"] = head.model_dump_json().encode()
        write_durably(drafts)
        # After everything else, so that a readable manifest means a complete stage; before the folders, so that
        # `sweep` learns from it which folders to take away again.
        write_durably({self._staged / "manifest.json": manifest.model_dump_json().encode()})
        sync_folder(contents)
        sync_folder(self._staged)
        self._append(line, log_bytes)
        for path, _ in manifest.additions:
            make_folder((self._files / path).parent)

    def seal(self) -> None:
        """Make the staged commit count: the commit point."""
        self._staged.rename(self._commit)
        sync_folder(self._hidden)

    def apply(self, manifest: Manifest) -> None:
        """Apply the commit just sealed, or take it back if a new name finds no room.

        Raises:
            OSError: what the disk said. If it failed on a new name the commit was taken back; after that point it
                stays sealed, and the next to take the lock completes it.
        """
        try:
            self._add(manifest)
        except OSError:
            self._take_back(manifest)
            raise
        self._finish(manifest)

    def complete(self) -> None:
        """Complete a sealed commit that its writer left behind, however far it came.

        Raises:
            StoreCorrupt: if the sealed commit or a file it already placed is not what was sealed.
        """
        file = self._commit / "manifest.json"
        try:
            manifest = Manifest.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise StoreCorrupt(str(file), "it does not hold a commit") from error
        self._add(manifest)
        self._finish(manifest)

    def sweep(self) -> None:
        """Throw away what a commit that never was has left: its stage, its folders, its line in the log."""
        if self.pending():
            return
        if self._commit.exists():
            shutil.rmtree(self._commit)
        log_bytes = self.head().log_bytes
        if self._log.exists() and self._log.stat().st_size > log_bytes:
            os.truncate(self._log, log_bytes)
        if self._staged.exists():
            for path, _ in self._staged_manifest().additions:
                prune(self._files, path)
            shutil.rmtree(self._staged)

    def _staged_manifest(self) -> Manifest:
        try:
            return Manifest.model_validate_json((self._staged / "manifest.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            # Its writer died before the manifest was complete, hence before it made a folder.
            return Manifest(additions=(), replacements=(), deletions=())

    def _append(self, line: bytes, log_bytes: int) -> None:
        if not self._log.exists() or self._log.stat().st_size != log_bytes:
            raise StoreCorrupt(str(self._log), f"it should be {log_bytes} bytes long")
        append_durably(self._log, line)

    def _add(self, manifest: Manifest) -> None:
        for number, (path, sha256) in enumerate(manifest.additions):
            self._place(number, path, sha256)

    def _place(self, number: int, path: str, sha256: str) -> None:
        target = self._files / path
        make_folder(target.parent)
        try:
            (self._commit / "contents" / str(number)).rename(target)
        except FileNotFoundError:
            # Placed before an interruption. Anything else at that path would be a stranger's doing.
            if not target.is_file() or _sha256(target.read_bytes()) != sha256:
                raise StoreCorrupt(str(target), "it was changed while a commit was being applied") from None

    def _take_back(self, manifest: Manifest) -> None:
        contents = self._commit / "contents"
        for number, (path, _) in enumerate(manifest.additions):
            if not (contents / str(number)).exists():
                (self._files / path).rename(contents / str(number))
        for folder in {(self._files / path).parent for path, _ in manifest.additions}:
            if folder.exists():
                sync_folder(folder)
        sync_folder(contents)
        self._commit.rename(self._staged)
        sync_folder(self._hidden)

    def _finish(self, manifest: Manifest) -> None:
        for number, (path, sha256) in enumerate(manifest.replacements, start=len(manifest.additions)):
            self._place(number, path, sha256)
        for path in manifest.deletions:
            (self._files / path).unlink(missing_ok=True)
            prune(self._files, path)
        for folder in {_nearest_folder(self._files / path) for path in manifest.paths()}:
            sync_folder(folder)
        if (self._commit / "HEAD").exists():
            (self._commit / "HEAD").rename(self._head)
            sync_folder(self._hidden)
        (self._commit / "manifest.json").unlink()
        sync_folder(self._commit)
        shutil.rmtree(self._commit)


def _nearest_folder(path: Path) -> Path:
    folder = path.parent
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _last_lines(log: BinaryIO, end: int, limit: int) -> list[bytes]:
    size, tail = _TAIL_BYTES, b""
    while len(tail) < end and tail.count(b"\n") <= limit:
        start = max(0, end - size)
        log.seek(start)
        tail = log.read(end - start)
        if len(tail) != end - start or not tail.endswith(b"\n"):
            raise EOFError("the log is shorter than its head says")
        size *= 2
    return tail.split(b"\n")[:-1][-limit:]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
