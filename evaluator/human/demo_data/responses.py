"""Composes two answers to a prompt: one for anybody, and one for a user, which serves some attributes but not all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from evaluator.hicupid.demo_data.draw import Draw
from evaluator.human.demo_data.content import Occasion
from evaluator.human.records import Response

WRITER = "demo generator"
_REMINDERS = ("I have not forgotten that {you}.", "You told me that {you}.")


class Relevant(NamedTuple):
    """An attribute that is relevant for an answer."""

    attribute_id: str
    you: str
    use: str
    """The sentence that serves it."""


class Manner(Enum):
    """What an answer does with an attribute: how much better it serves it, in points of a rating, and how often."""

    SILENTLY = (0.7, 22)
    """It serves it and does not name it."""
    OPENLY = (0.73, 22)
    """It serves it and names it."""
    NOT_AT_ALL = (0.0, 36)
    """It leaves it out."""
    IN_NAME_ONLY = (-0.3, 20)
    """It names it and does nothing with it."""

    @property
    def uplift(self) -> float:
        """Points by which the answer serves the attribute better than one for anybody."""
        return self.value[0]

    @property
    def weight(self) -> int:
        """How many of a hundred attributes meet with it."""
        return self.value[1]

    @property
    def names_it(self) -> bool:
        """Whether the attribute is named openly."""
        return self in (Manner.OPENLY, Manner.IN_NAME_ONLY)


class Served(NamedTuple):
    """A response, and what is known of it by prompt and attribute."""

    response: Response
    uplift: Mapping[tuple[str, str], float]
    mentioned: Mapping[tuple[str, str], bool]


def write_response(
    prompt_id: str, user_id: str, occasion: Occasion, relevant: Sequence[Relevant], draw: Draw
) -> Served:
    """Writes both answers.

    Args:
        prompt_id: What is asked.
        user_id: Who asks.
        occasion: What it is about.
        relevant: The attributes to write from, at least one.
        draw: Decides what becomes of each.
    """
    manners = [draw.pick([manner for manner in Manner for _ in range(manner.weight)]) for _ in relevant]
    said = [_sentence(each, manner, draw) for each, manner in zip(relevant, manners, strict=True)]
    name = f"{user_id}-{prompt_id}"
    response = Response(
        response_id=name,
        prompt_id=prompt_id,
        user_id=user_id,
        attribute_ids=tuple(each.attribute_id for each in relevant),
        writer=WRITER,
        generic=" ".join((occasion.opening, occasion.generic, occasion.closing)),
        personalised=" ".join(filter(None, (occasion.opening, occasion.frame, *said, occasion.closing))),
    )
    pairs = [(name, each.attribute_id) for each in relevant]
    return Served(
        response,
        {pair: manner.uplift for pair, manner in zip(pairs, manners, strict=True)},
        {pair: manner.names_it for pair, manner in zip(pairs, manners, strict=True)},
    )


def _sentence(relevant: Relevant, manner: Manner, draw: Draw) -> str:
    """Writes what the answer says of an attribute."""
    if manner is Manner.SILENTLY:
        return relevant.use
    if manner is Manner.OPENLY:
        return f"Since {relevant.you}, {relevant.use[0].lower()}{relevant.use[1:]}"
    if manner is Manner.IN_NAME_ONLY:
        return draw.pick(_REMINDERS).format(you=relevant.you)
    return ""
