"""Finds the endpoint of a request."""

from __future__ import annotations

import re
from urllib.parse import unquote

from leaderboard.local_hub import discussions, endpoints, pages, writes
from leaderboard.local_hub.endpoints import Hub
from leaderboard.local_hub.messages import HubError, Request, Response

_ROUTES = (*endpoints.ROUTES, *writes.ROUTES, *discussions.ROUTES, *pages.ROUTES)


def answer(hub: Hub, request: Request) -> Response:
    """Returns the Hub's answer to a request."""
    try:
        for method, pattern, endpoint in _ROUTES:
            if request.method == method and (match := re.fullmatch(pattern, request.path)):
                return endpoint(hub, request, **{name: unquote(part or "") for name, part in match.groupdict().items()})
        raise HubError(404, f"No such endpoint: {request.method} {request.path}")
    except HubError as error:
        return error.response
