"""Stage 3, a model as the writer: what it is asked for, and how its two answers are set side by side.

The generic answer is written from the prompt alone, the personalised one from the same words and the attributes that
people called relevant. Both are compared by HiCUPID's distilled judge, in both orders, and rated for each attribute by
a rating judge, who is asked exactly as a rater is (`rating.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.engines.base import Message
from evaluator.hicupid.prompts import PromptPack
from evaluator.hicupid.questions import PersonaFact, Question, QuestionType
from evaluator.human.records import Attribute, Prompt
from evaluator.human.stages.quoting import titled, unmarked
from evaluator.human.stages.wording import Wording
from evaluator.human.tasks import Order
from evaluator.judges.prompt import judge_messages
from evaluator.records import SlotOrder

SLOT_ORDERS = {Order.PERSONALISED_FIRST: SlotOrder.ANSWER_FIRST, Order.GENERIC_FIRST: SlotOrder.GOLD_FIRST}
"""To a judge the personalised answer is the model's, and the generic one stands where gold does."""
_SUBJECT = "the user "


def generic_messages(prompt: Prompt, wording: Wording) -> tuple[Message, ...]:
    """Returns the messages that ask for an answer for anybody.

    The prompt is no quotation here: it is what the model is to answer, and nothing stands behind it.
    """
    return (Message("system", wording.writing.answer), Message("user", unmarked(prompt.text)))


def personalised_messages(prompt: Prompt, attributes: Sequence[Attribute], wording: Wording) -> tuple[Message, ...]:
    """Returns the messages that ask for an answer for one user: those of `generic_messages`, and what is known.

    Args:
        prompt: What is asked.
        attributes: Those that people called relevant, at least one, in the order of the data.
        wording: What is said.

    Raises:
        ValueError: If there is no attribute: such an answer would be a second generic one.
    """
    if not attributes:
        raise ValueError("a personalised answer needs an attribute")
    answer, asked = generic_messages(prompt, wording)
    known = titled(wording.headings.attributes, "\n".join(attribute.text for attribute in attributes))
    return (
        Message("system", "\n\n".join((answer.content, wording.writing.personalise, wording.quoting, known))),
        asked,
    )


def comparison_messages(
    prompt: Prompt, attributes: Sequence[Attribute], generic: str, personalised: str, order: Order, pack: PromptPack
) -> tuple[Message, ...]:
    """Returns the prompt of HiCUPID's distilled judge, which it was trained on, with attributes for the persona.

    It reads "The user {relation} {entity}" there. These words are the judge's own and hold no quotation; only a chat
    template's markup is broken.

    Args:
        prompt: What was asked.
        attributes: What is known of the user, at least one.
        generic: The answer for anybody.
        personalised: The answer for the user; neither has a defect.
        order: Which one stands first.
        pack: The judge's.

    Raises:
        ValueError: If there is no attribute, or a text has nothing to read.
    """
    question = Question(
        question_id=prompt.prompt_id,
        user_id=0,
        split="human",
        type=QuestionType.PERSONA,
        question=unmarked(prompt.text),
        gold=unmarked(generic),
        general_answer=unmarked(generic),
        evidence=(),
        evidence_position=(),
        persona=characteristics(attributes),
        profile=None,
        schedule=None,
    )
    return judge_messages(question, unmarked(personalised), SLOT_ORDERS[order], pack)


def characteristics(attributes: Sequence[Attribute]) -> PersonaFact:
    """Returns attributes as the one fact that the distilled judge reads after "The user".

    Attributes that begin with "The user" go on from there, and others are cited. Several are put after each other with
    semicolons.

    Raises:
        ValueError: If there is no attribute.

    Example:
        >>> texts = ("The user keeps bees.", "Lives in Oslo.")
        >>> found = characteristics(
        ...     [Attribute(attribute_id="a", user_id="u", text=text, evidence=(), origin="hand") for text in texts]
        ... )
        >>> found.relation, found.entity
        ('keeps', 'bees; has this characteristic: Lives in Oslo')
    """
    if not attributes:
        raise ValueError("there is no attribute to judge by")
    relation, _, entity = "; ".join(_predicate(attribute.text) for attribute in attributes).partition(" ")
    return PersonaFact(category="human", entity=entity, relation=relation, sentiment="POS")


def _predicate(text: str) -> str:
    """Returns what may follow "The user", in at least two words."""
    line = " ".join(unmarked(text).split()).rstrip(".")
    if not line.lower().startswith(_SUBJECT):
        return f"has this characteristic: {line}"
    predicate = line[len(_SUBJECT) :]
    return predicate if " " in predicate else f"is someone who {predicate}"
