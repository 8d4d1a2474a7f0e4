"""Answers that a browser has already: they are named by what stands in them, and not sent a second time."""

from __future__ import annotations

import hashlib

from fastapi import Request
from fastapi.responses import Response

from leaderboard.etags import is_known

_DIGITS = 32


def unless_known(request: Request, response: Response) -> Response:
    """Returns a response with its ETag, or that nothing has changed if whoever asks has it.

    The tag is a weak one, since the same answer may be sent compressed or not.

    Args:
        request: What is asked.
        response: The answer in full; one that is no success is returned as it is.
    """
    if response.status_code != 200:
        return response
    etag = f'W/"{hashlib.sha256(bytes(response.body)).hexdigest()[:_DIGITS]}"'
    response.headers["ETag"] = etag
    if not is_known(etag, request.headers.get("if-none-match", "")):
        return response
    kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")}
    return Response(status_code=304, headers=kept)
