"""One way to connect to Redis, with the time-outs and retries that blocking readers and restarts need."""

from __future__ import annotations

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from evaluator.errors import Cause, RapportError

_RETRIES = 6


def connect(url: str) -> Redis:
    """Returns a connection that survives a restart of the server.

    Raises:
        RapportError: `infrastructure` if nothing answers at `url`.
    """
    client: Redis = Redis.from_url(
        url,
        socket_timeout=None,  # The default of five seconds breaks every longer blocking call.
        socket_connect_timeout=5,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=2, base=0.1), _RETRIES),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    )
    try:
        client.ping()
    except RedisError as error:
        raise unreachable(error) from error
    return client


def unreachable(error: RedisError) -> RapportError:
    """Says that Redis is gone, without its address, which may hold a password."""
    return RapportError(
        Cause.INFRASTRUCTURE,
        f"Redis does not answer ({type(error).__name__}).",
        "Start it, or set RAPPORT_REDIS_URL to where it runs; nothing that was stored is lost.",
    )
