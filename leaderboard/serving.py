"""How an app is served: the site, or the page that says what it lacks, which starts without all that the site needs."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

from leaderboard.memory import few_arenas

_MOST_CONNECTIONS = 800
"""Below the 1,024 files that many systems let a process have open."""

_SWITCH_SECONDS = 0.001
"""How long a thread that builds a board may go on while an answer waits; Python's own five times as much adds up."""


def server_config(app: FastAPI, **options: Any) -> uvicorn.Config:
    """Returns how the site is served: no log of addresses, no header believed that the guard has not looked at."""
    config = uvicorn.Config(
        app,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        limit_concurrency=_MOST_CONNECTIONS,
        **options,
    )
    logging.getLogger("uvicorn.access").disabled = True  # Its lines hold addresses; some logging set-ups bring it back.
    return config


def serve(app: FastAPI, sockets: list[socket.socket] | None = None, **options: Any) -> None:
    """Serves the site until told to stop.

    Args:
        app: The site.
        sockets: Where it listens; None opens what `options` name.
        options: Of `uvicorn.Config`, such as `host`.
    """
    # What stands by now stands for good: 300,000 objects, most of them Gradio's. Each time that all of them are looked
    # through for garbage, every visitor waits for a fifth of a second, and longer on a busy machine.
    gc.collect()
    gc.freeze()
    few_arenas()
    sys.setswitchinterval(_SWITCH_SECONDS)
    uvicorn.Server(server_config(app, **options)).run(sockets=sockets)
