"""What to do when the disk is full: give up a reserve, so that at least the failure can be recorded.

Redis refuses every write while its append-only file cannot grow, even the one that would say so. The reserve is a file
of some megabytes that is there for this moment alone.
"""

from __future__ import annotations

import logging
from pathlib import Path

from evaluator.errors import Cause
from leaderboard.records import Failure
from leaderboard.store.base import StoreFull

log = logging.getLogger("rapport.publisher")

DISK_FULL = Failure(
    cause=Cause.DISK_FULL,
    message="There is no free disk where results are stored.",
    remedy="Free some disk, then retry it: finished items are kept and it goes on where it stopped.",
)


def give_up_reserve(error: Exception, reserve: Path) -> bool:
    """Deletes the reserve if an error says that the disk is full; says whether the disk is full."""
    full = isinstance(error, StoreFull) or "MISCONF" in str(error)
    if full and reserve.exists():
        log.error("the disk is full; giving up the reserve %s to record what happened", reserve)
        reserve.unlink(missing_ok=True)
    return full
