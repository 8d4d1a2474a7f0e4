"""`python -m worker work` and `python -m worker publish`, the two roles beside the web process.

`python -m worker evaluate ...` and `compare ...` are what `rapport evaluate` and `rapport compare` become.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from types import FrameType

from redis import Redis
from redis.exceptions import RedisError
from rq import Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from evaluator.errors import RapportError
from leaderboard.connection import connect, unreachable
from leaderboard.processes import die_with_parent
from leaderboard.settings import Settings
from leaderboard.store.base import StoreError
from leaderboard.store.local import LocalStore
from leaderboard.submissions import keys
from leaderboard.submissions.invite import JOB
from leaderboard.submissions.ledger import Ledger
from worker.disk import DISK_FULL, give_up_reserve
from worker.lease import Leases
from worker.publisher import Publisher
from worker.reaper import reap
from worker.recovery import recover

log = logging.getLogger("rapport")

_IDLE_SECONDS = 0.5
_REAP_SECONDS = 5.0
_PAUSE_SECONDS = 2.0
_ALIVE_SECONDS = 30


class RefusedJob(RuntimeError):
    """A job named a function that workers do not run."""


class ListedJob(Job):  # type: ignore[misc]  # RQ is not typed.
    """Runs the one function that workers accept: whoever can write to Redis must not choose what is imported."""

    @property
    def func(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 - RQ leaves it untyped.
        """The function, if it is the listed one.

        Raises:
            RefusedJob: For any other name.
        """
        if self.func_name != JOB or self.instance is not None:
            raise RefusedJob(f"workers do not run {self.func_name!r}")
        return super().func

    def restore(self, raw_data: object) -> None:
        """Reads a job without its callbacks, which RQ would import by name, and its webhooks, which it would call."""
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks: list[object] = []


class RapportWorker(Worker):  # type: ignore[misc]  # RQ is not typed.
    """An RQ worker whose child never outlives it, and which gives its shard back when told to stop."""

    job_class = ListedJob

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Ends the running job, which releases its lease and closes its engines, then the worker."""
        super().request_stop(signum, frame)
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)

    def setup_work_horse_signals(self) -> None:
        """Lets the child leave its contexts on SIGTERM instead of dropping dead."""
        super().setup_work_horse_signals()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))

    def main_work_horse(self, job: Job, queue: object) -> None:
        """Runs one job in the forked child."""
        die_with_parent(self.pid)
        super().main_work_horse(job, queue)


def work(settings: Settings, redis: Redis) -> None:
    """Serves invitations, one at a time, until told to stop."""
    # One queue: a worker that listens on several loses the job if it dies right after taking it.
    worker = RapportWorker(
        [keys.QUEUE],
        connection=redis,
        serializer=JSONSerializer,
        worker_ttl=30,
        maintenance_interval=5,
    )
    worker.work(logging_level="INFO")


def publish(settings: Settings, redis: Redis) -> None:
    """Publishes and reaps until told to stop."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    ledger, store = Ledger(redis), LocalStore(settings.store_folder)
    publisher = Publisher(redis, ledger, store, settings.journal_seconds)
    leases = Leases(redis, settings.lease_seconds)
    redis.delete(keys.EPOCH)  # An older copy of Redis still has the mark: look at the store once in any case.
    full, reaped_at = False, float("-inf")
    while not stopping.is_set():
        try:
            # A sign of life, and the write that finds out whether Redis still takes any: its disk may be full.
            redis.set(keys.PUBLISHER, "alive", ex=_ALIVE_SECONDS)
            recover(redis, ledger, store)
            if full:
                publisher.fail_open_runs(DISK_FULL)
                full = False
            if time.monotonic() - reaped_at >= _REAP_SECONDS:
                reap(redis, ledger, leases, settings.job_seconds)
                reaped_at = time.monotonic()
            if not publisher.step():
                stopping.wait(_IDLE_SECONDS)
        except (StoreError, RedisError) as error:
            full = give_up_reserve(error, settings.reserve) or full
            log.error("%s", error if isinstance(error, StoreError) else unreachable(error))
            stopping.wait(_PAUSE_SECONDS)


_ROLES = {"work": work, "publish": publish}
_COMMANDS = ("evaluate", "compare")
"""What needs no Redis, and takes options."""


def main(arguments: list[str]) -> int:
    """Runs a role or a command; returns the exit code."""
    if arguments and arguments[0] in _COMMANDS:
        from worker.local.cli import run

        return run(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
    if len(arguments) != 1 or arguments[0] not in _ROLES:
        log.error("usage: python -m worker %s", "|".join(_ROLES))
        return 2
    settings = Settings()
    if not settings.redis_url:
        log.error("RAPPORT_REDIS_URL is not set. Set it to the Redis of the leaderboard, or use `rapport demo`.")
        return 2
    try:
        _ROLES[arguments[0]](settings, connect(settings.redis_url))
    except RapportError as error:
        log.error("%s", error)
        return 1
    except RedisError as error:
        log.error("%s", unreachable(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
