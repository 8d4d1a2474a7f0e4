"""How the guard refuses: a status, one sentence, and the connection is closed where a body was left unread."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    sentence: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answers with a refusal: as JSON below Gradio's API, whose clients show `detail`, and as plain text elsewhere."""
    response: Response
    if scope["path"].startswith("/gradio_api"):
        response = JSONResponse({"detail": sentence, "error": sentence}, status, headers)
    else:
        response = PlainTextResponse(f"{sentence}\n", status, headers)
    response.headers["Cache-Control"] = "no-store"
    await response(scope, receive, send)
