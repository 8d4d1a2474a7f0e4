"""What docs/reproduce.md says is what the command does."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from evaluator.reproduction import NEAR_TIE
from worker.local.cli import app

TEXT = (Path(__file__).parents[2] / "docs" / "reproduce.md").read_text(encoding="utf-8")


def test_every_option_is_described_and_no_other() -> None:
    command = typer.main.get_command(app).commands["reproduce"]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    table = TEXT.split("| option |", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^\| `(--[a-z-]+)", table, re.MULTILINE)) == options - {"--help"}


def test_the_threshold_of_near_ties_is_the_one_in_use() -> None:
    assert f"less than {NEAR_TIE:g} apart" in TEXT
