"""The pictures of the README: which pages they show, and how they are made small.

Tests make them in a folder of their own; `make screenshots` makes those in `docs` anew.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Page

from tests.browse.walks import Found
from tests.browsing import ROOT, WIDE

MOST_BYTES = 200_000
_COLOURS = 128
_NAMED = re.compile(r"docs/([\w-]+\.png)")


class Shot(NamedTuple):
    """One picture."""

    name: str
    address: str
    scheme: Literal["light", "dark"] = "light"
    height: int = 900


def shots(found: Found) -> tuple[Shot, ...]:
    """Returns the pictures, on a generated site."""
    return (
        Shot("board.png", "/#board"),
        Shot("board-dark.png", "/#board", "dark"),
        Shot("model.png", f"/model?id={quote(found.models[0])}"),
        Shot("compare.png", f"/compare?ids={','.join(quote(name) for name in found.compared[:2])}"),
        Shot("submission.png", f"/submission?id={found.submissions[0]}"),
    )


def take(page: Page, site: str, shot: Shot, folder: Path) -> Path:
    """Makes a picture, with as many colours as a page needs; returns its file."""
    page.set_viewport_size({"width": WIDE, "height": shot.height})
    page.emulate_media(color_scheme=shot.scheme, reduced_motion="reduce")
    page.goto(site + shot.address)
    whole = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    file = folder / shot.name
    whole.quantize(_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    return file


def named_in_readme() -> Iterator[str]:
    """Yields the names of pictures in `docs` that the README shows."""
    yield from _NAMED.findall((ROOT / "README.md").read_text(encoding="utf-8"))
