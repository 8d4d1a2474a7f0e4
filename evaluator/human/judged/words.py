"""What judges of one word read, and how their word is read: rating judges and verifiers.

They are asked exactly as people are. A line of what they read that says nothing but one of their words is cited, in
texts of models, of people and of the data set alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from evaluator.engines.base import Message
from evaluator.human.records import Attribute, Conversation, Prompt, Rating
from evaluator.human.stages.rating import rating_messages, turned_back
from evaluator.human.stages.reading import Invalid
from evaluator.human.stages.verification import verification_messages
from evaluator.human.stages.wording import load_wording
from evaluator.human.stages.writing import SLOT_ORDERS
from evaluator.human.tasks import Order
from evaluator.judge import Reading
from evaluator.judges.neutral import WORD_VERSION, without_words
from evaluator.judges.spec import JudgeSpec
from evaluator.records import Outcome, SlotOrder

RATED: dict[Rating, Outcome] = {rating: Outcome(rating.name.lower()) for rating in Rating}
"""How a rating stands in a verdict."""
ORDERS: dict[SlotOrder, Order] = {slot: order for order, slot in SLOT_ORDERS.items()}
"""Which answer stands first, by slot order."""


class JudgePrompt(NamedTuple):
    """What a judge is asked, and how its completion is read."""

    messages: tuple[Message, ...]
    read: Callable[[str], Reading]


def words_of(judge: JudgeSpec) -> str:
    """Names all that decides how texts stand before a judge of one word: what is said, and how they are kept.

    Example:
        >>> from evaluator.judges.spec import load_judge
        >>> words_of(load_judge("demo-verifier")).partition("+")[2]
        'neutral-word-v1'
    """
    return f"{load_wording(judge.prompt_pack).name}+{WORD_VERSION}"


def rating_prompt(
    judge: JudgeSpec, prompt: Prompt, generic: str, personalised: str, slots: SlotOrder, attribute: Attribute
) -> JudgePrompt:
    """Returns what a rating judge is asked about two answers in the light of an attribute.

    Args:
        judge: Of kind rating.
        prompt: What was asked.
        generic: The answer for anybody.
        personalised: The answer for the user.
        slots: Which of them stands first.
        attribute: Of the user.
    """
    order, kept = ORDERS[slots], partial(without_words, words=judge.words)
    messages = rating_messages(
        prompt.model_copy(update={"text": kept(prompt.text)}),
        kept(generic),
        kept(personalised),
        order,
        attribute.model_copy(update={"text": kept(attribute.text)}),
        load_wording(judge.prompt_pack),
    )
    return JudgePrompt(messages, partial(_read_rating, judge=judge, order=order))


def verification_prompt(judge: JudgeSpec, attribute: Attribute, conversations: Sequence[Conversation]) -> JudgePrompt:
    """Returns what a verifier is asked about an attribute.

    Args:
        judge: Of kind verifier.
        attribute: With its evidence.
        conversations: All of its user's, in time order.

    Raises:
        ValueError: If there is nothing to verify it by.
    """
    kept = partial(without_words, words=judge.words)
    messages = verification_messages(
        attribute.model_copy(update={"text": kept(attribute.text)}),
        [
            each.model_copy(
                update={"turns": tuple(turn.model_copy(update={"text": kept(turn.text)}) for turn in each.turns)}
            )
            for each in conversations
        ],
        load_wording(judge.prompt_pack),
    )
    if isinstance(messages, Invalid):
        raise ValueError(f"{attribute.attribute_id} has nothing to be verified by")
    return JudgePrompt(messages, partial(_read_verification, judge=judge))


def _read_rating(text: str, judge: JudgeSpec, order: Order) -> Reading:
    """Reads what a rating judge says: a word from A to B, and an outcome from generic to personalised."""
    word = judge.read(text)
    return Reading(word, None if word is None else RATED[turned_back(int(word), order)])


def _read_verification(text: str, judge: JudgeSpec) -> Reading:
    """Reads what a verifier says."""
    word = judge.read(text)
    return Reading(word, None if word is None else Outcome(word))
