"""The GPUs of this machine, as the driver's own program names them: nothing heavy is imported to find out."""

from __future__ import annotations

import os
import shutil
import subprocess

from leaderboard.fleet import Gpu

_ASK_SECONDS = 20.0
_MIB = 2**20


def gpus() -> tuple[Gpu, ...]:
    """Returns the GPUs that this process may use, as `nvidia-smi` names them; none on a machine without it."""
    command, visible = shutil.which("nvidia-smi"), os.environ.get("CUDA_VISIBLE_DEVICES")
    if command is None or visible == "":
        return ()
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    if visible:
        query += ["-i", visible]
    try:
        told = subprocess.run(query, capture_output=True, text=True, check=True, timeout=_ASK_SECONDS).stdout
    except (subprocess.SubprocessError, OSError):
        return ()
    return gpus_in(told)


def gpus_in(told: str) -> tuple[Gpu, ...]:
    r"""Reads what `nvidia-smi` tells: a line a card with its name and its memory in MiB.

    Example:
        >>> gpus_in("NVIDIA H100 80GB HBM3, 81559\n")
        (Gpu(name='NVIDIA H100 80GB HBM3', memory_bytes=85520809984),)
    """
    lines = (line.rpartition(",") for line in told.splitlines() if line.strip())
    return tuple(
        Gpu(name=name.strip(), memory_bytes=int(size) * _MIB) for name, _, size in lines if size.strip().isdigit()
    )
