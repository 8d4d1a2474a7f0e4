"""Where exports are downloaded: plain GET, answered from what is made once for each state of the board."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from evaluator.errors import Cause, RapportError
from leaderboard.etags import is_known
from leaderboard.exports.files import Exports, File
from leaderboard.exports.formats import BOARD, SCORECARDS
from leaderboard.store.base import StoreError

log = logging.getLogger("rapport.exports")

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


def export_router(exports: Exports) -> APIRouter:
    """Returns the routes; they run in threads, since they read the store."""
    routes = APIRouter(include_in_schema=False)

    def board(name: str, request: Request, judge: str = "") -> Response:
        """A file of the whole board, or of one judge's rows."""
        return _answer(request, lambda: exports.board_file(name, judge))

    def scorecard(name: str, request: Request) -> Response:
        """A file of one scorecard."""
        return _answer(request, lambda: exports.scorecard_file(name))

    routes.add_api_route(BOARD + "/{name}", board, methods=["GET", "HEAD"])
    routes.add_api_route(SCORECARDS + "/{name}", scorecard, methods=["GET", "HEAD"])
    return routes


def _answer(request: Request, make: Callable[[], File]) -> Response:
    """Sends a file, or says why there is none."""
    try:
        file = make()
    except RapportError as error:
        if error.cause is Cause.NOT_FOUND:
            return PlainTextResponse(f"{error.message} {error.remedy}\n", 404, _HEADERS)
        log.exception("an export could not be made")
    except StoreError:
        log.exception("an export could not be made")
    else:
        return sent(file, request)
    return PlainTextResponse("The board cannot be exported right now. Try again in a while.\n", 503, _HEADERS)


def sent(file: File, request: Request) -> Response:
    """Sends a file, unless whoever asks has it."""
    headers = {**_HEADERS, "ETag": file.etag}
    if is_known(file.etag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    content = file.content
    if _takes_gzip(request.headers.get("accept-encoding", "")):
        content, headers["Content-Encoding"] = file.packed, "gzip"
    return Response(content, headers=headers, media_type=file.media_type)


def _takes_gzip(accepted: str) -> bool:
    """Says whether a header `Accept-Encoding` allows gzip.

    Example:
        >>> _takes_gzip("br, gzip"), _takes_gzip("gzip;q=0"), _takes_gzip("")
        (True, False, False)
    """
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
