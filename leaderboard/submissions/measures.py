"""What was measured of runs: how fast those in work go, what finished ones took, what their engines wrote last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from redis import Redis

from leaderboard.connection import text
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Cost, Mark, Pace, pace_of

COSTS_KEPT = 50


def note_cost(redis: Redis, protocol: str, cost: Cost) -> None:
    """Keeps what a finished run took, for estimates of those that have not begun."""
    with redis.pipeline() as pipe:
        pipe.lpush(keys.costs(protocol), f"{cost.items} {cost.seconds:.3f}")
        pipe.ltrim(keys.costs(protocol), 0, COSTS_KEPT - 1)
        pipe.execute()


def read_costs(redis: Redis, protocol: str) -> list[Cost]:
    """Returns what the latest finished runs of a protocol took."""
    lines = (text(line).split() for line in redis.lrange(keys.costs(protocol), 0, -1))
    return [Cost(int(items), float(seconds)) for items, seconds in lines]


def read_paces(redis: Redis, run_ids: Sequence[str]) -> dict[str, Pace | None]:
    """Returns how fast runs have gone in the last minutes, in one round trip however many there are."""
    with redis.pipeline(transaction=False) as pipe:
        pipe.time()
        for run_id in run_ids:
            pipe.lrange(keys.marks(run_id), 0, -1)
        (seconds, microseconds), *found = pipe.execute()
    now = seconds + microseconds / 1e6
    return {run_id: pace_of(_marks(lines), now) for run_id, lines in zip(run_ids, found, strict=True)}


def _marks(lines: Iterable[object]) -> list[Mark]:
    """Reads what hand-overs have noted; see `worker/lease.py`."""
    return [Mark(float(at), int(rows), int(tokens)) for at, rows, tokens in (text(line).split() for line in lines)]


def read_log(redis: Redis, run_id: str) -> tuple[str, ...]:
    """Returns the last lines that the engines of a run in work have written, without secrets."""
    value = redis.get(keys.log(run_id))
    return () if value is None else tuple(json.loads(text(value)))


def read_worker_seconds(redis: Redis, run_id: str) -> float:
    """Returns the seconds that workers have reported for a run, all together."""
    return int(redis.hget(keys.progress(run_id), "milliseconds") or 0) / 1000
