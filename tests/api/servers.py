"""Servers that are no Rapport, or an older one."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import gradio as gr
import uvicorn
from fastapi import FastAPI

from leaderboard.api.records import Checked, Checklist
from tests.waiting import until

Answer = tuple[int, dict[str, str], bytes]


@contextlib.contextmanager
def answering(answer: Callable[[str], Answer]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Runs a server that is no Rapport; yields its address and the headers of what it was asked."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()})
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def older_site() -> Iterator[str]:
    """A site from before there were all of these endpoints, and whose board and checks were others."""

    def board() -> list[str]:
        return ["org/model"]

    def status(submission: str) -> dict[str, str]:
        return {"id": submission}

    def check(model: str, revision: str, adapter: str, adapter_revision: str, thinking: bool) -> Checklist:
        line = Checked(name="luck", result="perhaps", message="Who knows?", remedy="", cause=None, facts={})
        return Checklist(
            schema_version=1,
            allowed=True,
            model=model,
            revision=None,
            adapter=None,
            adapter_revision=None,
            facts=None,
            checks=[line],
        )

    with gr.Blocks() as blocks:
        gr.api(board, api_name="board")
        gr.api(status, api_name="status")
        gr.api(check, api_name="check")
    app = gr.mount_gradio_app(FastAPI(), blocks, path="/")
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started, what="the site serves")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
