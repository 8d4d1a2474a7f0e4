"""`rapport human`: what it prints, and how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from evaluator.human.importers.pseudonyms import VARIABLE
from evaluator.human.importers.sources import import_source
from leaderboard.cli.main import main
from tests.human.sources import SECRET, ToolSource, alpsbench_record, bytes_of, write_rows
from tests.human.tables import Tables


@pytest.fixture
def alpsbench(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "task1.jsonl", [alpsbench_record()])


def rapport(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Runs a command; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["rapport", "human", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def import_tool(monkeypatch: pytest.MonkeyPatch, tool: ToolSource, target: Path, *options: str) -> int:
    items = [f"--items={task}={path}" for task, path in tool.options().items]
    return rapport(monkeypatch, "import", "tool", tool.answers, target, *items, *options)


def test_importing_prints_what_was_placed_and_what_not(monkeypatch, capsys, tmp_path):
    tool = ToolSource(tmp_path / "tool")
    write_rows(tool.answers / "Alice_task6.jsonl", [tool.rated("Alice", 6)])
    monkeypatch.setenv(VARIABLE, SECRET)

    assert import_tool(monkeypatch, tool, tmp_path / "labels", f"--evidence={tool.evidence}") == 0

    out, err = capsys.readouterr()
    assert "attribute_labels: 6 read, 6 placed, 0 completed, 0 already there, 0 not placed" in out
    assert "annotators: 3, 3 of them new" in out
    assert "not placed, invalid: 1 response_ratings (Alice_task6.jsonl:1 attribute 0: rating:" in out
    assert SECRET not in out + err


def test_the_report_can_be_had_as_json(monkeypatch, capsys, tmp_path, alpsbench):
    assert rapport(monkeypatch, "import", "alpsbench", alpsbench, tmp_path / "labels", "--json") == 0

    report = json.loads(capsys.readouterr().out)
    assert (report["kind"], report["changed"], report["not_placed"]) == ("alpsbench", True, [])
    assert {each["table"]: each["placed"] for each in report["tables"]} == {
        "conversations": 1,
        "attributes": 5,
        "attribute_labels": 3,
    }


def test_a_second_import_says_that_nothing_changes(monkeypatch, capsys, tmp_path, alpsbench):
    rapport(monkeypatch, "import", "alpsbench", alpsbench, tmp_path / "labels")
    before = bytes_of(tmp_path / "labels")
    assert rapport(monkeypatch, "import", "alpsbench", alpsbench, tmp_path / "labels") == 0
    assert "nothing to change" in capsys.readouterr().out
    assert bytes_of(tmp_path / "labels") == before


def test_without_a_salt_it_fails_with_the_remedy(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert import_tool(monkeypatch, ToolSource(tmp_path / "tool"), tmp_path / "labels") == 1
    assert "openssl rand" in capsys.readouterr().err
    assert not (tmp_path / "labels").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "tool", "SOURCE", "DIR"),
        ("import", "tool", "SOURCE", "DIR", "--items", "task4.jsonl"),
        ("import", "columns", "SOURCE", "DIR"),
        ("import", "alpsbench", "SOURCE", "DIR", "--salt-file", "salt"),
        ("import", "alpsbench", "SOURCE", "DIR", "--notes"),
        ("import", "columns", "SOURCE", "DIR", "--columns", "map.yaml", "--revision", "main"),
        ("import", "magic", "SOURCE", "DIR"),
        ("import", "set", "SOURCE"),
        ("check",),
    ],
)
def test_options_that_mean_nothing_are_wrong_usage(monkeypatch, tmp_path, arguments):
    monkeypatch.chdir(tmp_path)
    assert rapport(monkeypatch, *arguments) == 2
    assert not list(tmp_path.iterdir())


def test_checking_a_data_set_without_faults_succeeds_and_folds_notes(monkeypatch, capsys, tmp_path):
    records = [alpsbench_record(f"sess_{number}") for number in range(4)]
    rapport(monkeypatch, "import", "alpsbench", write_rows(tmp_path / "r.jsonl", records), tmp_path / "labels")
    capsys.readouterr()

    assert rapport(monkeypatch, "check", tmp_path / "labels") == 0

    lines = capsys.readouterr().out.splitlines()
    assert "note: attributes: 7 more of consensus_only (--json has all)" in lines
    assert lines[-1].endswith(": 0 errors, 20 notes")


def test_every_item_with_fewer_than_two_annotators_is_named_in_json(monkeypatch, capsys, tmp_path):
    tables = Tables(tmp_path / "source")
    tables.write("attributes.csv", "id,user,sentence,talks,sure", *(f"a{n},u@x.org,T{n}.,c1," for n in range(1, 9)))
    votes = (f"a{number},Alice,ok,,," for number in range(1, 9))
    tables.write("votes.csv", "id,worker,vote,when,remark,seconds", *votes, "a3,Bob,no,,,")
    import_source("columns", str(tables.folder), tmp_path / "labels", tables.options())

    assert rapport(monkeypatch, "check", tmp_path / "labels") == 0
    printed = capsys.readouterr().out
    assert sum(line.startswith("note: attributes/") for line in printed.splitlines()) == 5, printed
    assert "note: attributes: 2 more of one_annotator (--json has all)" in printed

    assert rapport(monkeypatch, "check", tmp_path / "labels", "--json") == 0
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [each["row"] for each in found if each["problem"] == "one_annotator" and each["table"] == "attributes"] == [
        f"a{number}" for number in (1, 2, 4, 5, 6, 7, 8)
    ]


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_source_of_which_nothing_is_placed_ends_with_zero_and_a_warning(monkeypatch, capsys, tmp_path, as_json):
    tables = Tables(tmp_path / "source")
    columns = "{attribute_id: id, annotator_id: worker, label: vote}"
    tables.map.write_text(f"attribute_labels: {{file: votes.csv, columns: {columns}}}")
    call = (
        "import",
        "columns",
        tables.folder,
        tmp_path / "labels",
        "--columns",
        tables.map,
        "--salt-file",
        tables.salt,
    )
    assert rapport(monkeypatch, *call, *as_json) == 0
    out, err = capsys.readouterr()
    assert ("nothing to change" in out) == (not as_json)
    assert f"warning: nothing of {tables.folder} is in {tmp_path / 'labels'}: 0 rows placed, 2 not placed." in err


def test_a_source_that_is_there_already_warns_of_nothing(monkeypatch, capsys, tmp_path, alpsbench):
    for _ in range(2):
        assert rapport(monkeypatch, "import", "alpsbench", alpsbench, tmp_path / "labels") == 0
        assert "warning" not in capsys.readouterr().err


def test_checking_a_broken_data_set_fails_and_names_the_row(monkeypatch, capsys, tmp_path, alpsbench):
    rapport(monkeypatch, "import", "alpsbench", alpsbench, tmp_path / "labels")
    labels = tmp_path / "labels/attribute_labels/part-0000.jsonl"
    row = json.loads(labels.read_text().splitlines()[0]) | {"attribute_id": "gone"}
    with labels.open("a") as file:
        file.write(json.dumps(row) + "\n")
    capsys.readouterr()

    assert rapport(monkeypatch, "check", tmp_path / "labels") == 1
    assert "error: attribute_labels/part-0000.jsonl:4 " in capsys.readouterr().out

    assert rapport(monkeypatch, "check", tmp_path / "labels", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["errors"] == 1
    assert [each["problem"] for each in found["findings"] if each["severity"] == "error"] == ["broken_reference"]


def test_checking_no_folder_fails(monkeypatch, capsys, tmp_path):
    assert rapport(monkeypatch, "check", tmp_path / "nowhere") == 1
    assert "not_found" in capsys.readouterr().err
