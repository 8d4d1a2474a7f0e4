"""The validator names every row that is wrong, and none that is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.human.check import check, check_folder
from evaluator.human.findings import Problem, Severity
from evaluator.human.layout import CARD, KINDS
from tests.human.sets import (
    ANNOTATORS,
    Found,
    RawTables,
    found,
    honest,
    typed,
    without_roster,
    write_parquet,
    write_raw,
)


def test_an_honest_set_has_no_findings(tmp_path: Path) -> None:
    assert check_folder(write_raw(tmp_path, honest())) == ()
    assert check(typed(honest())) == ()


def test_an_honest_set_in_parquet_has_no_findings(tmp_path: Path) -> None:
    assert check_folder(write_parquet(tmp_path, honest())) == ()


def evidence(name: str, turn: int | None) -> Callable[[RawTables], None]:
    def breaking(tables: RawTables) -> None:
        tables["attributes"][1]["evidence"] = [{"conversation_id": name, "turn": turn}]

    return breaking


def setting(table: str, row: int, column: str, value: object) -> Callable[[RawTables], None]:
    def breaking(tables: RawTables) -> None:
        tables[table][row][column] = value

    return breaking


def repeating(table: str, row: int, **changes: object) -> Callable[[RawTables], None]:
    def breaking(tables: RawTables) -> None:
        tables[table].append(tables[table][row] | changes)

    return breaking


REFERENCES = [
    (evidence("u1-c9", 0), ("broken_reference", "attributes:2", "u1-a2")),
    (evidence("u2-c1", 0), ("wrong_user", "attributes:2", "u1-a2")),
    (evidence("u1-c1", 2), ("turn_out_of_range", "attributes:2", "u1-a2")),
    (
        setting("attribute_labels", 11, "attribute_id", "a-9"),
        ("broken_reference", "attribute_labels:12", "a-9 by ann-3"),
    ),
    (setting("prompts", 0, "user_ids", ["u1", "u2", "u3"]), ("broken_reference", "prompts:1", "p1")),
    (
        repeating("relevance_labels", 5, prompt_id="p9"),
        ("broken_reference", "relevance_labels:7", "p9, u2-a1 by ann-3"),
    ),
    (
        repeating("relevance_labels", 5, attribute_id="u9-a1"),
        ("broken_reference", "relevance_labels:7", "p1, u9-a1 by ann-3"),
    ),
    (setting("responses", 0, "prompt_id", "p9"), ("broken_reference", "responses:1", "r1")),
    (
        repeating("response_ratings", 5, response_id="r9"),
        ("broken_reference", "response_ratings:7", "r9, u1-a2 by ann-3"),
    ),
    (
        repeating("response_ratings", 5, attribute_id="u9-a9"),
        ("broken_reference", "response_ratings:7", "r1, u9-a9 by ann-3"),
    ),
    (
        repeating("response_ratings", 5, attribute_id="u2-a1"),
        ("not_written_from", "response_ratings:7", "r1, u2-a1 by ann-3"),
    ),
]


@pytest.mark.parametrize(("breaking", "expected"), REFERENCES)
def test_a_broken_reference_is_one_finding_with_its_row(
    tmp_path: Path, breaking: Callable[[RawTables], None], expected: Found
) -> None:
    tables = honest()
    breaking(tables)
    errors = [each for each in found(tmp_path, tables) if Problem(each[0]).severity is Severity.ERROR]
    assert errors == [expected]


def test_what_belongs_to_another_user_is_named(tmp_path: Path) -> None:
    tables = honest()
    tables["prompts"].append({"prompt_id": "p2", "text": "And now?", "user_ids": ["u1"]})
    tables["relevance_labels"] += [
        row | {"prompt_id": "p2", "attribute_id": "u2-a2"} for row in tables["relevance_labels"][:2]
    ]
    tables["responses"].append(tables["responses"][0] | {"response_id": "r2", "user_id": "u2", "prompt_id": "p2"})
    errors = [each for each in found(tmp_path, tables) if Problem(each[0]).severity is Severity.ERROR]
    assert errors == [
        ("wrong_user", "relevance_labels:7", "p2, u2-a2 by ann-1"),
        ("wrong_user", "relevance_labels:8", "p2, u2-a2 by ann-2"),
        ("wrong_user", "responses:2", "r2"),
        ("wrong_user", "responses:2", "r2"),
        ("wrong_user", "responses:2", "r2"),
    ]


VALUES = [
    *(("response_ratings", "rating", value) for value in (0, 6, -1, 3.5, "4", True, None)),
    *(("attribute_labels", "label", value) for value in ("ok", "Accepted", "", None, 1)),
    *(("relevance_labels", "relevant", value) for value in ("yes", 1, None)),
    *(("attribute_labels", "annotator_id", value) for value in ("", " ann", "../ann", None, 7)),
    *(("relevance_labels", "kind", value) for value in ("human", "model", None)),
    *(("response_ratings", "labelled_at", value) for value in ("yesterday", "2026-03-02T08:00:00")),
    *(("attributes", "text", value) for value in ("", "  ", None)),
    *(("attributes", "confidence", value) for value in (1.5, -0.1, "high")),
    *(("attributes", "evidence", value) for value in (None, "u1-c1", [{"turn": 0}])),
    ("conversations", "turns", []),
    ("conversations", "turns", [{"role": "system", "text": "x"}]),
    ("prompts", "text", ""),
    ("responses", "generic", ""),
    ("responses", "attribute_ids", []),
]


@pytest.mark.parametrize(("table", "column", "value"), VALUES)
def test_a_value_that_cannot_be_is_one_error_with_its_row(
    tmp_path: Path, table: str, column: str, value: object
) -> None:
    tables = honest()
    tables[table][0][column] = value
    errors = [each for each in check_folder(write_raw(tmp_path, tables)) if each.severity is Severity.ERROR]
    assert [(each.problem, each.place) for each in errors] == [(Problem.INVALID, f"{table}/part-0000.jsonl:1")]
    assert column in errors[0].message


def test_every_bad_row_is_named_not_the_first_alone(tmp_path: Path) -> None:
    tables = honest()
    for row in tables["response_ratings"][::2]:
        row["rating"] = 6
    for row in tables["attribute_labels"]:
        row["label"] = "bad"
    tables["attributes"][3]["evidence"][0]["conversation_id"] = "gone"
    places = [each[1] for each in found(tmp_path, tables)]
    assert places == [
        "attributes:4",
        *(f"attribute_labels:{line}" for line in range(1, 13)),
        *(f"response_ratings:{line}" for line in (1, 3, 5)),
    ]


def test_a_row_that_cannot_be_read_breaks_no_reference_to_it(tmp_path: Path) -> None:
    tables = honest()
    tables["conversations"][0]["turns"] = []
    tables["attributes"][0]["text"] = ""
    tables["prompts"][0]["text"] = ""
    tables["responses"][0]["writer"] = None
    assert [each[1] for each in found(tmp_path, tables)] == [
        "conversations:1",
        "attributes:1",
        "prompts:1",
        "responses:1",
    ]


def test_a_foreign_column_is_named_once_with_its_first_row_and_their_number(tmp_path: Path) -> None:
    tables = honest()
    for row in tables["attribute_labels"][4:]:
        row["worker_name"] = "Jane"
    tables["attributes"][2]["mood"] = 1
    findings = check_folder(write_raw(tmp_path, tables))
    assert [(each.problem, each.place) for each in findings] == [
        (Problem.FOREIGN_COLUMN, "attributes/part-0000.jsonl:3"),
        (Problem.FOREIGN_COLUMN, "attribute_labels/part-0000.jsonl:5"),
    ]
    assert "'worker_name'; 8 of its rows" in findings[1].message
    assert "Jane" not in str(findings)


@pytest.mark.parametrize("table", [name for name in KINDS if name not in ("prompts", "responses")])
def test_the_second_row_of_a_name_is_a_duplicate(tmp_path: Path, table: str) -> None:
    tables = honest()
    tables[table].insert(2, dict(tables[table][0]))
    problem = "duplicate_label" if "label" in table or "rating" in table else "duplicate_id"
    ((kind, place, row),) = found(tmp_path, tables)
    assert (kind, place) == (problem, f"{table}:3")
    assert row is not None


def test_a_duplicate_says_where_the_first_stands(tmp_path: Path) -> None:
    tables = honest()
    tables["prompts"].append(tables["prompts"][0] | {"text": "Another."})
    tables["response_ratings"].append(tables["response_ratings"][0] | {"rating": 1})
    messages = [each.message for each in check_folder(write_raw(tmp_path, tables))]
    assert "prompts/part-0000.jsonl:1" in messages[0]
    assert "response_ratings/part-0000.jsonl:1" in messages[1]


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("attributes", "evidence", [{"conversation_id": "u1-c1", "turn": 1}] * 2),
        ("prompts", "user_ids", ["u1", "u2", "u1"]),
        ("responses", "attribute_ids", ["u1-a1", "u1-a2", "u1-a2"]),
    ],
)
def test_a_list_that_names_something_twice_is_found(tmp_path: Path, table: str, column: str, value: object) -> None:
    tables = honest()
    tables[table][0][column] = value
    assert [each[:2] for each in found(tmp_path, tables)] == [("repeated", f"{table}:1")]


def test_an_address_is_no_pseudonym(tmp_path: Path) -> None:
    tables = without_roster()
    tables["attribute_labels"][0]["annotator_id"] = "jane@example.org"
    tables["conversations"].append(tables["conversations"][0] | {"conversation_id": "x", "user_id": "joe@example.org"})
    assert [each[:2] for each in found(tmp_path, tables)] == [
        ("not_a_pseudonym", "conversations:5"),
        ("not_a_pseudonym", "attribute_labels:1"),
    ]


def test_items_with_fewer_than_two_annotators_are_noted(tmp_path: Path) -> None:
    tables = honest()
    tables["attribute_labels"] = tables["attribute_labels"][2:]
    del tables["relevance_labels"][4:]
    del tables["response_ratings"][:3]
    assert found(tmp_path, tables) == [
        ("one_annotator", "attributes:1", "u1-a1"),
        ("one_annotator", "relevance_labels:4", "p1, u2-a1 by ann-1"),
        ("unlabelled", "responses:1", "r1"),
    ]


def test_two_annotators_are_enough(tmp_path: Path) -> None:
    tables = honest()
    for table in ("attribute_labels", "relevance_labels", "response_ratings"):
        tables[table] = [row for row in tables[table] if row["annotator_id"] != "ann-2"]
    assert found(tmp_path, tables) == []


def test_items_without_any_label_are_noted(tmp_path: Path) -> None:
    tables = honest() | {"attribute_labels": [], "relevance_labels": [], "response_ratings": []}
    assert found(tmp_path, tables) == [
        *(("unlabelled", f"attributes:{line}", tables["attributes"][line - 1]["attribute_id"]) for line in range(1, 5)),
        ("unlabelled", "prompts:1", "p1"),
        ("unlabelled", "responses:1", "r1"),
        ("unlabelled", "responses:1", "r1"),
    ]


def test_a_consensus_is_no_annotator(tmp_path: Path) -> None:
    tables = without_roster()
    for row in tables["attribute_labels"][:2]:
        row["kind"] = "consensus"
    for row in tables["relevance_labels"][:3]:
        row["kind"] = "consensus"
    assert found(tmp_path, tables) == [
        ("one_annotator", "attributes:1", "u1-a1"),
        ("mixed_consensus", "attributes:1", "u1-a1"),
        ("consensus_only", "relevance_labels:1", "p1, u1-a1 by ann-1"),
    ]


def test_simulated_labels_beside_peoples_are_an_error(tmp_path: Path) -> None:
    tables = without_roster()
    for row in tables["relevance_labels"][2:]:
        row["kind"] = "simulated"
    findings = check_folder(write_raw(tmp_path, tables))
    assert [(each.problem, each.place) for each in findings] == [
        (Problem.CARD, CARD),
        (Problem.MIXED_SIMULATED, "relevance_labels/part-0000.jsonl:3"),
    ]
    assert "4 labels" in findings[1].message


def test_simulated_labels_alone_are_no_error_but_the_card_must_say_it(tmp_path: Path) -> None:
    tables = without_roster()
    for table in ("attribute_labels", "relevance_labels", "response_ratings"):
        for row in tables[table]:
            row["kind"] = "simulated"
    assert check(typed(tables)) == ()
    assert found(tmp_path, tables) == [("card", CARD, None)]


def test_attributes_without_evidence_are_noted(tmp_path: Path) -> None:
    tables = honest()
    tables["attributes"][2]["evidence"] = []
    assert found(tmp_path, tables) == [("no_evidence", "attributes:3", "u2-a1")]


def test_empty_texts_are_noted(tmp_path: Path) -> None:
    tables = honest()
    tables["conversations"][1]["turns"][1]["text"] = " "
    tables["attributes"][0]["origin"] = ""
    tables["responses"][0]["writer"] = ""
    assert found(tmp_path, tables) == [
        ("empty_text", "conversations:2", "u1-c2"),
        ("empty_text", "attributes:1", "u1-a1"),
        ("empty_text", "responses:1", "r1"),
    ]


def test_names_from_files_stay_on_one_printable_line(tmp_path: Path) -> None:
    tables = honest()
    tables["attributes"][0]["evil\x1b[31m\ncolumn"] = 1
    tables["attributes"][1]["attribute_id"] = "a\x1b[31m"
    lines = [str(each) for each in check_folder(write_raw(tmp_path, tables))]
    assert len(lines) >= 2
    assert all(line.isprintable() for line in lines)


def test_every_problem_of_rows_in_memory_is_found_there_too() -> None:
    tables = honest()
    tables["attributes"][1]["evidence"][0]["conversation_id"] = "gone"
    tables["response_ratings"].append(tables["response_ratings"][0])
    assert [str(each).partition(":")[0] for each in check(typed(tables))] == ["attributes", "response_ratings"]


def test_one_finding_an_item_however_many_there_are(tmp_path: Path) -> None:
    tables = honest()
    tables["attributes"] = [
        tables["attributes"][0] | {"attribute_id": f"a{number}", "text": f"The user has {number} hives."}
        for number in range(500)
    ]
    tables["attribute_labels"] = [
        tables["attribute_labels"][0] | {"attribute_id": f"a{number}", "annotator_id": ANNOTATORS[0]}
        for number in range(500)
    ]
    for table in ("relevance_labels", "prompts", "responses", "response_ratings"):
        tables[table] = []
    findings = check_folder(write_raw(tmp_path, tables))
    assert {each.problem for each in findings} == {Problem.ONE_ANNOTATOR}
    assert len({each.row for each in findings}) == len(findings) == 500


def test_of_two_rows_with_one_name_the_first_counts(tmp_path: Path) -> None:
    tables = honest()
    tables["conversations"].append(tables["conversations"][0] | {"user_id": "u2"})
    assert found(tmp_path, tables) == [("duplicate_id", "conversations:5", "u1-c1")]


def test_a_user_of_whom_only_broken_rows_tell_is_known(tmp_path: Path) -> None:
    tables = honest()
    tables["conversations"].append({"conversation_id": "u3-c1", "user_id": "u3", "turns": []})
    tables["prompts"][0]["user_ids"].append("u3")
    assert found(tmp_path, tables) == [("invalid", "conversations:5", "u3-c1")]


def test_an_item_whose_labels_cannot_be_read_is_not_unlabelled(tmp_path: Path) -> None:
    tables = honest()
    for table, column in (
        ("attribute_labels", "label"),
        ("relevance_labels", "relevant"),
        ("response_ratings", "rating"),
    ):
        for row in tables[table]:
            row[column] = "?"
    assert {each[0] for each in found(tmp_path, tables)} == {"invalid"}
