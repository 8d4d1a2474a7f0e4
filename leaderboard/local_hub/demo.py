"""The local Hub of `rapport demo --hub`: where it is, who may write to it, and which processes take it for the Hub.

`huggingface_hub` reads HF_ENDPOINT once, when it is imported, so a process that is to take another address for the Hub
has to be started with it. Publisher and page are; whoever loads models keeps the environment of the caller.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import httpx

from evaluator.errors import Cause, RapportError

OWNER = "demo"
STEM = f"hub://{OWNER}/rapport"
"""RAPPORT_STORE of the demo."""
TOKEN = "RAPPORT_LOCAL_HUB_TOKEN"  # noqa: S105 - The name of a variable.
"""Variable that tells the server which token may write."""
_PASSED_ON = "RAPPORT_DEMO_HUB"
_READY_SECONDS, _PAUSE_SECONDS = 20.0, 0.05
_HERE = "127.0.0.1"


class DemoHub(NamedTuple):
    """A local Hub and the way to it.

    Example:
        >>> hub = DemoHub(8080, "hf_made_up", {"HF_TOKEN": "hf_own"})
        >>> hub.url, hub.environment["HF_TOKEN"], hub.outer({"HF_TOKEN": "hf_made_up", "HF_ENDPOINT": hub.url})
        ('http://127.0.0.1:8080', 'hf_made_up', {'HF_TOKEN': 'hf_own'})
    """

    port: int
    token: str
    """Made up; nobody else knows it."""
    outside: Mapping[str, str]
    """The caller's own values of the variables in `environment`."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{_HERE}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a process that takes it for the Hub."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": self.token,
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",  # It takes large files in the older way.
            "RAPPORT_STORE": STEM,
            "NO_PROXY": ",".join(filter(None, [self.outside.get("NO_PROXY"), _HERE])),
        }

    def outer(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Returns an environment as it is without this Hub."""
        ours = {*self.environment, _PASSED_ON}
        return {name: value for name, value in environment.items() if name not in ours} | dict(self.outside)

    def begin_anew(self) -> None:
        """Replaces this process by the same command, which then takes it for the Hub."""
        told = os.environ | self.environment | {_PASSED_ON: json.dumps(self._asdict())}
        os.execve(sys.executable, [sys.executable, "-m", "leaderboard.cli", *sys.argv[1:]], told)

    def wait(self, log: Path) -> None:
        """Waits until it answers.

        Raises:
            RapportError: `infrastructure` if it does not.
        """
        waiting = threading.Event()
        for _ in range(int(_READY_SECONDS / _PAUSE_SECONDS)):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(self.url, trust_env=False)
                return
            waiting.wait(_PAUSE_SECONDS)
        raise RapportError(Cause.INFRASTRUCTURE, "The local Hub did not start.", f"See {log}.")

    def make_data_sets(self) -> None:
        """Makes the demo's data sets, as a maintainer does on the Hub.

        Raises:
            RapportError: `infrastructure` if they could not be made.
        """
        command = [sys.executable, "-m", "leaderboard.cli", "store", "create"]
        told = os.environ | self.environment
        if subprocess.run(command, env=told, stdout=sys.stderr, check=False).returncode:
            raise RapportError(Cause.INFRASTRUCTURE, "The demo's data sets could not be made.", "See the line above.")


def demo_hub() -> DemoHub:
    """Returns the local Hub that this process takes for the Hub, after beginning anew if it does not yet."""
    if _PASSED_ON not in os.environ:
        new_hub().begin_anew()
    return DemoHub(**json.loads(os.environ[_PASSED_ON]))


def new_hub() -> DemoHub:
    """Returns a Hub that does not run yet: on a free port, with a token of its own."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((_HERE, 0))
        port = int(probe.getsockname()[1])
    hub = DemoHub(port, f"hf_{secrets.token_hex(17)}", {})
    return hub._replace(outside={name: os.environ[name] for name in hub.environment if name in os.environ})
