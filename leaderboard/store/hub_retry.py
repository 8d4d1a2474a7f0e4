"""Trying again what may work the next time."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from leaderboard.store.base import StoreBusy
from leaderboard.store.hub_calls import Passing, Raced

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0

Result = TypeVar("Result")


class Retry:
    """Makes calls again that failed for a reason that passes, with pauses that grow and that no two writers share.

    Example:
        >>> Retry().until_done(lambda: 5)
        5
    """

    def __init__(
        self,
        seconds: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Begin no try later than so many seconds after the first, and wait for no limit that lasts longer."""
        self._seconds, self._clock, self._pause = seconds, clock, pause

    def until_done(self, call: Callable[[], Result], *, tries: int = 10, races: bool = False) -> Result:
        """Return what the call returns at last.

        Args:
            call: what to try.
            tries: how often at most.
            races: whether a lost race is a reason to try again.

        Raises:
            StoreError: the call's own error, when it is of another kind or there was no try left.
        """
        begin = self._clock()
        for number in range(tries):
            try:
                return call()
            except (Passing, Raced, StoreBusy) as error:
                if isinstance(error, StoreBusy):
                    wait = error.seconds
                else:
                    wait = random.uniform(0, min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**number))  # noqa: S311
                late = self._clock() + wait - begin > self._seconds
                if late or number == tries - 1 or (isinstance(error, Raced) and not races):
                    raise
            self._pause(wait)
        raise AssertionError("the last try returns or raises")
