"""Reads verdicts by a strict grammar: what is not plainly a verdict is missing, never guessed.

The last line that begins with the verdict's label counts. After the label stands one of the allowed words, in its own
capitals, bold or not, with at most one closing punctuation mark, and nothing else.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from evaluator.hicupid.questions import QuestionType
from evaluator.records import Outcome, SlotOrder


class VerdictLine(NamedTuple):
    """The label of a verdict line and the words that may follow it."""

    label: str
    words: tuple[str, ...]


BETTER_RESPONSE = VerdictLine("Better Response:", ("A", "B", "Tie"))
SATISFACTION = VerdictLine("Satisfaction:", ("YES", "NO"))


def parse_word(completion: str, line: VerdictLine) -> str | None:
    r"""Returns the verdict word of a completion, or None if there is no clear one.

    Example:
        >>> parse_word("Both do.\nBetter Response: **Tie**.", BETTER_RESPONSE)
        'Tie'
        >>> parse_word("Better Response: A (more personal than B)", BETTER_RESPONSE) is None
        True
    """
    labelled = re.compile(rf"\s*(?:\*\*)?{re.escape(line.label)}")
    lines = [text for text in completion.splitlines() if labelled.match(text)]
    if not lines:
        return None
    words = "|".join(map(re.escape, line.words))
    verdict = re.compile(
        rf"\s*(?:\*\*)?{re.escape(line.label)}(?:\*\*)?\s*(?:\*\*)?({words})(?:\*\*)?[.!]?(?:\*\*)?\s*"
    )
    match = verdict.fullmatch(lines[-1])
    return match[1] if match else None


def outcome(word: str | None, type_: QuestionType, order: SlotOrder) -> Outcome | None:
    """Returns what a verdict word says of the model's answer, given the slot that held it.

    Example:
        >>> outcome("B", QuestionType.PERSONA, SlotOrder.GOLD_FIRST)
        <Outcome.WIN: 'win'>
    """
    if word is None:
        return None
    if type_ is QuestionType.SCHEDULE:
        return Outcome.SATISFIED if word == "YES" else Outcome.UNSATISFIED
    if word == "Tie":
        return Outcome.TIE
    return Outcome.WIN if (word == "A") == (order is SlotOrder.ANSWER_FIRST) else Outcome.LOSS
