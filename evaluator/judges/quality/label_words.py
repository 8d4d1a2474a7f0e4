"""What each column of a labelled verdict file may hold, in words for those who write such a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, get_args

from evaluator.human.records import RaterKind
from evaluator.judges.quality.labelled import LONGEST_NOTE, LabelledVerdict
from evaluator.records import SlotOrder

OUTCOMES: Final = get_args(LabelledVerdict.model_fields["outcome"].annotation)
"""All outcomes of labels, of whatever question."""
ALLOWED: Mapping[str, str] = MappingProxyType(
    {
        "schema_version": "the number 1",
        "question_id": "1 to 200 letters, digits and marks of ASCII without a space",
        "content_hash": "64 hexadecimal digits in lower case",
        "annotator": "a letter or digit and at most 127 letters, digits and . _ : - after it",
        "outcome": ", ".join(OUTCOMES),
        "kind": ", ".join(RaterKind),
        "slot_order": ", ".join(SlotOrder),
        "note": f"text of at most {LONGEST_NOTE} characters on one line",
    }
)
"""By column, what it may hold."""
_CHOICES = frozenset({"outcome", "kind", "slot_order"})
"""Columns that hold one of some words."""
_PRIVATE = frozenset({"annotator", "note"})
"""Columns whose values are not repeated: who is no pseudonym may be a name, and a note is nobody else's."""
_LONGEST_SAID = 60
"""Characters of a value."""


def missing(column: str) -> str:
    """Says that a column is needed.

    Example:
        >>> missing("schema_version")
        'schema_version: It is missing; it holds the number 1.'
    """
    held = f"one of {ALLOWED[column]}" if column in _CHOICES else ALLOWED[column]
    return f"{column}: It is missing; it holds {held}."


def not_allowed(column: str, value: Any) -> str:
    r"""Says that a value is not allowed, and what is.

    Args:
        column: A column of the format.
        value: What stands there, as JSON has it; said on one line in ASCII, and not in full if it is long.

    Example:
        >>> not_allowed("outcome", "WIN")
        'outcome: "WIN" is none of win, tie, loss, satisfied, unsatisfied.'
        >>> not_allowed("content_hash", "2920\x1b")
        'content_hash: "2920\\u001b" is not 64 hexadecimal digits in lower case.'
        >>> not_allowed("annotator", "Jane Doe")
        'annotator: It is not a letter or digit and at most 127 letters, digits and . _ : - after it.'
    """
    said = "It" if column in _PRIVATE else _as_json(value)
    return f"{column}: {said} is {'none of' if column in _CHOICES else 'not'} {ALLOWED[column]}."


def _as_json(value: Any) -> str:
    """Writes a stranger's value: JSON in ASCII has no control characters."""
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SAID else f"{text[:_LONGEST_SAID]}..."
