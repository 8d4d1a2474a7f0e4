"""Stage 2, relevance: whether an attribute should change the response to a prompt.

The prompt stands first and the attribute last, so that all pairs of a prompt begin alike.
"""

from __future__ import annotations

from evaluator.engines.base import Message
from evaluator.human.records import Attribute, Prompt
from evaluator.human.stages.quoting import choice_messages, titled
from evaluator.human.stages.reading import Invalid, pattern_of, read_word
from evaluator.human.stages.wording import WORDS, Wording
from evaluator.human.tasks import Task

PATTERN = pattern_of(WORDS[Task.RELEVANCE])
"""What an answer is forced to match where an engine can force it."""


def relevance_messages(prompt: Prompt, attribute: Attribute, wording: Wording) -> tuple[Message, ...]:
    """Returns the messages that ask whether an attribute should change the response."""
    headings = wording.headings
    parts = (titled(headings.prompt, prompt.text), titled(headings.attribute, attribute.text))
    return choice_messages(Task.RELEVANCE, parts, wording)


def read_relevance(text: str) -> bool | Invalid:
    """Returns whether an answer calls an attribute relevant; any text is read, and none raises.

    Example:
        >>> read_relevance("NO"), read_relevance("NO, since it is about food")
        (False, <Invalid.PROSE: 'prose'>)
    """
    word = read_word(text, WORDS[Task.RELEVANCE])
    return word if isinstance(word, Invalid) else word == "YES"
