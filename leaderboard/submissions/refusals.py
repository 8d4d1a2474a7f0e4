"""How many submissions were refused, by cause: nothing else is kept of what was never entered."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.submissions import keys

log = logging.getLogger("rapport.service")


@contextmanager
def counting_refusals(redis: Redis) -> Iterator[None]:
    """Counts a refusal in the block and passes it on; one that Redis cannot take is refused all the same."""
    try:
        yield
    except RapportError as error:
        try:
            redis.hincrby(keys.REFUSED, error.cause, 1)
        except RedisError as failure:
            log.warning("a refusal is not counted: %s", type(failure).__name__)
        raise


def read_refusals(redis: Redis) -> Counter[Cause]:
    """Returns how often submissions were refused, by cause; causes of another version are left out."""
    found: Mapping[Any, Any] = redis.hgetall(keys.REFUSED)
    counts = {text(name): int(count) for name, count in found.items()}
    return Counter({cause: counts[cause] for cause in Cause if cause in counts})
