"""The page that Prometheus reads, on a port of its own: the publisher serves it for all roles.

The publisher runs once, reads all of Redis and holds the stores; counters in each process would be lost with it, and
would have to be collected from many.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from evaluator.errors import Cause, RapportError
from leaderboard.connection import web_client
from leaderboard.settings import Settings
from worker.commits import Commits
from worker.metrics import families
from worker.readings import Readings
from worker.releasing import Backlog

log = logging.getLogger("rapport.metrics")


class _OnScrape(Collector):
    """Reads when Prometheus asks, and not before."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def describe(self) -> Iterable[Metric]:
        """Returns nothing: else the registry would read all of it when it is told of this collector."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yields every metric with its samples."""
        yield from families(self._readings.read())


@contextmanager
def metrics_served(
    settings: Settings, stores: Mapping[str, Commits], backlog: Callable[[], Backlog] = Backlog
) -> Iterator[int | None]:
    """Serves the page within the block, if the settings name a port; yields that port.

    Args:
        settings: Where it listens, and where Redis is.
        stores: The publisher's, by their word.
        backlog: Tells what of the archive is not public yet.

    Raises:
        RapportError: `infrastructure` if the port cannot be had.
    """
    if settings.metrics_port is None:
        yield None
        return
    registry = CollectorRegistry()
    registry.register(_OnScrape(Readings(web_client(settings.redis_url), stores, backlog)))
    try:
        server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry)
    except OSError as error:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"RAPPORT_METRICS_PORT {settings.metrics_port} cannot be listened on ({error.strerror}).",
            "Choose a free port, and in RAPPORT_METRICS_HOST an address of this machine.",
        ) from error
    log.info("metrics are at port %d", settings.metrics_port)
    try:
        yield settings.metrics_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
