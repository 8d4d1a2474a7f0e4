"""What goes in and out of an endpoint, free of sockets, so that endpoints are plain functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


@dataclass(frozen=True)
class Request:
    """One request; `headers` in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, still quoted."""
        return urlsplit(self.target).path

    @property
    def token(self) -> str | None:
        """The token of the request's sender; None without one."""
        return self.headers.get("authorization", "").removeprefix("Bearer ") or None

    @property
    def site(self) -> str:
        """The address that the sender reached the Hub under."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"

    def query(self, name: str, default: str) -> str:
        """Returns the first value of a query argument."""
        return parse_qs(urlsplit(self.target).query).get(name, [default])[0]

    def flag(self, name: str) -> bool:
        """Says whether a query argument is switched on, in any of the spellings that clients use."""
        return self.query(name, "false").lower() in {"true", "1"}


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(value: Any, status: int = 200) -> Response:
    """Returns an answer in JSON."""
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def as_page(request: Request, entries: Sequence[Any], most: int) -> Response:
    """Returns the part of a list that a request asks for, with the address of the next part."""
    start = int(request.query("cursor", "0"))
    length = min(int(request.query("limit", str(most))), most)
    page = as_json(entries[start : start + length])
    if start + length >= len(entries):
        return page
    asked = {name: values[0] for name, values in parse_qs(urlsplit(request.target).query).items()}
    following = f"{request.site}{request.path}?{urlencode(asked | {'cursor': start + length})}"
    return Response(page.status, page.body, {**page.headers, "Link": f'<{following}>; rel="next"'})


class HubError(Exception):
    """A refusal in the Hub's own words: clients tell causes apart by these headers, not by the status alone."""

    def __init__(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        super().__init__(message)
        named = {"X-Error-Code": code} if code else {}
        self.response = Response(
            status,
            json.dumps({"error": message}).encode(),
            {"Content-Type": "application/json", "X-Error-Message": message, **named, **headers},
        )


def repository_not_found(status: int) -> HubError:
    """Returns what the Hub says of a repository that is not there, or that the sender may not know of."""
    return HubError(status, "Repository not found", "RepoNotFound")


Route = tuple[str, str, Callable[..., Response]]
"""Method, pattern of the path, and the endpoint that answers, which takes the pattern's groups by name."""
