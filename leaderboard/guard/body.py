"""Bodies are read whole before anything is done with them, up to a size and within a time."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leaderboard.guard.answers import refuse

_SECONDS = 15.0
_CLOSE = {"Connection": "close"}


class TooLargeError(Exception):
    """A body is larger than it may be."""


class _Body(NamedTuple):
    """A body that has arrived, or not: the visitor went away."""

    content: bytes
    complete: bool


class BodyLimits:
    """Answers 413 to a body that is too large, declared or not, and 408 to one that does not end."""

    def __init__(self, app: ASGIApp, most_bytes: int, seconds: float = _SECONDS) -> None:
        """Lets bodies of at most `most_bytes` through that arrive within `seconds`."""
        self._app, self._most_bytes, self._seconds = app, most_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if declared(scope) > self._most_bytes:
                raise TooLargeError
            async with asyncio.timeout(self._seconds):
                body = await read(receive, self._most_bytes)
        except TooLargeError:
            sentence = f"The request is larger than {self._most_bytes:,} bytes, the most that is taken here."
            await refuse(scope, receive, send, 413, sentence, _CLOSE)
        except TimeoutError:
            sentence = f"The request did not arrive whole within {self._seconds:g} seconds; send it again."
            await refuse(scope, receive, send, 408, sentence, _CLOSE)
        else:
            if body.complete:
                await self._app(scope, _replay(body.content, receive), send)


def declared(scope: Scope) -> int:
    """Returns the size that a request says its body has; 0 if it does not say, or nothing that is a number."""
    value = Headers(scope=scope).get("content-length", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else 0


async def read(receive: Receive, most_bytes: int) -> _Body:
    """Reads a whole body.

    Raises:
        TooLargeError: As soon as it is larger than `most_bytes`.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return _Body(b"", complete=False)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most_bytes:
            raise TooLargeError
        if not message.get("more_body", False):
            return _Body(b"".join(parts), complete=True)


def _replay(content: bytes, receive: Receive) -> Receive:
    """Gives a body that was read once more, then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": content, "more_body": False}

    return again
