"""A chat-completions server that knows only what all of them know: it lists no models, counts nothing, tells little."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.engines.endpoint.proxy import CHAT, Answer, Asked, Proxy

NOBODY = 0


@contextmanager
def plain_server(say: Callable[[list[dict[str, Any]]], str]) -> Iterator[Proxy]:
    """Answers each conversation with what a function returns for it."""

    def answer(asked: Asked) -> Answer:
        if asked.path != CHAT or asked.body is None:
            return Answer(404, {"error": {"message": "no such page"}})
        choice = {"message": {"content": say(asked.body["messages"])}, "finish_reason": "stop"}
        return Answer(200, {"choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 5}})

    with Proxy(NOBODY) as server:
        server.faults = answer
        yield server
