"""A site as a Space runs it, with a login, in a process of its own: `python -m tests.api.space` is that process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from leaderboard.connection import web_client
from leaderboard.settings import Settings
from leaderboard.web import create_app, serve
from tests.e2e.site import free_port, page
from tests.waiting import until

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def running_space(folder: Path, redis_url: str, hub_url: str, **settings: str) -> Iterator[str]:
    """Runs one; yields its address. Its output stands in `folder/log`."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "OAUTH_", "HF_"))}
    environment = kept | {
        "SYSTEM": "spaces",
        "SPACE_ID": "org/rapport",
        "OAUTH_CLIENT_ID": "client",
        "OAUTH_CLIENT_SECRET": "secret-of-the-space",
        "OAUTH_SCOPES": "openid profile",
        "OPENID_PROVIDER_URL": hub_url,
        "HF_ENDPOINT": hub_url,
        "HF_HOME": str(folder / "home"),
        "RAPPORT_PORT": str(port),
        "RAPPORT_DATA": str(folder / "data"),
        "RAPPORT_REDIS_URL": redis_url,
        "NO_PROXY": "127.0.0.1",
        **settings,
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.api.space"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        until(lambda: _answers(process, port, folder), what="the site answers", within=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _answers(process: subprocess.Popen[bytes], port: int, folder: Path) -> bool:
    assert process.poll() is None, (folder / "log").read_text()
    return page(port) is not None


if __name__ == "__main__":
    chosen = Settings()
    serve(create_app(chosen, web_client(chosen.redis_url)), host="127.0.0.1", port=chosen.port, log_level="debug")
