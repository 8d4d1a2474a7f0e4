"""Ctrl-C at any line of asking a server ends the asking: nothing is waited for that was never told to end."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from evaluator.engines import openai_client
from evaluator.engines.base import EndpointSpec, Message, Request, Sampling
from evaluator.engines.openai import OpenAIEngine
from tests.plain_server import plain_server
from tests.waiting import until

QUESTIONS = [Request(f"q{number}", "user", (Message("user", "Hello"),)) for number in range(3)]


def pressed_at(number: int, call: Callable[[], object]) -> bool:
    """Calls a function with Ctrl-C pressed at its n-th moment; says whether it came that far.

    A moment is a line of the client, or the beginning of a function below it: there Python looks for signals. What
    `threading` does inside is left alone: its own waits cannot be left in order everywhere.
    """
    moments = itertools.count(1)

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        ours = code.co_filename == openai_client.__file__
        theirs = event == "call" and code.co_filename != threading.__file__
        if (ours or theirs) and next(moments) == number:
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return next(moments) > number


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Where objects go, Python drops it.
def test_ctrl_c_at_any_moment_of_asking_ends_it() -> None:
    with plain_server(lambda _: "Good day") as server:
        engine = OpenAIEngine(EndpointSpec(base_url=server.url, model="m", flavour="plain", context_length=1000))
        reached = 0

        def press_everywhere() -> None:
            nonlocal reached
            while pressed_at(reached + 1, lambda: list(engine.generate(QUESTIONS, Sampling(max_tokens=5)))):
                reached += 1

        presser = threading.Thread(target=press_everywhere, daemon=True)  # One that hangs must not hang the tests.
        presser.start()
        until(lambda: not presser.is_alive(), what="each of them has ended", within=120)
        assert reached > 50
        assert len(list(engine.generate(QUESTIONS, Sampling(max_tokens=5)))) == len(QUESTIONS)
