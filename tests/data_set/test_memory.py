"""A data set of full size is read user by user: neither held in memory nor read again for each question."""

from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluator.hicupid.data import HicupidData
from tests.data_set.layout import Tables, card, dialogue_rows, qa_rows, small_set, write_set
from tests.data_set.measuring import DIALOGUES, TURNS, USERS, growth_by_holding, growth_by_streaming
from tests.hub_server import Client

TEXT = 200
"""Characters of a turn."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet set with as many rows as HiCUPID has for unseen users."""
    folder = tmp_path_factory.mktemp("large")
    users = [user for user in range(USERS) for _ in range(TURNS)]
    turns = range(USERS * TURNS)
    dialogue = {
        "user_id": users,
        "dialogue_id": [turn // TURNS * DIALOGUES + turn % TURNS * DIALOGUES // TURNS for turn in turns],
        "user": [f"{turn:<{TEXT}}" for turn in turns],
        "assistant": [f"{turn:>{TEXT}}" for turn in turns],
        "type": ["persona"] * len(users),
    }
    questions = [
        {**qa_rows(number // DIALOGUES)[1], "question_id": number, "dialogue_id": [number]}
        for number in range(USERS * DIALOGUES)
    ]
    tables = {("dialogue", "test"): pa.table(dialogue), ("qa", "test_2"): pa.Table.from_pylist(questions)}
    for (config, split), table in tables.items():
        (folder / config).mkdir()
        pq.write_table(table, folder / config / f"{split}.parquet", row_group_size=5_000)
    (folder / "README.md").write_text(card(dict.fromkeys(tables, ()), "parquet"))
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_set(tmp_path / "small", small_set(), "parquet")


def test_reading_users_takes_a_fraction_of_the_memory_of_holding_all_rows(
    client: Client, large: Path, small: Path
) -> None:
    client.run(
        growth_by_streaming, str(small), str(large), 1
    )  # Unpacks the set, which costs a buffer of its own, once.
    held = client.run(growth_by_holding, str(small), str(large)).value
    streamed = client.run(growth_by_streaming, str(small), str(large), 40).value
    assert held.rows == USERS * (TURNS + DIALOGUES)
    assert streamed.rows == 40 * (TURNS + DIALOGUES)
    assert streamed.held < held.held / 5


@pytest.fixture
def rows_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lists, for each access to rows, how many were read."""
    counts: list[int] = []
    query_table = datasets.arrow_dataset.query_table

    def counting(*args: Any, **kwargs: Any) -> pa.Table:
        found = query_table(*args, **kwargs)
        counts.append(found.num_rows)
        return found

    monkeypatch.setattr(datasets.arrow_dataset, "query_table", counting)
    return counts


@pytest.mark.parametrize("users", [3, 30])
def test_asking_a_user_reads_the_rows_of_that_user_alone(tmp_path: Path, rows_read: list[int], users: int) -> None:
    tables: Tables = {
        ("dialogue", "test"): [row for user in range(users) for row in dialogue_rows(user)],
        ("qa", "test_2"): [row for user in range(users) for row in qa_rows(user)],
    }
    data = HicupidData.open(str(write_set(tmp_path / "set", tables)))
    first = list(data.questions("test_2", 1))
    rows_read.clear()
    for _ in range(10):
        assert list(data.questions("test_2", 1)) == first
    assert sum(rows_read) == 10 * (len(dialogue_rows(1)) + len(qa_rows(1)))
    rows_read.clear()
    data.history("test_2", 1)
    assert sum(rows_read) == len(dialogue_rows(1))


def test_a_history_is_read_at_once(tmp_path: Path, rows_read: list[int]) -> None:
    data = HicupidData.open(str(write_set(tmp_path / "set", small_set())))
    data.history("test_2", 7)
    rows_read.clear()
    data.history("test_2", 7)
    assert rows_read == [len(dialogue_rows(7))]
