"""Writes a demo set to a folder that `datasets.load_dataset` opens.

Users are generated and written one after another, so memory stays flat for any number of them. The folder appears
under its name only when it is complete: a reader never meets half a data set.
"""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluator.hicupid.demo_data.card import filled_splits, render_card
from evaluator.hicupid.demo_data.generator import generate_user
from evaluator.hicupid.demo_data.records import MAX_PERSONA_TURNS, DemoQuestion, DemoSize, DemoTurn, DemoUser


def write_demo_set(folder: Path, size: DemoSize, seed: int = 42) -> None:
    """Write a demo set: README.md, dialogue/{train,test}.jsonl and qa/{train,test_1,test_2}.jsonl, less empty splits.

    Seen users fill dialogue/train, qa/train (32 questions each) and qa/test_1 (8 each); unseen users fill
    dialogue/test and qa/test_2 (40 each). Equal arguments give equal bytes.

    Args:
        folder: where the set appears; may exist only if empty.
        size: how many unseen and seen users, and the turns of a persona dialogue.
        seed: any integer.

    Raises:
        ValueError: if `size` is out of range.
        FileExistsError: if `folder` is a file or a folder that is not empty.

    Example:
        >>> write_demo_set(Path("demo"), DemoSize(users=1, seen_users=1, persona_turns=1))  # doctest: +SKIP
    """
    _check(folder, size)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.{os.getpid()}.draft"
    try:
        _write_all(draft, size, seed)
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check(folder: Path, size: DemoSize) -> None:
    if size.users < 0 or size.seen_users < 0 or size.total_users < 1:
        raise ValueError(f"users ({size.users}) and seen_users ({size.seen_users}) must be 0 or more, and not both 0")
    if not 1 <= size.persona_turns <= MAX_PERSONA_TURNS:
        raise ValueError(f"persona_turns must be between 1 and {MAX_PERSONA_TURNS}, not {size.persona_turns}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} already exists and is not an empty folder; choose another or remove it first")


def _write_all(draft: Path, size: DemoSize, seed: int) -> None:
    with ExitStack() as open_files:
        append: dict[str, Callable[[dict[str, Any]], None]] = {}
        names = [f"{config}/{split}" for config in ("dialogue", "qa") for split in filled_splits(config, size)]
        for name in names:
            path = draft / f"{name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            append[name] = _appender(path, open_files)
        for user_id in range(size.total_users):
            user = generate_user(seed, user_id, size.persona_turns)
            _write_user(user, user_id < size.seen_users, append)
    (draft / "README.md").write_text(render_card(size, seed), encoding="utf-8", newline="\n")


def _appender(path: Path, open_files: ExitStack) -> Callable[[dict[str, Any]], None]:
    handle = open_files.enter_context(path.open("w", encoding="utf-8", newline="\n"))

    def append(row: dict[str, Any]) -> None:
        handle.write(json.dumps(row, ensure_ascii=False) + "\n")

    return append


def _write_user(user: DemoUser, seen: bool, append: dict[str, Callable[[dict[str, Any]], None]]) -> None:
    for turn in user.turns:
        append["dialogue/train" if seen else "dialogue/test"](_turn_row(turn))
    for question in user.questions:
        if seen:
            append["qa/test_1" if question.held_out else "qa/train"](_question_row(question))
        else:
            append["qa/test_2"](_question_row(question))


def _turn_row(turn: DemoTurn) -> dict[str, Any]:
    return asdict(turn)


def _question_row(question: DemoQuestion) -> dict[str, Any]:
    row = asdict(question)
    del row["held_out"]
    row["dialogue_id"] = list(question.dialogue_id)
    row["metadata"] = {name: row.pop(name) for name in ("persona", "profile", "schedule")}
    return row
