"""Everything that people can reach stands in the docs: every page, every file, every command.

Settings are looked after in `test_house`, endpoints of the API in `tests/api/test_docs`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from fastapi import FastAPI
from starlette.routing import Mount, Route

from leaderboard.cli.main import app as commands
from leaderboard.settings import Settings
from leaderboard.web import create_app

ROOT = Path(__file__).parents[2]
WITH_REDIS = "/manage"
"""Gradio draws it only where there are submissions to be managed."""
DOCS = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
)


def addresses(app: FastAPI) -> list[str]:
    """Every address that can be opened, with Gradio's pages."""
    (mounted,) = [route.app for route in app.routes if isinstance(route, Mount) and hasattr(route.app, "get_blocks")]
    drawn = [f"/{path}" for path, *_ in _blocks(mounted).pages if path]
    return sorted({WITH_REDIS, *drawn, *(route.path for route in app.routes if isinstance(route, Route))})


def _blocks(app: Any) -> Any:
    return app.get_blocks()


def parts(address: str) -> str:
    """A pattern of an address as docs write it, whatever they call what is put into it."""
    return r"`(?:[A-Z]+ )?" + re.sub(r"\\\{[^}]*\\\}", r"[^/`]+", re.escape(address)) + r"(?:[?`/ ]|\.\w+`)"


def named(command: click.Command, before: str) -> list[str]:
    """All commands below one, as they are typed."""
    if isinstance(command, click.Group):
        return [each for name, below in command.commands.items() for each in named(below, f"{before} {name}")]
    return [before]


def test_every_address_stands_in_the_docs(tmp_path: Path) -> None:
    known = addresses(create_app(Settings(data=tmp_path, allow_local_user=True), None))
    assert len(known) > 20
    assert [address for address in known if not re.search(parts(address), DOCS)] == []


@pytest.mark.parametrize("command", named(typer.main.get_command(commands), "rapport"))
def test_every_command_stands_in_the_docs(command: str) -> None:
    assert re.search(rf"{command}\b", DOCS), f"no page of the docs names `{command}`"
