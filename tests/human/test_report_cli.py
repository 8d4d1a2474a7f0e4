"""`rapport human report`: what it prints and saves, and how it ends."""

from __future__ import annotations

import json
import os
import sys

import pytest

from evaluator.human.data import demo_set
from evaluator.human.layout import About, HumanTables
from evaluator.human.report import HumanReport
from evaluator.human.report.text import Heading, Table
from evaluator.human.writing import write_human_set
from leaderboard.cli.human_tables import print_blocks
from leaderboard.cli.main import main
from tests.human.sources import bytes_of


def rapport(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Runs the command; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["rapport", "human", "report", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_it_prints_a_report_and_saves_nothing(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert rapport(monkeypatch, demo_set()) == 0

    out = capsys.readouterr().out
    assert "## Stage 1, verification (simulated)" in out
    assert "simulated-5" in out
    assert not list(tmp_path.iterdir())


def test_it_saves_what_it_prints_beside_pictures_and_leaves_the_data_alone(monkeypatch, capsys, tmp_path):
    before = bytes_of(demo_set())
    assert rapport(monkeypatch, demo_set(), "--out", tmp_path / "new" / "report") == 0

    out, err = capsys.readouterr()
    saved = bytes_of(tmp_path / "new" / "report")
    assert set(map(str, saved)) == {"report.md", "report.json", "label_balance.png", "annotators.png", "drift.png"}
    assert (tmp_path / "new" / "report" / "report.md").read_text().startswith(out.rstrip("\n"))
    assert err.count("saved ") == 5
    assert bytes_of(demo_set()) == before


def test_json_is_the_whole_report_and_that_which_is_saved(monkeypatch, capsys, tmp_path):
    assert rapport(monkeypatch, demo_set(), "--json", "--out", tmp_path) == 0

    out = capsys.readouterr().out
    assert HumanReport.model_validate_json(out).simulated
    assert json.loads(out) == json.loads((tmp_path / "report.json").read_text())


def test_a_second_report_replaces_the_first_with_the_same_bytes(monkeypatch, tmp_path):
    assert rapport(monkeypatch, demo_set(), "--out", tmp_path) == 0
    before = bytes_of(tmp_path)
    assert rapport(monkeypatch, demo_set(), "--out", tmp_path) == 0
    assert bytes_of(tmp_path) == before


@pytest.mark.parametrize("inside", [".", "report"])
def test_it_is_not_saved_within_the_data_set(monkeypatch, capsys, tmp_path, inside):
    write_human_set(tmp_path / "labels", HumanTables(), About())
    before = bytes_of(tmp_path)
    assert rapport(monkeypatch, tmp_path / "labels", "--out", tmp_path / "labels" / inside) == 2
    assert "--out" in capsys.readouterr().err
    assert bytes_of(tmp_path) == before


def test_a_folder_that_is_not_there_and_a_broken_one_are_refused(monkeypatch, capsys, tmp_path):
    assert rapport(monkeypatch, tmp_path / "nothing") != 0
    assert "There is no folder" in capsys.readouterr().err
    (tmp_path / "attributes").mkdir()
    (tmp_path / "attributes" / "part-0000.jsonl").write_text("{}\n")
    assert rapport(monkeypatch, tmp_path) != 0
    assert "rapport human check" in capsys.readouterr().err


def test_a_terminal_gets_tables_without_markup(monkeypatch, capsys):
    """A pseudonym in square brackets would be markup to a careless printer."""
    reader, writer = os.openpty()
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        print_blocks([Heading(1, "Labels"), Table(("who", "share"), (("[red]x", "0.5"),)), "*Shared* items"])
    shown = os.read(reader, 4096).decode()
    os.close(reader)
    assert "[red]x" in shown
    assert "|" not in shown
    assert "Shared items" in shown
