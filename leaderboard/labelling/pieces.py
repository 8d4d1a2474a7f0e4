"""What of an item stands on the page: quoted texts with their headings, in the order in which models are shown them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evaluator.human.records import Role, Turn
from evaluator.human.stages.wording import Headings
from evaluator.human.tasks import Order
from evaluator.records import SlotOrder


class Line(NamedTuple):
    """What one speaker says, or a text that nobody says."""

    speaker: str
    """Empty where there is none."""
    text: str


class Piece(NamedTuple):
    """A text with its heading."""

    heading: str
    lines: tuple[Line, ...]


def piece(heading: str, *texts: str) -> Piece:
    """Returns a piece in which nobody speaks."""
    return Piece(heading, tuple(Line("", text) for text in texts))


def verification_pieces(
    conversations: Sequence[Sequence[Turn]], attribute: str, headings: Headings
) -> tuple[Piece, ...]:
    """Returns whole conversations and the attribute that is taken from them, without a hint at where it stands."""
    speakers = {Role.USER: headings.user, Role.ASSISTANT: headings.assistant}
    shown = [
        Piece(
            f"{headings.conversation} {number}" if len(conversations) > 1 else headings.conversation,
            tuple(Line(speakers[turn.role], turn.text) for turn in turns),
        )
        for number, turns in enumerate(conversations, start=1)
    ]
    return (*shown, piece(headings.attribute, attribute))


def relevance_pieces(prompt: str, attribute: str, headings: Headings) -> tuple[Piece, ...]:
    """Returns a prompt and an attribute."""
    return piece(headings.prompt, prompt), piece(headings.attribute, attribute)


def rating_pieces(
    prompt: str, generic: str, personalised: str, attribute: str, order: Order, headings: Headings
) -> tuple[Piece, ...]:
    """Returns a prompt, the two answers to it in an order, and an attribute."""
    pair = (generic, personalised) if order is Order.GENERIC_FIRST else (personalised, generic)
    return piece(headings.prompt, prompt), *_answers(pair, headings), piece(headings.attribute, attribute)


def pair_pieces(
    question: str, known: Sequence[str], answer: str, gold: str, order: SlotOrder, headings: Headings
) -> tuple[Piece, ...]:
    """Returns a question, what is known of its user, and two answers to it in an order."""
    pair = (answer, gold) if order is SlotOrder.ANSWER_FIRST else (gold, answer)
    return piece(headings.attributes, *known), piece(headings.prompt, question), *_answers(pair, headings)


def _answers(pair: tuple[str, str], headings: Headings) -> tuple[Piece, Piece]:
    return piece(headings.answer_a, pair[0]), piece(headings.answer_b, pair[1])
