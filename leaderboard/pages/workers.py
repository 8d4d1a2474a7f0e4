"""What is said of the workers that are alive: how many, on what, in which lanes; never what they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from leaderboard.fleet import Announcement


def workers_sentence(fleet: Iterable[Announcement]) -> str:
    """Returns one sentence about all workers.

    Example:
        >>> workers_sentence([])
        'No worker is alive: what is submitted waits for one.'
    """
    kinds = Counter(_kind(worker) for worker in fleet)
    if not kinds:
        return "No worker is alive: what is submitted waits for one."
    count = kinds.total()
    parts = [f"{times} on {kind}" for kind, times in sorted(kinds.items())]
    return f"{count} worker{'s are' if count > 1 else ' is'} alive: {'; '.join(parts)}."


def _kind(worker: Announcement) -> str:
    """Names what a worker runs on, what for, and what it does."""
    cards = Counter(gpu.name for gpu in worker.gpus)
    machine = " and ".join(f"{times} × {name}" for name, times in sorted(cards.items())) or "a machine without GPU"
    doing = "at work" if worker.run_id else "idle"
    return f"{machine} ({' and '.join(worker.lanes)}, {doing})"
