"""Removes what engines wrote for runs that ended long ago; the last lines stand in the runs' histories."""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Iterable
from pathlib import Path

from redis import Redis

from leaderboard.records import now, submission_of
from leaderboard.submissions.history import History
from leaderboard.submissions.journal import readable
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import ENDED

log = logging.getLogger("rapport.worker")

_OF_A_RUN = re.compile(r"(s-\d{8}-[0-9a-f]{8}\..+?)(-judge|-encoder)?\.log")


def remove_old_logs(folder: Path, redis: Redis, kept: datetime.timedelta) -> int:
    """Removes the logs of runs that ended long ago; whatever else lies in the folder stays.

    Args:
        folder: Where this machine's workers write logs, one file an engine, named by its run.
        redis: An open connection.
        kept: For how long after its end a run's logs stay.

    Returns:
        How many files were removed; what could not be is named in the log.

    Example:
        >>> remove_old_logs(Path("data/logs"), redis, datetime.timedelta(days=7))  # doctest: +SKIP
        3
    """
    long_ago = now() - kept
    files = {path: found[1] for path in folder.glob("s-*.log") if (found := _OF_A_RUN.fullmatch(path.name))}
    old = {path: run_id for path, run_id in files.items() if _written(path) < long_ago.timestamp()}
    histories = readable(Ledger(redis), sorted({submission_of(run_id) for run_id in old.values()}))
    over = _ended_before(histories, long_ago)
    removed = sum(_removed(path) for path, run_id in old.items() if run_id in over)
    if removed:
        log.info("removed %d logs of runs that ended more than %d days ago", removed, kept.days)
    return removed


def _removed(path: Path) -> bool:
    """Removes a file and says whether it is gone; a log that stays is no reason not to work."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s cannot be removed: %s", path, error.strerror)
        return False
    return True


def _written(path: Path) -> float:
    """Returns when a file was last written, in seconds since 1970; never for one that is gone by now."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _ended_before(histories: Iterable[History], moment: datetime.datetime) -> set[str]:
    """Returns the runs whose last step was an end and lies before a moment."""
    last = {step.run_id: step for history in histories for step in history.transitions}
    return {run_id for run_id, step in last.items() if step.after in ENDED and step.at < moment}
