"""Starts the real `rapport demo` in a folder of its own and watches what it leaves behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil

from leaderboard.store import layout
from leaderboard.store.local import LocalStore
from leaderboard.store.runs import StoredRun

PATIENCE_SECONDS = 420
"""Bound of every wait: only a broken site comes near it."""

T = TypeVar("T")


def eventually(look: Callable[[], T | None], what: str, patience: float = PATIENCE_SECONDS) -> T:
    """Returns what `look` finds as soon as it finds something."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """One `rapport demo` process with everything that it starts."""

    def __init__(
        self, folder: Path, models: Path, *arguments: str, data_set: str = "demo", engine: str = "auto"
    ) -> None:
        self.folder = folder
        self.errors = folder / "stderr.log"
        told = {"RAPPORT_MODELS": str(models), "RAPPORT_DATA_SET": data_set, "RAPPORT_ENGINE": engine}
        folder.mkdir(parents=True, exist_ok=True)
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "leaderboard.cli", "demo", "--data", str(folder / "data"), *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **told},
                start_new_session=True,
            )
        self.family: set[int] = {self.process.pid}

    def descendants(self) -> list[psutil.Process]:
        """Returns all living children, and remembers them for `survivors`."""
        try:
            found = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self.family |= {process.pid for process in found}
        return found

    def find(self, part: str) -> psutil.Process | None:
        """Returns a descendant by a part of its command line."""
        for process in self.descendants():
            with contextlib.suppress(psutil.NoSuchProcess):
                if part in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    return process
        return None

    def survivors(self) -> list[int]:
        """Returns processes of this demo that still run."""
        return [
            pid
            for pid in self.family
            if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        ]

    def interrupt(self) -> int:
        """Does what Ctrl-C does and returns the exit code."""
        self.descendants()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_SECONDS)

    def stored(self) -> list[str]:
        """Returns the answers and verdicts that the archive holds, as JSON."""
        folder = self.folder / "data" / "store"
        if not folder.is_dir():
            return []
        archive = LocalStore(folder)
        runs = {path.split("/")[3] for path in archive.list(layout.RUNS)}
        rows = [StoredRun(archive, run_id).rows() for run_id in sorted(runs)]
        return [row.model_dump_json() for each in rows for row in (*each.generations, *each.verdicts)]

    def log(self) -> str:
        return self.errors.read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def running_demo(
    folder: Path, models: Path, *arguments: str, data_set: str = "demo", engine: str = "auto"
) -> Iterator[Demo]:
    """Runs a demo and leaves nothing of it behind, whatever the test did."""
    demo = Demo(folder, models, *arguments, data_set=data_set, engine=engine)
    try:
        yield demo
    finally:
        demo.descendants()
        demo.process.kill()
        demo.process.wait()
        eventually(lambda: True if not demo.survivors() else None, "the demo's children to end", 60)


def page(port: int, path: str = "/") -> str | None:
    """Returns a page, or None while nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return str(answer.read().decode())
    except OSError:
        return None
