"""A judge that compares by a known rule, on made-up users whose gold it knows; noise of a known amount may be added."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.identity import text_digest

Say = Callable[[list[dict[str, Any]]], str]
Noise = Literal["chance", "slot"]
"""What it says where it errs: any of the words, or A whatever stands there."""
_PAIR = re.compile(r"Question: (?P<question>.*?)\nAnswer A: (?P<a>.*)\nAnswer B: (?P<b>.*)", re.DOTALL)
_SCHEDULE = re.compile(r"Request: (?P<question>.*?) Answer: (?P<a>.*)", re.DOTALL)
_STEPS = 10**6


@cache
def made_up(users: int) -> tuple[Path, dict[str, set[str]]]:
    """Writes made-up users; returns their folder, and gold by question."""
    folder = Path(tempfile.mkdtemp(prefix="rapport-canaries-"))
    write_demo_set(folder / "set", DemoSize(users, 0, 1), 42)
    gold: dict[str, set[str]] = {}
    for each in HicupidData.open(str(folder / "set")).questions("test_2"):
        gold.setdefault(each.question, set()).add(each.gold)
    return folder / "set", gold


def sound(users: int = 10) -> Say:
    """Returns a judge that prefers gold, and finds nothing else satisfying.

    Args:
        users: As many as are asked about, or more.
    """
    gold = made_up(users)[1]

    def rule(messages: list[dict[str, Any]]) -> str:
        shown = messages[-1]["content"].rpartition("\n\n")[2]
        if pair := _PAIR.search(shown):
            a, b = (pair[slot] in gold[pair["question"]] for slot in "ab")
            return f"Better Response: {'Tie' if a == b else 'A' if a else 'B'}"
        asked = _SCHEDULE.search(shown)
        assert asked, shown
        return f"Satisfaction: {'YES' if asked['a'] in gold[asked['question']] else 'NO'}"

    return rule


def noisy(users: int, noise: Noise, share: float) -> Say:
    """Returns the sound judge with a share of its verdicts spoilt, the same ones each time.

    Args:
        users: As many as are asked about.
        noise: What it says instead.
        share: Of all verdicts, in 0..1; some of what chance says is right.
    """
    rule = sound(users)

    def says(messages: list[dict[str, Any]]) -> str:
        right = rule(messages)
        luck = int(text_digest(noise + json.dumps(messages))[:15], 16)
        if luck % _STEPS >= share * _STEPS or (noise == "slot" and right.startswith("Satisfaction")):
            return right
        if right.startswith("Satisfaction"):
            return f"Satisfaction: {('YES', 'NO')[luck // _STEPS % 2]}"
        return f"Better Response: {('A', 'B', 'Tie')[luck // _STEPS % 3] if noise == 'chance' else 'A'}"

    return says
