"""Runs where an engine would, and tells what it can do there: one JSON line for each on standard input."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluator.engines.confine import confinement
from evaluator.engines.launch import launch


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
        "becomes_root": works(lambda: os.setuid(0)),
        "reaches": [reaches(host, port) for host, port in asked.get("ports", ())],
        "interfaces": [name for _, name in socket.if_nameindex()],
        "talks_to_itself": talks_to_itself(),
        "there": there,
        "reads": {path: works(Path(path).read_bytes) for path in asked.get("reads", ())},
        "writes": {
            path: works(lambda path=path: Path(path, "written").write_text("x")) for path in asked.get("writes", ())
        },
        "home": [os.getcwd(), os.environ["HOME"], tempfile.gettempdir()],
    }


def reaches(host: str, port: int) -> bool:
    return works(lambda: socket.create_connection((host, port), timeout=2).close())


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    if asked.pop("again", False):
        # Once more from inside: as somebody who is not root.
        launched = launch("tests.engines.confined_probe", map(Path, asked.get("folders", ())), sys.stderr.buffer)
        said, _ = launched.process.communicate(json.dumps(asked).encode())
        launched.discard()
        print(said.decode(), end="", flush=True)
        return
    print(json.dumps(look(asked)), flush=True)


if __name__ == "__main__":
    main()
