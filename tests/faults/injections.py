"""The faults, each really done to a running site; one counts only if its target was alive in the named state."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import psutil

from leaderboard.records import Lane, State
from tests.faults.roles import stopped
from tests.faults.site import LEASE_SECONDS, Site
from tests.waiting import until
from worker.invite import invite

log = logging.getLogger("rapport.faults")


class Fault(StrEnum):
    """What is done, and to whom."""

    WORKER_KILLED = "worker killed"
    JOB_KILLED = "job of a worker killed"
    ENGINE_KILLED = "engine killed"
    ENGINE_OUT_OF_MEMORY = "engine out of memory"
    PUBLISHER_KILLED = "publisher killed"
    REAPER_KILLED = "reaper killed"
    REDIS_KILLED = "redis killed"
    JOB_FROZEN = "job frozen until its lease is another's"
    SHARD_RACE = "two workers invited to one shard"


class Strike(NamedTuple):
    """One fault that was done."""

    fault: Fault
    state: State
    """Of the run, at that moment."""
    run_id: str
    pid: int


Target = Callable[[Site], Sequence[int]]


def _jobs(site: Site) -> list[int]:
    """The processes in which workers run a job: children that are workers themselves."""
    return [child.pid for worker in site.workers for child in _children(worker.pid) if "worker" in _command(child)]


def _engines(site: Site) -> list[int]:
    return [child.pid for worker in site.workers for child in worker.children("evaluator.engines.host")]


def _children(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children()
    return []


def _command(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


TARGETS: dict[Fault, Target] = {
    Fault.WORKER_KILLED: lambda site: [worker.pid for worker in site.workers],
    Fault.JOB_KILLED: _jobs,
    Fault.ENGINE_KILLED: _engines,
    Fault.ENGINE_OUT_OF_MEMORY: _engines,
    Fault.PUBLISHER_KILLED: lambda site: [site.role("publisher").pid],
    Fault.REAPER_KILLED: lambda site: [site.role("reaper").pid],
    Fault.REDIS_KILLED: lambda site: [site.role("redis").pid],
    Fault.JOB_FROZEN: _jobs,
    Fault.SHARD_RACE: lambda site: [worker.pid for worker in site.workers],
}


@contextlib.contextmanager
def standstill(site: Site) -> Iterator[set[int]]:
    """Holds every process that could move a run; yields those that stand still."""
    # The publisher first: the states that it passes through are the shortest.
    family = [site.role(name).pid for name in sorted(site.keeper.roles, key="publisher".__ne__) if name != "redis"]
    os.kill(family[0], signal.SIGSTOP)
    family += [child.pid for role in site.keeper.roles.values() for child in role.children()]
    try:
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        until(lambda: all(stopped(pid) or not _there(pid) for pid in family), what="all processes stand still")
        yield {pid for pid in family if _there(pid)}
    finally:
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _there(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def strike(site: Site, fault: Fault, run_id: str, state: State, chance: random.Random) -> Strike | None:
    """Does a fault if the run is in the state and the fault has a living target; says what was done.

    Everything stands still while that is looked at, so that the state is the one in which the target is hit.
    """
    with standstill(site) as still:
        if site.ledger.state(run_id) is not state:
            return None
        targets = [pid for pid in TARGETS[fault](site) if pid in still or fault is Fault.REDIS_KILLED]
        if not targets:
            return None
        pid = chance.choice(sorted(targets))
        log.info("%s: process %d alive, run %s %s", fault, pid, run_id, state)
        _ACTS.get(fault, _kill)(site, pid, run_id)
    if fault is Fault.JOB_FROZEN:
        _stay_frozen(site, pid, run_id)
    return Strike(fault, state, run_id, pid)


def _kill(site: Site, pid: int, run_id: str) -> None:
    """Kills a process where it stands."""
    os.kill(pid, signal.SIGKILL)


def _no_more_memory(site: Site, pid: int, run_id: str) -> None:
    """Leaves a process no memory beyond what it has: its next request for some fails."""
    used = psutil.Process(pid).memory_info().vms
    resource.prlimit(pid, resource.RLIMIT_AS, (used, used))


def _invite_twice(site: Site, pid: int, run_id: str) -> None:
    """Sends two more invitations to the run, so that both workers look at the same shards at the same moment."""
    for _ in range(2):
        invite(site.redis, run_id, tuple(Lane), site.settings.job_seconds)


def _leave(site: Site, pid: int, run_id: str) -> None:
    """Does nothing yet: the process is held still after the others have gone on."""
    os.kill(pid, signal.SIGSTOP)


_ACTS = {
    Fault.ENGINE_OUT_OF_MEMORY: _no_more_memory,
    Fault.SHARD_RACE: _invite_twice,
    Fault.JOB_FROZEN: _leave,
}


def _stay_frozen(site: Site, pid: int, run_id: str) -> None:
    """Holds a job until its lease has run out, and a while longer so that another worker takes the shard."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(LEASE_SECONDS * 1.5)
        os.kill(pid, signal.SIGCONT)
