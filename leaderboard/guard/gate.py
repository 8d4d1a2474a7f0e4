"""The gate: what this site does not have, under which names it answers, and from where it may be told to do something.

Gradio's handlers write in the name of whoever's cookie comes along, so a page of another site must not be able to send
one: browsers say where a request comes from, and only this site's own pages may write. A client that is no browser
sends no such header, and no stranger's cookie either.
"""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from leaderboard.guard.answers import refuse
from leaderboard.guard.endpoints import Kind, kind_of
from leaderboard.settings import Settings

_LONGEST_ADDRESS = 8192
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_STRANGE_HOST = (
    "This site does not answer to the name {name} here. If it is yours, its maintainer adds it to RAPPORT_HOSTS."
)
_OTHER_SITE = "This request came from a page of another site; open this site and do it there."


class Gate:
    """Lets a request in, or says why not."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], behind_proxy: bool) -> None:
        """Answers under some names.

        Args:
            app: What stands behind.
            hosts: Names of this site, beside addresses and `localhost`.
            behind_proxy: Whether a proxy of ours says by which protocol it was asked.
        """
        self._app, self._hosts, self._behind_proxy = app, hosts, behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "websocket":  # There are none here.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, sentence = self._objection(scope)
        if sentence:
            await refuse(scope, receive, send, status, sentence, {"Connection": "close"})
        else:
            await self._app(self._believable(scope), receive, send)

    def _objection(self, scope: Scope) -> tuple[int, str]:
        """Returns a status and why a request is refused; an empty sentence if it is not."""
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > _LONGEST_ADDRESS:
            return 414, f"The address is longer than {_LONGEST_ADDRESS:,} characters."
        kind = kind_of(scope["method"], scope["path"])
        if kind is Kind.CLOSED:
            return 404, "There is nothing here."
        if scope["method"] in _SAFE_METHODS and scope["path"] != "/logout":
            return 0, ""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_ours(host, self._hosts):
            return 421, _STRANGE_HOST.format(name=ascii(host[:100]))
        return (0, "") if same_site(headers, host, self._hosts) else (403, _OTHER_SITE)

    def _believable(self, scope: Scope) -> Scope:
        """Returns a request without what only a proxy may say of it, where none is ours or it names a strange host."""
        headers = Headers(scope=scope)
        dropped = {b"forwarded"}
        if not self._behind_proxy:
            dropped |= {b"x-forwarded-for", b"x-forwarded-proto"}
        if not is_ours(headers.get("x-forwarded-host", ""), self._hosts):
            dropped.add(b"x-forwarded-host")
        proto = headers.get("x-forwarded-proto", "").partition(",")[0].strip() if self._behind_proxy else ""
        kept = [(name, value) for name, value in scope["headers"] if name not in dropped]
        return {**scope, "headers": kept, "scheme": "https" if proto == "https" else scope["scheme"]}


def known_hosts(settings: Settings) -> frozenset[str]:
    """Returns the names that this site answers to: those of the setting, and a Space's own, custom domains included."""
    of_space = os.environ.get("SPACE_HOST", "") if settings.on_space else ""
    return frozenset(name.strip().lower() for name in (*settings.hosts, *of_space.split(",")) if name.strip())


def is_ours(host: str, hosts: frozenset[str]) -> bool:
    """Says whether a `Host` header names this site.

    Any address does: a page can be made to send a name that its owner lets point at us, never an address.

    Example:
        >>> is_ours("127.0.0.1:7860", frozenset()), is_ours("[::1]", frozenset()), is_ours("localhost", frozenset())
        (True, True, True)
        >>> is_ours("rebound.example", frozenset()), is_ours("Board.org:443", frozenset({"board.org"}))
        (False, True)
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in hosts or name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def same_site(headers: Headers, host: str, hosts: frozenset[str]) -> bool:
    """Says whether a request that writes comes from a page of this site, or from no page at all.

    Args:
        headers: Of the request.
        host: To whom it was sent.
        hosts: Names of this site.
    """
    fetched = headers.get("sec-fetch-site")
    if fetched is not None:
        return fetched in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        sender = urlsplit(origin)
    except ValueError:
        return False
    return sender.netloc.lower() == host.lower() or (sender.hostname or "") in hosts
