"""The local Hub with a list of what it was asked, limits, and faults that only a socket can have."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

from leaderboard.local_hub import server
from leaderboard.local_hub.messages import HubError, Request, Response
from tests.hub_server.faults import Cut, Drop, Fault, Faults, Hold, Lag, Refuse, Say, Slow
from tests.hub_server.limits import Limits


class _Handler(server.Handler):
    hub: LocalHub

    def serve(self, request: Request) -> None:
        self.hub.requests.append(request)
        fault = self.hub.faults.take(request)
        if isinstance(fault, Drop):
            self._hang_up()
            return
        if isinstance(fault, Slow):
            time.sleep(fault.seconds)
        if isinstance(fault, Hold):
            fault.gate.wait()
        response = self.hub.answer_with(request, fault)
        self.hub.answers.append((request.method, request.path, response.status))
        if isinstance(fault, Cut):
            self._cut(response, fault)
        else:
            self.send(response)

    def _cut(self, response: Response, fault: Cut) -> None:
        with contextlib.suppress(ConnectionError):  # The client has lost patience.
            if fault.after_bytes is not None:
                self.send_head(response)
                if self.command != "HEAD":
                    self.wfile.write(response.body[: fault.after_bytes])
                self.wfile.flush()
        self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


class LocalHub(server.LocalHub):
    """A Hub on a free port of this machine, for as long as it is entered; see `leaderboard.local_hub`.

    Attributes:
        faults: What it will do wrong.
        limits: How much it takes; None is without end.
        requests: What it was asked, in order.
        answers: Method, path and status of what it has answered, or would have if nobody had hung up.
    """

    handler = _Handler

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.faults = Faults()
        self.limits: Limits | None = None
        self.requests: list[Request] = []
        self.answers: list[tuple[str, str, int]] = []

    def asked(self, method: str = "") -> list[str]:
        """Returns the paths of the requests so far, of one method or of all."""
        return [request.path for request in self.requests if method in ("", request.method)]

    def files_sent(self) -> set[str]:
        """Returns the paths of all files whose content was asked for, whatever the repository."""
        return {path.split("/resolve/")[1].split("/", 1)[1] for path in self.asked("GET") if "/resolve/" in path}

    def answer_with(self, request: Request, fault: Fault | None) -> Response:
        """Returns the answer to a request that is met by a fault."""
        if isinstance(fault, Say):
            return fault.response
        if isinstance(fault, Refuse) and not fault.late:
            return fault.error().response
        try:
            if self.limits:
                self.limits.check(request)
        except HubError as error:
            return error.response
        response = self.answer(request, lags=isinstance(fault, Lag))
        return fault.error().response if isinstance(fault, Refuse) else response
