"""The faults, each really done to a running site; one counts only if its target was alive in the named state."""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from leaderboard.connection import text
from leaderboard.fleet import Fleet
from leaderboard.records import State
from leaderboard.submissions import keys
from tests.faults import disks
from tests.faults.faults import OF_THE_HUB, Fault
from tests.faults.processes import below, command, look, look_at, send, standstill
from tests.faults.site import Site
from tests.hub_server import Refuse, Slow
from tests.hub_server.faults import Fault as HubFault
from worker.invite import invite

log = logging.getLogger("rapport.faults")

_COMMIT = "POST .*/commit/"
_PATIENCE = 60.0
_HOUR = 3600


class Strike(NamedTuple):
    """One fault that was done."""

    fault: Fault
    state: State
    """Of the run, at that moment."""
    run_id: str
    pid: int


class Blow(NamedTuple):
    """A fault about to be done: everything stands still."""

    site: Site
    fault: Fault
    run_id: str
    pid: int
    stay: set[int]
    """Processes that are not to go on with the others."""
    chance: random.Random
    older: Path | None = None
    """An older copy of the append-only file."""


def engines(site: Site) -> list[int]:
    """Returns the processes that hold models."""
    return [pid for pid in _of_workers(site) if "evaluator.engines.host" in command(pid)]


def jobs(site: Site) -> list[int]:
    """Returns the processes in which workers run a job: their children."""
    parents = {worker.pid for worker in site.workers}
    return [pid for pid, seen in look().items() if seen.parent in parents]


def holders(site: Site) -> dict[int, list[str]]:
    """Returns the jobs that hold leases, with the keys of these."""
    found: dict[int, list[str]] = {}
    for name in site.redis.scan_iter(keys.lease("*", "*")):
        if value := site.redis.get(name):
            found.setdefault(int(text(value).rpartition("-")[2]), []).append(text(name))
    return {pid: found[pid] for pid in jobs(site) if pid in found}


def _of_workers(site: Site) -> list[int]:
    return below(worker.pid for worker in site.workers)


def _workers(site: Site) -> list[int]:
    return [worker.pid for worker in site.workers]


def _role(name: str) -> Callable[[Site], Sequence[int]]:
    return lambda site: [site.role(name).pid]


TARGETS: dict[Fault, Callable[[Site], Sequence[int]]] = {
    Fault.WORKER_KILLED: _workers,
    Fault.JOB_KILLED: jobs,
    Fault.ENGINE_KILLED: engines,
    Fault.ENGINE_OUT_OF_MEMORY: engines,
    Fault.PUBLISHER_KILLED: _role("publisher"),
    Fault.REAPER_KILLED: _role("reaper"),
    Fault.APP_KILLED: _role("app"),
    Fault.JOB_FROZEN: lambda site: list(holders(site)),
    Fault.SHARD_RACE: _workers,
    **dict.fromkeys(OF_THE_HUB, _role("publisher")),
}
"""Whom a fault hits; Redis where nobody is named."""


def has_target(site: Site, fault: Fault) -> bool:
    """Says whether there seems to be somebody to hit, without disturbing anybody."""
    return bool(TARGETS.get(fault, _role("redis"))(site))


def strike(
    site: Site,
    fault: Fault,
    run_id: str,
    state: State,
    chance: random.Random,
    stay: set[int],
    older: Path | None = None,
    before: Callable[[], None] = lambda: None,
) -> Strike | None:
    """Does a fault if the run is in the state and the fault has a living target; says what was done.

    Everything stands still while that is looked at, so that the state is the one in which the target is hit.

    Args:
        site: Where.
        fault: What.
        run_id: A run.
        state: In which it has to be.
        chance: Chooses among targets, and how hard they are hit.
        stay: Processes that are frozen already; they go on once the fault is done, and not before.
        older: An older copy of the append-only file of Redis.
        before: What to do first, while everything stands still.
    """
    with standstill(site.roots(), stay) as still:
        if site.ledger.state(run_id) is not state:
            return None
        alive = {*still, *([site.role("redis").pid] if look_at(site.role("redis").pid) else [])}
        targets = alive.intersection(TARGETS.get(fault, _role("redis"))(site))
        if not targets:
            return None
        pid = chance.choice(sorted(targets))
        before()
        log.info("%s: process %d alive, run %s %s", fault, pid, run_id, state)
        bitten = _ACTS.get(fault, _kill)(Blow(site, fault, run_id, pid, stay, chance, older))
    for held in stay - ({pid} if fault is Fault.JOB_FROZEN else set()):
        stay.discard(held)
        send(held, signal.SIGCONT)
    if not bitten():
        log.info("%s: process %d was not harmed, which does not count", fault, pid)
        return None
    return Strike(fault, state, run_id, pid)


Bitten = Callable[[], bool]
"""Waits, after all others go on, for what a fault does, and ends it; says whether it did anything."""


def _kill(blow: Blow) -> Bitten:
    """Kills a process where it stands."""
    os.kill(blow.pid, signal.SIGKILL)
    return lambda: True


def _no_more_memory(blow: Blow) -> Bitten:
    """Leaves a process no memory: its next request for some fails."""
    if not _limit_memory(blow.pid, str(2**20)):
        return lambda: False  # It was about to become another user.

    def died() -> bool:
        done = _until(lambda: look_at(blow.pid) is None, 10.0)
        if not done:
            _limit_memory(blow.pid, "unlimited")
        return done

    return died


def _limit_memory(pid: int, size: str) -> bool:
    """Limits the memory of a process in bytes, as the user it runs as: no other may; says whether that was done."""
    try:
        owner = os.stat(f"/proc/{pid}")
        command_line = ["prlimit", f"--pid={pid}", f"--as={size}:"]
        as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        return not subprocess.run(command_line, check=False, capture_output=True, **as_owner).returncode  # type: ignore[call-overload]
    except FileNotFoundError:
        return False


def _invite_all(blow: Blow) -> Bitten:
    """Sends more invitations to the run, so that the workers look at the same shards at the same moment."""
    for worker in Fleet(blow.site.redis).alive():
        invite(blow.site.redis, blow.run_id, worker.kind, blow.site.settings.job_seconds)
    return lambda: True


def _freeze(blow: Blow) -> Bitten:
    """Leaves a job frozen until each of its leases has gone to another."""
    redis = blow.site.redis
    held = {name: redis.get(name) for name in holders(blow.site)[blow.pid]}
    blow.stay.add(blow.pid)

    def passed_on() -> bool:
        def others() -> bool:
            return all((now := redis.get(name)) is not None and now != value for name, value in held.items())

        try:
            done = _until(others, _PATIENCE)
            if done:
                log.info("the leases of process %d are another's by now; it wakes up", blow.pid)
            return done
        finally:
            blow.stay.discard(blow.pid)
            send(blow.pid, signal.SIGCONT)

    return passed_on


def _forget_all(blow: Blow) -> Bitten:
    """Kills Redis, and lets it come back with nothing."""
    with blow.site.role("redis").killed():
        shutil.rmtree(blow.site.redis_folder)
        blow.site.redis_folder.mkdir()
    return lambda: True


def _go_back(blow: Blow) -> Bitten:
    """Kills Redis, and lets it come back with an older copy of its append-only file."""
    assert blow.older, "no copy was taken"
    with blow.site.role("redis").killed():
        shutil.rmtree(blow.site.redis_folder)
        shutil.copytree(blow.older, blow.site.redis_folder)
    return lambda: True


def _fill_disk(blow: Blow) -> Bitten:
    """Takes up the whole disk for some seconds."""
    site = blow.site
    disks.fill(site.settings.data)

    def freed() -> bool:
        try:
            _until(lambda: not site.settings.reserve.exists(), 2.0 + 2.0 * blow.chance.random())
            return True
        finally:
            disks.free(site.settings.data)
            site.make_reserve()

    return freed


def _jump(direction: int) -> Callable[[Blow], Bitten]:
    def act(blow: Blow) -> Bitten:
        """Puts the clock of Redis forwards or back by an hour to a day."""
        assert blow.site.clock, "libfaketime is not installed"
        blow.site.clock.jump(direction * blow.chance.randint(_HOUR, 24 * _HOUR))
        return lambda: True

    return act


def _plan_refusal(make: Callable[[random.Random], HubFault], times: int) -> Callable[[Blow], Bitten]:
    def act(blow: Blow) -> Bitten:
        """Has the Hub refuse the next commits."""
        hub = blow.site.plan.hub
        assert hub, "the store is not on the Hub"
        hub.faults.add(_COMMIT, make(blow.chance), times)

        def taken() -> bool:
            done = _until(lambda: not hub.faults.waiting(), 20.0)
            hub.faults.clear()
            return done

        return taken

    return act


_ACTS: dict[Fault, Callable[[Blow], Bitten]] = {
    Fault.ENGINE_OUT_OF_MEMORY: _no_more_memory,
    Fault.SHARD_RACE: _invite_all,
    Fault.JOB_FROZEN: _freeze,
    Fault.REDIS_EMPTY: _forget_all,
    Fault.REDIS_OLDER: _go_back,
    Fault.DISK_FULL: _fill_disk,
    Fault.CLOCK_FORWARDS: _jump(1),
    Fault.CLOCK_BACKWARDS: _jump(-1),
    Fault.STORE_CONFLICT: _plan_refusal(lambda _: Refuse(412), 1),
    Fault.STORE_BUSY: _plan_refusal(lambda _: Refuse(429, retry_after=1), 2),
    Fault.STORE_BROKEN: _plan_refusal(lambda chance: Refuse(500, late=chance.random() < 0.5), 2),
    Fault.STORE_SILENT: _plan_refusal(lambda _: Slow(3.0), 1),
}


def _until(holds: Callable[[], bool], seconds: float) -> bool:
    """Waits for a condition; says whether it came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False
