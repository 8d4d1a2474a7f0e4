"""Which item somebody is shown next: pure functions of what is labelled already.

Nothing is drawn while the site runs: what looks random to a person follows from the pseudonym and a key of the site, so
that whoever comes back finds the same place again, and nobody without the key can work it out.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

ATTENTION_EVERY = 12
"""Of so many items in a row one is an attention item, at a place that is drawn."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Lot:
    """What is drawn for one person: HMAC-SHA256 (RFC 2104) of names under a key that only the site has.

    Example:
        >>> lot = Lot(b"a key of the site", "annotator-00000")
        >>> lot.draw("item-1") == lot.draw("item-1"), lot.draw("item-1") == Lot(b"other", lot.annotator).draw("item-1")
        (True, False)
    """

    key: bytes = field(repr=False)
    annotator: str

    def draw(self, *of: str) -> bytes:
        """Returns 32 bytes that look random and are always the same for the same names."""
        return hmac.digest(self.key, "\0".join((self.annotator, *of)).encode(), "sha256")


def choose(
    items: Sequence[str],
    counts: Mapping[str, Mapping[str, int]],
    done: Collection[str],
    skipped: Collection[str],
    lot: Lot,
) -> str | None:
    """Returns the item that a label is worth most on; None if there is none left.

    That is one with the fewest labels; of several one whose labels agree least; of several one that is drawn for the
    person. What the person skipped is left out: it comes again once nothing else is left.

    Args:
        items: All items of a task.
        counts: For each item, how many people gave each word; one without labels may be missing.
        done: Items that the person has labelled.
        skipped: Items that the person did not want to label.
        lot: What is drawn for the person.

    Example:
        >>> lot = Lot(b"a key of the site", "annotator-00000")
        >>> counts = {"a": {"YES": 2}, "b": {"YES": 1, "NO": 1}, "c": {"YES": 2, "NO": 1}}
        >>> choose(["a", "b", "c"], counts, done=(), skipped=(), lot=lot)
        'b'
        >>> choose(["a", "b", "c"], counts, done=("b",), skipped=("a",), lot=lot)
        'c'
    """
    left = [item for item in items if item not in done and item not in skipped]

    def order(item: str) -> tuple[int, float, bytes]:
        given = counts.get(item, {})
        return sum(given.values()), -disagreement(given), lot.draw(item)

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


def drawn_of(values: Sequence[Value], lot: Lot, *of: str) -> Value:
    """Returns one of some values, each with the same chance over all names.

    Example:
        >>> lot = Lot(b"a key of the site", "annotator-00000")
        >>> {drawn_of("AB", lot, str(number)) for number in range(20)} == {"A", "B"}
        True
    """
    return values[int.from_bytes(lot.draw(*of)[:8]) % len(values)]


def attention_due(given: int, lot: Lot, task: str) -> bool:
    """Says whether an attention item is next: one in every `ATTENTION_EVERY`, at a place drawn for person and task.

    Args:
        given: Labels of the task that the person has given so far, those of attention items too.
        lot: What is drawn for the person.
        task: The task.

    Example:
        >>> lot = Lot(b"a key of the site", "annotator-00000")
        >>> [sum(attention_due(given, lot, "rating") for given in range(n, n + 12)) for n in (0, 12, 24)]
        [1, 1, 1]
    """
    block, place = divmod(given, ATTENTION_EVERY)
    return place == int.from_bytes(lot.draw(task, str(block))[:8]) % ATTENTION_EVERY


def attention_left(names: Sequence[str], done: Collection[str], lot: Lot) -> str | None:
    """Returns the attention item that a person is shown next; each is shown once."""
    return min((name for name in names if name not in done), key=lot.draw, default=None)


def attention_owed(items: int) -> int:
    """Returns how many attention items belong among so many others.

    Example:
        >>> attention_owed(22), attention_owed(23), attention_owed(0)
        (2, 3, 0)
    """
    return -(-items // (ATTENTION_EVERY - 1))


def items_in_all(items: int, attention: int) -> int:
    """Returns of how many items a person's way through a task consists.

    Args:
        items: Those that are no attention items.
        attention: Attention items that there are.

    Example:
        >>> items_in_all(22, 4), items_in_all(220, 4), items_in_all(0, 4)
        (24, 224, 0)
    """
    return items + min(attention, attention_owed(items))
