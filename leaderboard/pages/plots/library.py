"""Plotly as this site serves it: one file of a known version, kept by browsers for ever, from here and nowhere else."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import NamedTuple

from fastapi import Request
from fastapi.responses import Response

from leaderboard.pages.render import STATIC

VERSION = "4.1.1"
"""Another version is another name, so that whoever has kept the old one asks for it."""
NAME = f"plotly-basic-{VERSION}.min.js"
ADDRESS = f"/site/vendor/{NAME}"
FOLDER: Path = STATIC / "vendor"
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


class _Library(NamedTuple):
    """The file."""

    plain: bytes
    packed: bytes
    """The same, compressed with gzip."""


def library(request: Request) -> Response:
    """Sends Plotly, compressed where that can be read."""
    headers = dict(_HEADERS)
    if "gzip" in request.headers.get("accept-encoding", "").lower():
        headers["Content-Encoding"] = "gzip"
        return Response(_read().packed, headers=headers, media_type="text/javascript")
    return Response(_read().plain, headers=headers, media_type="text/javascript")


@cache
def _read() -> _Library:
    """Reads the file once: 1.2 MB, and 0.4 MB compressed, which takes longer than sending it."""
    plain = (FOLDER / NAME).read_bytes()
    return _Library(plain, gzip.compress(plain, mtime=0))
