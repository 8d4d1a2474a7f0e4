"""Reading Parquet never costs a process its exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluator.parquet import read_table

PROCESSES = 12
"""Of those that read by Arrow's own function a third ended by SIGABRT."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.parquet"
    rows = {"name": ["x"] * 1000, "number": list(range(1000))}
    pq.write_table(pa.table(rows), path, write_page_checksum=True, compression="none", use_dictionary=False)
    return path


def test_a_process_that_has_read_parquet_ends_as_it_should(file: Path) -> None:
    script = f"from pathlib import Path; from evaluator.parquet import read_table; read_table(Path({str(file)!r}))"
    for _ in range(PROCESSES):
        ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)
        assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_damaged_page_is_found(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[content.index(b"x\x01\x00\x00\x00x")] ^= 1
    with pytest.raises((pa.ArrowException, OSError)):
        read_table(bytes(content))


def test_some_columns_are_read_and_one_that_is_lacking_is_left_out(file: Path) -> None:
    assert read_table(file, ["number", "colour"]).column_names == ["number"]
