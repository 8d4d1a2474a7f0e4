"""Reads the authored text that the generator composes from.

The text lives in YAML beside the code so that writers can add a theme or fix a sentence without touching Python; this
module turns it into typed records once per process and fails loudly when a table is malformed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from evaluator.hicupid.demo_data.records import Sentiment

# The C loader is ten times faster where the wheel has it; both build plain values only.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Pair:
    """A user turn and its reply, each with interchangeable wordings."""

    user: tuple[str, ...]
    assistant: tuple[str, ...]


@dataclass(frozen=True)
class Entity:
    """One thing that can be liked or disliked, with the details that betray either."""

    name: str
    signs: dict[Sentiment, tuple[str, ...]]  # past-tense verb phrases without subject
    bits: tuple[str, ...]  # noun phrases to ask about
    tip: str  # what to suggest to somebody who likes it
    dodge: str  # what to suggest to somebody who does not


@dataclass(frozen=True)
class ThemeQuestion:
    """A question that a generic and a personal answer treat differently."""

    question: str
    general: str
    gold: dict[Sentiment, str]


@dataclass(frozen=True)
class Theme:
    """One of the 25 categories of taste."""

    category: str
    topic: str
    subject: str
    pairs: dict[Sentiment, tuple[Pair, ...]]
    questions: tuple[ThemeQuestion, ...]
    entities: tuple[Entity, ...]


@dataclass(frozen=True)
class FollowUps:
    """Turns that fit any theme."""

    openings: tuple[str, ...]
    reactions: dict[Sentiment, tuple[str, ...]]
    again: tuple[str, ...]
    asides: tuple[str, ...]
    acknowledgements: tuple[str, ...]
    common: dict[Sentiment, tuple[Pair, ...]]
    closings: tuple[Pair, ...]


def read_table(name: str) -> Any:
    """Return the parsed YAML table `name`, such as "people.yaml".

    Raises:
        FileNotFoundError: if no such table ships with the package.
    """
    return _parse(_texts() / name)


@cache
def themes() -> tuple[Theme, ...]:
    """Return all themes, ordered by category name."""
    found = [_theme(row) for table in _persona_tables() for row in table]
    return tuple(sorted(found, key=lambda theme: theme.category))


@cache
def follow_ups() -> FollowUps:
    """Return the turns that fit any theme."""
    table = read_table("followups.yaml")
    common: dict[Sentiment, tuple[Pair, ...]] = {
        "POS": tuple(_pair(row) for row in table["common"] if row["mood"] in ("any", "POS")),
        "NEG": tuple(_pair(row) for row in table["common"] if row["mood"] in ("any", "NEG")),
    }
    return FollowUps(
        openings=tuple(table["openings"]),
        reactions={"POS": tuple(table["reactions"]["POS"]), "NEG": tuple(table["reactions"]["NEG"])},
        again=tuple(table["again"]),
        asides=tuple(table["asides"]),
        acknowledgements=tuple(table["acknowledgements"]),
        common=common,
        closings=tuple(_pair(row) for row in table["closings"]),
    )


def _texts() -> Traversable:
    return files(__package__) / "texts"


def _parse(source: Traversable) -> Any:
    return yaml.load(source.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both are safe


def _persona_tables() -> Iterator[list[dict[str, Any]]]:
    folder = _texts() / "personas"
    for source in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if source.name.endswith(".yaml"):
            yield _parse(source)


def _theme(row: dict[str, Any]) -> Theme:
    return Theme(
        category=row["category"],
        topic=row["topic"],
        subject=row["subject"],
        pairs={"POS": tuple(map(_pair, row["pos"])), "NEG": tuple(map(_pair, row["neg"]))},
        questions=tuple(
            ThemeQuestion(item["q"], item["general"], {"POS": item["pos"], "NEG": item["neg"]})
            for item in row["questions"]
        ),
        entities=tuple(map(_entity, row["entities"])),
    )


def _entity(row: dict[str, Any]) -> Entity:
    return Entity(
        name=row["entity"],
        signs={"POS": _phrases(row["acts"]), "NEG": _phrases(row["woes"])},
        bits=_phrases(row["bits"]),
        tip=row["tip"],
        dodge=row["dodge"],
    )


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split("; "))


def _pair(row: dict[str, Any]) -> Pair:
    return Pair(user=_as_tuple(row["u"]), assistant=_as_tuple(row["a"]))


def _as_tuple(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
