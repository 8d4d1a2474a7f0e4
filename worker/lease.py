"""Leases with fencing, checked where the write happens.

A shard belongs, in each lane, to whoever holds its lease. Each grant takes a higher number, and rows are accepted only
together with the number that is current at that moment, inside Redis: a worker thought dead cannot write after its
successor.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from evaluator.judge import is_counted
from leaderboard.records import Batch, Lane, Plan, State
from leaderboard.submissions import keys
from leaderboard.submissions.states import ENDED
from worker.outbox import first_answers, milliseconds, output_tokens
from worker.tasks import Task, board_of

# Nil: the ledger is being restored, the run has ended or its rows are in the store alone, or the task is done, taken or
# not to be had yet; else the fencing number and how many grants came to nothing.
_CLAIM = """
if redis.call('EXISTS', ARGV[5]) == 0 then return false end
local state = redis.call('GET', KEYS[1])
for place = 8, #ARGV do
  if state == ARGV[place] then return false end
end
if redis.call('SISMEMBER', ARGV[6], ARGV[7]) == 1 then return false end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 or redis.call('EXISTS', KEYS[3]) == 1 then return false end
if ARGV[4] == '1' and redis.call('SISMEMBER', KEYS[6], ARGV[1]) == 0 then return false end
local number = redis.call('INCR', KEYS[4])
redis.call('SET', KEYS[3], number .. ':' .. ARGV[2], 'PX', ARGV[3])
return {number, redis.call('HINCRBY', KEYS[5], ARGV[1], 1)}
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '1' then redis.call('HDEL', KEYS[2], ARGV[3]) end
return redis.call('DEL', KEYS[1])
"""
# 0: the lease is not the writer's, the run takes no more rows or was forgotten, or the batch before is gone: Redis came
# back as it was in the middle of the lease, and rows are missing that the writer takes for handed over; 1: taken in; 2:
# known already (its answer was lost).
_HAND_OVER = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local state = redis.call('GET', KEYS[7])
for place = 15, #ARGV do
  if state == ARGV[place] then return 0 end
end
if state and redis.call('EXISTS', KEYS[10]) == 0 then return 0 end
if ARGV[14] ~= '' and redis.call('HEXISTS', KEYS[2], ARGV[14]) == 0 then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('HSETNX', KEYS[2], ARGV[3], ARGV[4]) == 0 then return 2 end
redis.call('XADD', KEYS[3], '*', 'run', ARGV[5], 'batch', ARGV[3])
redis.call('HINCRBY', KEYS[4], 'generations', ARGV[6])
redis.call('HINCRBY', KEYS[4], 'verdicts', ARGV[7])
redis.call('HINCRBY', KEYS[4], 'verdicts_wanted', 0 - ARGV[13])
redis.call('HINCRBY', KEYS[4], 'tokens', ARGV[10])
redis.call('HINCRBY', KEYS[4], 'milliseconds', ARGV[11])
redis.call('HDEL', KEYS[6], ARGV[9])
redis.call('DEL', KEYS[8])
if ARGV[6] + ARGV[7] > 0 then
  local time = redis.call('TIME')
  local at = string.format('%s.%06d', time[1], time[2])
  redis.call('LPUSH', KEYS[9], at .. ' ' .. (ARGV[6] + ARGV[7]) .. ' ' .. ARGV[10])
  redis.call('LTRIM', KEYS[9], 0, ARGV[12] - 1)
end
if ARGV[8] ~= '' then redis.call('SADD', KEYS[5], ARGV[8]) end
return 1
"""

_TAKES_NO_ROWS = ENDED - {State.FAILED}
"""A failed run may be taken up again: what its other workers have computed is kept."""

MOST_GRANTS = 4
"""A shard is tried once and retried three times."""

MARKS_KEPT = 300
"""Hand-overs that a run's pace is told from: five minutes of one each second."""


class StaleLease(RuntimeError):
    """The shard has gone to another worker, or the lease ran out; nothing was written."""


class GrantsExhausted(RapportError):
    """A shard was granted again and again without a single row coming back."""


class Lease(NamedTuple):
    """The right to write rows of one shard in one lane."""

    run_id: str
    shard_id: str
    lane: Lane
    number: int
    """Fencing number; grows with each grant."""
    worker: str

    @property
    def task(self) -> Task:
        """What it is the right to."""
        return Task(self.shard_id, self.lane)

    @property
    def value(self) -> str:
        """What Redis compares."""
        return f"{self.number}:{self.worker}"


class Leases:
    """Grants leases and takes in rows under them.

    Example:
        >>> leases = Leases(redis, seconds=30)  # doctest: +SKIP
        >>> lease = leases.claim(plan, "gpu-1")  # doctest: +SKIP
    """

    def __init__(self, redis: Redis, seconds: float) -> None:
        """Leases run out after `seconds` without a sign of life."""
        self._redis, self.seconds, self._milliseconds = redis, seconds, int(seconds * 1000)
        self._claim = redis.register_script(_CLAIM)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self._hand_over = redis.register_script(_HAND_OVER)

    def claim(self, plan: Plan, worker: str, lanes: Collection[Lane] = tuple(Lane)) -> Lease | None:
        """Returns a lease on a free task of a run in one of some lanes, or None if there is none.

        Raises:
            GrantsExhausted: If a shard was granted again and again without a single row coming back.
        """
        for task in board_of(self._redis, plan).free():
            if task.lane in lanes and (lease := self._claim_task(plan.run_id, task, worker)):
                return lease
        return None

    def _claim_task(self, run: str, task: Task, worker: str) -> Lease | None:
        """Returns a lease on a task, unless somebody else was faster."""
        shard, lane = task
        names = [keys.state(run), keys.done(run, lane), keys.lease(shard, lane), keys.FENCE, keys.grants(run, lane)]
        granted = self._claim(
            keys=[*names, keys.done(run, Lane.GENERATE)],
            args=[shard, worker, self._milliseconds, int(lane is Lane.JUDGE), keys.EPOCH, keys.SHELVED, run, *ENDED],
        )
        if not granted:
            return None
        lease = Lease(run, shard, lane, granted[0], worker)
        self._check_grants(lease, granted[1])
        return lease

    def _check_grants(self, lease: Lease, grants: int) -> None:
        """Gives up on a shard that nobody who takes it brings to an answer."""
        if grants <= MOST_GRANTS:
            return
        self.release(lease, forgive=True)
        raise GrantsExhausted(
            Cause.INFRASTRUCTURE,
            f"{MOST_GRANTS} workers in a row took the shard {lease.task} and were lost without an answer.",
            "See the workers' logs, most likely for a lack of memory, then retry it.",
        )

    def free_tasks(self, plan: Plan, lanes: Collection[Lane] = tuple(Lane)) -> int:
        """Returns how many tasks of a run in some lanes could be taken now."""
        return sum(task.lane in lanes for task in board_of(self._redis, plan).free())

    def renew(self, lease: Lease) -> bool:
        """Prolongs a lease; False if it is lost."""
        return bool(self._renew(keys=[keys.lease(*lease.task)], args=[lease.value, self._milliseconds]))

    def release(self, lease: Lease, *, forgive: bool) -> None:
        """Gives a shard back at once; a lease that was lost stays with its new holder.

        Args:
            lease: The lease.
            forgive: Whether the grant is not to be counted as one that came to nothing: the shard is finished, or its
                worker was told to stop.
        """
        self._release(
            keys=[keys.lease(*lease.task), keys.grants(lease.run_id, lease.lane)],
            args=[lease.value, int(forgive), lease.shard_id],
        )

    def hand_over(self, lease: Lease, batch: Batch, unjudged: int = 0, after: str = "") -> None:
        """Takes in a batch exactly once.

        Args:
            lease: The writer's.
            batch: What it hands over.
            unjudged: How many verdicts nobody will give on its answers; see `outbox.unjudged`.
            after: The id of the batch that was handed over before it under this lease, if any.

        Raises:
            StaleLease: If the lease is no longer the writer's, or the batch before is not there any more.
        """
        run, report = lease.run_id, batch.report
        answer = self._hand_over(
            keys=[
                keys.lease(*lease.task),
                keys.batches(run),
                keys.OUTBOX,
                keys.progress(run),
                keys.done(run, lease.lane),
                keys.grants(run, lease.lane),
                keys.state(run),
                keys.trouble(run),
                keys.marks(run),
                keys.plan(run),
            ],
            args=[
                lease.value,
                self._milliseconds,
                batch.id,
                batch.model_dump_json(),
                run,
                first_answers(batch),
                sum(is_counted(row) for row in batch.verdicts),
                lease.shard_id if report else "",
                lease.shard_id,
                output_tokens(batch),
                milliseconds(batch),
                MARKS_KEPT,
                unjudged,
                after,
                *_TAKES_NO_ROWS,
            ],
        )
        if not answer:
            raise StaleLease(
                f"the lease on {lease.task} is no longer held by {lease.worker}, or the batch before is gone"
            )


class Heartbeat:
    """Prolongs a lease in the background while work goes on.

    Losing it is noticed where it matters, at the next hand-over.
    """

    def __init__(self, leases: Leases, lease: Lease, every: float) -> None:
        """Beats every `every` seconds, from entering to leaving the context."""
        self._leases, self._lease, self._every = leases, lease, every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        """Renews until told to end; while Redis is away the lease may run out, and then it is lost."""
        while not self._ended.wait(self._every):
            try:
                if not self._leases.renew(self._lease):
                    return
            except RedisError:
                continue

    def __enter__(self) -> None:
        """Begins to beat."""
        self._thread.start()

    def __exit__(self, *exc: object) -> None:
        """Ends."""
        self._ended.set()
        self._thread.join()
