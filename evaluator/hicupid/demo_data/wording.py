"""Turns templates into sentences: slots, capitals and the user's own voice.

Ten users share a taste; they must not share sentences. The people and places a user mentions and the way the user
talks are drawn here, once per user, and coloured into every turn.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from evaluator.hicupid.demo_data.content import read_table
from evaluator.hicupid.demo_data.draw import Draw

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
NUMBERS = ("three", "four", "five", "six", "seven", "eight", "nine")
CAST_SIZE = 10
TOWNS_PER_USER = 7

_SLOT = re.compile(r"<(\w+)>('s)?")
_SENTENCE_START = re.compile(r"(^|[.!?] )([a-z])")
_LEADING_I = re.compile(r"(^|[.!?] )I ([a-z])(?=[a-z]*(?:ed|t|d|e|w|n|k|g|p|m)\b)")
_EXPANSIONS = (
    (re.compile(r"\b([Ii]t|[Tt]hat|[Tt]here|[Ww]hat|[Ww]ho|[Ww]here|[Hh]ow)'s\b"), r"\1 is"),
    (re.compile(r"\bI'm\b"), "I am"),
    (re.compile(r"\b([Ii]|[Ww]e|[Tt]hey|[Yy]ou)'ve\b"), r"\1 have"),
    (re.compile(r"\b([Ii]|[Ww]e|[Ii]t|[Tt]hey|[Yy]ou)'ll\b"), r"\1 will"),
    (re.compile(r"\b([Ww]e|[Tt]hey|[Yy]ou)'re\b"), r"\1 are"),
    (re.compile(r"\bI'd (?=better|not\b)"), "I had "),
    (re.compile(r"\b(I|[Ww]e|[Ii]t)'d (?=rather|like|have|be|do|come|stop\b)"), r"\1 would "),
    (re.compile(r"\b([Cc]an)'t\b"), r"\1not"),
    (re.compile(r"\b([Ww])on't\b"), r"\1ill not"),
    (re.compile(r"\b(is|was|does|did|do|has|have|had|would|could|should|are|were)n't\b"), r"\1 not"),
)


@dataclass(frozen=True)
class Person:
    """Somebody the user knows."""

    name: str
    phrase: str  # how the user introduces them, such as "my aunt Ruth"

    def known(self) -> "Person":
        """The same person once introduced: from then on the bare name is enough."""
        return Person(self.name, self.name)

    @property
    def owner(self) -> str:
        """The possessive; a trailing "from work" cannot carry it, so the bare name does."""
        stem = self.phrase if self.phrase.endswith(self.name) else self.name
        return f"{stem}'s"


@dataclass(frozen=True)
class Voice:
    """How one user talks."""

    contracted: bool
    clipped: bool
    hello: tuple[str, ...]
    bye: tuple[str, ...]

    def say(self, text: str, draw: Draw, *, first: bool) -> str:
        """Return `text` as this user would put it; greetings only in a first turn."""
        if not self.contracted:
            for pattern, spelt_out in _EXPANSIONS:
                text = pattern.sub(spelt_out, text)
        if self.clipped:
            text = capitalised(_LEADING_I.sub(r"\1\2", text))
        hello = draw.pick(self.hello) if draw.chance(0.5) and first else ""
        bye = draw.pick(self.bye) if draw.chance(0.35 if first else 0.06) else ""
        return " ".join(part for part in (hello, text, bye) if part)


@dataclass(frozen=True)
class World:
    """The people, the places and the voice of one user."""

    people: tuple[Person, ...]
    towns: tuple[str, ...]
    voice: Voice

    @classmethod
    def drawn(cls, draw: Draw) -> "World":
        """Draw the world of one user."""
        table = _people_table()
        names = draw.shuffled(table["names"])[:CAST_SIZE]
        roles = draw.shuffled(table["roles"])[:CAST_SIZE]
        people = tuple(Person(n, r.replace("<name>", n)) for n, r in zip(names, roles, strict=True))
        return cls(people, tuple(draw.shuffled(table["towns"])[:TOWNS_PER_USER]), draw.pick(_voices()))

    def slots(self, draw: Draw, people: tuple[Person, ...] = ()) -> dict[str, str]:
        """Draw the everyday slots of one turn; `people` narrows who may be mentioned."""
        person = draw.pick(people or self.people)
        return {
            "person": person.phrase,
            "owner": person.owner,
            "name": person.name,
            "town": draw.pick(self.towns),
            "day": draw.pick(DAYS),
            "month": draw.pick(MONTHS),
            "n": draw.pick(NUMBERS),
        }


def fill(template: str, slots: Mapping[str, str]) -> str:
    """Return `template` with each `<slot>` replaced and every sentence starting with a capital.

    Example:
        >>> fill("<person>'s cat naps. so do I, on <day>.", {"owner": "my aunt Ruth's", "day": "Friday"})
        "My aunt Ruth's cat naps. So do I, on Friday."

    Raises:
        KeyError: if a slot has no value.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] == "person" and match[2]:
            return slots["owner"]
        return slots[match[1]] + (match[2] or "")

    return capitalised(" ".join(_SLOT.sub(value, template).split()))


def capitalised(text: str) -> str:
    """Return `text` with a capital at the start of each sentence."""
    return _SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)


@cache
def _people_table() -> dict[str, tuple[str, ...]]:
    table = read_table("people.yaml")
    return {"names": tuple(table["names"].split()), "roles": tuple(table["roles"]), "towns": tuple(table["towns"])}


@cache
def _voices() -> tuple[Voice, ...]:
    return tuple(
        Voice(row["contracted"], row["clipped"], tuple(row["hello"]), tuple(row["bye"]))
        for row in read_table("voices.yaml")
    )
