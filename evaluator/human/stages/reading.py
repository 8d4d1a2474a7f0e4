"""Reads answers strictly: what is not plainly an answer is invalid, for a reason that is counted, and never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from evaluator.hicupid.answers import says_something

LONGEST_ANSWER = 100_000
"""Characters; what is longer is not looked into."""


class Invalid(StrEnum):
    """Why something is neither agreement nor disagreement."""

    EMPTY = "empty"
    """Nothing that can be seen."""
    TOO_LONG = "too_long"
    """More than `LONGEST_ANSWER` characters."""
    PROSE = "prose"
    """Something else than what was asked for, or more than it."""
    SEVERAL_WORDS = "several_words"
    """More than one of the words of which one was asked for."""
    OUT_OF_RANGE = "out_of_range"
    """A whole number that is none of the scale's."""
    BROKEN_JSON = "broken_json"
    """It begins as JSON and cannot be read: a brace is missing, something follows it, it is nested too deeply."""
    WRONG_SHAPE = "wrong_shape"
    """JSON of another shape than that which was asked for."""
    TOO_MANY = "too_many"
    """More entries than were allowed."""
    COPIES = "copies"
    """One entry over and over."""
    EMPTY_LIST = "empty_list"
    """A list without an entry, where people accepted some."""
    NO_EVIDENCE = "no_evidence"
    """There is nothing to judge by: an attribute without evidence cannot be verified."""

    @property
    def passes(self) -> bool:
        """Whether a second try, drawn instead of greedy, may bring an answer: not where the question is at fault.

        A prompt that does not fit the context has no answer to read, and its `Cause` says that it stays so.

        Example:
            >>> Invalid.PROSE.passes, Invalid.NO_EVIDENCE.passes
            (True, False)
        """
        return self is not Invalid.NO_EVIDENCE


def read_word(text: str, words: Sequence[str]) -> str | Invalid:
    """Returns the one of some words that an answer is, as it is written in `words`.

    The word is the whole answer but for space around it. It may be bold, and one full stop or exclamation mark may
    close it; capitals do not matter, since nothing else stands there that they could be confused with. Letters are
    those of ASCII.

    Args:
        text: The answer.
        words: In ASCII, no two alike but for capitals.

    Example:
        >>> read_word(" **Yes**.", ("YES", "NO"))
        'YES'
        >>> read_word("YES and NO", ("YES", "NO"))
        <Invalid.SEVERAL_WORDS: 'several_words'>
    """
    if len(text) > LONGEST_ANSWER:
        return Invalid.TOO_LONG
    if not says_something(text):
        return Invalid.EMPTY
    whole, anywhere = _grammar(tuple(words))
    if match := whole.fullmatch(text.strip()):
        return next(word for word in words if word.lower() == match["word"].lower())
    found = {match[0].lower() for match in anywhere.finditer(text)}
    return Invalid.SEVERAL_WORDS if len(found) > 1 else Invalid.PROSE


def pattern_of(words: Sequence[str]) -> str:
    """Returns the regular expression that an answer is forced to match where an engine can force one.

    Example:
        >>> pattern_of(("YES", "NO"))
        '(YES|NO)'
    """
    return f"({'|'.join(words)})"


@cache
def _grammar(words: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns what a whole answer must match, and what finds any of the words."""
    flags = re.IGNORECASE | re.ASCII
    either = "|".join(map(re.escape, words))
    return (
        re.compile(rf"(\*\*)?(?P<word>{either})(?(1)(?:\*\*[.!]?|[.!]\*\*)|[.!]?)", flags),
        re.compile(rf"\b(?:{either})\b", flags),
    )
