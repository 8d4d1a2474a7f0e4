"""Two ways to connect to Redis: patiently for those who work, briefly for those who are being waited for."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from evaluator.errors import Cause, RapportError

_RETRIES = 6
_LOST = [RedisConnectionError, RedisTimeoutError]


def connect(url: str) -> Redis:
    """Returns a connection for workers and commands, which survives a restart of the server.

    Raises:
        RapportError: `infrastructure` if nothing answers at `url`, or who does refuses the password.
    """
    _check_password(url)
    client = _client(
        url,
        socket_timeout=None,  # The default of five seconds breaks every longer blocking call.
        socket_connect_timeout=5,
        retry=Retry(ExponentialBackoff(cap=2, base=0.1), _RETRIES),
    )
    try:
        client.ping()
    except RedisError as error:
        raise unreachable(error) from error
    return client


def _check_password(url: str) -> None:
    """Asks once and without patience: a password that is refused stays so, but counts as a lost connection."""
    try:
        with _client(url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            client.ping()
    except AuthenticationError as error:
        raise unreachable(error) from error
    except RedisError:
        return  # Who asks patiently will see.


def web_client(url: str) -> Redis:
    """Returns a client for the web process, where a visitor waits: it gives up within two seconds.

    It connects when it is first used and again whenever the server is back, so a site can start without it.

    Raises:
        RapportError: `infrastructure` if `url` is no address of a Redis.
    """
    return _client(url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1))


def _client(url: str, **options: Any) -> Redis:
    """Makes a client that has not connected yet; errors never hold the address, in which a password may stand."""
    try:
        client: Redis = Redis.from_url(url, health_check_interval=30, retry_on_error=_LOST, **options)
    except ValueError:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            "RAPPORT_REDIS_URL is no address of a Redis.",
            "Write it like redis://host:6379/0, rediss://host:6379/0 or unix:///path/to/socket.",
        ) from None
    return client


def unreachable(error: RedisError) -> RapportError:
    """Says that Redis is gone, without its address, which may hold a password."""
    if isinstance(error, AuthenticationError):
        return RapportError(
            Cause.INFRASTRUCTURE,
            "Redis refuses the name or the password.",
            "Put those of this role into RAPPORT_REDIS_URL; see docs/deploy.md.",
        )
    return RapportError(
        Cause.INFRASTRUCTURE,
        f"Redis does not answer ({type(error).__name__}).",
        "Start the Redis of the site, or set RAPPORT_REDIS_URL to where it runs. That of `rapport demo` ends with the "
        "demo: unset RAPPORT_REDIS_URL for what is done while the demo is stopped. Nothing that was stored is lost.",
    )


def text(value: object) -> str:
    """Returns what Redis answered as text; it answers in bytes unless told otherwise.

    Example:
        >>> text(b"queued"), text("queued")
        ('queued', 'queued')
    """
    return value.decode() if isinstance(value, bytes) else str(value)
