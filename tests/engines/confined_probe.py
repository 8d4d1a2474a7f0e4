"""Runs where an engine would, and tells what it can do there: one JSON line for each on standard input."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluator.engines.confine import confinement


def works(action: Callable[[], Any]) -> bool:
    try:
        action()
    except OSError:
        return False
    return True


def talks_to_itself() -> bool:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return works(socket.create_connection(server.getsockname(), timeout=5).close)


def look(asked: dict[str, Any]) -> dict[str, Any]:
    status = Path("/proc/self/status").read_text()
    there = {path: os.path.exists(path) for path in asked.get("there", ())}
    return {
        "done": confinement().done,
        "hindered": confinement().hindered,
        "user": [os.getresuid(), os.getresgid(), os.getgroups()],
        "new_privileges": "NoNewPrivs:\t1" not in status,
        "powers": int(status.split("CapEff:\t")[1].split()[0], 16),
        "makes_name_spaces": can_make_name_spaces(),
        "becomes_root": works(lambda: os.setuid(0)),
        "reaches": [reaches(host, port) for host, port in asked.get("ports", ())],
        "interfaces": [name for _, name in socket.if_nameindex()],
        "talks_to_itself": talks_to_itself(),
        "there": there,
        "reads": {path: works(lambda path=path: Path(path).open("rb").close()) for path in asked.get("reads", ())},
        "connects": {path: connects(path) for path in asked.get("sockets", ())},
        "writes": {
            path: works(lambda path=path: Path(path, "written").write_text("x")) for path in asked.get("writes", ())
        },
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "home": [os.getcwd(), os.environ["HOME"], tempfile.gettempdir()],
    }


def reaches(host: str, port: int) -> bool:
    return works(lambda: socket.create_connection((host, port), timeout=2).close())


def connects(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as ours:
        return works(lambda: ours.connect(path))


def can_make_name_spaces() -> bool:
    pid = os.fork()
    if pid == 0:
        os._exit(ctypes.CDLL(None).unshare(0x10000000) == 0)
    _, status = os.waitpid(pid, 0)
    return status != 0


def main() -> None:
    print(json.dumps(look(json.loads(sys.stdin.readline()))), flush=True)


if __name__ == "__main__":
    main()
