"""A site as a Space runs it, with a login that works, and visitors who hold their cookies themselves.

The session cookie is Secure, so no client sends it over plain http by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tests.e2e.site import eventually, free_port, page
from tests.web.provider import Provider
from tests.web.space_hub import hub_with_stores, settings_for

ROOT = Path(__file__).parents[2]
SECRET = "secret-of-the-space"
SUBMISSION = ["not a model", "", "", "", "none", "", "unknown", False, True]
"""A form whose model id is none, so that nothing leaves this machine."""


@contextlib.contextmanager
def running_site(folder: Path, provider_url: str, **settings: str) -> Iterator[str]:
    """Runs `app.py` as a Space with login; yields its address. Its output stands in `folder/log`."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "OAUTH_"))}
    environment |= {
        "SYSTEM": "spaces",
        "SPACE_ID": "org/rapport",
        "OAUTH_CLIENT_ID": "client",
        "OAUTH_CLIENT_SECRET": SECRET,
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": provider_url,
        "RAPPORT_PORT": str(port),
        "RAPPORT_DATA": str(folder / "data"),
        **settings,
    }
    with hub_with_stores(folder / "hub") as hub, (folder / "log").open("wb") as log:
        environment = {**settings_for(hub), **environment}
        process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            eventually(lambda: page(port) if process.poll() is None else _dead(folder), "a page")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _dead(folder: Path) -> None:
    raise AssertionError((folder / "log").read_text())


class Visitor:
    """A browser without a screen."""

    def __init__(self, site: str, cookie: str = "", address: str = "203.0.113.1") -> None:
        self.site, self.cookie = site, cookie
        self.client = httpx.Client(base_url=site, timeout=60, headers={"X-Forwarded-For": address})

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Sends a request with the session's cookie and keeps the one that comes back."""
        headers = {"Cookie": self.cookie, **options.pop("headers", {})}
        answer = self.client.request(method, path, headers=headers, **options)
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    def log_in(self, provider: Provider, user: str) -> httpx.Response:
        """Goes to the provider and back."""
        sent_away = self.request("GET", "/login/huggingface?_target_url=/submit")
        assert sent_away.headers["location"].startswith(provider.url)
        sent_back = httpx.get(f"{sent_away.headers['location']}&user={quote(user)}")
        return self.request("GET", sent_back.headers["location"].removeprefix(self.site))

    def submit(self, **headers: str) -> httpx.Response:
        """Sends the form; the answer is the stream in which the outcome stands, or the refusal."""
        asked = self.request("POST", "/gradio_api/call/submit", json={"data": SUBMISSION}, headers=headers)
        if asked.status_code != 200:
            return asked
        return self.request("GET", f"/gradio_api/call/submit/{asked.json()['event_id']}")

    def greeting(self) -> str:
        """What the page says of who is logged in."""
        config = self.request("GET", "/config").json()
        loads = [each for each in config["dependencies"] if ["load"] in [target[1:] for target in each["targets"]]]
        (load,) = [each for each in loads if each["api_name"] == "greet"]
        event = {"fn_index": load["id"], "data": [], "session_hash": "abc"}
        self.request("POST", "/gradio_api/queue/join", json=event).raise_for_status()
        stream = self.request("GET", "/gradio_api/queue/data?session_hash=abc").text
        messages = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line]
        (done,) = [message for message in messages if message["msg"] == "process_completed"]
        assert done["success"], done
        return str(done["output"]["data"][0])
