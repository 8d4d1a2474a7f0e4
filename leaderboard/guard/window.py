"""Counting in a moving window: at most so many events of a key in any stretch of so many seconds.

Our own, because the library for this was tried and does not fit: `limits` 5.8 keeps every key it ever saw in memory,
its asynchronous sibling starts a thread a key to sweep them, both go by the wall clock, and neither has a bound.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

_MOST_KEYS = 50_000


class Limit(NamedTuple):
    """At most `events` in any `seconds`."""

    events: int
    seconds: float


class Windows:
    """Counts events by key, in memory, for one event loop.

    Example:
        >>> windows = Windows((Limit(2, 60.0),), clock=lambda: 100.0)
        >>> [windows.take(b"alice") for _ in range(3)], windows.take(b"bob")
        ([0, 0, 60], 0)
    """

    def __init__(
        self, limits: tuple[Limit, ...], clock: Callable[[], float] = time.monotonic, most_keys: int = _MOST_KEYS
    ) -> None:
        """Holds to all limits at once.

        Args:
            limits: The limits.
            clock: Seconds that never go back.
            most_keys: How many keys are remembered; beyond that, those that were silent longest are forgotten.
        """
        self._limits, self._clock, self._most_keys = limits, clock, most_keys
        self._longest = max(limit.seconds for limit in limits)
        self._events: OrderedDict[bytes, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._events)

    def take(self, key: bytes) -> int:
        """Counts an event of a key unless a limit forbids it; returns 0, or whole seconds until it may be tried again.

        What is refused is not counted: whoever waits as told gets through.
        """
        now = self._clock()
        self._forget(now)
        events = self._events.setdefault(key, deque())
        while events and events[0] <= now - self._longest:
            events.popleft()
        wait = max((_wait(events, limit, now) for limit in self._limits), default=0.0)
        if wait > 0:
            return math.ceil(wait)
        events.append(now)
        self._events.move_to_end(key)
        return 0

    def _forget(self, now: float) -> None:
        """Drops keys whose events have all left the window, and the longest silent ones beyond the bound."""
        while self._events:
            key, events = next(iter(self._events.items()))
            if events and events[-1] > now - self._longest and len(self._events) <= self._most_keys:
                return
            del self._events[key]


def _wait(events: deque[float], limit: Limit, now: float) -> float:
    """Seconds until one more event keeps to a limit; not above 0 if it does now."""
    if len(events) < limit.events:
        return 0.0
    return events[-limit.events] + limit.seconds - now
