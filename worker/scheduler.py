"""Who is invited next, and who gives way: pure functions of what the survey found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from leaderboard.fleet import Announcement, Kind
from leaderboard.submissions.order import ServingOrder, WaitingRun, fair_order


class Invitations(NamedTuple):
    """One queue as it stands."""

    kind: Kind
    """Of the workers that listen to it."""
    idle: int
    """How many of them have nothing to do."""
    waiting: tuple[str, ...]
    """Runs to which an invitation waits in it."""


class Invitation(NamedTuple):
    """One invitation that is to be sent."""

    run_id: str
    kind: Kind
    submitter: str


def queues_of(fleet: Iterable[Announcement], waiting: Mapping[Kind, Sequence[str]]) -> list[Invitations]:
    """Returns the queues that anybody listens to.

    Args:
        fleet: The workers that are alive.
        waiting: To which runs invitations wait, by the kind of workers that a queue is for.
    """
    listening = list(fleet)
    idle = Counter(worker.kind for worker in listening if worker.run_id is None)
    kinds = sorted({worker.kind for worker in listening}, key=lambda kind: kind.queue)
    return [Invitations(kind, idle[kind], tuple(waiting.get(kind, ()))) for kind in kinds]


def due(
    runs: Sequence[WaitingRun], working: Mapping[str, int], served: Mapping[str, int], queues: Iterable[Invitations]
) -> list[Invitation]:
    """Returns the invitations that are to be sent now.

    A queue holds one more than it has idle workers, so that whoever is done next goes on at once, and what was decided
    long ago does not stand in the way. At most one invitation a run waits in it, and none to a run for which its
    workers have no room.

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
    fleet = {queue.kind for queue in known}
    taken_by = {run.run_id: run.taken_by(fleet) for run in runs}
    sent: list[Invitation] = []
    for queue in known:
        takes = [run for run in runs if queue.kind in taken_by[run.run_id] and run.run_id not in queue.waiting]
        places = max(0, queue.idle + 1 - len(queue.waiting))
        for run in fair_order(takes, held, served)[:places]:
            sent.append(Invitation(run.run_id, queue.kind, run.submitter))
            held[run.submitter] += 1
    return sent


def gives_way(submitter: str, kind: Kind, order: ServingOrder | None, fleet: Iterable[Announcement]) -> bool:
    """Says whether a worker that has served a run for long is to leave it to somebody who has waited longer.

    It is, if a submitter without a worker, or with two fewer than this one, has a run that it could serve, and no idle
    worker is there for it.

    Args:
        submitter: Whose run it serves.
        kind: The worker's.
        order: What the reaper last found; without a reaper nobody gives way.
        fleet: The workers that are alive.
    """
    if order is None:
        return False
    working, alive = Counter(dict(order.working)), list(fleet)
    least = max(1, working[submitter] - 1)
    kinds = {kind, *(worker.kind for worker in alive)}
    idle = {worker.kind for worker in alive if worker.run_id is None}
    others = (run for run in order.waiting if run.submitter != submitter and working[run.submitter] < least)
    return any(kind in fitting and not fitting & idle for fitting in (run.taken_by(kinds) for run in others))
