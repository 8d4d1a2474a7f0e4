"""`python -m worker work`, `publish` and `reap`: the three roles beside the web process.

`python -m worker evaluate ...` and `compare ...` are what `rapport evaluate` and `rapport compare` become.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import RapportError
from evaluator.logs import set_up_logging
from leaderboard.connection import connect, unreachable
from leaderboard.settings import Settings
from leaderboard.store.base import StoreBusy, StoreError
from leaderboard.store.open import open_store
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.reading import NotInLedger
from worker.disk import DISK_FULL, give_up_reserve
from worker.hold import Displaced
from worker.notices import Notices, notice_of, senders_of
from worker.publisher import Publisher
from worker.reaper import LOOK_SECONDS, Reaper

log = logging.getLogger("rapport")

_IDLE_SECONDS = 0.5
_PAUSE_SECONDS = 2.0


def work(settings: Settings, redis: Redis) -> None:
    """Serves invitations, one at a time, until told to stop."""
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
    stopping, notices = _stopping(), Notices(redis, senders_of(settings))
    publisher = Publisher(
        redis,
        Ledger(redis),
        open_store(settings),
        settings.journal_seconds,
        tell=lambda history: notices.put(notice_of(history, settings.site_url)),
        mark=settings.mark,
    )
    if not publisher.hold.take(stopping):
        return
    threading.Thread(target=_deliver, args=(notices, stopping), daemon=True).start()
    with publisher.hold.kept():
        _go_on(publisher, stopping, settings.reserve)


def _go_on(publisher: Publisher, stopping: threading.Event, reserve: Path) -> None:
    """Publishes until told to stop; whatever is away is waited for.

    Raises:
        Displaced: If another publisher is at work.
    """
    full = False
    while not stopping.is_set():
        try:
            if full:
                publisher.fail_open_runs(DISK_FULL)
                full = False
            if not publisher.step():
                stopping.wait(_IDLE_SECONDS)
        except StoreBusy as error:
            log.info("%s", error)
            stopping.wait(_PAUSE_SECONDS)
        except (StoreError, RedisError) as error:
            full = give_up_reserve(error, reserve) or full
            log.error("%s", error if isinstance(error, StoreError) else unreachable(error))
            stopping.wait(_PAUSE_SECONDS)
        except Displaced:
            raise
        except RapportError as error:
            log.error("%s", error)
            stopping.wait(_PAUSE_SECONDS)


def _deliver(notices: Notices, stopping: threading.Event) -> None:
    """Delivers notices until told to stop, beside the publisher: whoever is told must not keep results waiting."""
    while not stopping.wait(_IDLE_SECONDS):
        try:
            notices.step()
        except (RedisError, RapportError) as error:
            log.error("notices: %s", unreachable(error) if isinstance(error, RedisError) else error)
            stopping.wait(_PAUSE_SECONDS)


_ROLES = {"work": work, "publish": publish, "reap": reap}
_COMMANDS = ("evaluate", "compare")
"""What needs no Redis, and takes options."""


def main(arguments: list[str]) -> int:
    """Runs a role or a command; returns the exit code."""
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
    sys.exit(main(sys.argv[1:]))
