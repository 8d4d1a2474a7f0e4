"""Calls that name no endpoint, or arguments that it does not take: Gradio would end in a traceback for each."""

from __future__ import annotations

from fastapi import FastAPI, Request
from gradio.route_utils import FnIndexInferError
from starlette.responses import JSONResponse, Response

_CALLS = "/gradio_api/call/"
_WRONG = "There is no such endpoint, or it takes other arguments; /gradio_api/info lists all endpoints."


def refuse_wrong_calls(gradio_app: FastAPI) -> None:
    """Answers 422 to such calls; whatever else goes wrong goes on as it did."""

    def refuse(request: Request, error: Exception) -> Response:
        if not request.url.path.startswith(_CALLS):
            raise error
        return JSONResponse({"detail": _WRONG, "error": _WRONG}, 422)

    for kind in (TypeError, KeyError, FnIndexInferError):
        gradio_app.add_exception_handler(kind, refuse)
