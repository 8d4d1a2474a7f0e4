"""What a submitter wants to know of a run that has not ended: its place, when it begins, how fast it goes, how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from redis import Redis

from evaluator.facts import ModelFacts
from leaderboard.connection import text
from leaderboard.fleet import Announcement, Fleet
from leaderboard.records import Lane, now, protocol_of
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import (
    NOTHING_TO_DO,
    Estimate,
    Expectation,
    Pace,
    Place,
    beginnings,
    expected,
    seconds_left,
)
from leaderboard.submissions.history import is_paused
from leaderboard.submissions.measures import read_costs, read_paces
from leaderboard.submissions.needs import need_of
from leaderboard.submissions.order import ServingOrder, WaitingRun, fair_order, read_order, read_served
from leaderboard.submissions.room import footprint_of
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
    lacks_room: bool = False
    """Whether workers are alive for it, and it fits none of them."""


RunKind = tuple[str, int | None]
"""A protocol, and the parameters of a model that is run on it; None where they are not known."""


class Measured(NamedTuple):
    """All that outlooks are made from."""

    order: ServingOrder | None
    fleet: Sequence[Announcement]
    kinds: Mapping[str, RunKind]
    """Of each run."""
    whole: Mapping[RunKind, Estimate | None]
    """What one worker takes for a whole run of a kind."""
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
    asked = [(view, run.id) for view in views for run in view.runs if run.state not in ENDED]
    if not asked:
        return {}
    measured = read_measured(redis, {run_id: _kind(run_id, _parameters(view)) for view, run_id in asked})
    begins = beginnings_of(measured.order.waiting if measured.order else (), measured)
    return {run_id: outlook_of(run_id, is_paused(view.events), measured, begins) for view, run_id in asked}


def _kind(run_id: str, parameters: int | None) -> RunKind:
    """Returns of which kind a run is."""
    return protocol_of(run_id), parameters


def _parameters(view: SubmissionView) -> int | None:
    """Returns the parameters of a submitted model, None where they are not known."""
    facts = view.submission.facts
    return facts.parameters if facts else None


def read_measured(redis: Redis, asked: Mapping[str, RunKind]) -> Measured:
    """Reads what outlooks of some runs are made from.

    Args:
        redis: An open connection.
        asked: The runs, and of which kind each is.
    """
    order, fleet = read_order(redis), Fleet(redis).alive()
    waiting = {run.run_id: _kind(run.run_id, run.parameters) for run in order.waiting} if order else {}
    moving = sorted({*asked, *(worker.run_id for worker in fleet if worker.run_id)})
    begun = sorted({*moving, *waiting})
    with redis.pipeline(transaction=False) as pipe:
        pipe.exists(keys.PUBLISHER)
        for run_id in moving:
            pipe.get(keys.pause(run_id))
        for run_id in begun:
            pipe.hgetall(keys.progress(run_id))
        publisher, *answers = pipe.execute()
    causes, counts = answers[: len(moving)], answers[len(moving) :]
    kinds = waiting | dict(asked)
    return Measured(
        order=order,
        fleet=fleet,
        kinds=kinds,
        whole={kind: each and each.estimate for kind, each in read_expected(redis, kinds.values()).items()},
        paces=read_paces(redis, moving),
        progress=dict(zip(begun, map(read_progress, counts), strict=True)),
        resting={run_id: text(cause) for run_id, cause in zip(moving, causes, strict=True) if cause is not None},
        publisher=bool(publisher),
    )


def read_expected(redis: Redis, kinds: Iterable[RunKind]) -> dict[RunKind, Expectation | None]:
    """Returns what one worker takes for whole runs of some kinds, told from what finished ones took.

    Raises:
        RapportError: `data_error` if something that was measured is not of this version.
    """
    wanted = {*kinds}
    costs = {protocol: read_costs(redis, protocol) for protocol in sorted({protocol for protocol, _ in wanted})}
    items = {protocol: _items(redis, protocol) for protocol, known in costs.items() if known}
    return {kind: expected(costs[kind[0]], kind[1], items.get(kind[0])) for kind in wanted}


def _items(redis: Redis, protocol: str) -> int | None:
    """Returns how many questions runs of a protocol ask by now: those of fewer tell nothing about them."""
    need = need_of(redis, protocol)
    return need.items if need else None


def outlook_of(run_id: str, paused: bool, measured: Measured, begins: Mapping[str, Estimate | None]) -> Outlook:
    """Returns the outlook of one run; a pure function of what was measured.

    Args:
        run_id: The run, which is among those that were measured.
        paused: Whether it is to be left alone.
        measured: What is known.
        begins: How long those wait that wait for their first worker; see `beginnings_of`.
    """
    waiting = measured.order.waiting if measured.order else ()
    run = next((run for run in waiting if run.run_id == run_id), None)
    return Outlook(
        position=measured.order.position(run_id) if measured.order else None,
        waiting=sum(not run.workers for run in waiting),
        workers=sum(Lane.GENERATE in worker.lanes for worker in measured.fleet),
        begins=begins.get(run_id),
        lasts=_remaining(run_id, measured),
        pace=measured.paces.get(run_id),
        paused=paused,
        judges=sum(Lane.JUDGE in worker.lanes for worker in measured.fleet),
        ordered=measured.order is not None,
        published=measured.publisher,
        resting=measured.resting.get(run_id),
        lacks_room=run is not None and run.lacks_room(worker.kind for worker in measured.fleet),
    )


def beginnings_of(waiting: Iterable[WaitingRun], measured: Measured) -> dict[str, Estimate | None]:
    """Returns how long each run waits that waits for its first worker, by id; None where too little is known.

    Args:
        waiting: Runs with something left to take, in the order in which they are served.
        measured: What is known.
    """
    idle = [run for run in waiting if not run.workers]
    kinds = [worker.kind for worker in measured.fleet]
    fleet = {*kinds}
    taken = (run.taken_by(fleet) for run in idle)
    able = (frozenset(worker for worker, kind in enumerate(kinds) if kind in taking) for taking in taken)
    places = [Place(workers, _remaining(run.run_id, measured)) for run, workers in zip(idle, able, strict=True)]
    told = beginnings(places, [_busy(worker, measured) for worker in measured.fleet])
    return {run.run_id: each for run, each in zip(idle, told, strict=True)}


def read_newcomer(redis: Redis, submitter: str, facts: ModelFacts) -> Estimate | None:
    """Returns how long a new run of somebody's would wait for its first worker; None where too little is known.

    Args:
        redis: An open connection.
        submitter: Who would submit it.
        facts: Its model.

    Raises:
        RapportError: `data_error` if something that was measured is not of this version.
    """
    measured = read_measured(redis, {})
    if measured.order is None:
        return None
    return newcomer_begins(measured.order, submitter, facts, read_served(redis), measured)


def newcomer_begins(
    order: ServingOrder, submitter: str, facts: ModelFacts, served: Mapping[str, int], measured: Measured
) -> Estimate | None:
    """Returns how long a run would wait that a submitter enters now, put where the reaper would put it.

    Args:
        order: What the reaper last found.
        submitter: Who would submit it.
        facts: Its model; whoever has room for its weights could take it.
        served: When each submitter was last served; see `fair_order`.
        measured: What is known.
    """
    newest = WaitingRun(
        run_id="new", submitter=submitter, created_at=now(), lanes=(Lane.GENERATE,), footprint=footprint_of(facts, 0)
    )
    return beginnings_of(fair_order([*order.waiting, newest], dict(order.working), served), measured)[newest.run_id]


def _busy(worker: Announcement, measured: Measured) -> Estimate | None:
    """Returns how long a worker keeps its run: to its end, or to the end of its turn, since somebody waits."""
    if worker.run_id is None:
        return NOTHING_TO_DO
    left = _remaining(worker.run_id, measured)
    return left and Estimate(min(left.seconds, worker.turn_seconds), left.measurements)


def _remaining(run_id: str, measured: Measured) -> Estimate | None:
    """Returns how long what is left of a run takes: by its own pace, or else its part of what a whole one takes.

    None if neither was measured.
    """
    done, whole = measured.progress.get(run_id), measured.whole.get(measured.kinds.get(run_id, ("", None)))
    if done is not None and done.items is not None and done.verdicts_wanted is not None:
        owed = done.items + done.verdicts_wanted - done.generations - done.verdicts
        if (left := seconds_left(owed, measured.paces.get(run_id))) is not None:
            return left
        return whole and Estimate(whole.seconds * (1 - done.share), whole.measurements)
    return whole
