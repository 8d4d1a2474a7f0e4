"""What a local store writes down of its commits: each is one line of a log, and the newest is the head."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict

from leaderboard.store.base import CommitInfo, Revision, Write
from leaderboard.store.hashes import sha256

EMPTY = Revision("0" * 40)
"""The revision of a store that has no commit yet."""


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
            additions=tuple((write.path, sha256(write.content)) for write in self.additions),
            replacements=tuple((write.path, sha256(write.content)) for write in self.replacements),
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
    revision = Revision(sha256(json.dumps([parent, changes]).encode())[:40])
    return LogEntry(revision=revision, parent=parent, message=message, time=time, changes=changes)


def squashed_entry(entries: Iterable[LogEntry], message: str, time: datetime) -> LogEntry:
    """Return the one log entry that stands for a whole history; its revision is like no other.

    Args:
        entries: the history, oldest first.
        message: why it is forgotten.
        time: when, in UTC.

    Raises:
        ValueError: if the message is not valid text.

    Example:
        >>> from datetime import UTC
        >>> now = datetime(2025, 1, 1, tzinfo=UTC)
        >>> two = Manifest(additions=(("a", "00"), ("b", "01")), replacements=(), deletions=())
        >>> first = new_entry(EMPTY, two, "", now)
        >>> gone = Manifest(additions=(), replacements=(), deletions=("b",))
        >>> squashed_entry([first, new_entry(first.revision, gone, "", now)], "forgotten", now).changes
        {'a': '00'}
    """
    head, held = EMPTY, dict[str, str | None]()
    for entry in entries:
        head = entry.revision
        held.update(entry.changes)
    changes = {path: name for path, name in sorted(held.items()) if name is not None}
    revision = Revision(sha256(json.dumps(["squashed", head, changes]).encode())[:40])
    return LogEntry(revision=revision, parent=EMPTY, message=message, time=time, changes=changes)
