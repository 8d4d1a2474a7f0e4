"""The maintainers' overview: what waits and runs, who works, and what needs somebody's attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from fastapi.responses import Response

from evaluator.errors import Cause
from leaderboard.fleet import Announcement, Fleet
from leaderboard.maintaining.state import read_pause
from leaderboard.pages.maintain.index import Seen, Standing
from leaderboard.pages.maintain.marks import SAYS, Mark
from leaderboard.pages.maintain.pages import HOME, Site, Visit, shown
from leaderboard.records import State
from leaderboard.rescoring.desk import IN_HAND
from leaderboard.rescoring.records import RescoreStatus
from leaderboard.rescoring.reports import ReportDesk, ReportState
from leaderboard.submissions import keys
from leaderboard.submissions.order import ServingOrder, read_order
from leaderboard.submissions.refusals import read_refusals
from leaderboard.submissions.states import ENDED

_NEED_A_WORD = (Mark.SUSPECTED, Mark.DISPUTED)
_STAND = (Mark.FLAGGED, Mark.HIDDEN, Mark.PAUSED, Mark.LIFTED)
_REPORTS_LOOKED_AT = 50


class Failures(NamedTuple):
    """Submissions of which a run failed of a cause."""

    cause: Cause
    submissions: int
    runs: int
    latest: datetime


class Queue(NamedTuple):
    """What waits for workers and what has one."""

    waiting: int
    """Runs without a worker."""
    running: int
    """Runs that have one."""
    oldest: datetime | None
    """When the submission was handed in that has waited for its first worker the longest; None if none waits."""
    working: int
    """Workers that the order counts at work."""


def overview(site: Site, visit: Visit) -> Response:
    """Everything at a glance, each figure with the list that it counts."""
    seen = site.submissions.look()
    order, fleet = read_order(site.redis), Fleet(site.redis).alive()
    _, problems = site.reader.board()
    rescores = [each for each in site.rescores.desk.all() if each.status in IN_HAND]
    reports = ReportDesk(site.redis)
    recent = reports.recent(_REPORTS_LOOKED_AT)
    return shown(
        "maintain/overview.html",
        visit,
        HOME,
        seen=seen,
        states=_states(seen),
        queue=order and queue_of(order),
        fleet=fleet,
        busy=_busy(fleet),
        publisher=reports.is_served(),
        unsaved=int(site.redis.scard(keys.UNSAVED)),
        problems=problems,
        pause=read_pause(site.redis),
        failures=failures(seen.standings),
        objections=int(site.redis.zcard(keys.OBJECTIONS_WAITING)),
        need=[(mark, SAYS[mark], len(seen.with_mark(mark))) for mark in _NEED_A_WORD],
        stand=[(mark, SAYS[mark], len(seen.with_mark(mark))) for mark in _STAND],
        refused=read_refusals(site.redis).most_common(),
        rescores=rescores,
        deciding=sum(each.status is RescoreStatus.COMPLETED for each in rescores),
        reports=[each for each in recent if each.state in (ReportState.WAITING, ReportState.RUNNING)],
    )


def queue_of(order: ServingOrder) -> Queue:
    """Counts what the reaper last found."""
    idle = [run for run in order.waiting if not run.workers]
    return Queue(
        waiting=len(idle),
        running=len(order.waiting) - len(idle),
        oldest=min((run.created_at for run in idle), default=None),
        working=sum(count for _, count in order.working),
    )


def failures(standings: Iterable[Standing]) -> list[Failures]:
    """Counts what failed by cause, our own causes first, then the most frequent.

    Submissions that were withdrawn are left out: nothing can be done to them.
    """
    runs: Counter[Cause] = Counter()
    submissions: Counter[Cause] = Counter()
    latest: dict[Cause, datetime] = {}
    for standing in standings:
        if Mark.WITHDRAWN in standing.marks:
            continue
        submissions.update({run.cause for run in standing.failed})
        for run in standing.failed:
            runs[run.cause] += 1
            latest[run.cause] = max(run.at, latest.get(run.cause, run.at))
    found = [Failures(cause, submissions[cause], runs[cause], latest[cause]) for cause in runs]
    return sorted(found, key=lambda each: (not each.cause.is_ours, -each.submissions, each.cause))


def _states(seen: Seen) -> list[tuple[State, int]]:
    """Counts submissions that have not ended, by state, in the order of their way."""
    counts = Counter(standing.state for standing in seen.standings)
    return [(state, counts[state]) for state in State if state not in ENDED and counts[state]]


def _busy(fleet: Sequence[Announcement]) -> int:
    """Counts workers that have something in hand."""
    return sum(worker.run_id is not None for worker in fleet)
