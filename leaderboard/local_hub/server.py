"""The HTTP side of the local Hub."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from leaderboard.local_hub.accounts import Account
from leaderboard.local_hub.endpoints import Hub
from leaderboard.local_hub.messages import Request, Response
from leaderboard.local_hub.repositories import Repositories
from leaderboard.local_hub.routing import answer


class Handler(BaseHTTPRequestHandler):
    """Takes requests of one connection and sends the Hub's answers."""

    hub: LocalHub
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def serve(self, request: Request) -> None:
        """Answers a request."""
        self.send(self.hub.answer(request))

    def send(self, response: Response) -> None:
        """Sends an answer; a client that has lost patience gets none."""
        try:
            self.send_head(response)
            if self.command != "HEAD":
                self.wfile.write(response.body)
        except ConnectionError:
            self.close_connection = True

    def send_head(self, response: Response) -> None:
        """Sends the head of an answer. No browser is to guess what a file is: strangers wrote some of them."""
        self.send_response(response.status)
        own = {"Content-Length": str(len(response.body)), "X-Content-Type-Options": "nosniff"}
        for name, value in {**own, **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _take(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._chunks() if "chunked" in headers.get("transfer-encoding", "") else self._sized(headers)
        self.serve(Request(self.command, self.path, headers, body))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _take

    def _sized(self, headers: dict[str, str]) -> bytes:
        return self.rfile.read(int(headers.get("content-length", 0)))

    def _chunks(self) -> bytes:
        chunks = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)


class LocalHub:
    """A Hub on a port of this machine, for as long as it is entered.

    Attributes:
        repositories: What it holds; whoever runs it may commit to it directly.
        tokens: The account behind each token.

    Example:
        >>> with LocalHub(Path("data/repositories"), 8080) as hub:  # doctest: +SKIP
        ...     print(hub.url)
        http://127.0.0.1:8080
    """

    handler: ClassVar[type[Handler]] = Handler

    def __init__(self, root: Path, port: int = 0) -> None:
        """Takes the port, or a free one for 0; keeps its repositories below `root`."""
        self.repositories = Repositories(root)
        self.tokens: dict[str, Account] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (self.handler,), {"hub": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """Its address, for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, request: Request, *, lags: bool = False) -> Response:
        """Returns the answer to a request; one that lags names each branch's commit before the newest."""
        return answer(Hub(self.repositories, self.tokens, lags), request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
