"""What to do when the disk is full: give up a reserve, so that at least the failure can be recorded.

Redis refuses every write while its append-only file cannot grow, even the one that would say so. The reserve is a file
of some megabytes that is there for this moment alone. The publisher makes it, and makes it again when there is room.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path

from evaluator.errors import Cause
from leaderboard.records import Failure
from leaderboard.store.base import StoreFull

log = logging.getLogger("rapport.publisher")

RESERVE_BYTES = 16 * 2**20

DISK_FULL = Failure(
    cause=Cause.DISK_FULL,
    message="There is no free disk where results are stored.",
    remedy="Free some disk, then retry it: finished items are kept and it goes on where it stopped.",
)


def keep_reserve(reserve: Path, size: int = RESERVE_BYTES) -> bool:
    """Makes the reserve if there is none and room for twice its size; says whether there is one.

    What was just given up for others to write with is not taken back at once, hence twice.

    Args:
        reserve: The file; its folder is made if it is missing.
        size: Its bytes, which really take up disk.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     keep_reserve(Path(folder, ".reserve"), size=4096), Path(folder, ".reserve").stat().st_size
        (True, 4096)
    """
    if reserve.exists():
        return True
    draft = reserve.with_name(f"{reserve.name}.new")
    try:
        reserve.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(reserve.parent).free < 2 * size:
            return False
        with draft.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        draft.replace(reserve)
    except OSError:  # No room after all, such as that of a quota.
        with contextlib.suppress(OSError):
            draft.unlink()
        return False
    return True


def give_up_reserve(error: Exception, reserve: Path) -> bool:
    """Deletes the reserve if an error says that the disk is full; says whether the disk is full."""
    full = isinstance(error, StoreFull) or "MISCONF" in str(error)
    if full and reserve.exists():
        log.error("the disk is full; giving up the reserve %s to record what happened", reserve)
        reserve.unlink(missing_ok=True)
    return full
