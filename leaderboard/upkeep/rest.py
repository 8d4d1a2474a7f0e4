"""Keeps publishers away while something else writes to the stores."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis import Redis
from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from evaluator.errors import Cause, RapportError
from leaderboard.connection import connect
from leaderboard.embedded import sole_user
from leaderboard.settings import Settings
from leaderboard.submissions import keys

_SECONDS = 10.0
_BEATS = 5


@contextmanager
def at_rest(settings: Settings) -> Iterator[Redis | None]:
    """Sees to it that no publisher is at work within the block; yields Redis, None where none is configured.

    Without RAPPORT_REDIS_URL it takes the data folder, which a site on this machine would use; whoever publishes to
    the same data sets from elsewhere is not seen.

    Raises:
        RapportError: `infrastructure` if a publisher is at work, or Redis does not answer.
    """
    if not settings.redis_url:
        with sole_user(settings.data):
            yield None
        return
    with connect(settings.redis_url) as redis, _held(redis):
        yield redis


@contextmanager
def _held(redis: Redis) -> Iterator[None]:
    """Holds Redis as a publisher does, and renews that until the end of the block."""
    lock = Lock(redis, keys.PUBLISHER, timeout=_SECONDS, blocking=False, thread_local=False)
    if not lock.acquire():
        raise RapportError(
            Cause.INFRASTRUCTURE,
            "A publisher is at work, or has ended within the last seconds.",
            "Stop it, wait ten seconds, and try again.",
        )
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(lock, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(LockError, RedisError):
            lock.release()


def _renew(lock: Lock, ended: threading.Event) -> None:
    """Renews the hold until told to end; who has lost it meets a conflict where it would write."""
    while not ended.wait(_SECONDS / _BEATS):
        with suppress(LockError, RedisError):
            lock.reacquire()
