"""A small disk of its own, and filling it."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

_FILLING = "filling"
_MIB = 2**20


@contextlib.contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[bool]:
    """Mounts a file system in memory on an empty folder; says whether this machine lets us."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and not subprocess.run(mount, check=False, capture_output=True).returncode
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Takes up all that is free."""
    with (folder / _FILLING).open("wb", buffering=0) as file:
        size = 0
        for step in (64 * _MIB, _MIB, 4096, 1):
            with contextlib.suppress(_Full):
                while True:
                    _grow(file.fileno(), size, step)
                    size += step


class _Full(OSError):
    """Nothing fits any more."""


def _grow(file: int, size: int, step: int) -> None:
    try:
        os.posix_fallocate(file, size, step)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _Full from error


def free(folder: Path) -> None:
    """Gives it back."""
    (folder / _FILLING).unlink(missing_ok=True)
