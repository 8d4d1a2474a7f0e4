"""The publisher's loop: it publishes until it is told to stop, and waits for whatever is away."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import RapportError
from evaluator.redaction import secrets_of
from leaderboard.connection import unreachable
from leaderboard.release.release import Release
from leaderboard.settings import Settings
from leaderboard.store.base import Store, StoreBusy, StoreError
from leaderboard.store.open import check_archive_private, names_of, open_stores
from leaderboard.submissions.ledger import Ledger
from worker.commits import Commits
from worker.delivery import Notices, senders_of
from worker.disk import DISK_FULL, give_up_reserve, keep_reserve
from worker.hold import Displaced
from worker.metrics_page import metrics_served
from worker.notices import notice_of
from worker.publisher import Publisher
from worker.releasing import Releasing, released_meanwhile
from worker.reporting import Reporter

log = logging.getLogger("rapport")

_IDLE_SECONDS = 0.5
_PAUSE_SECONDS = 2.0


def publish(settings: Settings, redis: Redis, stopping: threading.Event) -> None:
    """Publishes until `stopping` is set.

    Raises:
        Displaced: If another publisher is at work.
        RapportError: If the settings lead to no store, or to nobody who can be told of submissions.
    """
    notices = Notices(redis, senders_of(settings))
    stores = open_stores(settings)
    releasing = Releasing(
        stores.archive, Release(stores, names_of(settings), secrets_of(os.environ), settings.judges), settings.released
    )
    publisher = Publisher(
        redis,
        Ledger(redis),
        stores.archive,
        settings.journal_seconds,
        tell=lambda history: notices.put(notice_of(history, settings.site_url)),
        mark=settings.mark,
        kept=settings.kept,
        stored=releasing.note,
        judges=settings.judges,
    )
    if not (_is_private(stores.archive, stopping) and publisher.hold.take(stopping)):
        return
    notices.drop_undeliverable()
    if not keep_reserve(settings.reserve):
        log.warning(
            "there is no room for %s, to be given up on a full disk; it is made once there is", settings.reserve
        )
    threading.Thread(target=_deliver, args=(notices, stopping), daemon=True).start()
    commits = {name: Commits(store) for name, store in stores._asdict().items()}
    with (
        publisher.hold.kept(),
        metrics_served(settings, commits, releasing.backlog),
        released_meanwhile(releasing),
        contextlib.closing(Reporter(redis, publisher.hold.name)) as reporter,
    ):
        go_on(publisher, stopping, settings.reserve, reporter)


def _is_private(archive: Store, stopping: threading.Event) -> bool:
    """Waits until it is known that the archive is private; False if told to stop before.

    Raises:
        RapportError: `infrastructure` if it is not.
    """
    while not stopping.is_set():
        try:
            check_archive_private(archive)
        except StoreError as error:
            log.error("%s", error)
            stopping.wait(_PAUSE_SECONDS)
        else:
            return True
    return False


def go_on(publisher: Publisher, stopping: threading.Event, reserve: Path, reporter: Reporter | None = None) -> None:
    """Publishes until told to stop, and works out what maintainers ask for; whatever is away is waited for.

    Raises:
        Displaced: If another publisher is at work.
    """
    full = False
    while not stopping.is_set():
        try:
            if full:
                publisher.fail_open_runs(DISK_FULL)
                full = False
            _report(reporter)
            busy = publisher.step()
            keep_reserve(reserve)
            if not busy:
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


def _report(reporter: Reporter | None) -> None:
    """Sees to the reports; whatever is wrong with them must not keep results waiting."""
    if reporter is None:
        return
    try:
        reporter.step()
    except (RedisError, RapportError) as error:
        log.error("reports: %s", unreachable(error) if isinstance(error, RedisError) else error)


def _deliver(notices: Notices, stopping: threading.Event) -> None:
    """Delivers notices until told to stop, beside the publisher: whoever is told must not keep results waiting."""
    while not stopping.wait(_IDLE_SECONDS):
        try:
            notices.step()
        except (RedisError, RapportError) as error:
            log.error("notices: %s", unreachable(error) if isinstance(error, RedisError) else error)
            stopping.wait(_PAUSE_SECONDS)
