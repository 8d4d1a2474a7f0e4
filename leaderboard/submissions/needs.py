"""What the prompts of a protocol need, as the workers that planned it found: known before anybody submits again."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Literal

from pydantic import Field
from redis import Redis

from evaluator.errors import RapportError
from evaluator.records import Record
from leaderboard.connection import text
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys

log = logging.getLogger("rapport.reaper")


class Need(Record):
    """How long the prompts of a protocol are on a data set, and how many there are.

    Example:
        >>> Need(protocol="demo-v1", data_sha="0" * 64, longest_characters=48_000).items is None
        True
    """

    schema_version: Literal[1] = 1
    protocol: str
    data_sha: str
    longest_characters: int = Field(gt=0)
    """Of the longest prompt, instruction, history and question together."""
    items: int | None = Field(default=None, gt=0)
    """Questions that a run asks."""
    users: int | None = Field(default=None, gt=0)
    """Users whose histories a run shows."""


def note_need(redis: Redis, need: Need) -> None:
    """Keeps what a protocol needs; the latest note counts."""
    redis.set(keys.need(need.protocol), need.model_dump_json())


def need_of(redis: Redis, protocol: str) -> Need | None:
    """Returns what a protocol needs; None as long as no worker has planned a run of it.

    Raises:
        RapportError: `data_error` if the note is not of this version.
    """
    value = redis.get(keys.need(protocol))
    return None if value is None else read_record(text(value), Need, f"need of {protocol}")


def needs_of(redis: Redis, protocols: Collection[str]) -> dict[str, Need]:
    """Returns what protocols need, of those of which it is known, in one round trip.

    A note of another version is named in the log and counts as none: without it less is known in advance, that is all.
    """
    names = sorted({*protocols})
    values = redis.mget([keys.need(name) for name in names]) if names else []
    found: dict[str, Need] = {}
    for name, value in zip(names, values, strict=True):
        if value is not None:
            try:
                found[name] = read_record(text(value), Need, f"need of {name}")
            except RapportError as error:
                log.warning("%s", error)
    return found
