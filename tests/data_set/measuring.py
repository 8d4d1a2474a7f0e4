"""Measures, in a process of its own, what reading a large data set costs in memory."""

from __future__ import annotations

from typing import NamedTuple

import psutil
from datasets import load_dataset

from evaluator.hicupid.data import HicupidData

USERS, DIALOGUES, TURNS = 250, 40, 265
"""The size of the unseen part of HiCUPID: 66,250 turns and 10,000 questions."""


class Growth(NamedTuple):
    """What reading cost."""

    held: int
    """Bytes by which the process grew, with what was read still in hand, without the mapped pages of files: these the
    system takes back when it likes, and how many are there differs from machine to machine."""
    rows: int
    """How much was read, to show that something was."""


def growth_by_streaming(warm_up: str, source: str, users: int) -> Growth:
    """Opens a set and reads the histories and questions of some users one after the other, keeping nothing."""
    _read(HicupidData.open(warm_up), 1)
    before = _held()
    data = HicupidData.open(source)
    rows = _read(data, users)
    return Growth(_held() - before, rows)


def growth_by_holding(warm_up: str, source: str) -> Growth:
    """Holds all rows of a set as Python objects."""
    _read(HicupidData.open(warm_up), 1)
    before = _held()
    tables = [load_dataset(source, "dialogue", split="test"), load_dataset(source, "qa", split="test_2")]
    rows = [row for table in tables for row in table.to_list()]
    return Growth(_held() - before, len(rows))


def _read(data: HicupidData, users: int) -> int:
    rows = 0
    for user in data.users("test_2")[:users]:
        rows += sum(len(dialogue.turns) for dialogue in data.history("test_2", user).dialogues)
        rows += sum(1 for _ in data.questions("test_2", user))
    return rows


def _held() -> int:
    memory = psutil.Process().memory_info()
    return int(memory.rss - memory.shared)
