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
from tests.hub_server.endpoints import Hub, answer
from tests.hub_server.faults import Cut, Fault, Faults, Refuse, Slow
from tests.hub_server.messages import Request, Response
from tests.hub_server.repositories import Repositories


class LocalHub:
    """A Hub on a free port of this machine, for as long as it is entered.

    Attributes:
        repositories: What it holds; tests commit to it directly.
        tokens: The account behind each token.
        faults: What it will do wrong.
        requests: What it was asked, in order.
    """

    def __init__(self, root: Path) -> None:
        self.repositories = Repositories(root)
        self.tokens: dict[str, Account] = {}
        self.faults = Faults()
        self.requests: list[Request] = []
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

    def log_message(self, format: str, *args: object) -> None:
        """Keeps test output quiet; `LocalHub.requests` has it all."""

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(self.command, self.path, headers, body)
        self.hub.requests.append(request)
        fault = self.hub.faults.take(request)
        if isinstance(fault, Slow):
            time.sleep(fault.seconds)
        self._send(self._response(request, fault), fault)

    do_GET = do_HEAD = do_POST = _serve

    def _response(self, request: Request, fault: Fault | None) -> Response:
        if isinstance(fault, Refuse):
            return fault.error().response
        return answer(Hub(self.hub.repositories, self.hub.tokens), request)

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
