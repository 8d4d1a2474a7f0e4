"""What two evaluations of one plan answered or judged differently.

Given equal rows scores are equal to the last byte. Answers that were generated anew may differ where two tokens were
almost equally likely: this counts and lists them.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from evaluator.errors import Cause, RapportError
from evaluator.records import Generation, Outcome, Record, SlotOrder, Verdict
from leaderboard.records import Plan
from worker.local.folder import Evaluation, Folder, read_kept, read_lines

_SAME = ("adapter_sha", "data_sha", "model_sha", "prompt_pack", "protocol_config", "thinking")
"""Conditions without which two answers to a question are not two answers to one prompt."""


class Differences(Record):
    """How two evaluations of one plan differ."""

    items: int
    """Items that were asked in both."""
    compared: int
    """Items that both have a row for."""
    answers: tuple[str, ...]
    """Ids of the questions whose answers differ."""
    verdicts: tuple[str, ...]
    """Ids of the questions with equal answers whose verdicts differ."""
    only_in_one: tuple[str, ...]
    """Ids of the questions that only one of the two has a row for."""

    def describe(self) -> str:
        """Says it in lines, one for each question."""
        head = (
            f"{len(self.answers)} of {self.compared} answers differ, and {len(self.verdicts)} verdicts on equal answers"
        )
        parts = (("answer", self.answers), ("verdict", self.verdicts), ("only in one", self.only_in_one))
        return "\n".join([head, *(f"{kind}: {name}" for kind, names in parts for name in names)])


def compare_folders(first: Path, second: Path) -> Differences:
    """Compares two evaluations by question.

    Raises:
        RapportError: `not_found` if a folder holds no evaluation, `data_error` if their plans are not the same or a
            row is broken.
    """
    asked = _same_items(first, second)
    left, right = (_Found(path, asked) for path in (first, second))
    both = sorted(left.answers.keys() & right.answers.keys())
    different = [name for name in both if left.answers[name] != right.answers[name]]
    return Differences(
        items=len(asked),
        compared=len(both),
        answers=tuple(different),
        verdicts=tuple(
            name for name in both if name not in different and left.verdicts_on(name) != right.verdicts_on(name)
        ),
        only_in_one=tuple(sorted(left.answers.keys() ^ right.answers.keys())),
    )


class _Found:
    """What one evaluation found.

    Attributes:
        answers: Content hash, or None for a failed item, by question id.
    """

    def __init__(self, path: Path, asked: Collection[str]) -> None:
        """Reads the rows on the questions that were asked."""
        rows = [row for row in read_lines(Folder(path).generations, Generation) if row.key.question_id in asked]
        self.answers = {row.key.question_id: row.content_hash for row in rows}
        self._outcomes: dict[tuple[str, str], dict[SlotOrder, Outcome | None]] = {}
        for row in sorted(read_lines(Folder(path).verdicts, Verdict), key=lambda row: row.attempt):
            said = self._outcomes.setdefault((row.key.question_id, row.key.content_hash), {})
            said[row.key.slot_order] = row.outcome

    def verdicts_on(self, question_id: str) -> dict[SlotOrder, Outcome | None]:
        """Returns the last verdict on the answer to a question in each slot order."""
        return self._outcomes.get((question_id, self.answers[question_id] or ""), {})


def _same_items(first: Path, second: Path) -> set[str]:
    """Returns the ids of the questions of two evaluations that are comparable."""
    pairs = [
        (read_kept(Folder(path).evaluation, Evaluation), read_kept(Folder(path).plan, Plan)) for path in (first, second)
    ]
    for path, (evaluation, plan) in zip((first, second), pairs, strict=True):
        if evaluation is None or plan is None:
            raise RapportError(
                Cause.NOT_FOUND, f"{path} holds no evaluation.", "Name a folder that `rapport evaluate` has written."
            )
    told = [dict(evaluation.conditions) for evaluation, _ in pairs if evaluation]
    items = [{item.question_id for item in plan.items} for _, plan in pairs if plan]
    changed = [name for name in _SAME if told[0][name] != told[1][name]]
    if changed or items[0] != items[1]:
        raise RapportError(
            Cause.DATA_ERROR,
            f"The two evaluations are not of one plan: {', '.join(changed or ['items'])} differ.",
            "Compare evaluations of one model under one protocol.",
        )
    return items[0]
