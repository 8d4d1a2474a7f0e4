"""The processes of a site, each kept running as a machine's service manager would: what dies is started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from tests.waiting import until


class Role:
    """One long-running process that is started again whenever it is gone."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self._command, self._environment, self._log = name, command, environment, log
        self._lock = threading.Lock()
        self._wanted = True
        self.starts = 0
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with self._log.open("ab") as log:
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

    def alive(self) -> bool:
        """Whether it runs, stopped or not."""
        return self._process.poll() is None

    def revive(self) -> bool:
        """Starts it again if it is gone and wanted; says whether it did."""
        with self._lock:
            if not self._wanted or self.alive():
                return False
            self._process = self._start()
            return True

    def children(self, part: str = "") -> list[psutil.Process]:
        """Its living descendants whose command line holds a part."""
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.status() != psutil.STATUS_ZOMBIE and part in " ".join(process.cmdline()):
                        found.append(process)
        return found

    def end(self) -> None:
        """Kills it with all that it started, for good."""
        with self._lock:
            self._wanted = False
            family = self.children()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process.wait()


class Keeper:
    """Starts dead roles again until told to end; the only thread that does."""

    def __init__(self, seconds: float = 0.2) -> None:
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


def stopped(pid: int) -> bool:
    """Whether a process stands still after SIGSTOP."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[bool]:
    """Holds a process still; tells whether it was alive. It goes on afterwards, if it is still there."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        yield False
        return
    try:
        deadline = time.monotonic() + 5
        while not stopped(pid) and psutil.pid_exists(pid) and time.monotonic() < deadline:
            time.sleep(0.0005)
        yield stopped(pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def gone(pid: int) -> None:
    """Waits until a killed process is no more."""
    until(
        lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE,
        what=f"process {pid} is gone",
    )
