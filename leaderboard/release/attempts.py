"""Which answers of a run count that asks of people's labels: of several attempts at an item one does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from evaluator.human.answers import standing
from evaluator.human.items import HumanItem
from evaluator.human.outcomes import what_was_said
from evaluator.records import Generation


def which_stand(items: Iterable[HumanItem], generations: Sequence[Generation]) -> list[bool]:
    """Says of each answer of a run whether the result counts it: of several attempts at an item one does.

    Args:
        items: All that the run asks.
        generations: Its answers, every attempt.
    """
    by_question = _by_question(generations)
    chosen: set[int] = set()
    for item in items:
        tried = what_was_said([item], by_question.get(item.question_id, ())).counted
        # Of one that was taken down nobody can tell whether it could be read; it could not if another one followed.
        known = [row for row in tried if not row.taken_down]
        if counts := standing(item, known) or (tried[-1] if tried else None):
            chosen.add(id(counts))
    return [id(row) in chosen for row in generations]


def _by_question(generations: Iterable[Generation]) -> Mapping[str, list[Generation]]:
    """Sorts answers by what they answer, each question's in their order."""
    ordered = sorted(generations, key=lambda row: row.key.question_id)
    return {name: list(rows) for name, rows in groupby(ordered, lambda row: row.key.question_id)}
