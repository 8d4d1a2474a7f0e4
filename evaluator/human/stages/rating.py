"""Stage 3, rating: how much better an attribute is served by the personalised answer than by the generic one.

A rater sees answers A and B and is not told which is which. The scale of what is asked runs from A to B; what is read
is turned back to run from generic to personalised. The attribute comes last, so that the attributes of a pair share
what comes before.
"""

from __future__ import annotations

import hashlib
import re

from evaluator.engines.base import Message
from evaluator.human.records import Attribute, Prompt, Rating
from evaluator.human.stages.quoting import choice_messages, titled
from evaluator.human.stages.reading import Invalid, pattern_of, read_word
from evaluator.human.stages.wording import WORDS, Wording
from evaluator.human.tasks import Order, Task

PATTERN = pattern_of(WORDS[Task.RATING])
"""What an answer is forced to match where an engine can force it."""
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,100}")


def drawn_order(seed: int, item_id: str) -> Order:
    """Returns the order in which a pair is shown: half of all ids get either one, and filters never change it.

    Args:
        seed: Of the protocol.
        item_id: Of the pair, such as a response's id: its attributes then share a prefix.

    Example:
        >>> drawn_order(42, "r-1") is drawn_order(42, "r-1")
        True
    """
    return tuple(Order)[hashlib.sha256(f"{seed}:{item_id}".encode()).digest()[0] % 2]


def rating_messages(
    prompt: Prompt, generic: str, personalised: str, order: Order, attribute: Attribute, wording: Wording
) -> tuple[Message, ...]:
    """Returns the messages that ask how two answers compare in the light of an attribute."""
    pair = (generic, personalised) if order is Order.GENERIC_FIRST else (personalised, generic)
    headings = wording.headings
    parts = (
        titled(headings.prompt, prompt.text),
        titled(headings.answer_a, pair[0]),
        titled(headings.answer_b, pair[1]),
        titled(headings.attribute, attribute.text),
    )
    return choice_messages(Task.RATING, parts, wording)


def turned_back(chosen: int, order: Order) -> Rating:
    """Returns the rating of the personalised answer that a number on the scale from A to B stands for.

    Args:
        chosen: 1 for A much better to 5 for B much better.
        order: Which answer was A.

    Raises:
        ValueError: If the number is not on the scale.

    Example:
        >>> turned_back(5, Order.GENERIC_FIRST), turned_back(5, Order.PERSONALISED_FIRST)
        (<Rating.MUCH_BETTER: 5>, <Rating.MUCH_WORSE: 1>)
    """
    return Rating(chosen if order is Order.GENERIC_FIRST else 6 - chosen)


def read_rating(text: str, order: Order) -> Rating | Invalid:
    """Returns how an answer rates the personalised answer; any text is read, and none raises.

    Example:
        >>> read_rating("2", Order.PERSONALISED_FIRST)
        <Rating.BETTER: 4>
        >>> read_rating("6", Order.GENERIC_FIRST), read_rating("4/5", Order.GENERIC_FIRST)
        (<Invalid.OUT_OF_RANGE: 'out_of_range'>, <Invalid.SEVERAL_WORDS: 'several_words'>)
    """
    word = read_word(text, WORDS[Task.RATING])
    if not isinstance(word, Invalid):
        return turned_back(int(word), order)
    return Invalid.OUT_OF_RANGE if _WHOLE_NUMBER.fullmatch(text.strip()) else word
