"""How pages answer on which people act: the form that was sent, the session that it came with, and refusals."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from fastapi.responses import RedirectResponse, Response
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.types import ASGIApp

from evaluator.errors import Cause, RapportError
from leaderboard.connection import unreachable
from leaderboard.pages.site import HEADERS, shown_message

log = logging.getLogger("rapport.pages")

NEVER_KEPT: Mapping[str, str] = {**HEADERS, "Cache-Control": "no-store"}
"""Headers of what is one person's."""
_STATUS = {Cause.FORBIDDEN: 403, Cause.NOT_FOUND: 404, Cause.DATA_ERROR: 400, Cause.JUDGE_ERROR: 409, Cause.QUOTA: 429}
_TITLE = "This cannot be done"

Refused = Callable[[int, RapportError], Response]
"""Makes the page that says why something is refused, with its status."""


def status_of(error: RapportError) -> int:
    """Returns the status of a refusal; whatever the visitor can do nothing about is 503.

    Example:
        >>> status_of(RapportError(Cause.NOT_FOUND, "There is none.", "Look again."))
        404
    """
    return _STATUS.get(error.cause, 503)


def plain_refusal(status: int, error: RapportError) -> Response:
    """The page that says why something is refused, and nothing else."""
    return shown_message(status, _TITLE, f"{error.message} {error.remedy}")


def answered_or_refused(
    answer: Callable[[], Response], away: str, comfort: str, refused: Refused = plain_refusal
) -> Response:
    """Returns an answer, or the page that says why there is none.

    Args:
        answer: Answers.
        away: The title of the page while Redis is away.
        comfort: What is said then of what was done before.
        refused: Makes the page of a refusal.
    """
    try:
        return answer()
    except RapportError as error:
        return refused(status_of(error), error)
    except RedisError as error:
        log.error("%s", unreachable(error))
        return shown_message(503, away, f"{unreachable(error)} {comfort}")


def see_other(path: str) -> Response:
    """Sends a browser on; a reload then does nothing twice."""
    return RedirectResponse(path, status_code=303, headers=dict(NEVER_KEPT))


def fields_in(body: bytes, most: int) -> list[tuple[str, str]]:
    """Reads the fields of a form, in their order; one that was chosen several times stands there as often.

    Args:
        body: As it was sent.
        most: Fields of the form that has the most.

    Raises:
        RapportError: `data_error` if it is none of ours.

    Example:
        >>> fields_in(b"word=YES&word=a+b", 2)
        [('word', 'YES'), ('word', 'a b')]
    """
    try:
        return parse_qsl(body.decode("ascii"), max_num_fields=most, errors="strict", strict_parsing=False)
    except ValueError as error:
        raise RapportError(Cause.DATA_ERROR, "This is no form of this page.", "Open the page again.") from error


def in_session(app: ASGIApp, gradio_app: Starlette) -> ASGIApp:
    """Returns an app that reads the session which Gradio's login keeps; as it was where there is no login.

    Args:
        app: What stands outside of Gradio's app.
        gradio_app: Where people log in, if they can; it says how sessions are signed.
    """
    session = _session_of(gradio_app)
    return session.cls(app, *session.args, **session.kwargs) if session else app


def _session_of(gradio_app: Starlette) -> Middleware | None:
    """Returns how Gradio reads the session of its login; None where there is no login."""
    sessions: object = SessionMiddleware
    return next((each for each in gradio_app.user_middleware if each.cls is sessions), None)
