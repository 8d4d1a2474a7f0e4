"""What one commit of the publisher is made of: rows, results, histories, and what is done once the store has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from leaderboard.store.base import Operation, Write

FILES_A_COMMIT = 100
"""About as many files are written in one commit."""


class Part(NamedTuple):
    """Something that is to be stored, and what follows from that.

    Example:
        >>> part = Part("3 batches", (Write("a", b"1"),), then=lambda: None)
        >>> part.files
        1
    """

    words: str
    """What it is, for a person who reads the store's history."""
    operations: tuple[Operation, ...]
    """What is to be changed in the store; nothing if the store holds it already."""
    then: Callable[[], None]
    """To be called once the store holds it; does no harm if it is called twice."""
    runs: frozenset[str] = frozenset()
    """Runs of which it holds rows or a result."""

    @property
    def files(self) -> int:
        """How many files it writes."""
        return sum(isinstance(operation, Write) for operation in self.operations)


def operations_of(parts: Iterable[Part]) -> list[Operation]:
    """Returns what some parts change together; of two that change one file the first counts.

    Example:
        >>> parts = [Part("new", (Write("a", b"2"),), print), Part("old", (Write("a", b"1"), Write("b", b"1")), print)]
        >>> operations_of(parts)
        [Write(path='a', content=b'2'), Write(path='b', content=b'1')]
    """
    first: dict[str, Operation] = {}
    for part in parts:
        for operation in part.operations:
            first.setdefault(operation.path, operation)
    return list(first.values())


def words_of(parts: Iterable[Part]) -> str:
    """Returns the message of the commit that some parts make together; empty if none changes anything.

    Example:
        >>> words_of([Part("3 batches", (Write("a", b"1"),), print), Part("nothing", (), print)])
        '3 batches'
    """
    return ", ".join(part.words for part in parts if part.operations)


def runs_of(parts: Sequence[Part]) -> frozenset[str]:
    """Returns the runs of which some parts hold anything.

    Example:
        >>> runs_of([])
        frozenset()
    """
    return frozenset().union(*(part.runs for part in parts))
