"""How often somebody may ask: by address for everything, and by name for what is done while logged in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from leaderboard.guard.answers import refuse
from leaderboard.guard.client import Clients
from leaderboard.guard.endpoints import Kind, kind_of
from leaderboard.guard.window import Limit, Windows

_MINUTE, _HOUR = 60.0, 3600.0
# A class room behind one address reads at ease; what is computed or written is dearer.
BY_ADDRESS: Mapping[Kind, tuple[Limit, ...]] = {
    Kind.PAGE: (Limit(1200, _MINUTE),),
    Kind.ASSET: (Limit(6000, _MINUTE),),
    Kind.WATCH: (Limit(6000, _MINUTE),),
    Kind.LOGIN: (Limit(30, _MINUTE),),
    Kind.LABEL: (Limit(600, _MINUTE), Limit(12_000, _HOUR)),
    Kind.ACT: (Limit(120, _MINUTE), Limit(1200, _HOUR)),
}
BY_USER = (Limit(60, _MINUTE), Limit(600, _HOUR))
LABELS_BY_USER = (Limit(60, _MINUTE), Limit(1800, _HOUR))
"""Who reads what is labelled needs more than two seconds an item."""
MOST_OPEN = 200
"""Requests of one address that are being answered at the same time; a page that is open holds one or two."""


class AddressLimits:
    """Answers 429 to an address that asks too often or holds too many requests open."""

    def __init__(
        self,
        app: ASGIApp,
        clients: Clients,
        limits: Mapping[Kind, tuple[Limit, ...]] = BY_ADDRESS,
        most_open: int = MOST_OPEN,
    ) -> None:
        """Counts by what `clients` says of a request."""
        self._app, self._clients, self._most_open = app, clients, most_open
        self._windows = {kind: Windows(of_kind) for kind, of_kind in limits.items()}
        self._open: Counter[bytes] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        key = self._clients.key(scope)
        if self._open[key] >= self._most_open:
            await _too_often(scope, receive, send, 5, "Too many requests of your address are open.")
            return
        if wait := self._windows[kind_of(scope["method"], scope["path"])].take(key):
            await _too_often(scope, receive, send, wait, "Too many requests from your address.")
            return
        self._open[key] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


class UserLimits:
    """Answers 429 to a logged-in user who does too much, from however many addresses."""

    def __init__(self, app: ASGIApp, limits: tuple[Limit, ...] = BY_USER, kind: Kind = Kind.ACT) -> None:
        """Stands behind what reads the session; counts requests of one kind."""
        self._app, self._windows, self._kind = app, Windows(limits), kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "http" and kind_of(scope["method"], scope["path"]) is self._kind:
            user = user_of(scope)
            if user and (wait := self._windows.take(user)):
                await _too_often(scope, receive, send, wait, "You have done a lot in a short time.")
                return
        await self._app(scope, receive, send)


def user_of(scope: Scope) -> bytes:
    """Returns the user whom the server's session names; empty if nobody is logged in.

    Example:
        >>> user_of({"session": {"oauth_info": {"userinfo": {"sub": "4711"}}}}), user_of({})
        (b'4711', b'')
    """
    found: object = scope.get("session", {})
    for part in ("oauth_info", "userinfo", "sub"):
        found = found.get(part) if isinstance(found, dict) else None
    return found.encode() if isinstance(found, str) else b""


async def _too_often(scope: Scope, receive: Receive, send: Send, wait: int, sentence: str) -> None:
    """Says when to come back."""
    seconds = f"{wait} second{'' if wait == 1 else 's'}"
    await refuse(scope, receive, send, 429, f"{sentence} Try again in {seconds}.", {"Retry-After": str(wait)})
