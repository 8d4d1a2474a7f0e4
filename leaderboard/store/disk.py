"""The local store's dealings with the operating system: durable writes, locks between processes, told failures.

A file that was written is not yet a file that survives a power cut: its content has to be synced, and so has the
folder that holds its name. Doing that by hand in the middle of other logic is how one of the two gets forgotten.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leaderboard.store.base import StoreFull, StoreUnavailable

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}

_open_locks: set[int] = set()


def _let_go_of_parents_locks() -> None:
    # A lock lives as long as any copy of its open file: a forked child would keep it after its parent was killed.
    for descriptor in _open_locks:
        os.close(descriptor)
    _open_locks.clear()


os.register_at_fork(after_in_child=_let_go_of_parents_locks)


@contextmanager
def told_failures(place: Path) -> Iterator[None]:
    """Turn what the disk says within the block into the store's own errors.

    Raises:
        StoreFull: for a full disk or an exhausted quota.
        StoreUnavailable: for any other `OSError`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise StoreFull(str(place)) from error
        raise StoreUnavailable(str(place), str(error)) from error


@contextmanager
def locked(file: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock for the length of the block, waiting for it if need be; the system frees it if the process dies.

    Threads of one process exclude each other as processes do, because every block opens the file anew. A process
    forked inside the block does not hold the lock.

    Args:
        file: the lock file, made if absent; its folder must exist.
        shared: let other shared holders in.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    _open_locks.add(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        # A child forked inside the block has let go already, and the number may be another file's by now.
        if descriptor in _open_locks:
            # Unlocked before it is closed, for a child that was forked without Python knowing holds a copy.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            _open_locks.remove(descriptor)
            os.close(descriptor)


def write_durably(contents: dict[Path, bytes]) -> None:
    """Create files and return once their contents are on disk; the entries in their folders are the caller's to sync.

    Raises:
        FileExistsError: if one of the files exists.
    """
    for path, content in contents.items():
        _write(path, content, os.O_CREAT | os.O_EXCL)
    # Only after all are written: the first sync then carries most of the others along.
    for path in contents:
        _sync(path, os.O_RDONLY)


def append_durably(file: Path, content: bytes) -> None:
    """Add bytes to the end of an existing file and return once they are on disk."""
    _write(file, content, os.O_APPEND)
    _sync(file, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries (names made, renamed, removed) durable."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each durable in the one above."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def prune(root: Path, path: str) -> None:
    """Remove the folders between the root and a path that hold nothing any more, innermost first."""
    folder = (root / path).parent
    while folder != root:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass  # Removed before an interruption, or never made; the one above may still be empty.
        except OSError as error:
            if error.errno not in _NOT_EMPTY:
                raise
            return
        folder = folder.parent


def _write(path: Path, content: bytes, flags: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
