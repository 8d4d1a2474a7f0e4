"""Public rows of models of known truth, as many as wanted, written as the files that the board is built from.

Answers are withheld, so rows hold names, digests and verdicts, which is what a real partition is made of.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.store.parquet import schema_of

PROTOCOL, JUDGE, SPLIT = "official-v1", "proxy-3b-v1", "test_2"
QUESTIONS = {"persona": 25, "profile": 5, "schedule": 10}
"""Of each user."""
ORDERS = {"persona": ["answer_first", "gold_first"], "profile": ["answer_first", "gold_first"], "schedule": ["single"]}
STEPS = (-0.4, 0.4)
"""What a latent quality must exceed for a tie and for a win; for a schedule question it is 0."""
USER_SPREAD, MODEL_SPREAD, ORDER_SPREAD = 0.5, 0.4, 0.3
"""Standard deviations of the latent difficulty of a user, for all models and for one, and of reading a pair once; that
of an item is 1."""
QUALITY_SPREAD = 0.5
"""Standard deviation of the models' true qualities."""
DEFECTS, UNREAD = 0.01, 0.005
"""Shares of answers that lose without a judge, and of verdicts that are missing."""


class Template(NamedTuple):
    """What all models' rows have in common."""

    generations: Any
    """Rows of a model, to be filled with its own columns."""
    verdicts: Any
    answer: NDArray[np.intp]
    """(verdicts,): the place of the judged answer."""
    pairs: NDArray[np.bool_]
    """(verdicts,): whether two answers are compared."""
    difficulty: NDArray[np.float64]
    """(generations,): the latent difficulty of a question's user, for all models."""
    user: NDArray[np.intp]
    """(generations,): the question's user."""


def name_of(number: int) -> str:
    """Returns a model's name.

    Example:
        >>> name_of(7)
        'org/model-00007'
    """
    return f"org/model-{number:05}"


def run_of(number: int) -> str:
    """Returns the id of a model's run."""
    return f"s-20260101-{number:08x}.{PROTOCOL}"


def make_template(users: int) -> Template:
    """Returns what the rows of all models have in common."""
    types = [type_ for type_, questions in QUESTIONS.items() for _ in range(questions)] * users
    user = np.repeat(np.arange(users), sum(QUESTIONS.values()))
    names = [f"{SPLIT}/{place:06}" for place in range(len(types))]
    shared = {
        "protocol": PROTOCOL,
        "data_sha": "d" * 40,
        "attempt": 1,
        "prompt_hash": "p" * 64,
        "personal_data": "synthetic",
    }
    asked = {"split": SPLIT, "has_evidence": True, "counts": True, "answer_status": "withheld"}
    generations = _rows(OpenGeneration, len(types), shared | asked | {"evidence_recall": 1.0})
    generations = _put(
        generations,
        question_id=pa.array(names),
        user_id=pa.array(user),
        type=pa.array(types),
        orders=pa.array([ORDERS[type_] for type_ in types]),
    )
    answer = np.repeat(np.arange(len(types)), [len(ORDERS[type_]) for type_ in types])
    orders = [order for type_ in types for order in ORDERS[type_]]
    judged = {"rater": JUDGE, "rater_kind": "model", "counts": True}
    verdicts = _rows(OpenVerdict, len(answer), shared | judged)
    verdicts = _put(verdicts, question_id=pa.array(names).take(pa.array(answer)), slot_order=pa.array(orders))
    difficulty = np.random.default_rng(0).normal(0, USER_SPREAD, users)[user]
    pairs = np.array([order != "single" for order in orders])
    return Template(generations, verdicts, answer, pairs, difficulty, user)


def write_model(folder: Path, template: Template, number: int, judging: int = 0) -> int:
    """Writes the files of one model and returns the number of its verdicts.

    Args:
        folder: The public data set.
        template: What all models have in common.
        number: The model's; equal numbers give equal rows.
        judging: How often its answers were judged before: another number gives other verdicts.
    """
    random = np.random.default_rng([1, number])
    answers = len(template.user)
    quality = random.normal(0, QUALITY_SPREAD) + random.normal(0, MODEL_SPREAD, template.user.max() + 1)[template.user]
    quality += template.difficulty + random.standard_normal(answers)
    broken = random.random(answers) < DEFECTS
    hashes = _digests(random, answers)
    own = {"run_id": run_of(number), "submission_id": run_of(number).split(".")[0], "model": name_of(number)}
    generations = _put(
        template.generations,
        **{name: pa.repeat(value, answers) for name, value in own.items()},
        model_sha=pa.repeat(f"{number:040x}", answers),
        content_hash=hashes,
        input_key=_digests(random, answers),
        defect=pa.array(np.where(broken, "repetition", ""), mask=~broken),
        bleu=pa.array(random.uniform(0, 100, answers)),
        rouge_l=pa.array(random.uniform(0, 100, answers)),
        prompt_tokens=pa.array(random.integers(15_000, 20_000, answers)),
        cached_tokens=pa.array(random.integers(0, 15_000, answers)),
        shared_tokens=pa.array(random.integers(0, 15_000, answers)),
        seconds=pa.array(random.uniform(0, 9, answers)),
    )
    random = np.random.default_rng([2, number, judging])
    words = len(template.answer)
    heard = quality[template.answer] + random.normal(0, ORDER_SPREAD, words)
    outcome = np.where(heard > STEPS[1], "win", np.where(heard > STEPS[0], "tie", "loss"))
    outcome = np.where(template.pairs, outcome, np.where(heard > 0, "satisfied", "unsatisfied"))
    unread = random.random(words) < UNREAD
    verdicts = _put(
        template.verdicts,
        **{name: pa.repeat(value, words) for name, value in own.items()},
        content_hash=hashes.take(pa.array(template.answer)),
        outcome=pa.array(outcome, mask=unread),
        word=pa.array(outcome, mask=unread),
        verdict_key=_digests(random, words),
        prompt_tokens=pa.array(random.integers(500, 900, words)),
        seconds=pa.array(random.uniform(0, 1, words)),
    ).filter(pa.array(~broken[template.answer]))
    _write(folder / layout.generations_path(name_of(number), run_of(number)), generations)
    _write(folder / layout.verdicts_path(JUDGE, name_of(number), run_of(number)), verdicts)
    return len(verdicts)


def _rows(kind: Any, rows: int, values: dict[str, Any]) -> Any:
    """Returns a table of rows that are all alike: given values, and for all other columns as little as they allow."""
    schema = schema_of(kind)
    columns = []
    for field in schema:
        value = values.get(field.name, None if field.nullable else _least(field.type))
        columns.append(pa.array([value] * rows, type=field.type))
    return pa.table(columns, schema=schema)


def _least(kind: Any) -> Any:
    """Returns a plain value of a type."""
    if pa.types.is_list(kind):
        return []
    if pa.types.is_string(kind):
        return "x"
    return pa.scalar(1, pa.int64()).cast(kind).as_py()


def _put(table: Any, **columns: Any) -> Any:
    """Returns a table with some columns replaced."""
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, values.cast(field.type))
    return table


def _digests(random: np.random.Generator, rows: int) -> Any:
    """Returns random digests of 64 hexadecimal digits."""
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * 64)
    return pa.StringArray.from_buffers(rows, offsets, pa.py_buffer(random.bytes(32 * rows).hex().encode()))


def _write(path: Path, table: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd")


def main() -> None:
    """Writes some models, from one number up to another."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("end", type=int)
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--judging", type=int, default=0)
    arguments = parser.parse_args()
    template = make_template(arguments.users)
    verdicts = sum(
        write_model(arguments.folder, template, number, arguments.judging)
        for number in range(arguments.first, arguments.end)
    )
    print(verdicts)


if __name__ == "__main__":
    main()
