"""What a worker says of itself: the machine, its lanes, and what models run on here."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import shutil
import socket
import subprocess

import psutil

from evaluator.engines.launch import confinement_here
from leaderboard.fleet import Announcement, Gpu
from leaderboard.records import now
from leaderboard.settings import Settings
from worker.engines import own_dtype, own_engine

log = logging.getLogger("rapport.worker")

ANNOUNCE_SECONDS = 5.0
KEPT_SECONDS = 20.0
"""How long an announcement is believed after its worker has fallen silent."""

_ASK_SECONDS = 20.0
_MIB = 2**20


def name_of(pid: int) -> str:
    """Returns the name of the worker, or of the job of one, that is this process of this machine."""
    return f"{socket.gethostname()}-{pid}"


def announcement_of(settings: Settings, name: str) -> Announcement:
    """Returns what a worker of this name says before it has any work."""
    engine = own_engine(settings)
    return Announcement(
        name=name,
        lanes=settings.lanes,
        gpus=gpus(),
        memory_bytes=psutil.virtual_memory().total,
        engine=engine,
        engine_version=_version(engine),
        dtype=own_dtype(settings),
        kv_cache_bytes=int(settings.kv_cache_gib * 2**30),
        context_tokens=settings.context_tokens,
        turn_seconds=settings.turn_seconds,
        confined=_confined(),
        started_at=now(),
    )


def _confined() -> tuple[str, ...]:
    """Returns what engines are confined to; nothing where that cannot be found out, which keeps nobody from work."""
    try:
        return confinement_here().done
    except (OSError, ValueError, subprocess.SubprocessError):
        log.exception("it could not be found out what engines are confined to")
        return ()


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


def _version(engine: str) -> str:
    """Returns the version of the distribution that an engine comes in; `1` for one of our own."""
    names = importlib.metadata.packages_distributions().get(engine, ())
    return importlib.metadata.version(names[0]) if names else "1"
