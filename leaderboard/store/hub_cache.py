"""The copy on this machine: contents by their hash, and what the Hub held when it was last asked.

It may be deleted at any time, and any number of processes may share it: a content is checked against its hash when it
is read, and every file appears under its name only once it is whole.
"""

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from leaderboard.store.base import Revision
from leaderboard.store.disk import told_failures
from leaderboard.store.hashes import is_content
from leaderboard.store.hub_index import Index

log = logging.getLogger("rapport.store")

_FORMAT = 2
_LEFT_OVER_SECONDS = 3600.0
"""A draft this old has lost its writer."""


class Cache:
    """One data set's copy in a folder of its own.

    Every method raises `StoreFull` or `StoreUnavailable` when the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        """Open the copy in a folder, making it if there is none, and sweep out half-written files."""
        self._folder = folder.absolute()
        self._contents = self._folder / "contents"
        self._index = self._folder / "index.json"
        with told_failures(self._folder):
            self._contents.mkdir(parents=True, exist_ok=True)
            self._sweep()

    def content(self, oid: str) -> bytes | None:
        """Return a content, or None if it is not here; a damaged one is not."""
        path = self._path(oid)
        with told_failures(self._folder):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
            if is_content(content, oid):
                return content
            log.warning("%s was damaged and is fetched anew", path)
            path.unlink(missing_ok=True)
            return None

    def keep(self, oid: str, content: bytes) -> None:
        """Keep a content that has been checked."""
        with told_failures(self._folder):
            self._write(self._path(oid), content)

    def forget(self, oids: Iterable[str]) -> None:
        """Throw contents away: what was taken down shall not live on here."""
        with told_failures(self._folder):
            for oid in oids:
                self._path(oid).unlink(missing_ok=True)

    def forget_others(self, oids: Iterable[str]) -> None:
        """Throw away all contents but these: whoever should have forgotten one may have been killed before it did."""
        kept = set(oids)
        with told_failures(self._folder):
            for path in self._contents.glob("*/*"):
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    def index(self) -> Index | None:
        """Return what the Hub held when it was last asked, None if that is not known."""
        with told_failures(self._folder):
            try:
                value = json.loads(self._index.read_bytes())
                if value["format"] != _FORMAT:
                    raise ValueError(f"format {value['format']}")
                foreign = frozenset(map(str, value["foreign"]))
                return Index(Revision(value["revision"]), dict(value["files"]), dict(value["folders"]), foreign)
            except FileNotFoundError:
                return None
            except (ValueError, KeyError, TypeError) as error:
                log.warning("%s is not readable (%s) and is made anew", self._index, type(error).__name__)
                return None

    def save(self, index: Index) -> None:
        """Keep what the Hub holds, as of now."""
        value = {"format": _FORMAT, **index._asdict(), "foreign": sorted(index.foreign)}
        with told_failures(self._folder):
            self._write(self._index, json.dumps(value).encode())

    def confirm(self) -> None:
        """Take note that the index kept is still what the Hub holds."""
        with told_failures(self._folder):
            self._index.touch()

    def confirmed(self) -> datetime:
        """Return when the index was last known to be what the Hub holds, in UTC."""
        with told_failures(self._folder):
            return datetime.fromtimestamp(self._index.stat().st_mtime, UTC)

    def _path(self, oid: str) -> Path:
        return self._contents / oid[:2] / oid

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix="draft-", delete=False) as draft:
            try:
                draft.write(content)
            except OSError:
                os.unlink(draft.name)
                raise
        os.replace(draft.name, path)

    def _sweep(self) -> None:
        old = time.time() - _LEFT_OVER_SECONDS
        for draft in self._folder.glob("draft-*"):
            try:
                if draft.stat().st_mtime < old:
                    draft.unlink()
            except FileNotFoundError:
                continue  # Its writer is alive and has just finished it.
