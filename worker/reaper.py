"""The reaper: sees to it that work goes on, whatever became of whom; the only role that invites workers.

It looks around every second: queues what was entered and never queued, says in which order runs are served, and sends
invitations wherever something is free. It trusts leases and announcements alone, never that an invitation arrived.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from redis import Redis

from evaluator.errors import RapportError
from evaluator.judges.rater import rater_of
from evaluator.judges.spec import JudgeSpec
from evaluator.protocol import load_protocol
from leaderboard.records import State, protocol_of, submission_of
from leaderboard.rescoring.records import is_of_rescore
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.measures import read_paces
from leaderboard.submissions.needs import needs_of
from leaderboard.submissions.order import ServingOrder, fair_order, note_served, publish_order, read_served
from leaderboard.submissions.room import answer_tokens
from worker.clock import Clock
from worker.invite import Owed, invite, job_seconds, waiting
from worker.scheduler import due, queues_of
from worker.survey import Survey, Surveyor

log = logging.getLogger("rapport.reaper")

ACTOR = "reaper"
_MOST_ORDERS = 2
"""In how many slot orders an answer is judged at most."""
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
        listening = {worker.kind for worker in survey.fleet}
        queues = queues_of(survey.fleet, {kind: waiting(self._redis, kind, runs) for kind in listening})
        invitations = due(survey.waiting, survey.working, served, queues)
        paces = read_paces(self._redis, [each.run_id for each in invitations]) if invitations else {}
        for each in invitations:
            seconds = job_seconds(self._owed(each.run_id), paces[each.run_id], self._longest_job)
            invite(self._redis, each.run_id, each.kind, seconds)
            note_served(self._redis, each.submitter)
        return len(invitations)

    def _owed(self, run_id: str) -> Owed | None:
        """Returns what a run has yet to give; None where not even its questions were counted, or its judge is gone.

        A re-score takes as long as it takes: it gives way, and what was finished is not done again.
        """
        if is_of_rescore(run_id):
            return None
        progress, protocol_id = self._ledger.progress(run_id), protocol_of(run_id)
        items, wanted = progress.items, progress.verdicts_wanted
        if items is None or wanted is None:  # Not planned yet: as many as others were asked, each judged both ways.
            need = needs_of(self._redis, [protocol_id]).get(protocol_id)
            if need is None or need.items is None:
                return None
            items, wanted = need.items, _MOST_ORDERS * need.items
        answers, verdicts = max(0, items - progress.generations), max(0, wanted - progress.verdicts)
        try:
            protocol = load_protocol(protocol_id)
            judge = rater_of(protocol)
        except RapportError as error:
            log.warning("%s: %s", run_id, error)
            return None
        thinking = self._ledger.submission(submission_of(run_id)).declaration.thinking
        tokens = answers * answer_tokens(protocol, thinking)
        if isinstance(judge, JudgeSpec):
            tokens += verdicts * judge.sampling.max_tokens
        return Owed(answers + verdicts, tokens)
