"""What a run asks, as a file that all runs share which ask the same: items of one suite, with the columns of these."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from evaluator.hicupid.questions import Item
from evaluator.human.items import HumanItem
from evaluator.identity import digest
from evaluator.parquet import read_table
from evaluator.setup import AnyItem
from leaderboard.store.parquet import decode_parquet, encode_parquet

_OF_PEOPLE = "task"
"""A column that items have which people have labelled, and no others."""


def digest_of(items: Iterable[AnyItem]) -> str:
    """Names items by all that they say, in their order.

    Example:
        >>> digest_of([])[:12]
        '4f53cda18c2b'
    """
    return digest([item.model_dump(mode="json") for item in items])


def encode_items(items: Iterable[AnyItem]) -> bytes:
    """Returns the file of some items.

    Raises:
        ValueError: If they are of several suites: no protocol asks such.

    Example:
        >>> decode_items(encode_items([]), "items.parquet")
        ()
    """
    every = list(items)
    plain = [item for item in every if isinstance(item, Item)]
    labelled = [item for item in every if isinstance(item, HumanItem)]
    if plain and labelled:
        raise ValueError("items of several suites do not stand in one file")
    return encode_parquet(labelled, HumanItem) if labelled else encode_parquet(plain, Item)


def decode_items(content: bytes, name: str) -> tuple[AnyItem, ...]:
    """Returns the items of a file.

    Args:
        content: The file.
        name: What it is called in errors.

    Raises:
        RapportError: `data_error` if it is no such file.
    """
    if _is_of_people(content):
        return tuple(decode_parquet(content, HumanItem, name))
    return tuple(decode_parquet(content, Item, name))


def _is_of_people(content: bytes) -> bool:
    """Says whether a file has the columns of items that people have labelled."""
    try:
        return _OF_PEOPLE in read_table(content, [_OF_PEOPLE]).column_names
    except (pa.ArrowException, OSError, ValueError):  # Whoever reads it next says what is wrong with it.
        return False
