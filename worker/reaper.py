"""The reaper: sends a new invitation wherever a shard is free, whatever became of the last one."""

from __future__ import annotations

from redis import Redis

from leaderboard.records import State
from leaderboard.submissions.invite import invite
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.states import ENDED
from worker.lease import Leases
from worker.troubles import Troubles

ACTOR = "reaper"


def reap(redis: Redis, ledger: Ledger, leases: Leases, job_seconds: int) -> int:
    """Invites workers to every run with a free shard; returns how many invitations were sent.

    A shard is free when it was never taken, when its worker gave it back, or when its lease ran out. At most one
    invitation a run waits in the queue, so a busy fleet is not flooded. A run that was entered and not queued, because
    the web process died in between, is queued: its checks had passed before it was entered.
    """
    sent, troubles = 0, Troubles(redis)
    for submission_id in ledger.active():
        for run_id in ledger.submission(submission_id).run_ids():
            if ledger.state(run_id) is State.CHECKING:
                ledger.advance(run_id, State.QUEUED, ACTOR)
            if ledger.state(run_id) in ENDED or troubles.pausing(run_id):
                continue
            plan = ledger.plan(run_id)
            if plan is None or leases.free_shards(plan):
                sent += invite(redis, run_id, job_seconds)
    return sent
