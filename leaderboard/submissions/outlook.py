"""What a submitter wants to know of a run that has not ended: its place, when it begins, how fast it goes, how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from redis import Redis

from leaderboard.connection import text
from leaderboard.fleet import Announcement, Fleet
from leaderboard.records import Lane, protocol_of
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Cost, Estimate, Pace, expected_seconds, seconds_left, waiting_seconds
from leaderboard.submissions.history import is_paused
from leaderboard.submissions.measures import read_costs, read_paces
from leaderboard.submissions.order import ServingOrder, read_order
from leaderboard.submissions.states import ENDED
from leaderboard.submissions.views import Progress, SubmissionView, read_progress


class Outlook(NamedTuple):
    """What can be told of a run now; None wherever nothing was measured that could tell it."""

    position: int | None
    """Place among the runs without a worker, from 1; None if it has one, or no reaper is alive to say."""
    waiting: int
    """Runs without a worker."""
    workers: int
    """Workers alive that answer questions."""
    begins: Estimate | None
    """How long it waits for its first worker; None too if it has one."""
    lasts: Estimate | None
    """How long one worker takes for it, or if it is in work, how long it still takes."""
    pace: Pace | None
    """How fast it has gone in the last minutes."""
    paused: bool
    """Whether a maintainer wants it left alone for now."""
    judges: int = 1
    """Workers alive that judge."""
    ordered: bool = True
    """Whether a reaper is alive, without which nobody is invited."""
    published: bool = True
    """Whether a publisher is alive, without which nothing is saved or published."""
    resting: str | None = None
    """The cause of a failure of ours after which it waits to be tried again; None if it does not."""


class Measured(NamedTuple):
    """All that outlooks are made from."""

    order: ServingOrder | None
    fleet: Sequence[Announcement]
    costs: Mapping[str, Sequence[Cost]]
    """By protocol."""
    paces: Mapping[str, Pace | None]
    """By run."""
    progress: Mapping[str, Progress]
    """By run."""
    resting: Mapping[str, str]
    """Causes of failures after which runs wait to be tried again, by run."""
    publisher: bool
    """Whether one is alive."""


def read_outlooks(redis: Redis, views: Iterable[SubmissionView]) -> dict[str, Outlook]:
    """Returns the outlook of each run that has not ended, by id; more runs take no more round trips.

    Raises:
        RapportError: `data_error` if something that was measured is not of this version.
    """
    open_runs = {run.id: is_paused(view.events) for view in views for run in view.runs if run.state not in ENDED}
    if not open_runs:
        return {}
    measured = read_measured(redis, open_runs)
    return {run_id: outlook_of(run_id, paused, measured) for run_id, paused in open_runs.items()}


def read_measured(redis: Redis, run_ids: Iterable[str]) -> Measured:
    """Reads what outlooks of some runs are made from."""
    order, fleet = read_order(redis), Fleet(redis).alive()
    ahead = [run.run_id for run in order.waiting] if order else []
    busy = [worker.run_id for worker in fleet if worker.run_id]
    known = sorted({*run_ids, *busy})
    with redis.pipeline(transaction=False) as pipe:
        pipe.exists(keys.PUBLISHER)
        for run_id in known:
            pipe.hgetall(keys.progress(run_id))
            pipe.get(keys.pause(run_id))
        publisher, *answers = pipe.execute()
    causes = zip(known, answers[1::2], strict=True)
    return Measured(
        order=order,
        fleet=fleet,
        costs={protocol: read_costs(redis, protocol) for protocol in sorted({*map(protocol_of, [*known, *ahead])})},
        paces=read_paces(redis, known),
        progress=dict(zip(known, map(read_progress, answers[::2]), strict=True)),
        resting={run_id: text(cause) for run_id, cause in causes if cause is not None},
        publisher=bool(publisher),
    )


def outlook_of(run_id: str, paused: bool, measured: Measured) -> Outlook:
    """Returns the outlook of one run; a pure function of what was measured.

    Args:
        run_id: The run, which is among those that were measured.
        paused: Whether it is to be left alone.
        measured: What is known.
    """
    workers = [worker for worker in measured.fleet if Lane.GENERATE in worker.lanes and not worker.draining]
    ahead = measured.order.ahead(run_id) if measured.order else None
    # Once a protocol: hundreds of runs may be ahead, and each costs that much of a page.
    whole = {protocol: expected_seconds(costs) for protocol, costs in measured.costs.items()}
    alone = [whole.get(protocol_of(each.run_id)) for each in ahead or ()]
    busy = [_held(worker, measured) for worker in workers if worker.run_id]
    left = _left(run_id, measured)
    return Outlook(
        position=None if ahead is None else len(ahead) + 1,
        waiting=sum(not run.workers for run in measured.order.waiting) if measured.order else 0,
        workers=len(workers),
        begins=None if ahead is None else waiting_seconds(alone, busy, len(workers)),
        lasts=left if left is not None else whole.get(protocol_of(run_id)),
        pace=measured.paces.get(run_id),
        paused=paused,
        judges=sum(Lane.JUDGE in worker.lanes and not worker.draining for worker in measured.fleet),
        ordered=measured.order is not None,
        published=measured.publisher,
        resting=measured.resting.get(run_id),
    )


def _held(worker: Announcement, measured: Measured) -> Estimate | None:
    """Returns how long a busy worker keeps its run: to its end, or to the end of its turn, since somebody waits."""
    left = _left(str(worker.run_id), measured)
    return left and Estimate(min(left.seconds, worker.turn_seconds), left.measurements)


def _left(run_id: str, measured: Measured) -> Estimate | None:
    """Returns how long a run in work still takes; None until it is planned, or if nothing has come lately."""
    done = measured.progress.get(run_id)
    if done is None or done.items is None or done.verdicts_wanted is None:
        return None
    owed = done.items + done.verdicts_wanted - done.generations - done.verdicts
    return seconds_left(owed, measured.paces.get(run_id))
