"""Boards hold tens of thousands of scorecards, and what is the same in all of them once.

A pydantic record remembers which of its fields were given, in a set of its own; half of a scorecard's memory is such
sets. Records are frozen, so those with equal sets can share one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from evaluator.facts import ModelFacts
from evaluator.records import Record, Terms
from evaluator.results import Scores
from leaderboard.records import Declaration
from leaderboard.results import Scorecard

Kind = TypeVar("Kind", bound=Record)
Content = TypeVar("Content")
_SETS: dict[frozenset[str], set[str]] = {}
_KNOWN: set[int] = set()
"""Identities of the shared sets, which live as long as the process does."""
_ALIKE = (Declaration, ModelFacts, Terms)
"""What all scorecards of a model have alike."""


def once(card: Scorecard) -> Scorecard:
    """Returns the same scorecard, which tells figures of its only split by those of the whole: they are the same."""
    whole, splits = card.result, card.result.by_split
    if len(splits) == 1:
        parts = vars(splits[0])
        for name in Scores.model_fields:
            if parts[name] == getattr(whole, name):
                parts[name] = getattr(whole, name)
    return card


def shared(records: Iterable[Kind]) -> list[Kind]:
    """Returns the same records, in which what is the same is kept once.

    Example:
        >>> from evaluator.results import PairwiseScores, Rate
        >>> rate = Rate(value=None, judged=0, items=0, interval=None)
        >>> first, second = shared(PairwiseScores(win=rate, tie=rate, loss=rate, score=rate) for _ in range(2))
        >>> first.model_fields_set is second.model_fields_set
        True
    """
    found, alike = list(records), dict[Record, Record]()
    for record in found:
        _share(record, alike)
    return found


def _share(record: Record, alike: dict[Record, Record]) -> None:
    """Walks what a record is made of, unless that was done; small records of numbers have no such sets."""
    given = record.__pydantic_fields_set__
    if id(given) in _KNOWN:
        return
    one = _SETS.setdefault(frozenset(given), given)
    _KNOWN.add(id(one))
    object.__setattr__(record, "__pydantic_fields_set__", one)
    parts = vars(record)
    for name, part in parts.items():
        if isinstance(part, Record):
            _share(part, alike)
            if isinstance(part, _ALIKE):
                parts[name] = alike.setdefault(part, part)
        elif isinstance(part, tuple) and part and isinstance(part[0], Record):  # Tuples are of one kind.
            for each in part:
                _share(each, alike)


class Parsed(Generic[Content]):
    """Keeps what files hold, each until its content is another one: most commits change one file of many.

    Example:
        >>> lengths = Parsed(lambda content, path: len(content))
        >>> lengths(b"abc", "a"), lengths(b"abc", "a")
        (3, 3)
    """

    def __init__(self, parse: Callable[[bytes, str], Content]) -> None:
        """Takes what parses a file, by its content and its path; what that raises is not kept."""
        self._parse = parse
        self._kept: dict[str, tuple[bytes, Content]] = {}

    def __call__(self, content: bytes, path: str) -> Content:
        """Returns what a file holds."""
        digest = hashlib.sha256(content).digest()
        kept = self._kept.get(path)
        if kept is None or kept[0] != digest:
            kept = self._kept[path] = digest, self._parse(content, path)
        return kept[1]
