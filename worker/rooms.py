"""What one worker of several may take of a run: models go only where there is room, then to more."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import NamedTuple

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.fleet import Announcement, Fleet, Kind
from leaderboard.records import Lane, Submission, protocol_of
from leaderboard.submissions import keys
from leaderboard.submissions.needs import needs_of
from leaderboard.submissions.order import read_order
from leaderboard.submissions.room import Footprint, kinds_for, least_footprint, read_crowded
from worker.announce import name_of
from worker.engines import JudgeFailed
from worker.scheduler import gives_way

_BOUNDLESS = 2**62
_KEPT_SECONDS = 30 * 24 * 3600
"""How long it is remembered that there was too little memory."""


class Rooms:
    """Looks at the fleet on behalf of one job, which runs in a child of its worker.

    A job of which no worker of the fleet knows has all the room there may be.

    Example:
        >>> Rooms(redis, run_id, submission, served=(Lane.GENERATE, Lane.JUDGE)).lanes()  # doctest: +SKIP
        (<Lane.JUDGE: 'judge'>,)
    """

    def __init__(self, redis: Redis, run_id: str, submission: Submission, served: Collection[Lane]) -> None:
        """Looks on behalf of a job on a run, by a worker that serves some lanes."""
        self._redis, self._run_id, self._submission = redis, run_id, submission
        self._served = tuple(sorted({*served}))

    def lanes(self) -> tuple[Lane, ...]:
        """Returns in which of its lanes the worker may take something of the run."""
        seen = self._look()
        crowded = dict(read_crowded(self._redis.hgetall(keys.crowded(self._run_id))))
        return tuple(
            lane
            for lane in self._served
            if seen.own in kinds_for(lane, seen.footprint, crowded.get(lane, 0), seen.kinds)
        )

    def left_to_larger(self, lane: Lane) -> int:
        """Notes that there was too little memory here; returns how many kinds of workers with more are to try it yet.

        None means that this was the roomiest of those that are alive: then all is forgotten, and whoever takes the run
        up again tries everywhere.
        """
        seen, name = self._look(), keys.crowded(self._run_id)
        larger = kinds_for(lane, seen.footprint, seen.own.room, seen.kinds)
        if not larger:
            self._redis.delete(name)
            return 0
        self._redis.hset(name, lane.value, str(seen.own.room))
        self._redis.pexpire(name, 1000 * _KEPT_SECONDS)
        return len({kind.room for kind in larger})

    def gives_way(self) -> bool:
        """Says whether the worker is to leave the run to somebody who has waited longer."""
        seen = self._look()
        return gives_way(self._submission.submitter, seen.own, read_order(self._redis), seen.alive)

    def _look(self) -> _Seen:
        """Returns what is to be seen now."""
        alive, protocol_id = Fleet(self._redis).alive(), protocol_of(self._run_id)
        need = needs_of(self._redis, [protocol_id]).get(protocol_id)
        name = name_of(os.getppid())
        unknown = Kind(self._served, _BOUNDLESS, None, _BOUNDLESS, wide=False)
        own = next((worker.kind for worker in alive if worker.name == name), unknown)
        return _Seen(alive, own, least_footprint(self._submission, protocol_id, need))


class _Seen(NamedTuple):
    """The fleet, and what the model takes."""

    alive: list[Announcement]
    own: Kind
    """Kind of the worker whose job this is."""
    footprint: Footprint | None

    @property
    def kinds(self) -> frozenset[Kind]:
        """All kinds that are there."""
        return frozenset({self.own, *(worker.kind for worker in self.alive)})


def wants_memory(error: RapportError) -> bool:
    """Says whether a model or the judge may do better where there is more memory."""
    return Cause.OUT_OF_MEMORY in (error.cause, error.of if isinstance(error, JudgeFailed) else None)
