"""Invites workers to a run: the only use that is made of RQ.

An invitation carries a run id and nothing else. It may arrive twice, late or never: what is to be done stands in the
ledger, and the reaper sends another one as long as something is free. Workers of the same lanes share a queue.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from leaderboard.records import Lane
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Pace, seconds_left

JOB = "worker.jobs.evaluate"
"""Dotted name of the one function that workers accept."""

LEAST_JOB_SECONDS = 3600
LOADING_SECONDS = 1800
"""Allowed for downloading and loading models."""
_MARGIN = 3
_FAILED_KEPT_SECONDS = 24 * 3600


def queue(redis: Redis, lanes: Collection[Lane] = tuple(Lane)) -> Queue:
    """Returns the queue of invitations to workers of some lanes."""
    return Queue(keys.queue(lanes), connection=redis, serializer=JSONSerializer)


def job_seconds(rows: int | None, pace: Pace | None, longest: int) -> int:
    """Returns the time limit of a job on a run, in seconds.

    Args:
        rows: Answers and verdicts that are still owed; None if the run has not been planned.
        pace: How fast it went in the last minutes, if it did.
        longest: The most that any job gets, also where nothing was measured.

    Example:
        >>> job_seconds(1800, Pace(0.5, 20.0, 12), longest=21_600)
        12600
        >>> job_seconds(8, Pace(0.5, 20.0, 12), longest=21_600), job_seconds(None, None, longest=21_600)
        (3600, 21600)
    """
    expected = None if rows is None or pace is None else seconds_left(rows, pace)
    if expected is None:
        return longest
    return min(longest, max(LEAST_JOB_SECONDS, int(_MARGIN * expected.seconds) + LOADING_SECONDS))


def invite(redis: Redis, run_id: str, lanes: Collection[Lane], seconds: int) -> None:
    """Puts an invitation to a run into the queue of some lanes, with a time limit for the job in seconds."""
    queue(redis, lanes).enqueue(
        JOB,
        run_id,
        job_id=f"{_stem(run_id)}-{secrets.token_hex(6)}",
        job_timeout=seconds,
        result_ttl=0,
        failure_ttl=_FAILED_KEPT_SECONDS,
        ttl=None,
    )


def waiting(redis: Redis, lanes: Collection[Lane], run_ids: Collection[str]) -> list[str]:
    """Returns to which of some runs an invitation waits in the queue of some lanes, in its order."""
    stems = {_stem(run_id): run_id for run_id in run_ids}
    found = (stems.get(job_id.rsplit("-", 1)[0]) for job_id in queue(redis, lanes).get_job_ids())
    return [run_id for run_id in found if run_id]


def _stem(run_id: str) -> str:
    """Returns what the ids of the jobs on a run begin with; RQ allows no points in them."""
    return run_id.replace(".", "_")
