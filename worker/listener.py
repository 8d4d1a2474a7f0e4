"""A worker's parent process: takes invitations off its queue, announces itself, and drains when told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from functools import partial
from types import FrameType
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.serializers import JSONSerializer

from leaderboard.connection import web_client
from leaderboard.fleet import Fleet
from leaderboard.processes import die_with_parent
from leaderboard.settings import Settings
from worker.announce import ANNOUNCE_SECONDS, KEPT_SECONDS, announcement_of, name_of
from worker.invite import JOB
from worker.old_logs import remove_old_logs
from worker.watch import LEAVE_SECONDS

log = logging.getLogger("rapport.worker")

_RQ_SECONDS = 15
"""RQ waits for an invitation as long as a worker counts as alive, less this."""
_LOGS_SECONDS = 3600.0
"""How often it looks for logs that are not needed any more."""


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

    @property
    def run_id(self) -> str | None:
        """The run that it invites to; None if it is no invitation."""
        try:
            return self.args[0] if self.func_name == JOB and isinstance(self.args[0], str) else None
        except (DeserializationError, IndexError, TypeError):
            return None

    def restore(self, raw_data: object) -> None:
        """Reads a job without its callbacks, which RQ would import by name, and its webhooks, which it would call."""
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks: list[object] = []


class RapportWorker(Worker):  # type: ignore[misc]  # RQ is not typed.
    """An RQ worker that announces itself, whose child never outlives it, and which drains when told to stop.

    It listens to one queue alone: one that listens to several loses the job if it dies right after taking it. It says
    that it is alive whenever RQ does, so whoever hears of it knows that its loop turns.
    """

    job_class = ListedJob

    def __init__(self, settings: Settings, redis: Redis) -> None:
        """Serves the lanes of the settings."""
        self._said = announcement_of(settings, name_of(os.getpid()))
        super().__init__(
            [self._said.kind.queue],
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=_RQ_SECONDS + int(ANNOUNCE_SECONDS),
            job_monitoring_interval=int(ANNOUNCE_SECONDS),
            maintenance_interval=5,
        )
        self._fleet, self._url = Fleet(redis), settings.redis_url
        self._remove_old_logs = partial(remove_old_logs, settings.logs, redis, settings.kept)
        self._removed_logs_at = float("-inf")
        self._stopped_at: float | None = None

    def heartbeat(self, *arguments: Any, **named: Any) -> None:
        """Says that it is alive, to RQ and to the fleet."""
        super().heartbeat(*arguments, **named)
        if self._stopped_at is None and not self.is_horse:
            self._fleet.announce(self._said, KEPT_SECONDS)

    def run_maintenance_tasks(self) -> None:
        """Looks after RQ's own lists, and after what jobs have left on this machine."""
        super().run_maintenance_tasks()
        if time.monotonic() - self._removed_logs_at >= _LOGS_SECONDS:
            self._remove_old_logs()
            self._removed_logs_at = time.monotonic()

    def execute_job(self, job: ListedJob, queue: object) -> None:
        """Runs one job in a child, and says what it works on."""
        self._say_work(job.run_id)
        try:
            super().execute_job(job, queue)
        finally:
            self._say_work(None)

    def _say_work(self, run_id: str | None) -> None:
        """Announces what it works on now; without Redis it is said with the next sign of life."""
        self._said = self._said.model_copy(update={"run_id": run_id})
        if self._stopped_at is None:
            try:
                self._fleet.announce(self._said, KEPT_SECONDS)
            except RedisError as error:
                log.warning("the fleet was not told: %s", type(error).__name__)

    def maintain_heartbeats(self, job: Job) -> None:
        """Keeps the running job and itself known; a job that does not leave when it is told to is killed."""
        if self._stopped_at is not None:
            late = time.monotonic() - self._stopped_at > 2 * LEAVE_SECONDS
            self.kill_horse(signal.SIGKILL if late else signal.SIGTERM)
        try:
            super().maintain_heartbeats(job)
        except RedisError as error:  # The job finds out by itself; the worker outlives it.
            log.warning("Redis does not answer (%s); the job goes on", type(error).__name__)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Ends the running job, which hands over, gives its shard back and closes its engines, then the worker."""
        if os.getpid() != self.pid:  # The child, before it has handlers of its own.
            sys.exit("told to stop")
        self._stopped_at = time.monotonic()
        self._leave()
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)
        super().request_stop(signum, frame)

    def _leave(self) -> None:
        """Has the fleet forget it, over a connection that whatever was interrupted does not hold."""
        try:
            with web_client(self._url) as redis:
                Fleet(redis).leave(self._said.name)
        except RedisError as error:
            log.warning("the fleet was not told: %s", type(error).__name__)

    def teardown(self) -> None:
        """Has the fleet forget it, should it have been announced after it was told to stop."""
        self._leave()
        super().teardown()

    def setup_work_horse_signals(self) -> None:
        """Lets the child leave its contexts on SIGTERM, within seconds."""
        super().setup_work_horse_signals()
        signal.signal(signal.SIGTERM, _leave_job)

    def main_work_horse(self, job: Job, queue: object) -> None:
        """Runs one job in the forked child."""
        die_with_parent(self.pid)
        super().main_work_horse(job, queue)


def _leave_job(*_: object) -> None:
    """Leaves the job in order; if that takes too long, the alarm ends the process without."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(LEAVE_SECONDS) + 1)
    sys.exit("told to stop")
