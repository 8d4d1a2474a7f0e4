"""Filling a disk, and giving back what was taken of it."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

_FILLING = "filling"
_MIB = 2**20


def fill(folder: Path) -> None:
    """Takes up all that is free, step by step: a step too large fills the disk for a moment and gives it all back."""
    with (folder / _FILLING).open("wb", buffering=0) as file:
        size = 0
        for step in (_MIB, 4096, 1):
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
