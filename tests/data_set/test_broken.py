"""A broken data set is a data error that names the thing that is broken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.errors import Cause, RapportError
from tests.data_set.layout import Format, Tables, card, small_set, write_set
from tests.data_set.reading import read_all

COLUMNS = {
    "dialogue": ("user_id", "dialogue_id", "user", "assistant", "type"),
    "qa": (
        "user_id",
        "dialogue_id",
        "question_id",
        "question",
        "personalized_answer",
        "general_answer",
        "type",
        "metadata",
    ),
}


def told(folder: Path) -> str:
    """Returns what is said of a broken data set."""
    with pytest.raises(RapportError) as caught:
        read_all(str(folder))
    assert caught.value.cause == Cause.DATA_ERROR
    assert caught.value.remedy
    return caught.value.message


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
@pytest.mark.parametrize(("config", "column"), [(config, column) for config in COLUMNS for column in COLUMNS[config]])
def test_a_missing_column_is_named(tmp_path: Path, config: str, column: str, format: Format) -> None:
    tables = small_set()
    for row in tables[config, "test" if config == "dialogue" else "test_2"]:
        del row[column]
    # `datasets` fills a column that another split of the config has with nulls.
    assert column in told(write_set(tmp_path / "set", tables, format))


@pytest.mark.parametrize(("config", "column"), [(config, column) for config in COLUMNS for column in COLUMNS[config]])
def test_a_column_that_no_split_has_is_named(tmp_path: Path, config: str, column: str) -> None:
    tables = small_set()
    for (name, _), rows in tables.items():
        for row in rows:
            if name == config:
                del row[column]
    assert f"lacks the column '{column}' in {config}:" in told(write_set(tmp_path / "set", tables))


@pytest.mark.parametrize(("config", "split"), [("qa", "test_2"), ("dialogue", "test")])
def test_a_missing_split_is_named(tmp_path: Path, config: str, split: str) -> None:
    tables = small_set()
    del tables[config, split]
    assert f"no readable split {config}:{split}" in told(write_set(tmp_path / "set", tables))


@pytest.mark.parametrize(("config", "named"), [("qa", "qa:test_1"), ("dialogue", "dialogue:train")])
def test_a_missing_config_is_named(tmp_path: Path, config: str, named: str) -> None:
    tables: Tables = {key: rows for key, rows in small_set().items() if key[0] != config}
    assert f"no readable split {named}" in told(write_set(tmp_path / "set", tables))


def test_a_split_that_is_no_split_of_hicupid_is_named(tmp_path: Path) -> None:
    with pytest.raises(RapportError, match=r"no split 'dev'.*train, test_1, test_2") as caught:
        read_all(
            str(write_set(tmp_path / "set", {**small_set(), ("qa", "dev"): small_set()["qa", "test_1"]})), ("dev",)
        )
    assert caught.value.cause == Cause.DATA_ERROR


def test_a_folder_without_a_card_says_what_to_declare(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", small_set())
    (folder / "README.md").unlink()
    with pytest.raises(RapportError, match=r"configs `dialogue` and `qa`, declared in its README\.md") as caught:
        read_all(str(folder))
    assert caught.value.cause == Cause.DATA_ERROR


@pytest.mark.parametrize("front", ["configs: [a: b: c", "just words", "configs: 3", "configs: [{data_files: x}]"])
def test_a_card_that_declares_nothing_readable_is_a_data_error(tmp_path: Path, front: str) -> None:
    folder = write_set(tmp_path / "set", small_set())
    (folder / "README.md").write_text(f"---\n{front}\n---\n")
    assert str(folder) in told(folder)


def test_a_declared_file_that_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", small_set())
    (folder / "qa/test_2.jsonl").unlink()
    assert "test_2.jsonl" in told(folder)


@pytest.mark.parametrize("content", ['{"user_id": 1', "\x00\x01"])
def test_a_file_that_is_not_json_is_a_data_error(tmp_path: Path, content: str) -> None:
    folder = write_set(tmp_path / "set", small_set())
    (folder / "dialogue/train.jsonl").write_text(content)
    assert "dialogue:train" in told(folder)


def test_a_file_that_is_not_parquet_is_a_data_error(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", small_set(), "parquet")
    (folder / "qa/test_1.parquet").write_bytes(b"PAR1 but not for long")
    assert "qa:test_1" in told(folder)


def test_a_split_without_rows_is_named(tmp_path: Path) -> None:
    assert "qa:test_1" in told(write_set(tmp_path / "set", {**small_set(), ("qa", "test_1"): []}))


def test_a_config_without_rows_is_named(tmp_path: Path) -> None:
    tables: Tables = {("dialogue", "train"): [], ("qa", "test_1"): small_set()["qa", "test_1"]}
    assert "dialogue:train" in told(write_set(tmp_path / "set", tables))


Breakage = Callable[[dict[str, Any]], None]


def setting(column: str, value: Any) -> Breakage:
    def break_row(row: dict[str, Any]) -> None:
        row[column] = value

    return break_row


def forgetting(fact: str) -> Breakage:
    def break_row(row: dict[str, Any]) -> None:
        row["metadata"] = {**row["metadata"], fact: None}

    return break_row


def emptying(fact: str, field: str) -> Breakage:
    def break_row(row: dict[str, Any]) -> None:
        row["metadata"] = {**row["metadata"], fact: {**row["metadata"][fact], field: None}}

    return break_row


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("row", "breakage", "message"),
    [
        (0, setting("metadata", None), "metadata of question 280 in qa:test_2 lacks 'persona'"),
        (0, forgetting("profile"), "metadata of question 280 in qa:test_2 lacks 'profile'"),
        (0, forgetting("persona"), "metadata of question 280 in qa:test_2 lacks 'persona'"),
        (1, forgetting("persona"), "metadata of question 281 in qa:test_2 lacks 'persona'"),
        (2, forgetting("schedule"), "metadata of question 282 in qa:test_2 lacks 'schedule'"),
        (1, emptying("persona", "relation"), "question 281 in qa:test_2, relation"),
        (0, setting("type", "hobby"), "unknown type 'hobby' in qa:test_2"),
        (0, setting("type", None), "unknown type 'None' in qa:test_2"),
        (0, setting("user_id", 8), "User 8 is asked in qa:test_2 but has no history in dialogue:test"),
        (0, setting("user_id", None), "a row without user_id in qa:test_2"),
        (0, setting("question_id", 281), "uses a question_id twice in qa:test_2"),
        (0, setting("question_id", None), "a row without question_id in qa:test_2"),
        (0, setting("dialogue_id", [280, 999]), "question 280 in qa:test_2 names dialogue 999"),
        (0, setting("dialogue_id", [0]), "question 280 in qa:test_2 names dialogue 0"),
        (0, setting("dialogue_id", None), "`dialogue_id` of question 280 in qa:test_2 is not a list"),
        (0, setting("dialogue_id", [280, None]), "`dialogue_id` of question 280 in qa:test_2 is not a list"),
        (1, setting("question", None), "question 281 in qa:test_2, question"),
        (1, setting("personalized_answer", None), "question 281 in qa:test_2, personalized_answer"),
        (1, setting("general_answer", None), "question 281 in qa:test_2, general_answer"),
        (0, setting("question", ""), "question 280 in qa:test_2, question: Input should not be blank"),
        (1, setting("personalized_answer", " \n"), "question 281 in qa:test_2, personalized_answer: Input should not"),
        (2, setting("general_answer", "\u200b"), "question 282 in qa:test_2, general_answer: Input should not be"),
    ],
)
def test_a_broken_question_is_named(tmp_path: Path, row: int, breakage: Breakage, message: str, format: Format) -> None:
    tables = small_set()
    breakage(tables["qa", "test_2"][row])
    assert message in told(write_set(tmp_path / "set", tables, format))


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("row", "breakage", "message"),
    [
        (2, setting("user", None), "dialogue 281 of user 7, user"),
        (2, setting("assistant", None), "dialogue 281 of user 7, assistant"),
        (2, setting("type", "schedule"), "Dialogue 281 of user 7 has turns of two types"),
        (2, setting("type", "hobby"), "unknown type 'hobby' in dialogue:test"),
        (2, setting("type", None), "unknown type 'None' in dialogue:test"),
        (2, setting("user_id", None), "a row without user_id in dialogue:test"),
        (2, setting("dialogue_id", None), "a row without dialogue_id in dialogue:test"),
    ],
)
def test_a_broken_turn_is_named(tmp_path: Path, row: int, breakage: Breakage, message: str, format: Format) -> None:
    tables = small_set()
    breakage(tables["dialogue", "test"][row])
    assert message in told(write_set(tmp_path / "set", tables, format))


@pytest.mark.parametrize(
    ("config", "column", "value", "message"),
    [
        ("qa", "user_id", "seven", "no whole numbers as user_id in qa:"),
        ("dialogue", "user_id", "seven", "no whole numbers as user_id in dialogue:"),
        ("dialogue", "dialogue_id", 0.5, "no whole numbers as dialogue_id in dialogue:"),
        ("qa", "dialogue_id", 281, "is not a list of dialogue ids"),
        ("qa", "metadata", "persona", "lacks 'persona'"),
        ("dialogue", "user", 1, ", user: Input should be a valid string"),
    ],
)
def test_a_column_of_another_kind_is_named(tmp_path: Path, config: str, column: str, value: Any, message: str) -> None:
    tables = small_set()
    for (name, _), rows in tables.items():
        for row in rows:
            if name == config:
                row[column] = value
    assert message in told(write_set(tmp_path / "set", tables))


def test_a_declared_column_that_rows_lack_is_a_data_error(tmp_path: Path) -> None:
    tables = small_set()
    for row in tables["qa", "test_2"]:
        del row["general_answer"]
    folder = write_set(
        tmp_path / "set", {("dialogue", "test"): tables["dialogue", "test"], ("qa", "test_2"): tables["qa", "test_2"]}
    )
    columns = dict.fromkeys(("question", "personalized_answer", "general_answer", "type"), "string")
    features = [
        {"name": "user_id", "dtype": "int64"},
        {"name": "dialogue_id", "list": "int64"},
        {"name": "question_id", "dtype": "int64"},
        *({"name": name, "dtype": dtype} for name, dtype in columns.items()),
    ]
    declared = f"dataset_info:\n- config_name: qa\n  features: {json.dumps(features)}\n---\n"
    text = card(tables, "jsonl")
    (folder / "README.md").write_text(text.removesuffix("---\n") + declared)
    with pytest.raises(RapportError) as caught:
        read_all(str(folder), ("test_2",))
    assert caught.value.cause == Cause.DATA_ERROR
