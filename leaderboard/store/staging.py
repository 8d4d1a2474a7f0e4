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
      log.jsonl         the log to be, where the history is being forgotten
      contents/0, 1, …  the new contents, in the manifest's order

All that needs disk space (contents, log line, HEAD, folders) is claimed before the seal. What is left afterwards are
renames, and those that need a new name come first, while they can still be taken back. The locks are the caller's.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from leaderboard.store.base import StoreCorrupt
from leaderboard.store.disk import append_durably, make_folder, prune, sync_folder, write_durably
from leaderboard.store.hashes import sha256
from leaderboard.store.local_log import EMPTY, Head, LogEntry, Manifest, Plan

_TAIL_BYTES = 64 * 1024


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

    def all_entries(self) -> list[LogEntry]:
        """Read the whole log, oldest first.

        Raises:
            StoreCorrupt: as `entries` does.
        """
        return self.entries(sys.maxsize)[::-1]

    def stage_squash(self, entry: LogEntry) -> None:
        """Lay out a commit that changes no file and is to be the only entry of the log; nothing of it counts yet."""
        line = entry.model_dump_json().encode() + b"\n"
        self._staged.mkdir()
        manifest = Manifest(additions=(), replacements=(), deletions=())
        head = Head(revision=entry.revision, log_bytes=len(line))
        write_durably(
            {
                self._staged / "log.jsonl": line,
                self._staged / "HEAD": head.model_dump_json().encode(),
                self._staged / "manifest.json": manifest.model_dump_json().encode(),
            }
        )
        sync_folder(self._staged)

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
        for number, (path, name) in enumerate(manifest.additions):
            self._place(number, path, name)

    def _place(self, number: int, path: str, name: str) -> None:
        target = self._files / path
        make_folder(target.parent)
        try:
            (self._commit / "contents" / str(number)).rename(target)
        except FileNotFoundError:
            # Placed before an interruption. Anything else at that path would be a stranger's doing.
            if not target.is_file() or sha256(target.read_bytes()) != name:
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
        for number, (path, name) in enumerate(manifest.replacements, start=len(manifest.additions)):
            self._place(number, path, name)
        for path in manifest.deletions:
            (self._files / path).unlink(missing_ok=True)
            prune(self._files, path)
        for folder in {_nearest_folder(self._files / path) for path in manifest.paths()}:
            sync_folder(folder)
        # The log first: a HEAD that counts bytes of a log that is not there yet would be damage.
        for name, target in (("log.jsonl", self._log), ("HEAD", self._head)):
            if (self._commit / name).exists():
                (self._commit / name).rename(target)
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
