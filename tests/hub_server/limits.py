"""How much the Hub takes: commits an hour for each repository, and calls in five minutes for each sender."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import deque
from collections.abc import Callable

from leaderboard.local_hub.messages import HubError, Request

_COMMIT = re.compile(r"/api/(.+)/commit/[^/]+")


class Limits:
    """Counts what was let through, and refuses what is too much with 429 and the seconds to wait.

    Example:
        >>> Limits(commits=128, calls=1000)  # doctest: +SKIP
    """

    def __init__(
        self, commits: int = 128, calls: int = 1000, clock: Callable[[], float] = time.monotonic, headers: bool = False
    ) -> None:
        """Takes the most commits an hour and calls in five minutes; `headers` tells the wait as the Hub does today."""
        self.clock, self._headers = clock, headers
        self._commits, self._calls = commits, calls
        self._seen: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def check(self, request: Request) -> None:
        """Refuses a request that is one too many."""
        if not request.path.startswith("/api/") and "/resolve/" not in request.path:
            return
        with self._lock:
            self._count(("calls", request.token or "anonymous"), self._calls, 300.0)
            if request.method == "POST" and (match := _COMMIT.fullmatch(request.path)):
                self._count(("commits", match[1]), self._commits, 3600.0)

    def _count(self, key: tuple[str, str], most: int, seconds: float) -> None:
        times, now = self._seen.setdefault(key, deque()), self.clock()
        while times and times[0] <= now - seconds:
            times.popleft()
        if len(times) >= most:
            wait = str(math.ceil(times[0] + seconds - now))
            told = {"RateLimit": f'"api";r=0;t={wait}'} if self._headers else {"Retry-After": wait}
            raise HubError(429, f"Too many {key[0]}", **told)
        times.append(now)
