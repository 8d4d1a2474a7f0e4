"""Leases with fencing, checked where the write happens.

A shard belongs to whoever holds its lease. Each grant takes a higher number, and rows are accepted only together with
the number that is current at that moment, inside Redis: a worker thought dead cannot write after its successor.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from evaluator.judge import settled
from leaderboard.records import Batch, Plan, State
from leaderboard.submissions import keys
from leaderboard.submissions.states import ENDED

# Nil: the run has ended, or the shard is done or taken; else the fencing number and how many grants came to nothing.
_CLAIM = """
local state = redis.call('GET', KEYS[1])
for place = 4, #ARGV do
  if state == ARGV[place] then return false end
end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 or redis.call('EXISTS', KEYS[3]) == 1 then return false end
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
# 0: the lease is not the writer's, or the run takes no more rows; 1: taken in; 2: known already (its answer was lost).
_HAND_OVER = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local state = redis.call('GET', KEYS[7])
for place = 10, #ARGV do
  if state == ARGV[place] then return 0 end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('HSETNX', KEYS[2], ARGV[3], ARGV[4]) == 0 then return 2 end
redis.call('XADD', KEYS[3], '*', 'run', ARGV[5], 'batch', ARGV[3])
redis.call('HINCRBY', KEYS[4], 'generations', ARGV[6])
redis.call('HINCRBY', KEYS[4], 'verdicts', ARGV[7])
redis.call('HDEL', KEYS[6], ARGV[9])
redis.call('DEL', KEYS[8])
if ARGV[8] ~= '' then redis.call('SADD', KEYS[5], ARGV[8]) end
return 1
"""

_TAKES_NO_ROWS = ENDED - {State.FAILED}
"""A failed run may be taken up again: what its other workers have computed is kept."""

MOST_GRANTS = 4
"""A shard is tried once and retried three times."""


class StaleLease(RuntimeError):
    """The shard has gone to another worker, or the lease ran out; nothing was written."""


class GrantsExhausted(RapportError):
    """A shard was granted again and again without a single row coming back."""


class Lease(NamedTuple):
    """The right to write rows of one shard."""

    run_id: str
    shard_id: str
    number: int
    """Fencing number; grows with each grant."""
    worker: str

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
        self._redis, self._milliseconds = redis, int(seconds * 1000)
        self._claim = redis.register_script(_CLAIM)
        self._renew = redis.register_script(_RENEW)
        self._release = redis.register_script(_RELEASE)
        self._hand_over = redis.register_script(_HAND_OVER)

    def claim(self, plan: Plan, worker: str) -> Lease | None:
        """Returns a lease on a free shard of a run, or None if there is none.

        Raises:
            GrantsExhausted: If a shard was granted again and again without a single row coming back.
        """
        run = plan.run_id
        for shard in plan.shards:
            granted = self._claim(
                keys=[keys.state(run), keys.done(run), keys.lease(shard.id), keys.FENCE, keys.grants(run)],
                args=[shard.id, worker, self._milliseconds, *ENDED],
            )
            if granted:
                lease = Lease(run, shard.id, granted[0], worker)
                self._check_grants(lease, granted[1])
                return lease
        return None

    def _check_grants(self, lease: Lease, grants: int) -> None:
        """Gives up on a shard that nobody who takes it brings to an answer."""
        if grants <= MOST_GRANTS:
            return
        self.release(lease, forgive=True)
        raise GrantsExhausted(
            Cause.INFRASTRUCTURE,
            f"{MOST_GRANTS} workers in a row took the shard {lease.shard_id} and were lost without an answer.",
            "See the workers' logs, most likely for a lack of memory, then submit the model again.",
        )

    def free_shards(self, plan: Plan) -> int:
        """Returns how many shards of a run are neither finished nor leased."""
        return sum(
            1
            for shard in plan.shards
            if not self._redis.sismember(keys.done(plan.run_id), shard.id)
            and not self._redis.exists(keys.lease(shard.id))
        )

    def renew(self, lease: Lease) -> bool:
        """Prolongs a lease; False if it is lost."""
        return bool(self._renew(keys=[keys.lease(lease.shard_id)], args=[lease.value, self._milliseconds]))

    def release(self, lease: Lease, *, forgive: bool) -> None:
        """Gives a shard back at once; a lease that was lost stays with its new holder.

        Args:
            lease: The lease.
            forgive: Whether the grant is not to be counted as one that came to nothing: the shard is finished, or its
                worker was told to stop.
        """
        self._release(
            keys=[keys.lease(lease.shard_id), keys.grants(lease.run_id)],
            args=[lease.value, int(forgive), lease.shard_id],
        )

    def hand_over(self, lease: Lease, batch: Batch) -> None:
        """Takes in a batch exactly once.

        Raises:
            StaleLease: If the lease is no longer the writer's.
        """
        run = lease.run_id
        answer = self._hand_over(
            keys=[
                keys.lease(lease.shard_id),
                keys.batches(run),
                keys.OUTBOX,
                keys.progress(run),
                keys.done(run),
                keys.grants(run),
                keys.state(run),
                keys.trouble(run),
            ],
            args=[
                lease.value,
                self._milliseconds,
                batch.id,
                batch.model_dump_json(),
                run,
                len(batch.generations),
                sum(settled(row) for row in batch.verdicts),
                lease.shard_id if batch.report else "",
                lease.shard_id,
                *_TAKES_NO_ROWS,
            ],
        )
        if not answer:
            raise StaleLease(f"the lease on {lease.shard_id} is no longer held by {lease.worker}")


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
