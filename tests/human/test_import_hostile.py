"""Files that somebody made to do harm: read as far as they are rows, refused else, and never run."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from evaluator.errors import RapportError
from evaluator.human.importers import reading
from evaluator.human.importers.events import Missed
from evaluator.human.importers.reading import LONGEST_ROW, read_jsonl, read_table
from evaluator.human.importers.report import MOST_PLACES
from evaluator.human.importers.sources import import_source
from tests.human.sources import ToolSource, alpsbench_record, rows_of, write_rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.jsonl"


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[1]",
        b"null",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": [' + b"0," * 2_000_001 + b"0]}",
        b"\x80\x04\x95pickle",
    ],
)
def test_a_line_that_is_no_row_spoils_no_other(path: Path, line: bytes) -> None:
    path.write_bytes(b'{"a": 1}\n' + line + b'\n\n{"a": 2}')

    first, broken, last = read_jsonl(path)

    assert isinstance(broken, Missed)
    assert (broken.reason, broken.place) == ("unreadable", "rows.jsonl:2")
    assert [row.place for row in (first, last)] == ["rows.jsonl:1", "rows.jsonl:4"]


def test_a_line_without_an_end_takes_no_more_memory_than_a_row(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_ROW", 2**20)
    with path.open("wb") as file:
        for _ in range(64):
            file.write(b"x" * 2**20)
        file.write(b'\n{"a": 1}\n')
    tracemalloc.start()
    try:
        found = list(read_jsonl(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [event.place for event in found] == ["rows.jsonl:1", "rows.jsonl:2"]
    assert peak < 8 * 2**20


def test_what_is_said_of_a_broken_line_does_not_quote_it(path: Path) -> None:
    path.write_bytes(b'{"my secret": 1, "my secret": 2}\n{"a": my secret}\n')
    assert "secret" not in "".join(event.said for event in read_jsonl(path))


def test_formulas_are_the_characters_that_they_are(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    path.write_text('a,b\n=cmd|\'/c calc\'!A0,"=HYPERLINK(""x"")"\n')
    (row,) = read_table(path)
    assert row.fields == {"a": "=cmd|'/c calc'!A0", "b": '=HYPERLINK("x")'}


def test_a_row_that_is_not_utf_8_spoils_no_other_row_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    path.write_bytes(b'a,b\n1,"two\nlines"\n3,\xff\n5,6\n')
    first, broken, last = read_table(path)
    assert (first.place, broken.place, last.place) == ("cells.csv:2", "cells.csv:4", "cells.csv:5")
    assert broken.reason == "unreadable"


def test_a_cell_beyond_the_limit_ends_the_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_ROW", 1_000)
    path = tmp_path / "cells.csv"
    for long in ("x" * 2_000, '"' + "x\n" * 2_000 + '"'):
        path.write_text(f"a\n{long}\n")
        with pytest.raises(RapportError, match="cannot be read from line"):
            list(read_table(path))
    assert LONGEST_ROW > 1_000


def test_no_name_of_a_source_becomes_a_path(tmp_path: Path) -> None:
    tool = ToolSource(tmp_path / "tool")
    name = "../../../etc/cron.d/x"
    write_rows(tool.users, [tool.user(0, name, "The user digs.")])
    write_rows(tool.answers / "a_task4.jsonl", [tool.judged("../../root", "ok")])

    import_source("tool", str(tool.answers), tmp_path / "labels", tool.options())

    assert ".." not in (tmp_path / "labels/attributes/part-0000.jsonl").read_text()
    assert len(rows_of(tmp_path / "labels", "attribute_labels")) == 1


def test_a_million_faults_fill_no_memory_and_are_all_counted(tmp_path: Path) -> None:
    rows = MOST_PLACES + 500
    path = tmp_path / "rows.jsonl"
    path.write_text("{}\n" * rows)
    report = import_source("alpsbench", str(path), tmp_path / "labels")
    (fault,) = report.not_placed
    assert (fault.count, len(fault.places)) == (rows, MOST_PLACES)
    assert not (tmp_path / "labels").exists()


def test_a_text_with_control_characters_is_data_like_any_other(tmp_path: Path) -> None:
    record = alpsbench_record()
    record["memory_items"][0]["value"] = "Keeps\x1b[31m bees\u202e"
    import_source("alpsbench", str(write_rows(tmp_path / "r.jsonl", [record])), tmp_path / "labels")
    texts = [row["text"] for row in rows_of(tmp_path / "labels", "attributes")]
    assert "Keeps\x1b[31m bees\u202e" in texts


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter.txt").write_text("Mine.")
    with pytest.raises(RapportError):
        import_source("alpsbench", str(write_rows(tmp_path / "r.jsonl", [alpsbench_record()])), target)
    assert [path.name for path in target.iterdir()] == ["chapter.txt"]


def test_a_broken_data_set_is_not_merged_into(tmp_path: Path) -> None:
    source, target = write_rows(tmp_path / "r.jsonl", [alpsbench_record()]), tmp_path / "labels"
    import_source("alpsbench", str(source), target)
    labels = target / "attribute_labels/part-0000.jsonl"
    row = json.loads(labels.read_text().splitlines()[0]) | {"attribute_id": "gone"}
    labels.write_text(json.dumps(row) + "\n")
    with pytest.raises(RapportError):
        import_source("alpsbench", str(source), target)
