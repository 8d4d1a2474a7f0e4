"""`rapport prompts`: what it prints, and how it ends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evaluator.hicupid.prompt_import import pack_from_source
from evaluator.hicupid.prompts import builtin_pack
from leaderboard.cli.main import main
from tests.unit.authors_file import SHA256, SOURCE, changed, sends, serving


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Packs in a folder of their own, and our file accepted as official."""
    accepted = tmp_path / "mine.yaml"
    pack = pack_from_source(SOURCE.encode()).id
    accepted.write_text(f'sources: []\naccepted: [{{sha256: {SHA256}, pack: "{pack}", note: ours}}]\n')
    (tmp_path / "constants.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.setenv("RAPPORT_PACKS", str(tmp_path / "packs"))
    monkeypatch.setenv("RAPPORT_PROMPT_SOURCES", str(accepted))
    return tmp_path


def rapport(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs a command; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["rapport", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_importing_the_official_file_prints_id_status_and_place(monkeypatch, capsys, folder):
    assert rapport(monkeypatch, "prompts", "import", str(folder / "constants.py"), "--sha256", SHA256) == 0

    out, err = capsys.readouterr()
    pack_id, status, path = out.split()
    assert status == "official"
    assert Path(path) == folder / "packs" / f"{pack_id}.json"
    assert Path(path).is_file()
    assert err == ""


def test_importing_another_file_says_that_it_never_ranks(monkeypatch, capsys, folder):
    (folder / "constants.py").write_text(changed("I shall.", "I will."), encoding="utf-8")

    assert rapport(monkeypatch, "prompts", "import", str(folder / "constants.py")) == 0

    out, err = capsys.readouterr()
    assert out.split()[1] == "imported"
    assert f"makes the pack {out.split()[0]} is accepted: results with these prompts never rank" in err


def test_importing_from_an_address_is_the_same(monkeypatch, capsys, folder):
    with serving() as server:
        server.answers["/constants.py"] = sends(SOURCE.encode())
        assert rapport(monkeypatch, "prompts", "import", server.url("/constants.py")) == 0
    from_address = capsys.readouterr().out

    assert rapport(monkeypatch, "prompts", "import", str(folder / "constants.py")) == 0
    assert capsys.readouterr().out == from_address


def test_the_list_shows_every_pack_with_its_status_and_origin(monkeypatch, capsys, folder):
    assert rapport(monkeypatch, "prompts", "list") == 0
    assert capsys.readouterr().out.split()[:2] == [builtin_pack().id, "builtin"]

    (folder / "other.py").write_text(changed("I shall.", "I will."), encoding="utf-8")
    for name in ("constants.py", "other.py"):
        rapport(monkeypatch, "prompts", "import", str(folder / name))
    capsys.readouterr()

    assert rapport(monkeypatch, "prompts", "list") == 0
    _, *stored = (line.split() for line in capsys.readouterr().out.splitlines())
    assert sorted(line[1:] for line in stored) == [["imported", "other.py"], ["official", "constants.py"]]


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        (SOURCE, ["--sha256", "0" * 64], "rapport: data_error: "),
        ("import os", [], "rapport: data_error: The file assigns nothing to INFERENCE_PROMPTS."),
        (None, [], "rapport: not_found: "),
    ],
)
def test_a_refused_file_is_one_sentence_with_its_cause(monkeypatch, capsys, folder, content, arguments, said):
    (folder / "constants.py").unlink()
    if content is not None:
        (folder / "constants.py").write_text(content)

    assert rapport(monkeypatch, "prompts", "import", str(folder / "constants.py"), *arguments) == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert len(err.splitlines()) == 1
    assert not (folder / "packs").exists()


def test_a_broken_pack_is_named_by_the_list_beside_the_others(monkeypatch, capsys, folder):
    rapport(monkeypatch, "prompts", "import", str(folder / "constants.py"))
    for name in ("0123456789abcdef", "f" * 16):
        (folder / "packs" / f"{name}.json").write_text("{}")
    capsys.readouterr()

    assert rapport(monkeypatch, "prompts", "list") == 1
    out, err = capsys.readouterr()
    assert [line.split()[1] for line in out.splitlines()] == ["builtin", "official"]
    first, second = err.splitlines()
    assert first.startswith("rapport: data_error: ")
    assert "0123456789abcdef.json is broken" in first
    assert f"{'f' * 16}.json is broken" in second


@pytest.mark.parametrize("sha256", ["abc", "g" * 64, ""])
def test_what_cannot_be_a_hash_is_wrong_usage(monkeypatch, capsys, folder, sha256):
    assert rapport(monkeypatch, "prompts", "import", str(folder / "constants.py"), "--sha256", sha256) == 2
    assert "64 hexadecimal digits" in capsys.readouterr().err
