"""The processes of a site, each kept running as a machine's service manager would: what dies is started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.faults.processes import below, send
from tests.waiting import until

_SHARED_MEMORY = Path("/dev/shm")
"""Where libfaketime puts what a process and its children share."""


class Role:
    """One long-running process that is started again whenever it is gone."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self._command, self._environment, self.log = name, command, environment, log
        self._lock = threading.Lock()
        self._wanted = True
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "leaderboard.processes", str(os.getpid()), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self._environment),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process as it is now."""
        return self._process.pid

    def revive(self) -> bool:
        """Starts it again if it is gone and wanted; says whether it did."""
        with self._lock:
            if not self._wanted or self._process.poll() is None:
                return False
            _tidy(self.pid)
            self._process = self._start()
            return True

    @contextlib.contextmanager
    def killed(self) -> Iterator[None]:
        """Kills it; it is not started again before the context is left."""
        with self._lock:
            send(self.pid, signal.SIGKILL)
            self._process.wait()
            yield

    def end(self) -> None:
        """Kills it with all that it started, for good."""
        with self._lock:
            self._wanted = False
            family = below([self.pid])
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            for pid in family:
                send(pid, signal.SIGKILL)
            self._process.wait()
            _tidy(self.pid)
            until(lambda: not below([self.pid]), what=f"nothing of {self.name} is left")


def _tidy(pid: int) -> None:
    """Removes what libfaketime leaves behind of a process that was killed."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        (_SHARED_MEMORY / name).unlink(missing_ok=True)


class Keeper:
    """Starts dead roles again until told to end; the only thread that does."""

    def __init__(self, seconds: float = 0.1) -> None:
        self.roles: dict[str, Role] = {}
        self._ended = threading.Event()
        self._seconds = seconds
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def add(self, role: Role) -> Role:
        """Keeps a role running from now on."""
        self.roles[role.name] = role
        return role

    def _keep(self) -> None:
        while not self._ended.wait(self._seconds):
            for role in list(self.roles.values()):
                role.revive()
        # Linux kills a child when the thread that started it ends: this one outlives them all.
        for role in list(self.roles.values()):
            role.end()

    def end(self) -> None:
        """Ends all roles."""
        self._ended.set()
        self._thread.join()
