"""Random choices that stay the same for ever.

Python promises a stable sequence only for `Random.random()`; `choice`, `sample` and `shuffle` may change between
versions. A demo set must be byte-identical everywhere, so every choice here is built from `random()` alone.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A stream of choices that depends on its key and nothing else.

    Example:
        >>> Draw("42:0").pick(["tea", "coffee"]) == Draw("42:0").pick(["tea", "coffee"])
        True
    """

    def __init__(self, key: str) -> None:
        """Start the stream named `key`."""
        self._key = key
        self._random = random.Random(key)  # noqa: S311 - invented text, not secrets

    def branch(self, part: str) -> "Draw":
        """Return a stream of its own for one part, which neither disturbs this one nor is disturbed by it."""
        return Draw(f"{self._key}:{part}")

    def below(self, limit: int) -> int:
        """Return an integer in 0 .. limit-1; `limit` must be at least 1."""
        return int(self._random.random() * limit)

    def chance(self, probability: float) -> bool:
        """Return True with the given probability (0 to 1)."""
        return self._random.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """Return one of `items`, which must not be empty."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return all of `items` in a new order (Fisher-Yates)."""
        deck = list(items)
        for last in range(len(deck) - 1, 0, -1):
            other = self.below(last + 1)
            deck[last], deck[other] = deck[other], deck[last]
        return deck
