"""What to do when the clock of Redis is put back: what was to last for seconds would last until it is as late again.

A worker that died just before would keep its shard for a day if the clock went back by one.
"""

from __future__ import annotations

import logging

from redis import Redis

from leaderboard.submissions import keys

log = logging.getLogger("rapport.reaper")

LONGEST_SECONDS = 30
"""What is still wanted is renewed within this time by whoever wants it; a pause is never longer."""

_SHORT_LIVED = (keys.lease("*", "*"), keys.pause("*"), keys.worker("*"), keys.PUBLISHER, keys.ORDER)


class Clock:
    """The clock of Redis, watched by the reaper.

    Example:
        >>> Clock(redis).look()  # doctest: +SKIP
        True
    """

    def __init__(self, redis: Redis) -> None:
        """Knows nothing yet: the clock may have been put back while nobody was looking."""
        self._redis = redis
        self._latest: tuple[int, int] | None = None

    def look(self) -> bool:
        """Shortens what would last for too long at the first look and whenever the clock was put back; says if so.

        Nothing is taken from anybody who is alive: a lease and an announcement are renewed every few seconds.
        """
        before, self._latest = self._latest, self._redis.time()
        if before is not None and self._latest >= before:
            return False
        if before is not None:
            log.warning("the clock of Redis was put back; leases and pauses are shortened")
        names = [name for pattern in _SHORT_LIVED for name in self._redis.scan_iter(pattern, count=1000)]
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.pexpire(name, 1000 * LONGEST_SECONDS, lt=True)
            pipe.execute()
        return True
