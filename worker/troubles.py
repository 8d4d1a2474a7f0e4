"""Failures of ours do not end a run at once: it is tried again a few times, with longer and longer pauses."""

from __future__ import annotations

import logging

from redis import Redis

from evaluator.engines.child import Killed
from evaluator.errors import Cause, RapportError
from leaderboard.submissions import keys

log = logging.getLogger("rapport.worker")

RETRIED = frozenset({Cause.INFRASTRUCTURE, Cause.DISK_FULL, Cause.TIMEOUT})
"""Causes that may be gone at the next try, or on the next worker."""
MOST_RETRIES = 3
FIRST_PAUSE_SECONDS = 5.0


class Troubles:
    """Counts failures of ours in a row; a single row that comes back sets the count to zero."""

    def __init__(self, redis: Redis, first_pause: float = FIRST_PAUSE_SECONDS) -> None:
        """The pause begins at `first_pause` seconds and doubles."""
        self._redis, self._first_pause = redis, first_pause

    def may_try_again(self, run_id: str, error: RapportError) -> bool:
        """Notes a failure; says whether the run is to be tried again instead of ended.

        An engine that was killed is tried again once: it may have been a neighbour that took the memory. The reaper
        invites to the run again once the pause is over.
        """
        most = 1 if isinstance(error, Killed) else MOST_RETRIES if error.cause in RETRIED else 0
        if not most:
            return False
        count = keys.killed(run_id) if isinstance(error, Killed) else keys.trouble(run_id)
        times: int = self._redis.incr(count)
        if times > most:
            self._redis.delete(count)
            return False
        pause = self._first_pause * 2 ** (times - 1)
        self._redis.set(keys.pause(run_id), error.cause, px=int(1000 * pause))
        log.warning("%s: %s It is tried again in %.0f s (%d of %d)", run_id, error, pause, times, most)
        return True

    def pausing(self, run_id: str) -> bool:
        """Says whether a run waits before it is tried again."""
        return bool(self._redis.exists(keys.pause(run_id)))
