"""What a worker says of itself: the machine, its lanes, and what models run on here."""

from __future__ import annotations

import importlib.metadata
import logging
import socket
import subprocess

import psutil

from evaluator.engines.launch import confinement_here
from leaderboard.fleet import Announcement
from leaderboard.gpus import gpus
from leaderboard.records import now
from leaderboard.settings import Settings
from worker.engines import own_dtype, own_engine

log = logging.getLogger("rapport.worker")

ANNOUNCE_SECONDS = 5.0
KEPT_SECONDS = 20.0
"""How long an announcement is believed after its worker has fallen silent."""


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


def _version(engine: str) -> str:
    """Returns the version of the distribution that an engine comes in; `1` for one of our own."""
    names = importlib.metadata.packages_distributions().get(engine, ())
    return importlib.metadata.version(names[0]) if names else "1"
