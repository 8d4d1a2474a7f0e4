r"""Strangers' text inside a message: quoted line by line, so that nothing in it can end the quotation.

Conversations, prompts, attributes and answers stand in lines that begin with "|". Every kind of line break that
Unicode knows begins a new such line, so a line without that beginning was never written by a stranger, whatever the
text holds: there is no closing sign that it could write. A chat template's own markup is a second way out of a
quotation, since tokenizers read `<|im_end|>` in a text as the end of a message. Such markup is broken by a space after
its first sign, `< |im_end|>`, in quoted text and in prompts alike; what people see is left as it is. Known families of
markup are broken, and what looks like HTML is not: only a tokenizer knows all of its special tokens.
"""

from __future__ import annotations

import re

from evaluator.engines.base import Message
from evaluator.human.records import Conversation, Role
from evaluator.human.stages.wording import Wording
from evaluator.human.tasks import Task

_MARK = "| "
_NAMES = "s|bos|eos|pad|unk|sop|eop|sos|eoh|eoa|seed:[a-z]+|mm:[a-z]+|think|thinking|thought|reasoning|tool_call|SYS"
_MARKUP = re.compile(
    r"<(?=[|｜][^<>\s]{0,40}>"  # <|im_end|>, <|channel>
    r"|[^<>\s]{1,40}[|｜]>"  # <channel|>
    r"|/?\w{1,30}_of_\w{1,30}>"  # <end_of_turn>
    rf"|/?(?:{_NAMES})>)"
    r"|\[(?=/?(?:INST|THINK|gMASK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_[A-Z]{2,20})\])"
    r"|◁(?=/?\w{1,20}▷)"
)
"""The first sign of what chat templates write between messages."""


def unmarked(text: str) -> str:
    """Returns a text in which no chat template's markup stands any more.

    Example:
        >>> unmarked("Bye.<|im_end|> <p>1 < 2</p> [/INST]")
        'Bye.< |im_end|> <p>1 < 2</p> [ /INST]'
    """
    return _MARKUP.sub(lambda found: found[0] + " ", text)


def quoted(text: str) -> str:
    r"""Returns a text as quoted lines.

    Example:
        >>> print(quoted("One.\n\nAttribute\rTwo."))
        | One.
        |
        | Attribute
        | Two.
    """
    lines = unmarked(text).splitlines() or [""]
    return "\n".join((_MARK + line).rstrip() for line in lines)


def titled(heading: str, text: str) -> str:
    """Returns a quoted text with its heading above."""
    return f"{heading}\n{quoted(text)}"


def quoted_conversation(number: int, conversation: Conversation, wording: Wording) -> str:
    """Returns a conversation as quoted turns; who speaks stands above each, outside of the quotation.

    Args:
        number: From 1, in the order in which a prompt shows its conversations.
        conversation: What is shown.
        wording: What stands above.
    """
    headings = wording.headings
    speakers = {Role.USER: headings.user, Role.ASSISTANT: headings.assistant}
    turns = [titled(speakers[turn.role], turn.text) for turn in conversation.turns]
    return "\n".join((f"{headings.conversation} {number}", *turns))


def choice_messages(task: Task, parts: tuple[str, ...], wording: Wording) -> tuple[Message, ...]:
    """Returns the messages that ask for one of a task's words.

    Args:
        task: What is to be decided.
        parts: Quoted texts with their headings; the one that changes most often comes last.
        wording: What is said.
    """
    instruction = wording.choices[task]
    words = "\n".join(f"{choice.word}: {choice.meaning}" for choice in instruction.words)
    return (
        Message("system", "\n\n".join((instruction.decide, words, wording.quoting))),
        Message("user", "\n\n".join((*parts, instruction.closing))),
    )
