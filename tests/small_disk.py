"""A small file system of its own, for tests of what happens when it is full."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

NO_SMALL_DISK = "this machine lets us mount no small file system, not even with sudo"


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[bool]:
    """Mounts a file system in memory on an empty folder; says whether this machine lets us.

    It lets root in most places but containers, and others where `sudo` asks for no password, as on most CI machines.

    Args:
        folder: Where it is mounted; it belongs to whoever runs the tests.
        size: As `mount` takes it, such as `700m`.
    """
    as_root = () if os.geteuid() == 0 else ("sudo", "-n")
    options = f"size={size},mode=755,uid={os.geteuid()},gid={os.getegid()}"
    mounted = _done(*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    try:
        yield mounted
    finally:
        if mounted:
            assert _done(*as_root, "umount", "-l", str(folder)), f"{folder} stays mounted"


def _done(*command: str) -> bool:
    """Runs a command, if it is there; says whether it succeeded."""
    return bool(shutil.which(command[0])) and subprocess.run(command, check=False, capture_output=True).returncode == 0
