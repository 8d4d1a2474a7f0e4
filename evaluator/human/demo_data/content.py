"""The authored text that the demo set is composed from, as records; it lies in YAML so that writers can mend it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import Field

from evaluator.records import Record


class Flaw(StrEnum):
    """Why an attribute does not hold."""

    OVERGENERALISED = "overgeneralised"
    """More is said than follows."""
    NO_EVIDENCE = "no_evidence"
    """Nothing of it was said."""
    TASK_CONTEXT = "task_context"
    """What the user wants at the moment is taken for a trait."""
    NOT_STANDALONE = "not_standalone"
    """It cannot be understood by itself."""


class Exchange(Record):
    """What a user says and what the assistant answers."""

    user: str
    assistant: str


class Right(Record):
    """An attribute that holds."""

    at: int = Field(ge=0)
    """The turn that shows it, counted over user and assistant from 0."""
    text: str
    """The attribute, as "The user ..."."""
    you: str
    """The same said to the user, as the beginning of a sentence with "Since"."""
    uses: Mapping[str, str]
    """By occasion, what it adds to an answer; for other occasions it is not relevant."""


class Wrong(Record):
    """An attribute that does not hold."""

    kind: Flaw
    at: int | None = None
    """The turn that a careless reader took it from; None where there is none."""
    text: str


class Topic(Record):
    """One conversation, and what can and cannot be said of a user who had it."""

    topic: str
    slots: Mapping[str, tuple[str, ...]]
    """Words that differ between users, by the name of their slot in the texts."""
    turns: tuple[Exchange, ...] = Field(min_length=1)
    right: tuple[Right, ...] = ()
    """None for a conversation about a task, from which nothing lasting follows."""
    wrong: tuple[Wrong, ...] = Field(min_length=1)


class Occasion(Record):
    """Something that users ask for, in several wordings, and how it is answered."""

    occasion: str
    prompts: tuple[str, ...] = Field(min_length=1)
    opening: str
    generic: str
    """The body of the answer for anybody."""
    frame: str
    """The beginning of the body of an answer for somebody."""
    closing: str


@cache
def topics() -> tuple[Topic, ...]:
    """Returns the conversations that show something of a user, ordered by name."""
    folder = files(__package__) / "texts" / "themes"
    rows = [row for file in folder.iterdir() if file.name.endswith(".yaml") for row in _table(f"themes/{file.name}")]
    return tuple(sorted(map(Topic.model_validate, rows), key=lambda topic: topic.topic))


@cache
def tasks() -> tuple[Topic, ...]:
    """Returns the conversations that show nothing of a user, in their order."""
    return tuple(map(Topic.model_validate, _table("tasks.yaml")))


@cache
def occasions() -> tuple[Occasion, ...]:
    """Returns what users ask for, in its order."""
    return tuple(map(Occasion.model_validate, _table("prompts.yaml")))


def _table(name: str) -> list[Any]:
    rows = yaml.safe_load((files(__package__) / "texts" / name).read_text(encoding="utf-8"))
    assert isinstance(rows, list)
    return rows
