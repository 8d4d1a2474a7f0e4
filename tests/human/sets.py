"""Small data sets of people's labels as raw files, to be broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features, load_dataset

from evaluator.human.check import check_folder
from evaluator.human.layout import CARD, KINDS, About, HumanTables
from evaluator.human.writing import encode_human_set

Row = dict[str, Any]
RawTables = dict[str, list[Row]]
Found = tuple[str, str, str | None]
"""The problem, its place without the name of the file, and the row."""

ANNOTATORS = ("ann-1", "ann-2", "ann-3")
ABOUT = About(title="Three people's labels", source="Invented for a test.", licence="apache-2.0")


def honest() -> RawTables:
    """Returns two users with all that there is to say of them: nothing is wrong with it."""
    users = ("u1", "u2")
    return {
        "conversations": [
            {
                "conversation_id": f"{user}-c{number}",
                "user_id": user,
                "language": "en",
                "started_at": "2026-03-01T08:00:00Z",
                "turns": [{"role": "user", "text": "I keep bees."}, {"role": "assistant", "text": "How many?"}],
            }
            for user in users
            for number in (1, 2)
        ],
        "attributes": [
            {
                "attribute_id": f"{user}-a{number}",
                "user_id": user,
                "text": "The user keeps bees.",
                "evidence": [{"conversation_id": f"{user}-c{number}", "turn": 0}],
                "origin": "a model",
                "confidence": 0.9,
            }
            for user in users
            for number in (1, 2)
        ],
        "annotators": [{"annotator_id": annotator, "kind": "person"} for annotator in ANNOTATORS],
        "attribute_labels": [
            _label(annotator) | {"attribute_id": f"{user}-a{number}", "label": "accepted"}
            for user in users
            for number in (1, 2)
            for annotator in ANNOTATORS
        ],
        "prompts": [{"prompt_id": "p1", "text": "What shall I cook?", "user_ids": list(users)}],
        "relevance_labels": [
            _label(annotator) | {"prompt_id": "p1", "attribute_id": f"{user}-a1", "relevant": annotator == "ann-1"}
            for user in users
            for annotator in ANNOTATORS
        ],
        "responses": [
            {
                "response_id": "r1",
                "prompt_id": "p1",
                "user_id": "u1",
                "attribute_ids": ["u1-a1", "u1-a2"],
                "writer": "a model",
                "generic": "Roast chicken.",
                "personalised": "Figs with honey.",
            }
        ],
        "response_ratings": [
            _label(annotator) | {"response_id": "r1", "attribute_id": name, "rating": 4}
            for name in ("u1-a1", "u1-a2")
            for annotator in ANNOTATORS
        ],
    }


def without_roster() -> RawTables:
    """Returns the same without a table of annotators: anybody may have labelled."""
    tables = honest()
    del tables["annotators"]
    return tables


def _label(annotator: str) -> Row:
    return {"annotator_id": annotator, "kind": "person", "labelled_at": "2026-03-02T08:00:00Z", "note": None}


def typed(tables: RawTables) -> HumanTables:
    """Returns raw rows as records."""
    return HumanTables(
        **{
            name: tuple(KINDS[name].model_validate_json(json.dumps(row), strict=True) for row in rows)
            for name, rows in tables.items()
        }
    )


def write_raw(folder: Path, tables: RawTables, about: About = ABOUT) -> Path:
    """Writes raw rows, whatever they hold, beside the card of a whole data set."""
    for name, rows in tables.items():
        path = folder / name / "part-0000.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / CARD).write_bytes(encode_human_set(typed(honest()), about)[CARD])
    return folder


def found(folder: Path, tables: RawTables) -> list[Found]:
    """Returns what the check of raw rows finds."""
    findings = check_folder(write_raw(folder, tables))
    return [(each.problem.value, each.place.replace("/part-0000.jsonl", ""), each.row) for each in findings]


def write_parquet(folder: Path, tables: RawTables) -> Path:
    """Writes rows as the Hub's own tools do, in up to two files a table."""
    write_raw(folder, tables)
    columns = {name: _features(folder, name) for name in tables}
    for name, features in columns.items():
        source = folder / name / "part-0000.jsonl"
        rows = [_with_moments(json.loads(line), name) for line in source.read_text().splitlines()]
        source.unlink()
        for part, some in enumerate(filter(None, (rows[:1], rows[1:]))):  # `datasets` fails on one without rows.
            table = pa.Table.from_pylist(some, schema=features.arrow_schema)
            pq.write_table(table, folder / name / f"train-{part:05}-of-00002.parquet")
    card = folder / CARD
    text = card.read_text()
    for name in tables:
        text = text.replace(
            f"data_files: {name}/*.jsonl", f"data_files: [{{split: train, path: {name}/train-*.parquet}}]"
        )
    card.write_text(text)
    return folder


def _features(folder: Path, name: str) -> Features:
    return load_dataset(str(folder), name, split="train", streaming=True).features


def _with_moments(row: Row, name: str) -> Row:
    """Turns moments from text into what Parquet has for them."""
    record = KINDS[name].model_validate_json(json.dumps(row), strict=True)
    return {
        column: getattr(record, column) if column in ("started_at", "labelled_at") else value
        for column, value in row.items()
    }


def loaded(source: str, cache: str, tables: tuple[str, ...] = tuple(KINDS)) -> Mapping[str, list[str]]:
    """Reads tables with the real `datasets`; each row as the JSON of its record."""
    return {
        name: [
            KINDS[name].model_validate(row).model_dump_json()
            for row in load_dataset(source, name, split="train", cache_dir=cache)
        ]
        for name in tables
    }


def as_json(tables: HumanTables) -> dict[str, list[str]]:
    """Returns each row as JSON, by table."""
    return {name: [row.model_dump_json() for row in rows] for name, rows in tables._asdict().items()}
