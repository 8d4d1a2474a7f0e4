"""A `constants.py` in the layout of HiCUPID's authors, in words of our own, and a server that hands out such files."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SOURCE = '''"""Names and prompts."""
MODEL_NAMES = {"a": make_name("a"), "b": 1 + 1}

INFERENCE_PROMPTS = {
    "zero/system": [{"role": "system", "content": """
Mind what you know of the user. Write {"this": "as it is"}, and {{so}} too.
""".strip()}],
    "zero/user": [
        {"role": "user", "content": "Mind what you " "know of me."},
        {"role": "assistant", "content": ("I shall.")},
    ],
    "few/system/1": [{"role": "system", "content": "One."}],
    "few/system/3": [{"role": "system", "content": "Three."}],
    "few/system/5": [{"role": "system", "content": "Five."}],
    "few/user/1": [{"role": "user", "content": "One."}, {"role": "assistant", "content": "Yes."}],
    "few/user/3": [{"role": "user", "content": "Three."}, {"role": "assistant", "content": "Yes."}],
    "few/user/5": [{"role": "user", "content": "Five."}, {"role": "assistant", "content": "Yes."}],
}

EVALUATION_PROMPTS: dict[str, list] = {
    "persona": [{"role": "user", "content": """
Which is better? Reply as {{"better": "A"}}.
The user {relation} {entity}. {question}
A: {answer_a}
B: {answer_b}
""".strip()}],
    "profile": [{"role": "user", "content": (
        "{age} {gender} {personality} {occupation} {income_range}: {relation} {entity}. "
        "{question} A: {answer_a} B: {{{answer_b}}}"
    )}],
    "schedule": {"role": "user", "content": "{datetime}: {event}. {question} {answer}"},
}

TEMPLATE = "{% if x %}" + "{{ x }}"
'''

SHA256 = hashlib.sha256(SOURCE.encode()).hexdigest()


def changed(old: str, new: str) -> str:
    """Returns the file with one place changed."""
    assert SOURCE.count(old) == 1
    return SOURCE.replace(old, new)


Answer = Callable[[BaseHTTPRequestHandler], None]


def sends(content: bytes) -> Answer:
    """Answers with a file."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        request.wfile.write(content)

    return answer


def leads_to(place: str) -> Answer:
    """Answers with a redirect."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", place)
        request.send_header("Set-Cookie", "track=me")
        request.end_headers()

    return answer


def refuses(status: int) -> Answer:
    """Answers with an error."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_error(status)

    return answer


class Server(ThreadingHTTPServer):
    """Answers by path; unknown paths are 404."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Answer] = {}
        self.headers: list[dict[str, str]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def handle_error(self, *_: object) -> None:
        """Keeps test output quiet: a client that has seen enough hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.server.answers.get(self.path, refuses(404))(self)

    def log_message(self, *_: object) -> None:
        """Keeps test output quiet."""


@contextmanager
def serving() -> Iterator[Server]:
    """Starts a server on a free port of this machine."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
