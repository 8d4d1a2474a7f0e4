"""Looks after one job in the background: ends it at once when its run has ended elsewhere, and shows what it writes."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from redis import Redis
from redis.exceptions import RedisError

from evaluator.redaction import secrets_of, tail
from leaderboard.records import State
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from worker.lease import Heartbeat, Lease, Leases

log = logging.getLogger("rapport.worker")

LOOK_SECONDS = 1.0
LEAVE_SECONDS = 5.0
"""How long a job may take to leave in order before its process is killed."""
LOG_SECONDS = 5.0
_LOG_KEPT_SECONDS = 24 * 3600
_BEAT_SECONDS = 2.0
"""A lease is prolonged at least this often."""
_LOG_LINES = 20
_LOG_WIDTH = 300

_CALLED_OFF = frozenset({State.FAILED, State.CANCELLED})
"""States in which nobody wants the rest; a published run has no rest."""


class Watch:
    """Watches over one job from entering to leaving the context.

    Attributes:
        lease: What the job holds, given back if it has to be killed.
        called_off: Whether the job is being ended because its run has ended; what fails then is no failure.
    """

    def __init__(
        self,
        redis: Redis,
        leases: Leases,
        run_id: str,
        engine_log: Path,
        unwanted: Callable[[], bool] | None = None,
    ) -> None:
        """Watches over a job on a run whose engines write to files that begin with `engine_log`.

        `unwanted` says whether nobody wants the rest; by itself, that is so once the run has failed or was cancelled.
        """
        self._redis, self._leases, self._run_id, self._engine_log = redis, leases, run_id, engine_log
        self._unwanted = unwanted or (lambda: Ledger(redis).state(run_id) in _CALLED_OFF)
        self.lease: Lease | None = None
        self.called_off = False
        self._ended = threading.Event()
        self._shown_at = float("-inf")
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        """Begins to watch."""
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Ends."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        """Looks every second; while Redis is away there is nothing to see."""
        while not self._ended.wait(LOOK_SECONDS):
            with contextlib.suppress(RedisError, KeyError):
                if self._unwanted():
                    self._leave()
                    return
                self._show_log()

    def _leave(self) -> None:
        """Frees the engines at once, then the worker."""
        log.warning("%s has ended; its engines are ended and the job is left", self._run_id)
        self.called_off = True
        end_children()
        os.kill(os.getpid(), signal.SIGTERM)
        if not self._ended.wait(LEAVE_SECONDS):
            if self.lease:
                with contextlib.suppress(RedisError):
                    self._leases.release(self.lease, forgive=True)
            os.kill(os.getpid(), signal.SIGKILL)

    def _show_log(self) -> None:
        """Puts the engines' last lines where the submitter can read them, now and then."""
        if time.monotonic() - self._shown_at < LOG_SECONDS:
            return
        self._shown_at = time.monotonic()
        if lines := last_lines(self._engine_log):
            self._redis.set(keys.log(self._run_id), json.dumps(lines), ex=_LOG_KEPT_SECONDS)


@contextmanager
def held(watch: Watch, leases: Leases, lease: Lease) -> Iterator[None]:
    """Keeps a lease alive under a watch and gives it back, whatever happened.

    A grant counts as one that came to nothing only if the worker is lost with it, or Redis is.
    """
    forgive = True
    watch.lease = lease
    log.info("took %s as number %d", lease.task, lease.number)
    try:
        with Heartbeat(leases, lease, min(_BEAT_SECONDS, leases.seconds / 3)):
            yield
    except RedisError:
        forgive = False
        raise
    finally:
        leases.release(lease, forgive=forgive)
        watch.lease = None
        log.info("left %s", lease.task)


def last_lines(engine_log: Path) -> tuple[str, ...]:
    """Returns the last lines of a run's engines, without secrets; those of the engine that wrote last come last.

    Args:
        engine_log: What the names of the log files begin with.
    """
    files = [path for path in engine_log.parent.glob(f"{engine_log.name}*.log") if path.is_file()]
    secrets = secrets_of(os.environ)
    lines: list[str] = []
    for path in sorted(files, key=lambda path: path.stat().st_mtime_ns):
        lines += tail(path, _LOG_LINES, _LOG_WIDTH, secrets)
    return tuple(lines[-_LOG_LINES:])


def end_children() -> None:
    """Kills everything that this process has started; engines being loaded are among it."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
