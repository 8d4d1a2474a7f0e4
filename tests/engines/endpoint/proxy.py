"""Stands before a chat-completions server, keeps what it is asked, and does to single answers what networks do."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Answer:
    """Is answered by the proxy itself."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hang:
    """Is never answered, until the client gives up."""


@dataclass(frozen=True)
class Drop:
    """Loses the connection, before the answer or after some bytes of its body."""

    after_bytes: int | None = None


@dataclass(frozen=True)
class Edit:
    """Is answered by the server, and its JSON changed on the way."""

    change: Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Meet:
    """Is passed on once as many requests as the barrier wants are under way."""

    barrier: threading.Barrier


Fault = Answer | Hang | Drop | Edit | Meet


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] | None


class Proxy:
    """Passes on to a server, on a port of its own.

    Attributes:
        asked: What arrived, in order.
        highest: The most chat requests that were under way at the same time.
        given_up: The hanging requests that the client left.
        faults: The fault of each chat request by its number from 0, or what chooses it from the request's body.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[Asked] = []
        self.highest = 0
        self.faults: Mapping[int, Fault] | Callable[[Asked], Fault | None] = {}
        self.lock = threading.Lock()
        self.under_way = 0
        self.given_up: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def chats(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == CHAT]

    def take(self, asked: Asked) -> Fault | None:
        """Notes a request and returns what shall happen to it."""
        with self.lock:
            self.asked.append(asked)
            number = len(self.chats()) - 1
        if callable(self.faults):
            return self.faults(asked)
        return self.faults.get(number) if asked.path == CHAT else None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:
        """Keeps test output quiet; `Proxy.asked` has it all."""

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, json.loads(raw) if raw else None)
        chat = self.path == CHAT
        with self.proxy.lock:
            self.proxy.under_way += chat
            self.proxy.highest = max(self.proxy.highest, self.proxy.under_way)
        try:
            self._do(asked, raw, self.proxy.take(asked))
        except OSError:  # The client is gone.
            self.close_connection = True
        finally:
            with self.proxy.lock:
                self.proxy.under_way -= chat

    do_GET = do_POST = _serve

    def _do(self, asked: Asked, raw: bytes, fault: Fault | None) -> None:
        if isinstance(fault, Hang):
            while self.connection.recv(1):
                pass
            self.proxy.given_up.append(asked)
            self.close_connection = True
        elif isinstance(fault, Answer):
            body = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
            self._send(fault.status, {"Content-Type": "application/json", **fault.headers}, body)
        elif fault == Drop():
            self._hang_up()
        else:
            if isinstance(fault, Meet):
                fault.barrier.wait(timeout=30)
            self._pass_on(asked, raw, fault)

    def _pass_on(self, asked: Asked, raw: bytes, fault: Fault | None) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=120)
        passed_on = ("content-type", "authorization")
        headers: dict[str, str] = {name: asked.headers[name] for name in passed_on if name in asked.headers}
        upstream.request(asked.method, asked.path, raw or None, headers)
        reply = upstream.getresponse()
        body = reply.read()
        upstream.close()
        if isinstance(fault, Edit):
            content = json.loads(body)
            fault.change(content)
            body = json.dumps(content).encode()
        cut = fault.after_bytes if isinstance(fault, Drop) else None
        self._send(reply.status, {"Content-Type": reply.headers["Content-Type"]}, body, cut)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:cut])
        self.wfile.flush()
        if cut is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
