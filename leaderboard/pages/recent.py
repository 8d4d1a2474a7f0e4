"""Keeps what was read for a moment, so that a crowd of visitors costs one reading.

Whoever comes while something is being read waits for that reading instead of starting another one. A failure is kept
as long as a success: what is down is asked once a moment, not once a visitor.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar

Value = TypeVar("Value")


class Recent:
    """Answers by key, each for some seconds after it was read.

    Example:
        >>> recent = Recent(seconds=1)
        >>> recent.get("one", lambda: 1), recent.get("one", lambda: 2)
        (1, 1)
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Keeps each answer for `seconds`."""
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}
        self._until: dict[Hashable, float] = {}

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """Returns what was read under a key, reading it if nobody has of late.

        Raises:
            Exception: Whatever reading raised, to everybody who waited for it.
        """
        with self._lock:
            self._forget()
            answer = self._answers.get(key)
            first = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
        if first:
            self._fill(key, answer, read)
        value: Value = answer.result()
        return value

    def _fill(self, key: Hashable, answer: Future[Any], read: Callable[[], Value]) -> None:
        """Reads and tells all who wait."""
        try:
            answer.set_result(read())
        except BaseException as error:
            answer.set_exception(error)
            raise
        finally:
            with self._lock:
                self._until[key] = self._clock() + self._seconds

    def _forget(self) -> None:
        """Drops what is no longer recent, so that odd keys do not pile up."""
        now = self._clock()
        for key in [key for key, until in self._until.items() if until <= now]:
            del self._answers[key], self._until[key]
