"""Who is served next: fair between submitters, so that one person with fifty models does not block everybody else."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from redis import Redis

from evaluator.records import Record
from leaderboard.connection import text
from leaderboard.fleet import Kind
from leaderboard.records import Lane, Moment
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from leaderboard.submissions.room import Crowded, Footprint, kinds_for

_REMEMBERED = 10_000
"""Submitters of whom it is remembered when they were last served."""


class WaitingRun(Record):
    """A run with something left that a worker could take."""

    run_id: str
    submitter: str
    created_at: Moment
    """When its submission was handed in."""
    lanes: tuple[Lane, ...]
    """In which of them something could be taken now."""
    workers: int = 0
    """How many work on it already."""
    lifted: bool = False
    """Whether a maintainer put it before all that are not."""
    paused: bool = False
    """Whether a maintainer wants it left alone for now."""
    parameters: int | None = None
    """Of its model, by which it is told how long it takes; None where they are not known."""
    footprint: Footprint | None = None
    """What its model takes of a worker; None where that is not known."""
    crowded: Crowded = ()
    """Where its model ran out of memory already."""

    def taken_by(self, fleet: Iterable[Kind]) -> frozenset[Kind]:
        """Returns the kinds of workers that could take something of it now."""
        kinds, crowded = set(fleet), dict(self.crowded)
        fitting = (kinds_for(lane, self.footprint, crowded.get(lane, 0), kinds) for lane in self.lanes)
        return frozenset().union(*fitting)

    def lacks_room(self, fleet: Iterable[Kind]) -> bool:
        """Says whether workers are there for one of its lanes, and none of them has room for it."""
        kinds = set(fleet)
        alone = (self.model_copy(update={"lanes": (lane,)}) for lane in self.lanes)
        return any(not run.taken_by(kinds) and any(run.lanes[0] in kind.lanes for kind in kinds) for run in alone)


def fair_order(
    waiting: Iterable[WaitingRun], held: Mapping[str, int], served: Mapping[str, int] | None = None
) -> list[WaitingRun]:
    """Returns runs in the order in which workers are to take them.

    Those that were lifted come first, those that are paused are left out. The next place always goes to the submitter
    who has the least: what is held plus the places that this order has given already. Between equals it goes to whoever
    was served longest ago, then to whoever came first.

    Args:
        waiting: Runs in any order.
        held: How much each submitter has already: leases and invitations. Who is not in it has nothing.
        served: When each submitter was last served, as a number that grows. Who is not in it never was.

    Example:
        >>> from datetime import datetime, timezone
        >>> noon = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
        >>> def run(name: str, submitter: str) -> WaitingRun:
        ...     return WaitingRun(run_id=name, submitter=submitter, created_at=noon, lanes=(Lane.GENERATE,))
        >>> [each.run_id for each in fair_order([run("a1", "ann"), run("a2", "ann"), run("b1", "bob")], {"ann": 1})]
        ['b1', 'a1', 'a2']
    """
    counts, order = defaultdict(int, held), list[WaitingRun]()
    runs = sorted((run for run in waiting if not run.paused), key=_age)
    for lifted in (True, False):
        order += _in_turn([run for run in runs if run.lifted is lifted], counts, served or {})
    return order


def _in_turn(runs: Iterable[WaitingRun], counts: defaultdict[str, int], served: Mapping[str, int]) -> list[WaitingRun]:
    """Returns runs, oldest first, so that places go to whoever has the least; counts the places given."""
    queues: defaultdict[str, deque[WaitingRun]] = defaultdict(deque)
    for run in runs:
        queues[run.submitter].append(run)

    def turn(name: str) -> tuple[int, int, Moment, str, str]:
        return counts[name], served.get(name, 0), *_age(queues[name][0]), name

    turns = [turn(name) for name in queues]
    heapq.heapify(turns)
    order: list[WaitingRun] = []
    while turns:
        name = heapq.heappop(turns)[-1]
        order.append(queues[name].popleft())
        counts[name] += 1
        if queues[name]:
            heapq.heappush(turns, turn(name))
    return order


def _age(run: WaitingRun) -> tuple[Moment, str]:
    """What decides between equals in the end."""
    return run.created_at, run.run_id


class ServingOrder(Record):
    """What the reaper last found: who waits, in order, and who has how many workers."""

    schema_version: Literal[1] = 1
    waiting: tuple[WaitingRun, ...]
    """In the order in which they are served; a run that has workers and could take more is among them."""
    working: tuple[tuple[str, int], ...]
    """How many workers each submitter has who has any."""

    def ahead(self, run_id: str) -> list[WaitingRun] | None:
        """Returns the runs without a worker that are served before one; None if it does not wait for its first."""
        idle = [run for run in self.waiting if not run.workers]
        return next((idle[:place] for place, run in enumerate(idle) if run.run_id == run_id), None)

    def position(self, run_id: str) -> int | None:
        """Returns a run's place among those without a worker, counted from 1; None if it does not wait.

        Example:
            >>> ServingOrder(waiting=(), working=()).position("s-20260101-0a1b2c3d.demo-v1") is None
            True
        """
        ahead = self.ahead(run_id)
        return None if ahead is None else len(ahead) + 1


def publish_order(redis: Redis, order: ServingOrder, seconds: float) -> None:
    """Lets everybody know the order, for some seconds."""
    redis.set(keys.ORDER, order.model_dump_json(), px=int(1000 * seconds))


def read_order(redis: Redis) -> ServingOrder | None:
    """Returns the order; None where no reaper is alive.

    Raises:
        RapportError: `data_error` if it is not of this version.
    """
    value = redis.get(keys.ORDER)
    return None if value is None else read_record(text(value), ServingOrder, "order")


def note_served(redis: Redis, submitter: str) -> None:
    """Remembers that a submitter has just been given a place."""
    number = redis.incr(keys.SERVED_COUNT)
    with redis.pipeline() as pipe:
        pipe.zadd(keys.SERVED, {submitter: number})
        pipe.zremrangebyrank(keys.SERVED, 0, -_REMEMBERED - 1)
        pipe.execute()


def read_served(redis: Redis) -> dict[str, int]:
    """Returns when each submitter was last served, as a number that grows."""
    pairs: Any = redis.zrange(keys.SERVED, 0, -1, withscores=True)
    return {text(name): int(number) for name, number in pairs}
