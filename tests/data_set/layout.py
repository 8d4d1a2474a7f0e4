"""Writes small data sets in the layout of HiCUPID, whole or broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

Row = dict[str, Any]
Tables = dict[tuple[str, str], list[Row]]
"""Rows by config and split."""
Format = Literal["jsonl", "parquet"]

PERSONA = {"category": "food", "entity": "ramen", "relation": "enjoys", "sentiment": "POS"}
PROFILE = {
    "age": "34",
    "gender": "female",
    "personality": "calm",
    "occupation": "baker",
    "income_range": "middle",
}
SCHEDULE = {"datetime": "11 AM on March 13, 2025", "event": "dentist"}
TYPES = ("profile", "persona", "schedule")


def small_set() -> Tables:
    """Returns two users whose histories are in `train` and one whose history is in `test`."""
    return {
        ("dialogue", "train"): [*dialogue_rows(0), *dialogue_rows(1)],
        ("dialogue", "test"): dialogue_rows(7),
        ("qa", "train"): qa_rows(1),
        ("qa", "test_1"): [*qa_rows(0), *qa_rows(1)],
        ("qa", "test_2"): qa_rows(7),
    }


def dialogue_rows(user_id: int) -> list[Row]:
    """Returns a dialogue of each type; the one of persona has three turns."""
    return [
        {
            "user_id": user_id,
            "dialogue_id": user_id * 40 + number,
            "user": f"user {user_id} says {type_} {turn}",
            "assistant": f"reply to {user_id} on {type_} {turn}",
            "type": type_,
        }
        for number, type_ in enumerate(TYPES)
        for turn in range(3 if type_ == "persona" else 1)
    ]


def qa_rows(user_id: int) -> list[Row]:
    """Returns a question of each type, with the dialogue of its type as evidence."""
    facts: dict[str, dict[str, Row | None]] = {
        "persona": {"persona": PERSONA, "profile": None, "schedule": None},
        "profile": {"persona": PERSONA, "profile": PROFILE, "schedule": None},
        "schedule": {"persona": None, "profile": None, "schedule": SCHEDULE},
    }
    return [
        {
            "user_id": user_id,
            "dialogue_id": [user_id * 40 + number],
            "question_id": user_id * 40 + number,
            "question": f"question of {user_id} on {type_}",
            "personalized_answer": f"for {user_id}",
            "general_answer": "for anyone",
            "type": type_,
            "metadata": facts[type_],
        }
        for number, type_ in enumerate(TYPES)
    ]


def write_set(folder: Path, tables: Mapping[tuple[str, str], Sequence[Row]], format: Format = "jsonl") -> Path:
    """Writes tables and the card that declares them."""
    for (config, split), rows in tables.items():
        path = folder / config / f"{split}.{format}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if format == "parquet":
            pq.write_table(pa.Table.from_pylist(list(rows)), path)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "README.md").write_text(card(tables, format), encoding="utf-8")
    return folder


def card(tables: Mapping[tuple[str, str], Sequence[Row]], format: Format) -> str:
    """Returns the README.md that says which file is which split."""
    configs: dict[str, list[Row]] = {}
    for config, split in tables:
        configs.setdefault(config, []).append({"split": split, "path": f"{config}/{split}.{format}"})
    listed = [{"config_name": name, "data_files": files} for name, files in configs.items()]
    return f"---\n{yaml.safe_dump({'license': 'apache-2.0', 'tags': ['synthetic'], 'configs': listed})}---\n"
