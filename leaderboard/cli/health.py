"""The health check of a container: only what tells whether this one does its work, in a second or two.

It asks neither the Hub nor about other roles: that nobody publishes is no fault of a worker, and starting it again
would not help.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import RapportError
from leaderboard.cli.findings import Finding, Mark, Role
from leaderboard.cli.machine_findings import disk_findings
from leaderboard.connection import web_client
from leaderboard.fleet import Fleet
from leaderboard.settings import Settings
from leaderboard.submissions import keys

_SECONDS = 3.0
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - Only compared with.
_ALIVE = {Role.PUBLISHER: keys.PUBLISHER, Role.REAPER: keys.ORDER}


def health_findings(settings: Settings, role: Role) -> Iterator[Finding]:
    """Yields what is found; a page is healthy without a Redis, since it still shows the board."""
    if role in (Role.ALL, Role.WEB):
        yield _page(settings)
    if role is not Role.WEB:
        yield from _role(settings, role)
    yield from disk_findings(settings)


def _page(settings: Settings) -> Finding:
    """Whether the page is served."""
    host = "127.0.0.1" if settings.on_space or settings.host in _EVERYWHERE else settings.host
    name = f"[{host}]" if ":" in host else host
    try:
        answer = httpx.get(f"http://{name}:{settings.port}/health", timeout=_SECONDS, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        remedy = "Look at its log; `rapport doctor` says what is missing."
        return Finding("page", Mark.BROKEN, f"The page does not answer ({type(error).__name__}).", remedy)
    return Finding("page", Mark.FINE, "The page answers.")


def _role(settings: Settings, role: Role) -> Iterator[Finding]:
    """Whether Redis answers, and has lately heard of the role on this machine."""
    remedy = "Start it, or correct RAPPORT_REDIS_URL; `rapport doctor` says more."
    if not settings.redis_url:
        yield Finding("redis", Mark.BROKEN, "RAPPORT_REDIS_URL is not set.", remedy)
        return
    try:
        with web_client(settings.redis_url) as redis:
            redis.ping()
            yield Finding("redis", Mark.FINE, "Redis answers.")
            for each in _parts_of(role):
                yield _alive(redis, each)
    except RapportError as error:
        yield Finding("redis", Mark.BROKEN, error.message, error.remedy)
    except RedisError as error:
        yield Finding("redis", Mark.BROKEN, f"Redis does not answer ({type(error).__name__}).", remedy)


def _parts_of(role: Role) -> tuple[Role, ...]:
    """Returns the roles that have to have shown up."""
    return (Role.PUBLISHER, Role.REAPER, Role.WORKER) if role is Role.ALL else (role,)


def _alive(redis: Redis, role: Role) -> Finding:
    """Whether a role has lately shown up: a worker under the name of this machine."""
    ours = f"{socket.gethostname()}-"
    if role is Role.WORKER:
        there = any(worker.name.startswith(ours) for worker in Fleet(redis).alive())
    else:
        there = bool(redis.exists(_ALIVE[role]))
    if there:
        return Finding(role, Mark.FINE, f"The {role} is alive.")
    return Finding(role, Mark.BROKEN, f"The {role} has not been heard of.", "Look at its log, and start it again.")
