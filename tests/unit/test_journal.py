"""The journal: what is acknowledged is on disk, what is torn is cut off, what is broken is refused."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator import journal as journal_module
from evaluator.errors import Cause, RapportError
from evaluator.journal import GROUP_ROWS, Journal
from evaluator.records import Generation
from tests.builders import make_generation, make_input_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "generations.jsonl"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the number of rows decides when a group is full."""
    monkeypatch.setattr(journal_module, "GROUP_SECONDS", 3600)


def opened(path: Path, belongs=lambda _: True) -> Journal[Generation]:
    return Journal(path, Generation, lambda row: row.input_key, belongs)


def many(number: int, start: int = 0) -> list[Generation]:
    return [
        make_generation(make_input_key(f"test_1/{place}"), f"Answer\n{place}  {{}} é.")
        for place in range(start, start + number)
    ]


def fill(path: Path, rows: list[Generation]) -> bytes:
    """Writes rows in one go; returns the file's bytes."""
    with opened(path) as journal:
        for _ in journal.append(rows):
            pass
    return path.read_bytes()


def test_what_was_written_is_there_when_the_file_is_opened_again(path):
    rows = many(2 * GROUP_ROWS + 1)
    fill(path, rows)
    with opened(path) as journal:
        assert journal.rows == rows


def test_rows_are_acknowledged_in_groups_and_each_is_one_line(path):
    rows = many(2 * GROUP_ROWS + 1)
    with opened(path) as journal:
        groups = list(journal.append(rows))
        assert [len(group) for group in groups] == [GROUP_ROWS, GROUP_ROWS, 1]
        assert journal.rows == [row for group in groups for row in group] == rows
    assert path.read_bytes().count(b"\n") == len(rows)


def test_a_group_is_on_disk_before_it_is_acknowledged(path, monkeypatch):
    forced: list[int] = []
    real = os.fsync

    def fsync(file: int) -> None:
        forced.append(path.read_bytes().count(b"\n"))
        real(file)

    with opened(path) as journal:
        monkeypatch.setattr(os, "fsync", fsync)
        for number, group in enumerate(journal.append(many(2 * GROUP_ROWS)), start=1):
            assert len(group) == GROUP_ROWS
            assert forced[-1] == len(forced) * GROUP_ROWS == number * GROUP_ROWS


def test_a_row_that_has_waited_long_enough_does_not_wait_for_more(path, monkeypatch):
    monkeypatch.setattr(journal_module, "GROUP_SECONDS", 0)
    with opened(path) as journal:
        assert [len(group) for group in journal.append(many(3))] == [1, 1, 1]


def test_what_came_before_a_source_broke_off_is_kept(path):
    def breaking():
        yield from many(GROUP_ROWS + 2)
        raise MemoryError

    with opened(path) as journal, pytest.raises(MemoryError):
        list(journal.append(breaking()))
    with opened(path) as journal:
        assert journal.rows == many(GROUP_ROWS + 2)


def test_whoever_stops_listening_after_a_group_finds_each_row_once(path):
    with opened(path) as journal:
        groups = journal.append(many(3 * GROUP_ROWS))
        first = next(groups)
        groups.close()
        assert journal.rows == first
    assert path.read_bytes().count(b"\n") == GROUP_ROWS


@given(kept=st.integers(0, 4), data=st.data())
def test_a_file_cut_anywhere_opens_with_its_whole_lines_and_goes_on(tmp_path_factory, kept, data):
    path = tmp_path_factory.mktemp("journal") / "rows.jsonl"
    rows = many(5)
    lines = fill(path, rows).splitlines(keepends=True)
    torn = data.draw(st.integers(1, len(lines[kept]) - 1))
    path.write_bytes(b"".join(lines[:kept]) + lines[kept][:torn])
    with opened(path) as journal:
        assert journal.rows == rows[:kept]
        list(journal.append(rows[kept:]))
    assert path.read_bytes() == b"".join(lines)


def test_cutting_off_a_torn_line_is_said_in_the_log(path, caplog):
    whole = fill(path, many(2))
    path.write_bytes(whole + b'{"half": ')
    with caplog.at_level(logging.WARNING), opened(path):
        pass
    assert path.read_bytes() == whole
    assert "cut 9 bytes" in caplog.text
    assert str(path) in caplog.text


def test_a_last_line_of_other_bytes_is_torn_too(path):
    whole = fill(path, many(2))
    path.write_bytes(whole + bytes(40) + b'"}\n')
    with opened(path) as journal:
        assert journal.rows == many(2)
    assert path.read_bytes() == whole


def refused(path: Path, **options) -> str:
    before = path.read_bytes()
    with pytest.raises(RapportError) as caught:
        opened(path, **options)
    assert caught.value.cause is Cause.DATA_ERROR
    assert path.read_bytes() == before, "a refused file was changed"
    return caught.value.message


@pytest.mark.parametrize("broken", [b"{}", b"not JSON", b"", b'{"half": '])
def test_a_broken_line_in_the_middle_is_refused_by_line_and_file(path, broken):
    lines = fill(path, many(3)).splitlines()
    path.write_bytes(b"\n".join([lines[0], broken, lines[2], b""]))
    message = refused(path)
    assert f"Line 2 of {path}" in message


def test_a_whole_last_line_that_is_no_row_is_refused_rather_than_cut_off(path):
    path.write_bytes(fill(path, many(1)) + b'{"schema_version": 2}\n')
    assert "Line 2" in refused(path)


def test_a_row_that_stands_there_twice_is_refused(path):
    content = fill(path, many(2))
    path.write_bytes(content + content.splitlines(keepends=True)[0])
    assert f"Line 3 of {path} repeats an earlier row" in refused(path)


def test_a_row_of_another_plan_is_refused(path):
    fill(path, many(3))
    message = refused(path, belongs=lambda row: row.key.question_id != "test_1/1")
    assert f"Line 2 of {path} was made under other conditions" in message


def test_a_row_that_is_there_already_is_not_written_again(path):
    content = fill(path, many(2))
    with opened(path) as journal, pytest.raises(ValueError, match="already"):
        list(journal.append(many(1)))
    assert path.read_bytes() == content


def test_a_second_writer_is_refused_until_the_first_is_done(path):
    with opened(path), pytest.raises(RapportError, match="Another process is writing"):
        opened(path)
    opened(path).close()


def test_a_killed_writer_holds_nobody_up_and_leaves_whole_lines(path):
    script = """
import itertools, sys
from pathlib import Path
from evaluator.journal import Journal
from evaluator.records import Generation
from tests.builders import make_generation, make_input_key

rows = (make_generation(make_input_key(f"test_1/{place}")) for place in itertools.count())
for group in Journal(Path(sys.argv[1]), Generation, lambda row: row.input_key).append(rows):
    print(len(group), flush=True)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script, path], cwd=root, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        acknowledged = sum(int(writer.stdout.readline()) for _ in range(3))
        with pytest.raises(RapportError, match="Another process is writing"):
            opened(path)
        writer.kill()
    with opened(path) as journal:
        assert len(journal.rows) >= acknowledged
        assert [row.key.question_id for row in journal.rows] == [
            f"test_1/{place}" for place in range(len(journal.rows))
        ]


def test_a_full_disk_is_named_and_leaves_the_last_whole_line(path, monkeypatch):
    with opened(path) as journal:
        list(journal.append(many(2)))
        whole, real = path.read_bytes(), os.write

        def filling_up(file: int, data: bytes) -> int:
            if len(data) < 100:
                raise OSError(28, "No space left on device")
            return real(file, data[:-99])

        monkeypatch.setattr(os, "write", filling_up)
        with pytest.raises(RapportError) as caught:
            list(journal.append(many(1, start=2)))
    assert caught.value.cause is Cause.DISK_FULL
    assert path.read_bytes() == whole


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RapportError, match="cannot be written") as caught:
        opened(tmp_path / "nowhere" / "rows.jsonl")
    assert caught.value.cause is Cause.INFRASTRUCTURE
