"""The HTTP side of the local Hub: sockets, the list of requests, and faults that only a socket can have."""

from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.hub_server.accounts import Account
from tests.hub_server.endpoints import Hub
from tests.hub_server.faults import Cut, Drop, Fault, Faults, Hold, Lag, Refuse, Say, Slow
from tests.hub_server.limits import Limits
from tests.hub_server.messages import HubError, Request, Response
from tests.hub_server.repositories import Repositories
from tests.hub_server.routing import answer


class LocalHub:
    """A Hub on a free port of this machine, for as long as it is entered.

    Attributes:
        repositories: What it holds; tests commit to it directly.
        tokens: The account behind each token.
        faults: What it will do wrong.
        limits: How much it takes; None is without end.
        requests: What it was asked, in order.
        answers: Method, path and status of what it has answered, or would have if nobody had hung up.
    """

    def __init__(self, root: Path) -> None:
        self.repositories = Repositories(root)
        self.tokens: dict[str, Account] = {}
        self.faults = Faults()
        self.limits: Limits | None = None
        self.requests: list[Request] = []
        self.answers: list[tuple[str, str, int]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def asked(self, method: str = "") -> list[str]:
        """Returns the paths of the requests so far, of one method or of all."""
        return [request.path for request in self.requests if method in ("", request.method)]

    def files_sent(self) -> set[str]:
        """Returns the paths of all files whose content was asked for, whatever the repository."""
        return {path.split("/resolve/")[1].split("/", 1)[1] for path in self.asked("GET") if "/resolve/" in path}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: LocalHub
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Keeps test output quiet; `LocalHub.requests` has it all."""

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._chunks() if "chunked" in headers.get("transfer-encoding", "") else self._sized(headers)
        request = Request(self.command, self.path, headers, body)
        self.hub.requests.append(request)
        fault = self.hub.faults.take(request)
        if isinstance(fault, Drop):
            self._hang_up()
            return
        if isinstance(fault, Slow):
            time.sleep(fault.seconds)
        if isinstance(fault, Hold):
            fault.gate.wait()
        response = self._response(request, fault)
        self.hub.answers.append((request.method, request.path, response.status))
        try:
            self._send(response, fault)
        except ConnectionError:  # The client has lost patience.
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def _sized(self, headers: dict[str, str]) -> bytes:
        return self.rfile.read(int(headers.get("content-length", 0)))

    def _chunks(self) -> bytes:
        chunks = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _response(self, request: Request, fault: Fault | None) -> Response:
        if isinstance(fault, Say):
            return fault.response
        if isinstance(fault, Refuse) and not fault.late:
            return fault.error().response
        try:
            if self.hub.limits:
                self.hub.limits.check(request)
        except HubError as error:
            return error.response
        response = answer(Hub(self.hub.repositories, self.hub.tokens, isinstance(fault, Lag)), request)
        return fault.error().response if isinstance(fault, Refuse) else response

    def _send(self, response: Response, fault: Fault | None) -> None:
        if isinstance(fault, Cut) and fault.after_bytes is None:
            self._hang_up()
            return
        self.send_response(response.status)
        for name, value in {"Content-Length": str(len(response.body)), **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: fault.after_bytes] if isinstance(fault, Cut) else response.body)
        if isinstance(fault, Cut):
            self.wfile.flush()
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
