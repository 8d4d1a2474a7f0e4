"""Taking a copy of a whole Redis and bringing an older one back; and the death of a publisher."""

from __future__ import annotations

from redis import Redis

from leaderboard.submissions import keys

Copy = dict[bytes, tuple[bytes, int]]


def copy_of(redis: Redis) -> Copy:
    """All that a Redis holds by now, with the milliseconds that each key has left."""
    return {key: (redis.dump(key), max(redis.pttl(key), 0)) for key in redis.scan_iter()}


def roll_back(redis: Redis, copy: Copy) -> None:
    """Makes a Redis hold what it held once, and nothing since."""
    with redis.pipeline() as pipe:
        pipe.flushall()
        for key, (value, milliseconds) in copy.items():
            pipe.restore(key, milliseconds, value)
        pipe.execute()


def let_hold_run_out(redis: Redis) -> None:
    """Makes it late enough for the next publisher to begin: the last one has died."""
    redis.delete(keys.PUBLISHER)
