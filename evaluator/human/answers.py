"""How answers at the human-grounded stages are read: which one stands, what it says, and when it is asked for again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from evaluator.hicupid.answers import find_defect
from evaluator.human.items import HumanItem, Part
from evaluator.human.labelled import RELEVANT, problem_of
from evaluator.human.stages.extraction import read_extraction
from evaluator.human.stages.rating import read_rating
from evaluator.human.stages.reading import Invalid
from evaluator.human.stages.relevance import read_relevance
from evaluator.human.stages.verification import read_verification
from evaluator.human.tasks import Order, Task
from evaluator.records import Defect, Generation

ATTEMPTS = (0, 1)
"""Sample indices: what cannot be read is drawn once more."""


def read(item: HumanItem, answer: str) -> float | Invalid:
    """Returns what an answer says of an item, on the scale of its labels; any text is read, and none raises.

    Example:
        >>> from evaluator.human.records import RaterKind
        >>> item = HumanItem(question_id="p-1/a-1", split="relevance", user_id=0, task=Task.RELEVANCE, person="user-1",
        ...                  labels=(), kind=RaterKind.PERSON)
        >>> read(item, "YES"), read(item, "Perhaps.")
        (1.0, <Invalid.PROSE: 'prose'>)
    """
    if item.task is Task.VERIFICATION:
        said = read_verification(answer)
        return said if isinstance(said, Invalid) else problem_of(said)
    if item.task is Task.RELEVANCE:
        relevant = read_relevance(answer)
        return relevant if isinstance(relevant, Invalid) else RELEVANT * relevant
    rating = read_rating(answer, item.order or Order.GENERIC_FIRST)
    return rating if isinstance(rating, Invalid) else float(rating)


def fault_of(item: HumanItem, attempt: Generation) -> Invalid | Defect | None:
    """Returns why an answer does not count; None if it does, or if it is not there.

    What is written for a reader is as free as an answer of HiCUPID, and has a defect or none; everything else is read.
    """
    if attempt.answer is None:
        return None
    if item.part in (Part.GENERIC, Part.PERSONALISED):
        return find_defect(attempt.answer, attempt.finish_reason)
    if item.part is Part.CONVERSATION:
        return _fault_of_list(item, attempt.answer)
    said = read(item, attempt.answer)
    return said if isinstance(said, Invalid) else None


def _fault_of_list(item: HumanItem, answer: str) -> Invalid | None:
    """Returns why a list of attributes does not count: an empty one is right only where people accepted none."""
    found = read_extraction(answer)
    if found.invalid is None and not found.entries and item.attributes:
        return Invalid.EMPTY_LIST
    return found.invalid


def is_final(item: HumanItem, attempt: Generation) -> bool:
    """Says whether an answer is not asked for again: it can be read, or a second try would bring nothing else."""
    if attempt.answer is None or attempt.key.sample_index == ATTEMPTS[-1]:
        return True
    fault = fault_of(item, attempt)
    return fault is None or (isinstance(fault, Invalid) and not fault.passes)


def lacking(items: Iterable[HumanItem], generations: Iterable[Generation]) -> list[HumanItem]:
    """Returns the items that still owe an answer, in their order."""
    attempts: dict[str, list[Generation]] = defaultdict(list)
    for row in sorted(generations, key=lambda row: row.key.sample_index):
        attempts[row.key.question_id].append(row)
    return [item for item in items if item.is_asked and standing(item, attempts[item.question_id]) is None]


def standing(item: HumanItem, attempts: Sequence[Generation]) -> Generation | None:
    """Returns the answer that counts: the first that can be read, else the last one; None while one is owed.

    Args:
        item: What was asked.
        attempts: Its answers, in their order, the first one first.
    """
    return next((attempt for attempt in attempts if is_final(item, attempt)), None)
