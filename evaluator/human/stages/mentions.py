"""Whether an answer names an attribute openly, by a rule that anybody can check with a pencil."""

from __future__ import annotations

import math
import re
from collections.abc import Collection

_LEAST_COMMON = 4
"""Letters that two different words must begin with to count as one."""
_MOST_ENDING = 3
"""Letters that either may go on for after what they have in common."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_UNTELLING = """
about above after again all also always and any anything are aren't attribute aware because been before being belongs
below between both but can can't cannot care cares considers could currently describes did didn't dislikes does doesn't
doing don't down during each either else enjoy enjoys enough especially ever every everything feel feels few find finds
for from generally get gets getting give given gives had has hasn't hate hates have haven't having her here hers him
his how however interest interested interests into is isn't it its itself just keen keep keeps know knows least less
like liked likely likes live lives love loves make makes making may maybe mentions might more most much must need
needed needs neither never nor not nothing now off often once one only onto other others our out over own particularly
people per perhaps person plan plans prefer preference preferences preferred prefers quite rather really same seek
seeking seeks several shall she should since some somebody someone something sometimes still such takes tend tends than
that that's the their theirs them then there these they thing things thinks this those though through too toward
towards tries try trying typically under until upon use user users uses using usually values very want wanted wants was
wasn't way well were what when where whether which while who whom whose why will wish wishes with within without work
working works would yet you you're your yours
"""
_FRAME = frozenset(_UNTELLING.split())
"""Words of grammar, and those in which attributes are framed: they tell nothing of what an attribute is about."""


def mentions(attribute: str, answer: str, prompt: str = "") -> bool | None:
    """Says whether an answer names an attribute openly; None where this rule cannot tell.

    The attribute's telling words are those of three letters or more, and numbers, that are neither grammar nor the
    frame of the sentence ("the user likes to ...") and do not stand in the prompt, which any answer would take up. The
    answer mentions the attribute if at least half of them stand in it. Two words are one if they are the same but for
    capitals and 's, if one is the other with an s, or if both begin with the same four letters or more and neither goes
    on for more than three after that: cook, cooking, cooked.

    What it misses: paraphrase ("no meat" for a vegetarian), compounds (beekeeper for bees), irregular forms (taught for
    teaches). What it finds too much: the same words said of something else, negated or not, and words that begin alike
    (plan for plant). None is returned where no telling word is left, and for attributes in scripts that put no spaces
    between words. It is made for English.

    Args:
        attribute: Its text.
        answer: The answer, without a thought.
        prompt: What was asked.

    Example:
        >>> mentions("The user keeps bees.", "Since you have bees, plant clover.", "What shall I plant?")
        True
        >>> mentions("The user keeps bees.", "Plant clover.", "What shall I plant?")
        False
        >>> mentions("The user keeps bees.", "Bees like clover.", "What do bees like?") is None
        True
    """
    if _WITHOUT_SPACES.search(attribute):
        return None
    asked = _words(prompt)
    telling = {word for word in _words(attribute) - _FRAME if _can_tell(word) and not _stands_in(word, asked)}
    if not telling:
        return None
    said = _words(answer)
    return sum(_stands_in(word, said) for word in telling) >= math.ceil(len(telling) / 2)


def _words(text: str) -> set[str]:
    """Returns a text's distinct words in small letters."""
    return {word.replace("’", "'").removesuffix("'s") for word in _WORD.findall(text.casefold())}


def _can_tell(word: str) -> bool:
    """Says whether a word is long enough to tell anything."""
    return len(word) >= 3 or word.isdigit()


def _stands_in(word: str, words: Collection[str]) -> bool:
    """Says whether a word is among others, in whatever form."""
    return word in words or any(_is_form_of(word, other) for other in words)


def _is_form_of(one: str, other: str) -> bool:
    """Says whether two different words count as one."""
    shorter, longer = sorted((one, other), key=len)
    if longer == shorter + "s":
        return True
    if len(shorter) < _LEAST_COMMON or not shorter.isalpha() or shorter[:_LEAST_COMMON] != longer[:_LEAST_COMMON]:
        return False
    pairs = enumerate(zip(shorter, longer, strict=False))
    common = next((place for place, (left, right) in pairs if left != right), len(shorter))
    return len(longer) - common <= _MOST_ENDING
