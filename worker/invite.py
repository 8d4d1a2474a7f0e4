"""Invites workers to a run: the only use that is made of RQ.

An invitation carries a run id and nothing else. It may arrive twice, late or never: what is to be done stands in the
ledger, and the reaper sends another one as long as something is free. Workers of one kind share a queue.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import NamedTuple

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from leaderboard.fleet import Kind
from leaderboard.submissions.estimate import Pace, seconds_left

JOB = "worker.jobs.evaluate"
"""Dotted name of the one function that workers accept."""

LEAST_JOB_SECONDS = 3600
LOADING_SECONDS = 1800
"""Allowed for downloading and loading models."""
SLOWEST_TOKENS_PER_SECOND = 5.0
"""What a worker writes at the least, all answers at once, as on a machine without GPU."""
_MARGIN = 3
_FAILED_KEPT_SECONDS = 24 * 3600


class Owed(NamedTuple):
    """What a run has yet to give."""

    rows: int
    """Answers and verdicts."""
    tokens: int
    """That these may take at most."""


def queue(redis: Redis, kind: Kind) -> Queue:
    """Returns the queue of invitations to workers of a kind."""
    return Queue(kind.queue, connection=redis, serializer=JSONSerializer)


def job_seconds(owed: Owed | None, pace: Pace | None, longest: int) -> int:
    """Returns the time limit of a job on a run, in seconds.

    Loading, and then three times what is left at the pace of the last minutes; where there is none, what is left if
    every row is as long as it may be and is written at `SLOWEST_TOKENS_PER_SECOND`. Never less than
    `LEAST_JOB_SECONDS`, and never more than `longest`. A job that is cut short after a row has failed nobody: the run
    is invited to again.

    Args:
        owed: What is left; None where not even that is known.
        pace: How fast it went in the last minutes, if it did.
        longest: The most that any job gets.

    Example:
        >>> job_seconds(Owed(1800, 86_400), Pace(0.5, 20.0, 12), longest=21_600)
        12600
        >>> job_seconds(Owed(1800, 54_000), None, longest=21_600)
        12600
        >>> job_seconds(Owed(8, 400), None, longest=21_600), job_seconds(None, None, longest=21_600)
        (3600, 21600)
    """
    if owed is None:
        return longest
    measured = seconds_left(owed.rows, pace)
    expected = _MARGIN * measured.seconds if measured else owed.tokens / SLOWEST_TOKENS_PER_SECOND
    return min(longest, max(LEAST_JOB_SECONDS, int(expected) + LOADING_SECONDS))


def invite(redis: Redis, run_id: str, kind: Kind, seconds: int) -> None:
    """Puts an invitation to a run into the queue of a kind of workers, with a time limit for the job in seconds."""
    queue(redis, kind).enqueue(
        JOB,
        run_id,
        job_id=f"{_stem(run_id)}-{secrets.token_hex(6)}",
        job_timeout=seconds,
        result_ttl=0,
        failure_ttl=_FAILED_KEPT_SECONDS,
        ttl=None,
    )


def waiting(redis: Redis, kind: Kind, run_ids: Collection[str]) -> list[str]:
    """Returns to which of some runs an invitation waits in the queue of a kind of workers, in its order."""
    stems = {_stem(run_id): run_id for run_id in run_ids}
    found = (stems.get(job_id.rsplit("-", 1)[0]) for job_id in queue(redis, kind).get_job_ids())
    return [run_id for run_id in found if run_id]


def _stem(run_id: str) -> str:
    """Returns what the ids of the jobs on a run begin with; RQ allows no points in them."""
    return run_id.replace(".", "_")
