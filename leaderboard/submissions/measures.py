"""What was measured of runs: how fast those in work go, what finished ones took, what their engines wrote last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from redis import Redis

from leaderboard.connection import text
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Cost, Mark, Pace, pace_of

COSTS_KEPT = 50
REHEARSAL = "deterministic"
"""Name of the engine without a model; what it takes tells of none."""


def note_cost(redis: Redis, protocol: str, cost: Cost) -> None:
    """Keeps what a finished run of a model took, for estimates of those that have not begun."""
    with redis.pipeline() as pipe:
        pipe.lpush(keys.costs(protocol), cost.model_dump_json())
        pipe.ltrim(keys.costs(protocol), 0, COSTS_KEPT - 1)
        pipe.execute()


def read_costs(redis: Redis, protocol: str) -> list[Cost]:
    """Returns what the latest finished runs of a protocol took, the latest first.

    Two workers who finish a run together may both note it: the later note counts.

    Raises:
        RapportError: `data_error` if a note is not of this version.
    """
    costs = [_cost(text(line), protocol) for line in redis.lrange(keys.costs(protocol), 0, -1)]
    named = {cost.run_id: place for place, cost in reversed([*enumerate(costs)])}
    return [cost for place, cost in enumerate(costs) if cost.run_id is None or named[cost.run_id] == place]


def _cost(line: str, protocol: str) -> Cost:
    """Reads a note; the first ones were two numbers, questions and seconds."""
    if line.startswith("{"):
        return read_record(line, Cost, keys.costs(protocol))
    items, seconds = line.split()
    return Cost(schema_version=1, items=int(items), seconds=float(seconds))


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


def note_rehearsal(redis: Redis, run_id: str) -> None:
    """Notes that a run was answered or judged by no model, at least in part."""
    redis.hset(keys.progress(run_id), "rehearsal", 1)


def is_rehearsal(redis: Redis, run_id: str) -> bool:
    """Says whether that was noted of a run."""
    return bool(redis.hexists(keys.progress(run_id), "rehearsal"))
