"""The validator names files, lines and cards that are missing, unreadable, or say something else than what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.human.check import check_folder
from evaluator.human.findings import Problem, Severity
from evaluator.human.layout import CARD, KINDS, ROSTER
from evaluator.human.writing import write_human_set
from tests.human.sets import ABOUT, honest, typed, without_roster, write_parquet, write_raw


@pytest.mark.parametrize("line", ["{", "[1]", '"x"', "nonsense", '{"a": 1, "a": 2}', "\xff", '{"a": NaN}', "[" * 5000])
def test_a_line_that_is_no_row_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    write_raw(tmp_path, honest())
    path = tmp_path / "attributes" / "part-0000.jsonl"
    path.write_bytes(path.read_bytes() + b"\n" + line.encode("latin-1") + b"\n")
    (finding,) = check_folder(tmp_path)
    assert (finding.problem, finding.place) == (Problem.UNREADABLE, "attributes/part-0000.jsonl:6")


def test_a_parquet_file_that_is_none_is_named(tmp_path: Path) -> None:
    write_parquet(tmp_path, honest())
    (tmp_path / "prompts" / "train-00000-of-00002.parquet").write_text("{}")
    errors = [each for each in check_folder(tmp_path) if each.severity is Severity.ERROR]
    assert (errors[0].problem, errors[0].place) == (Problem.UNREADABLE, "prompts/train-00000-of-00002.parquet")


@pytest.mark.parametrize("table", [table for table in KINDS if table != ROSTER])
def test_a_table_without_a_file_is_named(tmp_path: Path, table: str) -> None:
    write_raw(tmp_path, honest())
    (tmp_path / table / "part-0000.jsonl").rename(tmp_path / table / "rows.txt")
    missing = [each for each in check_folder(tmp_path) if each.problem is Problem.MISSING_FILE]
    assert [(each.table, each.place) for each in missing] == [(table, table)]


@pytest.mark.parametrize(
    ("card", "problem"),
    [
        (None, Problem.MISSING_FILE),
        ("---\n[1\n---\n", Problem.CARD),
        ("---\n- 1\n---\n", Problem.CARD),
        ("---\nrapport: {visibility: everybody}\n---\n", Problem.CARD),
        ("---\nrapport: {personal_data: 3}\n---\n", Problem.CARD),
    ],
)
def test_a_card_that_cannot_be_read_is_named(tmp_path: Path, card: str | None, problem: Problem) -> None:
    write_raw(tmp_path, honest())
    (tmp_path / CARD).unlink()
    if card:
        (tmp_path / CARD).write_text(card)
    assert [(each.problem, each.place) for each in check_folder(tmp_path)] == [(problem, CARD)]


@pytest.mark.parametrize("configs", ["1", "[]", "[{config_name: prompts}]", "[{config_name: prompts, data_files: 1}]"])
def test_files_that_the_card_does_not_declare_are_named(tmp_path: Path, configs: str) -> None:
    write_raw(tmp_path, honest())
    (tmp_path / CARD).write_text(f"---\nconfigs: {configs}\n---\n")
    findings = check_folder(tmp_path)
    assert [each.problem for each in findings] == [Problem.CARD] * 8
    assert all(table in finding.message for table, finding in zip(KINDS, findings, strict=True))


@pytest.mark.parametrize(
    "files", ['"{table}/*"', '["{table}/part-0000.jsonl"]', "[{{split: train, path: ['{table}/*.jsonl']}}]"]
)
def test_a_card_may_declare_files_in_any_form_that_datasets_knows(tmp_path: Path, files: str) -> None:
    write_raw(tmp_path, honest())
    configs = [f"{{config_name: {table}, data_files: {files.format(table=table)}}}" for table in KINDS]
    (tmp_path / CARD).write_text(f"---\nconfigs: [{', '.join(configs)}]\n---\n")
    assert check_folder(tmp_path) == ()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RapportError) as caught:
        check_folder(tmp_path / "nothing")
    assert caught.value.cause == Cause.NOT_FOUND


def test_a_card_that_says_simulated_is_in_order(tmp_path: Path) -> None:
    tables = without_roster()
    for table in ("attribute_labels", "relevance_labels", "response_ratings"):
        for row in tables[table]:
            row["kind"] = "simulated"
    write_human_set(tmp_path / "set", typed(tables), ABOUT)
    assert check_folder(tmp_path / "set") == ()
