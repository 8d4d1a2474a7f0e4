"""Waiting for something to become true, and doing things at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def until(holds: Callable[[], object], *, what: str, within: float = 30.0) -> None:
    """Returns as soon as a condition holds; the generous limit only ends a test that would hang."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, f"waited {within:g} seconds, but it never came true that {what}"
        time.sleep(0.005)


def at_once(*calls: Callable[[], Result]) -> Sequence[Result | Exception]:
    """Makes all calls in threads that start together; returns their results or exceptions in the same order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result | Exception:
        barrier.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - Handed to the test, which looks at it.
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
