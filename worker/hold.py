"""The publisher's hold: of several publishers one holds it, and the others end."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from leaderboard.submissions import keys

HOLD_SECONDS = 10.0
"""How long a publisher that has died keeps the next one waiting."""
_BEATS = 5
"""How often a living one renews its hold within that time."""
_LOOK_SECONDS = 0.2

# Nil: it is held; else how long another's hold lasts, in milliseconds, -1 for ever.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return redis.call('PTTL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class Displaced(RapportError):
    """Another publisher is at work: this one must not write any more."""

    def __init__(self) -> None:
        """Says what to do."""
        super().__init__(Cause.INFRASTRUCTURE, "Another publisher is at work.", "Run exactly one.")


class Hold:
    """One publisher's hold, under a name of its own.

    Example:
        >>> hold = Hold(redis)  # doctest: +SKIP
        >>> if hold.take(stopping):  # doctest: +SKIP
        ...     with hold.kept():
        ...         publish()
    """

    def __init__(self, redis: Redis, seconds: float = HOLD_SECONDS) -> None:
        """Holds nothing yet; a hold that is not renewed lasts for `seconds`."""
        self.name = secrets.token_hex(8)
        self.milliseconds = int(1000 * seconds)
        self._redis = redis
        self._take = redis.register_script(_TAKE)
        self._release = redis.register_script(_RELEASE)

    def take(self, stopping: threading.Event) -> bool:
        """Takes the hold as soon as nobody has it; says whether it did before `stopping` was set.

        A dead publisher's hold runs out; that of a living one is renewed, which is how it is known to be one.

        Raises:
            Displaced: If another publisher is alive.
        """
        least: int | None = None
        while (left := self._renew()) is not None:
            if left < 0 or (least is not None and left > least):
                raise Displaced
            least = left
            if stopping.wait(_LOOK_SECONDS):
                return False
        return True

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renews the hold within the block, however long a step takes, and gives it back at its end."""
        ended = threading.Event()
        thread = threading.Thread(target=self._beat, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.release()

    def release(self) -> None:
        """Gives the hold back, if it is still one's own: the next publisher need not wait."""
        self._release(keys=[keys.PUBLISHER], args=[self.name])

    def _renew(self) -> int | None:
        """Takes or renews the hold; returns how long another's lasts, or None if it is held."""
        left: int | None = self._take(keys=[keys.PUBLISHER], args=[self.name, self.milliseconds])
        return left

    def _beat(self, ended: threading.Event) -> None:
        """Renews until told to end; whoever has lost the hold notices where it would write."""
        while not ended.wait(self.milliseconds / 1000 / _BEATS):
            try:
                self._renew()
            except RedisError:
                continue
