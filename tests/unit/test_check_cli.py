"""`rapport check`: one line a check, JSON, and an exit code for each way it can end."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from leaderboard.checks.records import CheckName, CheckReport
from leaderboard.cli.main import main
from tests.model_folders import make_adapter_folder, make_model_folder


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    make_model_folder(folder)
    make_adapter_folder(folder)
    monkeypatch.setenv("RAPPORT_MODELS", str(folder))
    monkeypatch.setenv("RAPPORT_REDIS_URL", "")
    return folder


def check(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["rapport", "check", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_good_model_ends_with_zero_and_a_line_for_each_check(monkeypatch, capsys):
    assert check(monkeypatch, "local/tiny") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == list(CheckName)
    assert {line.split()[0] for line in lines} == {"ok", "!!", "--"}
    assert "no leaderboard is configured" in lines[-4]


def test_a_refused_model_ends_with_one_and_says_what_to_do(monkeypatch, capsys, models):
    (models / "tiny" / "tokenizer_config.json").unlink()
    assert check(monkeypatch, "local/tiny") == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("NO")]
    assert "chat_template" in line
    assert "Submit an instruction-tuned model" in line


def test_the_list_is_json_when_asked_for(monkeypatch, capsys):
    assert check(monkeypatch, "local/tiny", "--adapter", "local/lora", "--json") == 0
    found = CheckReport.model_validate_json(capsys.readouterr().out)
    assert (found.allowed, found.model, found.adapter) == (True, "local/tiny", "local/lora")
    assert json.loads(found.model_dump_json())["checks"][0]["name"] == "id"


def test_an_unknown_protocol_is_named_before_anything_is_asked(monkeypatch, capsys):
    assert check(monkeypatch, "local/tiny", "--protocol", "none-v1") == 1
    assert "There is no protocol 'none-v1'" in capsys.readouterr().err


def test_control_characters_of_a_stranger_do_not_reach_the_terminal(monkeypatch, capsys, models):
    config = json.loads((models / "tiny" / "config.json").read_text()) | {"architectures": ["\x1b[31mRed\u202e"]}
    (models / "tiny" / "config.json").write_text(json.dumps(config))
    assert check(monkeypatch, "local/tiny") == 1
    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.splitlines())


def test_a_leaderboard_that_does_not_answer_ends_with_three(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("RAPPORT_REDIS_URL", f"unix://{tmp_path}/nobody.sock")
    assert check(monkeypatch, "local/tiny") == 3
    assert "?? fit" in capsys.readouterr().out
