"""Processes of this machine, seen and held still: one look at /proc for all of them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_ZOMBIE, _STOPPED = "Z", "T"
_PATIENCE = 10.0


class Seen(NamedTuple):
    """One process at one moment."""

    parent: int
    state: str
    """A letter, as /proc has it: `T` stands still, `Z` is dead."""


def look() -> dict[int, Seen]:
    """Returns all processes that are alive, by id."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (seen := look_at(int(name))):
            found[int(name)] = seen
    return found


def look_at(pid: int) -> Seen | None:
    """Returns a process if it is alive."""
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == _ZOMBIE else Seen(int(parent), state)


def stopped(pid: int) -> bool:
    """Whether a process stands still after SIGSTOP."""
    seen = look_at(pid)
    return seen is not None and seen.state == _STOPPED


def command(pid: int) -> str:
    """Returns the command line of a process; empty if it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def below(roots: Iterable[int]) -> list[int]:
    """Returns the living descendants of some processes, parents before children."""
    children: dict[int, list[int]] = {}
    for pid, seen in look().items():
        children.setdefault(seen.parent, []).append(pid)
    found = list(roots)
    for pid in found:
        found += children.get(pid, [])
    return found[len(found) - sum(len(children.get(pid, [])) for pid in found) :]


def send(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def freeze(pid: int) -> bool:
    """Stops a process and waits until it stands still; says whether it does."""
    send(pid, signal.SIGSTOP)
    deadline = time.monotonic() + _PATIENCE
    while (seen := look_at(pid)) and seen.state != _STOPPED and time.monotonic() < deadline:
        time.sleep(0.0002)
    return seen is not None and seen.state == _STOPPED


@contextlib.contextmanager
def standstill(roots: Iterable[int], stay: Collection[int] = ()) -> Iterator[set[int]]:
    """Holds processes with all their descendants; yields those that stand still.

    Args:
        roots: The first of them are stopped first.
        stay: Those that are not to go on afterwards; may grow meanwhile.
    """
    held: list[int] = []
    roots = list(roots)
    try:
        while fresh := [pid for pid in (*roots, *below(roots)) if pid not in held]:  # One may fork while we look.
            held += fresh
            for pid in fresh:
                send(pid, signal.SIGSTOP)
        yield {pid for pid in held if freeze(pid)}
    finally:
        for pid in held:
            if pid not in stay:
                send(pid, signal.SIGCONT)
