"""Security headers on every answer, Gradio's and the guard's own included."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HUB = "https://huggingface.co"
"""A Space is shown inside a frame of the Hub's page."""
# Gradio's pages carry scripts in the HTML and compile templates as they run; nothing is loaded from elsewhere.
_GRADIO_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'"
)
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds what is missing; a page's own content policy stays and is told who may frame it."""

    def __init__(self, app: ASGIApp, on_space: bool) -> None:
        """Lets the Hub frame the site if it is a Space."""
        self._app = app
        self._framing = f"frame-ancestors 'self' {_HUB}" if on_space else "frame-ancestors 'self'"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)

    def _add(self, headers: MutableHeaders) -> None:
        """Adds the headers to one answer."""
        for name, value in _FIXED.items():
            headers.setdefault(name, value)
        policy = headers.get("content-security-policy", _GRADIO_POLICY)
        headers["Content-Security-Policy"] = f"{policy}; {self._framing}"
