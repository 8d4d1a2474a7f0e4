"""Who is invited next, and who gives way: pure functions of what the survey found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from leaderboard.fleet import Announcement
from leaderboard.records import Lane
from leaderboard.submissions.order import ServingOrder, WaitingRun, fair_order


class Invitations(NamedTuple):
    """One queue as it stands."""

    lanes: tuple[Lane, ...]
    """Of the workers that listen to it."""
    idle: int
    """How many of them have nothing to do."""
    waiting: tuple[str, ...]
    """Runs to which an invitation waits in it."""


class Invitation(NamedTuple):
    """One invitation that is to be sent."""

    run_id: str
    lanes: tuple[Lane, ...]
    submitter: str


def queues_of(fleet: Iterable[Announcement], waiting: Mapping[tuple[Lane, ...], Sequence[str]]) -> list[Invitations]:
    """Returns the queues that anybody listens to.

    Args:
        fleet: The workers that are alive.
        waiting: To which runs invitations wait, by the lanes of a queue.
    """
    listening = [worker for worker in fleet if not worker.draining]
    idle = Counter(lanes_of(worker) for worker in listening if worker.run_id is None)
    return [
        Invitations(lanes, idle[lanes], tuple(waiting.get(lanes, ())))
        for lanes in sorted({lanes_of(worker) for worker in listening})
    ]


def lanes_of(worker: Announcement) -> tuple[Lane, ...]:
    """Returns the lanes of a worker in the order in which they name its queue."""
    return tuple(sorted({*worker.lanes}))


def due(
    runs: Sequence[WaitingRun], working: Mapping[str, int], served: Mapping[str, int], queues: Iterable[Invitations]
) -> list[Invitation]:
    """Returns the invitations that are to be sent now.

    A queue holds one more than it has idle workers, so that whoever is done next goes on at once, and what was decided
    long ago does not stand in the way. At most one invitation a run waits in it.

    Args:
        runs: All with something left to take.
        working: How many workers each submitter has.
        served: When each submitter was last served; see `fair_order`.
        queues: Those that anybody listens to.
    """
    known = list(queues)
    submitters = {run.run_id: run.submitter for run in runs}
    invited = (submitters[run_id] for queue in known for run_id in queue.waiting if run_id in submitters)
    held = Counter(working) + Counter(invited)
    sent: list[Invitation] = []
    for queue in known:
        takes = [run for run in runs if _suits(run, queue.lanes) and run.run_id not in queue.waiting]
        room = max(0, queue.idle + 1 - len(queue.waiting))
        for run in fair_order(takes, held, served)[:room]:
            sent.append(Invitation(run.run_id, queue.lanes, run.submitter))
            held[run.submitter] += 1
    return sent


def gives_way(
    submitter: str, lanes: Collection[Lane], order: ServingOrder | None, fleet: Iterable[Announcement]
) -> bool:
    """Says whether a worker that has served a run for long is to leave it to somebody who has waited longer.

    It is, if a submitter without a worker, or with two fewer than this one, has a run that it could serve, and no idle
    worker is there for it.

    Args:
        submitter: Whose run it serves.
        lanes: The worker's.
        order: What the reaper last found; without a reaper nobody gives way.
        fleet: The workers that are alive.
    """
    if order is None:
        return False
    working = Counter(dict(order.working))
    least = max(1, working[submitter] - 1)
    others = (run for run in order.waiting if run.submitter != submitter and working[run.submitter] < least)
    idle = [worker for worker in fleet if worker.run_id is None and not worker.draining]
    return any(_suits(run, lanes) and not any(_suits(run, worker.lanes) for worker in idle) for run in others)


def _suits(run: WaitingRun, lanes: Collection[Lane]) -> bool:
    """Says whether workers of some lanes could take something of a run."""
    return any(lane in lanes for lane in run.lanes)
