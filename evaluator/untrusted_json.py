"""JSON that a stranger wrote: read whole or refused, never in a way that takes the machine down."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

_MOST_PARTS = 2_000_000
"""Braces, brackets and commas of one document: each becomes an object of some 50 to 100 bytes in memory. The header of
250,000 tensors has as many."""
_PARTS = (b"{", b"[", b",")


def parse_object(raw: bytes) -> dict[str, Any]:
    """Returns the JSON object that some bytes hold.

    Refused besides broken JSON are documents nested more than some hundred levels deep, those of more than two million
    parts, names that stand twice in one object, and numbers that are not finite.

    Raises:
        ValueError: With a reason for a person to read.

    Example:
        >>> parse_object(b'{"a": 1}')
        {'a': 1}
        >>> parse_object(b'{"a": 1, "a": 2}')
        Traceback (most recent call last):
        ...
        ValueError: it names 'a' twice
    """
    if sum(map(raw.count, _PARTS)) > _MOST_PARTS:
        raise ValueError(f"it has more than {_MOST_PARTS:,} parts")
    try:
        value = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("it holds something else")
    return value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Makes an object of pairs whose names differ."""
    found = dict(pairs)
    if len(found) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"it names {name[:100]!r} twice")
    return found


def _finite(text: str) -> float:
    """Reads a number with a fraction or exponent."""
    value = float(text)
    if not math.isfinite(value):
        _no_number(text)
    return value


def _no_number(text: str) -> None:
    """Refuses what JSON does not know, or a machine cannot hold."""
    raise ValueError(f"{text[:20]} is not a finite number")
