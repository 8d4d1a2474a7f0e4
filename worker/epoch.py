"""The publisher's mark in Redis, by which it notices that Redis has lost something, wholly or back to an older copy.

The publisher keeps in its own memory what the mark says, and raises it again and again, always before it writes to the
store what it has read from Redis. A Redis whose mark is missing or older has therefore lost something since; one whose
mark is the right one has not lost anything that was saved.
"""

from __future__ import annotations

import secrets
import time

from redis import Redis

from leaderboard.submissions import keys

# The new mark may be there already: the answer to the last call was lost.
_RAISE = """
local mark = redis.call('GET', KEYS[1])
if mark == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2])
  return 1
end
return mark == ARGV[2] and 1 or 0
"""


RIVAL_SECONDS = 2.0
"""A publisher that is alive raises its mark several times within these."""


def has_rival(redis: Redis, seconds: float = RIVAL_SECONDS) -> bool:
    """Says whether another publisher is at work: two would each take what the other one writes for a loss.

    Looks at the mark twice, if there is one.
    """
    before = redis.get(keys.EPOCH)
    if before is None:
        return False
    time.sleep(seconds)
    return redis.get(keys.EPOCH) not in (before, None)


class MemoryLost(RuntimeError):
    """Redis does not hold what it held a moment ago; the ledger has to be restored before anything is written."""


class Epoch:
    """The time for which Redis has kept its memory, as one publisher sees it.

    Example:
        >>> epoch = Epoch(redis)  # doctest: +SKIP
        >>> epoch.goes_on()  # doctest: +SKIP
        False
        >>> epoch.begin()  # doctest: +SKIP
        >>> epoch.goes_on()  # doctest: +SKIP
        True
    """

    def __init__(self, redis: Redis) -> None:
        """Has not begun: what Redis holds by now may be an older copy."""
        self._redis = redis
        self._raise = redis.register_script(_RAISE)
        self._name, self._count = secrets.token_hex(8), 0

    def goes_on(self) -> bool:
        """Raises the mark if it is the one that was left here; says whether it was."""
        went_on = bool(self._raise(keys=[keys.EPOCH], args=[self._mark(), self._mark(1)]))
        self._count += went_on
        return went_on

    def check(self) -> None:
        """Raises the mark; to be called after reading what is to be written to the store, and before writing it.

        Raises:
            MemoryLost: If it is not the one that was left here.
        """
        if not self.goes_on():
            raise MemoryLost("the mark in Redis is not the one that was left there")

    def end(self) -> None:
        """Takes the mark away: from now on no submission is accepted."""
        self._redis.delete(keys.EPOCH)

    def begin(self) -> None:
        """Sets a new mark: the ledger is whole, and submissions are accepted."""
        self._name, self._count = secrets.token_hex(8), 0
        self._redis.set(keys.EPOCH, self._mark())

    def _mark(self, ahead: int = 0) -> str:
        """Returns what stands in Redis, or will."""
        return f"{self._name}:{self._count + ahead}"
