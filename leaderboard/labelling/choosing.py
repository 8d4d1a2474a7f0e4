"""Which item somebody is shown next: pure functions of what is labelled already.

Nothing is drawn while the site runs: what looks random to a person follows from the pseudonym, so that whoever comes
back finds the same place again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

ATTENTION_EVERY = 12
"""Of so many items in a row one is an attention item, at a place that is drawn."""

Value = TypeVar("Value")


def choose(
    items: Sequence[str],
    counts: Mapping[str, Mapping[str, int]],
    done: Collection[str],
    skipped: Collection[str],
    annotator: str,
) -> str | None:
    """Returns the item that a label is worth most on; None if there is none left.

    That is one with the fewest labels; of several one whose labels agree least; of several one that is drawn for the
    person. What the person skipped comes last.

    Args:
        items: All items of a task.
        counts: For each item, how many people gave each word; one without labels may be missing.
        done: Items that the person has labelled.
        skipped: Items that the person did not want to label.
        annotator: The person.

    Example:
        >>> counts = {"a": {"YES": 2}, "b": {"YES": 1, "NO": 1}, "c": {"YES": 2, "NO": 1}}
        >>> choose(["a", "b", "c"], counts, done=(), skipped=(), annotator="annotator-00000")
        'b'
        >>> choose(["a", "b", "c"], counts, done=("b",), skipped=("a",), annotator="annotator-00000")
        'c'
    """
    left = [item for item in items if item not in done]

    def order(item: str) -> tuple[bool, int, float, bytes]:
        given = counts.get(item, {})
        return item in skipped, sum(given.values()), -disagreement(given), draw(annotator, item)

    return min(left, key=order, default=None)


def disagreement(given: Mapping[str, int]) -> float:
    """Returns the probability, 0 to 1, that two different people gave an item different words; 0 below two labels.

    Example:
        >>> disagreement({"YES": 1, "NO": 1}), disagreement({"YES": 3}), disagreement({"NO": 1})
        (1.0, 0.0, 0.0)
    """
    labels = sum(given.values())
    if labels < 2:
        return 0.0
    return 1 - sum(count * (count - 1) for count in given.values()) / (labels * (labels - 1))


def draw(*of: str) -> bytes:
    """Returns 32 bytes that look random and are always the same for the same names."""
    return hashlib.sha256("\0".join(of).encode()).digest()


def drawn_of(values: Sequence[Value], *of: str) -> Value:
    """Returns one of some values, each with the same chance over all names.

    Example:
        >>> {drawn_of("AB", "annotator-00000", str(number)) for number in range(20)} == {"A", "B"}
        True
    """
    return values[int.from_bytes(draw(*of)[:8]) % len(values)]


def attention_due(given: int, annotator: str, task: str) -> bool:
    """Says whether an attention item is next: one in every `ATTENTION_EVERY`, at a place drawn for person and task.

    Args:
        given: Labels of the task that the person has given so far, those of attention items too.
        annotator: The person.
        task: The task.

    Example:
        >>> [sum(attention_due(given, "annotator-00000", "rating") for given in range(n, n + 12)) for n in (0, 12, 24)]
        [1, 1, 1]
    """
    block, place = divmod(given, ATTENTION_EVERY)
    return place == int.from_bytes(draw(annotator, task, str(block))[:8]) % ATTENTION_EVERY


def attention_left(names: Sequence[str], done: Collection[str], annotator: str) -> str | None:
    """Returns the attention item that a person is shown next; each is shown once."""
    return min((name for name in names if name not in done), key=lambda name: draw(annotator, name), default=None)


def items_in_all(items: int, attention: int) -> int:
    """Returns of how many items a person's way through a task consists.

    Example:
        >>> items_in_all(22, 4), items_in_all(220, 4), items_in_all(0, 4)
        (24, 224, 0)
    """
    return items + min(attention, -(-items // (ATTENTION_EVERY - 1)))
