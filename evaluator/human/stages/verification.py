"""Stage 1, verification: whether an attribute makes sense in the light of the conversations that it was taken from.

The conversations stand first and the attribute last, so that what one conversation is asked about begins alike. Whole
conversations are shown, without a hint at the turn that is said to be the evidence: that would be half of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.engines.base import Message
from evaluator.errors import Cause, RapportError
from evaluator.human.records import Attribute, Conversation, Verification
from evaluator.human.stages.quoting import choice_messages, quoted_conversation, titled
from evaluator.human.stages.reading import Invalid, pattern_of, read_word
from evaluator.human.stages.wording import WORDS, Wording
from evaluator.human.tasks import Task

PATTERN = pattern_of(WORDS[Task.VERIFICATION])
"""What an answer is forced to match where an engine can force it."""


def evidence_of(attribute: Attribute, conversations: Sequence[Conversation]) -> tuple[Conversation, ...]:
    """Returns the conversations that an attribute was taken from, in their order; empty if it names none.

    The id of the first one names the prompts that begin alike.

    Args:
        attribute: With its evidence.
        conversations: All of its user's, in time order.

    Raises:
        RapportError: `data_error` if it names a conversation that is not among them.
    """
    wanted = {evidence.conversation_id for evidence in attribute.evidence}
    shown = tuple(each for each in conversations if each.conversation_id in wanted)
    if missing := sorted(wanted - {each.conversation_id for each in shown}):
        raise RapportError(
            Cause.DATA_ERROR,
            f"The attribute {attribute.attribute_id} names the conversation {missing[0]}, which is not its user's.",
            "Run `rapport human check` on the data set and mend what it finds.",
        )
    return shown


def verification_messages(
    attribute: Attribute, conversations: Sequence[Conversation], wording: Wording
) -> tuple[Message, ...] | Invalid:
    """Returns the messages that ask whether an attribute makes sense.

    Args:
        attribute: What is to be verified.
        conversations: All of its user's, in time order.
        wording: What is said.

    Returns:
        The messages, or that there is nothing to judge by.

    Raises:
        RapportError: As `evidence_of`.
    """
    shown = evidence_of(attribute, conversations)
    if not shown:
        return Invalid.NO_EVIDENCE
    evidence = [quoted_conversation(number, each, wording) for number, each in enumerate(shown, start=1)]
    return choice_messages(Task.VERIFICATION, (*evidence, titled(wording.headings.attribute, attribute.text)), wording)


def read_verification(text: str) -> Verification | Invalid:
    """Returns what an answer says of an attribute; any text is read, and none raises.

    Example:
        >>> read_verification("Rejected.")
        <Verification.REJECTED: 'rejected'>
        >>> read_verification("It may well be accepted.")
        <Invalid.PROSE: 'prose'>
    """
    word = read_word(text, WORDS[Task.VERIFICATION])
    return word if isinstance(word, Invalid) else Verification(word)
