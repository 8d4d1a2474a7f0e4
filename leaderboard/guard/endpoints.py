"""What each address of the site costs, and which of Gradio's endpoints are closed.

Below Gradio's API only what stands here is open: an endpoint that a later Gradio brings is closed until somebody has
looked at it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a request asks for."""

    CLOSED = "closed"
    """Nothing that this site needs: answered with 404."""
    PAGE = "page"
    """A page or fragment; costs a look into Redis and the store."""
    ASSET = "asset"
    """A file that does not change."""
    WATCH = "watch"
    """Waiting for what becomes of something, which an open page asks every second."""
    LOGIN = "login"
    """A step of logging in or out; costs a call to the identity provider."""
    LABEL = "label"
    """One label of a person, which takes a few seconds of reading each."""
    ACT = "act"
    """Something that is checked, computed or written."""


class _Rule(NamedTuple):
    """All requests whose path matches are of one kind."""

    path: re.Pattern[str]
    reading: Kind
    """For GET, HEAD and OPTIONS."""
    writing: Kind
    """For every other method."""


def _rule(path: str, reading: Kind, writing: Kind = Kind.CLOSED) -> _Rule:
    return _Rule(re.compile(path), reading, writing)


_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_RULES = (
    _rule(r"/(assets|static|svelte|site)/.*", Kind.ASSET),
    _rule(r"/(gradio_api/)?theme\.css|/(favicon\.ico|robots\.txt|manifest\.json)", Kind.ASSET),
    _rule(r"/(live|rows|details)", Kind.WATCH, Kind.ACT),
    _rule(r"/human/(live|rows)", Kind.WATCH, Kind.ACT),
    _rule(r"/exports/.*", Kind.PAGE),
    _rule(r"/label/(verification|relevance|rating|pairs)(/back)?/?", Kind.PAGE, Kind.LABEL),
    _rule(r"/login/(huggingface|callback)|/logout", Kind.LOGIN),
    _rule(r"/gradio_api/call/v2/[^/]+/?", Kind.WATCH, Kind.ACT),
    _rule(r"/gradio_api/(queue/join|(call|run)/[^/]+|cancel)/?", Kind.CLOSED, Kind.ACT),
    _rule(r"/gradio_api/reset/?", Kind.CLOSED, Kind.WATCH),
    _rule(r"/gradio_api/(queue/data|call/(v2/)?[^/]+/[^/]+|heartbeat/[^/]+)", Kind.WATCH),
    _rule(r"/gradio_api/((info|app_id|login_check)/?|openapi\.json)", Kind.PAGE),
    _rule(r"/config/?", Kind.PAGE),
    # Uploads, files, the proxy, streams, server functions, run history, editing by prompt, and whatever comes next.
    _rule(r"/gradio_api(/.*)?", Kind.CLOSED),
    # An icon in any size that a visitor likes, usage figures, a login by password that nobody has, FastAPI's own list.
    _rule(r"/(pwa_icon|monitoring|login|openapi\.json)(/.*)?", Kind.CLOSED),
)


def kind_of(method: str, path: str) -> Kind:
    """Returns what a request asks for.

    Args:
        method: The HTTP method, in capitals.
        path: The decoded path, as routes are found by.

    Example:
        >>> kind_of("POST", "/gradio_api/queue/join"), kind_of("POST", "/gradio_api/upload")
        (<Kind.ACT: 'act'>, <Kind.CLOSED: 'closed'>)
        >>> kind_of("GET", "/queue"), kind_of("POST", "/queue")
        (<Kind.PAGE: 'page'>, <Kind.ACT: 'act'>)
    """
    reading = method in _READING
    for rule in _RULES:
        if rule.path.fullmatch(path):
            return rule.reading if reading else rule.writing
    return Kind.PAGE if reading else Kind.ACT
