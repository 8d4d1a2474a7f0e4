"""What `rapport doctor` finds out about Redis and about who is alive behind it."""

from __future__ import annotations

import ipaddress
import statistics
import time
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from evaluator.engines.confine import NO_HOME, NO_NETWORK, NO_WAY_BACK, OWN_USER
from evaluator.errors import RapportError
from leaderboard.cli.findings import Finding, Mark, clock_finding
from leaderboard.connection import text, web_client
from leaderboard.fleet import Fleet
from leaderboard.records import Lane
from leaderboard.settings import Settings
from leaderboard.submissions import keys

_LEAST_VERSION = 7
"""From here on access lists tell reading from writing."""
_PINGS, _SLOW_MILLISECONDS = 5, 50.0
_WEAK = ("ssl_cert_reqs=none", "ssl_check_hostname=false")
_OUTSIDE = "doctor:outside"
"""A key that no role has any business with; nothing is ever stored there."""


def redis_findings(settings: Settings) -> Iterator[Finding]:
    """Yields what is found; nothing after the first sign that nobody answers."""
    if not settings.redis_url:
        remedy = "Set RAPPORT_REDIS_URL, or use `rapport demo`, which brings its own."
        yield Finding("redis", Mark.NOTE, "No Redis is set: a site is read-only, and nothing else runs.", remedy)
        return
    yield _encryption(settings.redis_url)
    try:
        with web_client(settings.redis_url) as redis:
            redis.ping()
            yield Finding("redis", Mark.FINE, "Redis answers.")
            for look in (_user, _server, _latency, _clock, _roles, _workers):
                yield from _may_look(look, redis)
    except RapportError as error:
        yield Finding("redis", Mark.BROKEN, error.message, error.remedy)
    except RedisError as error:
        remedy = "Start it, or correct RAPPORT_REDIS_URL, its user and its password."
        yield Finding("redis", Mark.BROKEN, f"Redis does not answer ({type(error).__name__}).", remedy)


def _may_look(look: Any, redis: Redis) -> Iterator[Finding]:
    """Looks at one thing, if the access list lets us."""
    try:
        yield from look(redis)
    except NoPermissionError:
        remedy = "Give this user the access list of its role; see docs/security.md."
        yield Finding(look.__name__.strip("_"), Mark.NOTE, "The access list does not let us look.", remedy)


def _encryption(url: str) -> Finding:
    """Whether what goes over a network is encrypted."""
    try:
        address = urlsplit(url)
        host = address.hostname or ""
    except ValueError:
        return Finding("tls", Mark.BROKEN, "RAPPORT_REDIS_URL is no address.", "Write it like rediss://host:6379/0.")
    if address.scheme == "unix" or is_near(host, loopback_only=True):
        return Finding("tls", Mark.FINE, "Redis is on this machine: no TLS is needed.")
    if address.scheme == "rediss":
        if any(weak in address.query.lower() for weak in _WEAK):
            remedy = f"Take {' and '.join(_WEAK)} out of RAPPORT_REDIS_URL."
            return Finding("tls", Mark.BROKEN, "The certificate of Redis is not checked.", remedy)
        return Finding("tls", Mark.FINE, "The connection to Redis is encrypted.")
    remedy = "Use rediss:// and a server with TLS."
    if is_near(host, loopback_only=False):
        return Finding("tls", Mark.NOTE, "The connection to Redis crosses a private network in the clear.", remedy)
    return Finding("tls", Mark.BROKEN, "The connection to Redis is not encrypted.", remedy)


def is_near(host: str, *, loopback_only: bool) -> bool:
    """Says whether a host is this machine, or at least in a private network: a name without dots, or such an address.

    Example:
        >>> is_near("127.0.0.1", loopback_only=True), is_near("redis", loopback_only=False)
        (True, True)
        >>> is_near("redis", loopback_only=True), is_near("cache.example.org", loopback_only=False)
        (False, False)
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or (not loopback_only and bool(host) and "." not in host)
    return address.is_loopback or (not loopback_only and address.is_private)


def _user(redis: Redis) -> Iterator[Finding]:
    """Which user we are, and whether its access list is narrower than everything."""
    name = text(redis.acl_whoami())
    wide = [what for what, probe in (("keys", _reads_anything), ("commands", _commands_anything)) if probe(redis)]
    if not wide:
        yield Finding("redis user", Mark.FINE, f"We are the user {name!r}, limited in keys and commands.")
        return
    remedy = "On a Redis that others reach, give each role its own user; see docs/security.md."
    yield Finding("redis user", Mark.NOTE, f"The user {name!r} may use all {' and '.join(wide)}.", remedy)


def _reads_anything(redis: Redis) -> bool:
    """Whether the keys of others can be read."""
    try:
        redis.exists(_OUTSIDE)
    except NoPermissionError:
        return False
    return True


def _commands_anything(redis: Redis) -> bool:
    """Whether the server's own settings can be read."""
    try:
        redis.config_get("maxmemory")
    except NoPermissionError:
        return False
    return True


def _server(redis: Redis) -> Iterator[Finding]:
    """The server's version, and whether it keeps what it was given."""
    told = redis.info()
    version = str(told.get("valkey_version") or told.get("redis_version", "0"))
    name = "Valkey" if "valkey_version" in told else "Redis"
    if int(version.partition(".")[0]) >= _LEAST_VERSION:
        yield Finding("redis version", Mark.FINE, f"{name} {version}.")
    else:
        yield Finding("redis version", Mark.BROKEN, f"{name} {version} is too old.", f"Use {_LEAST_VERSION} or later.")
    yield from _persistence(told)
    policy = str(told.get("maxmemory_policy", "noeviction"))
    if policy == "noeviction":
        yield Finding("eviction", Mark.FINE, "Nothing is ever dropped to make room.")
    else:
        mark = Mark.BROKEN if told.get("maxmemory") else Mark.NOTE
        yield Finding("eviction", mark, f"The policy is {policy}: work may vanish.", "Set maxmemory-policy noeviction.")


def _persistence(told: dict[str, Any]) -> Iterator[Finding]:
    """Whether what was accepted survives a restart of the server."""
    remedy = "Start the server with appendonly yes and appendfsync everysec."
    if not told.get("aof_enabled"):
        yield Finding("append-only file", Mark.BROKEN, "It is off: a restart loses what is not in the store.", remedy)
    elif told.get("aof_last_write_status", "ok") != "ok":
        yield Finding("append-only file", Mark.BROKEN, "The server cannot write it.", "Free some disk on its machine.")
    else:
        yield Finding("append-only file", Mark.FINE, "It is on.")


def _clock(redis: Redis) -> Iterator[Finding]:
    """How far our clock is from that of Redis."""
    before = time.time()
    seconds, microseconds = redis.time()
    yield clock_finding("clock", "Redis", seconds + microseconds / 1e6 - (before + time.time()) / 2)


def _latency(redis: Redis) -> Iterator[Finding]:
    """How long an answer takes: a page asks several times before it is shown."""
    times = []
    for _ in range(_PINGS):
        began = time.perf_counter()
        redis.ping()
        times.append(time.perf_counter() - began)
    milliseconds = 1000 * statistics.median(times)
    if milliseconds < _SLOW_MILLISECONDS:
        yield Finding("latency", Mark.FINE, f"Redis answers within {milliseconds:.1f} ms.")
    else:
        remedy = "Run Redis nearer to this machine."
        yield Finding("latency", Mark.NOTE, f"Redis takes {milliseconds:.0f} ms for an answer.", remedy)


def _roles(redis: Redis) -> Iterator[Finding]:
    """Whether somebody saves and publishes, and somebody invites workers."""
    if redis.exists(keys.PUBLISHER):
        yield Finding("publisher", Mark.FINE, "The publisher is alive.")
    else:
        yield Finding("publisher", Mark.BROKEN, "No publisher is alive: nothing is saved.", "Run `rapport publisher`.")
    if redis.exists(keys.ORDER):
        yield Finding("reaper", Mark.FINE, "The reaper is alive.")
    else:
        yield Finding("reaper", Mark.BROKEN, "No reaper is alive: no worker is invited.", "Run `rapport reaper`.")


_PARTS = (NO_NETWORK, NO_HOME, OWN_USER, NO_WAY_BACK)
"""What keeps a model that breaks out of its engine from doing harm."""


def _workers(redis: Redis) -> Iterator[Finding]:
    """Which workers are alive, and whether some lane has none."""
    alive = Fleet(redis).alive()
    for worker in alive:
        at = f"{len(worker.gpus)} GPU{'s' if len(worker.gpus) > 1 else ''}" if worker.gpus else "no GPU"
        doing = f"at work on {worker.run_id}" if worker.run_id else "waiting"
        yield Finding(f"worker {worker.name}", Mark.FINE, f"{' and '.join(worker.lanes)}, {at}, {doing}.")
        yield confinement_finding(worker.confined).named(f"worker {worker.name}")
    for lane in Lane:
        if not any(lane in worker.lanes for worker in alive):
            yield Finding(f"lane {lane}", Mark.NOTE, "No worker serves it: submissions wait.", "Run `rapport worker`.")


def confinement_finding(confined: Collection[str]) -> Finding:
    """What engines are confined to, and what would have to change for the rest.

    Example:
        >>> confinement_finding(["no network", "no home", "no new privileges"]).message
        'Its engines are confined to: no network, no home, no new privileges; not to: own user.'
    """
    held, missing = ([each for each in _PARTS if (each in confined) is there] for there in (True, False))
    told = f"Its engines are confined to: {', '.join(held) or 'nothing'}"
    if not missing:
        return Finding("engines", Mark.FINE, f"{told}.")
    remedy = "Only a worker that is root can give its engines a user of their own; see docs/security.md."
    if {NO_NETWORK, NO_HOME} & {*missing}:
        remedy = "Allow it user namespaces, in a container as compose.yaml does; see docs/security.md."
    return Finding("engines", Mark.NOTE, f"{told}; not to: {', '.join(missing)}.", remedy)
