"""`python -m worker work`, `publish` and `reap`: the three roles beside the web process.

`python -m worker evaluate ...`, `compare ...`, `reproduce ...` and `judge ...` are what `rapport` of the same names
becomes.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import RapportError
from evaluator.logs import set_up_logging
from leaderboard.connection import connect, unreachable
from leaderboard.judge_servers import refuse_servers_of_nobody
from leaderboard.processes import keep_memory_private
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.reading import NotInLedger
from worker.reaper import LOOK_SECONDS, Reaper

log = logging.getLogger("rapport")

_PAUSE_SECONDS = 2.0


def work(settings: Settings, redis: Redis) -> None:
    """Serves invitations, one at a time, until told to stop.

    Raises:
        RapportError: `infrastructure` if a judge's server is one of no judge.
    """
    refuse_servers_of_nobody(settings)
    from worker.listener import RapportWorker  # It knows engines, whose libraries the other roles do without.

    RapportWorker(settings, redis).work(logging_level="INFO")


def reap(settings: Settings, redis: Redis) -> None:
    """Queues, orders and invites until told to stop."""
    stopping, reaper = _stopping(), Reaper(redis, settings.job_seconds)
    ledger = Ledger(redis)
    while not stopping.is_set():
        try:
            if ledger.is_open():  # Before that, an older copy of Redis may tell of a past that was not.
                reaper.step()
            stopping.wait(LOOK_SECONDS)
        except RedisError as error:
            log.error("%s", unreachable(error))
            stopping.wait(_PAUSE_SECONDS)
        except NotInLedger as error:
            log.warning("Redis no longer holds %s; the publisher restores what it has lost", error)
            stopping.wait(_PAUSE_SECONDS)
        except RapportError as error:
            log.error("%s", error)
            stopping.wait(_PAUSE_SECONDS)


def _stopping() -> threading.Event:
    """Returns what is set once this process is told to stop."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def publish(settings: Settings, redis: Redis) -> None:
    """Publishes until told to stop.

    Raises:
        Displaced: If another publisher is at work.
    """
    from worker.publishing import (
        publish as publish_until,
    )  # It knows tables and statistics; the other roles do without.

    publish_until(settings, redis, _stopping())


_ROLES = {"work": work, "publish": publish, "reap": reap}
_COMMANDS = ("evaluate", "compare", "reproduce", "judge")
"""What needs no Redis, and takes options."""


def main(arguments: list[str]) -> int:
    """Runs a role or a command; returns the exit code."""
    keep_memory_private()
    if arguments and arguments[0] in _COMMANDS:
        from worker.local.cli import run

        return run(arguments)
    set_up_logging()
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
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # Pressed while it was still importing.
        sys.exit(130)
