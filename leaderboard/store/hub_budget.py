"""How much the Hub may be asked: never so much that it has to refuse.

The Hub takes 128 commits an hour for each repository and 1,000 calls in five minutes. Both are kept by buckets: each
commit or call takes a drop, and drops come back evenly. So a burst goes through at once, and under a lasting load the
next commit is never more than half a minute away, instead of an hour once the hour's commits are spent.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple


class Bucket(NamedTuple):
    """A bucket of so many drops, at one moment.

    In any span of `t` seconds at most `size + t * refill` drops can be taken.

    Example:
        >>> bucket = Bucket(size=2, refill=0.5).take(now=0.0).take(now=0.0)
        >>> bucket.wait(now=0.0), bucket.wait(now=1.5), bucket.wait(now=2.0)
        (2.0, 0.5, 0.0)
    """

    size: float
    """How many drops it holds when full."""
    refill: float
    """Drops that come back in a second."""
    missing: float = 0.0
    """Drops that were missing at `at`."""
    at: float = 0.0
    """When that was, in seconds of the caller's clock."""
    closed_until: float = float("-inf")
    """When it opens again, if it was closed."""

    def wait(self, now: float) -> float:
        """Return the seconds until one drop can be taken."""
        return max(0.0, (self._missing(now) - self.size + 1) / self.refill, self.closed_until - now)

    def take(self, now: float) -> "Bucket":
        """Return the bucket with a drop less: one that is there, or one that the caller has waited for once it is."""
        return self._replace(missing=self._missing(now) + 1, at=now)

    def close(self, now: float, seconds: float) -> "Bucket":
        """Return the bucket, closed for some seconds at least."""
        return self._replace(closed_until=max(self.closed_until, now + seconds))

    def closed(self, now: float) -> float:
        """Return the seconds until it opens again; 0 if it is not closed."""
        return max(0.0, self.closed_until - now)

    def _missing(self, now: float) -> float:
        return max(0.0, self.missing - max(0.0, now - self.at) * self.refill)


COMMITS = Bucket(size=20, refill=100 / 3600)
"""At most 120 commits in any hour of the 128 that the Hub takes."""

CALLS = Bucket(size=400, refill=500 / 300)
"""At most 900 calls in any five minutes of the 1,000 that the Hub takes."""


class Meter:
    """A bucket that any number of threads and stores take from, whoever comes first.

    Example:
        >>> meter = Meter(Bucket(size=1, refill=0.5), clock=lambda: 0.0)
        >>> meter.take(), meter.take(patience=3.0), meter.take(patience=3.0)
        (0.0, 2.0, 4.0)
    """

    def __init__(self, bucket: Bucket, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with a bucket as it is.

        Args:
            bucket: what can be taken.
            clock: seconds that only ever grow.
        """
        self._bucket, self._clock = bucket, clock
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Return the seconds until a drop can be taken."""
        with self._lock:
            return self._bucket.wait(self._clock())

    def closed(self) -> float:
        """Return the seconds for which nothing can be taken whatever there is."""
        with self._lock:
            return self._bucket.closed(self._clock())

    def take(self, patience: float = 0.0) -> float:
        """Take a drop and return the seconds until it may be used.

        Args:
            patience: the longest wait, in seconds. Where it would be longer, nothing is taken, and the wait returned.
        """
        with self._lock:
            now = self._clock()
            wait = self._bucket.wait(now)
            if wait <= patience:
                self._bucket = self._bucket.take(now)
            return wait

    def close(self, seconds: float) -> None:
        """Let nothing be taken for some seconds at least."""
        with self._lock:
            self._bucket = self._bucket.close(self._clock(), seconds)


PROCESS_CALLS = Meter(CALLS)
"""The calls of this process: all of its stores share them, for the Hub counts by who asks."""


class Budget:
    """What is left of both limits for one data set; shared by all threads of a process.

    Example:
        >>> budget = Budget(clock=lambda: 0.0)
        >>> [budget.take_commit() for _ in range(21)][-2:]
        [0.0, 36.0]
    """

    def __init__(
        self, commits: Bucket = COMMITS, calls: Bucket | Meter = CALLS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with full buckets.

        Args:
            commits: what the Hub takes of commits to the one repository.
            calls: what it takes of calls of any kind; a meter is shared with others.
            clock: seconds that only ever grow.
        """
        self._commits = Meter(commits, clock)
        self._calls = calls if isinstance(calls, Meter) else Meter(calls, clock)

    def commit_in(self) -> float:
        """Return the seconds until a commit may be made."""
        return max(self._commits.wait(), self._calls.closed())

    def take_commit(self) -> float:
        """Take one commit and return 0, or return the seconds until one can be taken."""
        return self._commits.take()

    def take_call(self, patience: float) -> float:
        """Take one call and return the seconds until it may be made; with more than `patience`, none was taken."""
        return self._calls.take(patience)

    def refused(self, seconds: float, *, commit: bool) -> None:
        """Take note that the Hub wants to be left alone: with commits only, or with everything.

        Args:
            seconds: for how long.
            commit: whether it was a commit that it refused; then it still answers other calls.
        """
        (self._commits if commit else self._calls).close(seconds)
