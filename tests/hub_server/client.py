"""Runs code in a fresh process that takes the local Hub for the real one.

`huggingface_hub` and `datasets` read HF_ENDPOINT, HF_HOME and the token once, when they are imported, into constants,
URL templates and default arguments. A process of its own gets all of them right, forgets caches and connections
between tests, and shows everything the code wrote to its log.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.errors import Cause

_ROOT = Path(__file__).parents[2]
_INHERITED = ("PATH", "SYSTEMROOT", "TMPDIR", "LANG")


class Failure(NamedTuple):
    """How a call failed; `cause` is None for errors that are not typed."""

    kind: str
    cause: Cause | None
    message: str


@dataclass(frozen=True)
class Answer:
    """What a call in the other process came to."""

    outcome: Any
    log: str
    """All that the process wrote, with the traceback of a failure."""

    @property
    def value(self) -> Any:
        assert not isinstance(self.outcome, Failure), f"{self.outcome.message}\n{self.log}"
        return self.outcome

    @property
    def failure(self) -> Failure:
        assert isinstance(self.outcome, Failure), f"It did not fail: {self.outcome}"
        return self.outcome


class Client:
    """Fresh processes with the same environment, and so with the same Hub, token and cache."""

    def __init__(self, hub_url: str, home: Path) -> None:
        self.home = home
        self._environment = {
            "HF_ENDPOINT": hub_url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "127.0.0.1",
            "HOME": str(home),
            "PYTHONPATH": str(_ROOT),
        } | {name: os.environ[name] for name in _INHERITED if name in os.environ}

    def setenv(self, values: Mapping[str, str]) -> None:
        """Sets variables for the calls to come."""
        self._environment |= values

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Answer:
        """Calls a function of an importable module in a fresh process; arguments and result are pickled."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.hub_server.child"],
            input=pickle.dumps((function, args, kwargs)),
            capture_output=True,
            env=self._environment,
            cwd=_ROOT,
            timeout=60,
            check=False,
        )
        log = done.stderr.decode(errors="replace")
        assert done.returncode == 0, log
        return Answer(pickle.loads(done.stdout), log)
