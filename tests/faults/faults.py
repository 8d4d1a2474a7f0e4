"""What can be done to a site, and in which states of a run: the cells of a campaign, as data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import NamedTuple

from leaderboard.records import State


class Fault(StrEnum):
    """What is done, and to whom."""

    WORKER_KILLED = "worker killed"
    JOB_KILLED = "job of a worker killed"
    ENGINE_KILLED = "engine killed"
    ENGINE_OUT_OF_MEMORY = "engine out of memory"
    PUBLISHER_KILLED = "publisher killed"
    REAPER_KILLED = "reaper killed"
    APP_KILLED = "app killed while it takes a submission in"
    REDIS_KILLED = "redis killed"
    REDIS_EMPTY = "redis comes back empty"
    REDIS_OLDER = "redis comes back as an older copy"
    JOB_FROZEN = "job frozen until its lease is another's"
    SHARD_RACE = "two workers invited to one shard"
    DISK_FULL = "disk of redis and store full"
    CLOCK_FORWARDS = "clock of redis jumps forwards"
    CLOCK_BACKWARDS = "clock of redis jumps backwards"
    STORE_CONFLICT = "store answers 412"
    STORE_BUSY = "store answers 429"
    STORE_BROKEN = "store answers 500"
    STORE_SILENT = "store does not answer in time"


class Cell(NamedTuple):
    """One fault in one state of a run."""

    fault: Fault
    state: State


OF_THE_HUB = frozenset({Fault.STORE_CONFLICT, Fault.STORE_BUSY, Fault.STORE_BROKEN, Fault.STORE_SILENT})
"""Faults that only a store on the Hub has."""
OF_A_DISK = frozenset({Fault.DISK_FULL})
"""Faults that need a small disk."""
OF_THE_CLOCK = frozenset({Fault.CLOCK_FORWARDS, Fault.CLOCK_BACKWARDS})
"""Faults that need libfaketime. Only the clock of Redis can jump: Python cannot sleep under that library without its
steady clock jumping as well, which no real clock does. Of the others' clocks follow only times that are shown."""
LOSES_MEMORY = frozenset({Fault.REDIS_EMPTY, Fault.REDIS_OLDER})
"""Faults after which Redis may lack what was not in the store."""

STATES = tuple(State)
"""States in which faults strike: all of them."""

_NO_SHARD = {
    State.CHECKING: "nobody is invited to a run before it is queued",
    State.SCORING: "all shards are done",
    State.PUBLISHING: "all shards are done",
    State.PUBLISHED: "all shards are done",
    State.FAILED: "no shard of a run that has ended is given out",
    State.CANCELLED: "no shard of a run that has ended is given out",
}
IMPOSSIBLE: Mapping[Cell, str] = {Cell(Fault.SHARD_RACE, state): why for state, why in _NO_SHARD.items()}
"""Cells that cannot be, and why."""


def cells(faults: Collection[Fault]) -> list[Cell]:
    """Returns all cells of some faults that can be."""
    every = [Cell(fault, state) for fault in faults for state in STATES]
    return [cell for cell in every if cell not in IMPOSSIBLE]
