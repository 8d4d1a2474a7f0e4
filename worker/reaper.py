"""The reaper: sees to it that work goes on, whatever became of whom; the only role that invites workers.

It looks around every second: queues what was entered and never queued, says in which order runs are served, and sends
invitations wherever something is free. It trusts leases and announcements alone, never that an invitation arrived.
"""

from __future__ import annotations

from collections.abc import Mapping

from redis import Redis

from leaderboard.records import Lane, State
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.measures import read_paces
from leaderboard.submissions.order import ServingOrder, fair_order, note_served, publish_order, read_served
from worker.clock import Clock
from worker.invite import invite, job_seconds, waiting
from worker.scheduler import Invitation, due, lanes_of, queues_of
from worker.survey import Survey, Surveyor

ACTOR = "reaper"
LOOK_SECONDS = 1.0
_ORDER_SECONDS = 30.0
"""How long the order is believed after the reaper has fallen silent."""


class Reaper:
    """Looks around and does what is due.

    Example:
        >>> Reaper(redis, longest_job=21_600).step()  # doctest: +SKIP
        1
    """

    def __init__(self, redis: Redis, longest_job: int) -> None:
        """Gives no job more than `longest_job` seconds."""
        self._redis, self._longest_job = redis, longest_job
        self._ledger, self._surveyor, self._clock = Ledger(redis), Surveyor(redis), Clock(redis)

    def step(self) -> int:
        """Looks around once; returns how many invitations were sent.

        A run that was entered and not queued, because the web process died in between, is queued: its checks had passed
        before it was entered.
        """
        self._clock.look()
        survey = self._surveyor.look()
        if survey.checking:
            for run_id in survey.checking:
                self._ledger.advance(run_id, State.QUEUED, ACTOR)
            survey = self._surveyor.look()
        served = read_served(self._redis)
        order = fair_order(survey.waiting, survey.working, served)
        working = tuple(sorted(survey.working.items()))
        publish_order(self._redis, ServingOrder(waiting=tuple(order), working=working), _ORDER_SECONDS)
        return self._invite(survey, served)

    def _invite(self, survey: Survey, served: Mapping[str, int]) -> int:
        """Sends the invitations that are due."""
        runs = [run.run_id for run in survey.waiting]
        listening: set[tuple[Lane, ...]] = {lanes_of(worker) for worker in survey.fleet}
        queues = queues_of(survey.fleet, {lanes: waiting(self._redis, lanes, runs) for lanes in listening})
        invitations = due(survey.waiting, survey.working, served, queues)
        paces = read_paces(self._redis, [each.run_id for each in invitations]) if invitations else {}
        for each in invitations:
            seconds = job_seconds(self._rows_left(each), paces[each.run_id], self._longest_job)
            invite(self._redis, each.run_id, each.lanes, seconds)
            note_served(self._redis, each.submitter)
        return len(invitations)

    def _rows_left(self, invitation: Invitation) -> int | None:
        """Returns how many answers and verdicts a run still owes; None before it is planned."""
        progress = self._ledger.progress(invitation.run_id)
        if progress.items is None or progress.verdicts_wanted is None:
            return None
        return max(0, progress.items - progress.generations + progress.verdicts_wanted - progress.verdicts)
