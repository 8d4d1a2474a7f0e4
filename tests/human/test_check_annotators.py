"""The validator names every label by somebody who is no annotator of the data set, where it says who is."""

from __future__ import annotations

from pathlib import Path

from evaluator.human.check import check, check_folder
from evaluator.human.findings import Severity
from tests.human.sets import found, honest, typed, without_roster, write_raw


def test_an_address_is_no_pseudonym_in_the_table_of_annotators_either(tmp_path: Path) -> None:
    tables = honest()
    tables["annotators"].append({"annotator_id": "jane@example.org", "kind": "person"})
    assert found(tmp_path, tables) == [("not_a_pseudonym", "annotators:4", "jane@example.org")]


def test_labels_by_nobody_who_is_an_annotator_are_named_one_by_one(tmp_path: Path) -> None:
    tables = honest()
    tables["attribute_labels"][4]["annotator_id"] = "ann-9"
    tables["response_ratings"][0]["kind"] = "consensus"
    tables["annotators"].append({"annotator_id": "ann-4", "kind": "person"})
    expected = [
        ("unknown_annotator", "attribute_labels:5", "u1-a2 by ann-9"),
        ("unknown_annotator", "response_ratings:1", "r1, u1-a1 by ann-1"),
    ]
    errors = [each for each in check_folder(write_raw(tmp_path, tables)) if each.severity is Severity.ERROR]
    told = [(each.problem.value, each.place.replace("/part-0000.jsonl", ""), each.row) for each in errors]
    assert told == expected
    assert "has no ann-9" in errors[0].message
    assert "is person in the table of annotators, and consensus here" in errors[1].message
    assert [each.row for each in check(typed(tables)) if each.severity is Severity.ERROR] == [
        row for *_, row in expected
    ]


def test_an_annotator_whose_row_cannot_be_read_is_no_stranger(tmp_path: Path) -> None:
    tables = honest()
    tables["annotators"][0]["kind"] = "robot"
    assert found(tmp_path, tables) == [("invalid", "annotators:1", "ann-1")]


def test_where_the_table_of_annotators_is_empty_nobody_is_one(tmp_path: Path) -> None:
    tables = honest() | {"annotators": []}
    assert [each[0] for each in found(tmp_path, tables)] == ["unknown_annotator"] * 24


def test_a_set_without_a_table_of_annotators_is_in_order(tmp_path: Path) -> None:
    assert check_folder(write_raw(tmp_path, without_roster())) == ()
    assert check(typed(without_roster())) == ()
