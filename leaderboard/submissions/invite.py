"""Invites workers to a run: the only use that is made of RQ.

An invitation carries a run id and nothing else. It may arrive twice, late or never: what is to be done stands in the
ledger, and the reaper sends another one as long as a shard is free.
"""

from __future__ import annotations

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from leaderboard.submissions import keys

JOB = "worker.jobs.evaluate"
"""Dotted name of the one function that workers accept."""


def queue(redis: Redis) -> Queue:
    """Returns the queue of invitations."""
    return Queue(keys.QUEUE, connection=redis, serializer=JSONSerializer)


def invite(redis: Redis, run_id: str, job_seconds: int) -> bool:
    """Puts an invitation to a run into the queue unless one is waiting there; says whether it did."""
    invitations = queue(redis)
    latest = redis.get(keys.invitation(run_id))
    if isinstance(latest, bytes) and invitations.get_job_position(latest.decode()) is not None:
        return False
    number = redis.incr(keys.invitation(run_id) + ":count")
    job_id = f"{run_id.replace('.', '_')}-{number}"
    redis.set(keys.invitation(run_id), job_id)
    invitations.enqueue(
        JOB, run_id, job_id=job_id, job_timeout=job_seconds, result_ttl=0, failure_ttl=24 * 3600, ttl=None
    )
    return True
