"""Reads verdicts by strict grammars: what is not plainly a verdict is missing, never guessed.

Each grammar has a name, which a judge's file says.

By `hicupid-v1` a verdict line is one that begins with the verdict's label. The last one that says anything counts.
There the label stands as it is written, and after it one of the allowed words, in its own capitals; label, word or both
may be bold, and one full stop or exclamation mark may close them. Nothing else may stand on the line.

A line that only resembles a verdict line, by capitals, a bullet or a quotation mark, is no verdict, but nor is an
earlier line then the judge's last word: such a completion is not read.

By `word-v1` the whole completion is one of the allowed words, in any capitals; it may be bold, and closed as above.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from evaluator.hicupid.questions import QuestionType
from evaluator.human.stages.reading import Invalid, read_word
from evaluator.records import Outcome, SlotOrder


class VerdictLine(NamedTuple):
    """The label of a verdict line and the words that may follow it."""

    label: str
    """Empty where nothing but the word is said."""
    words: tuple[str, ...]


BETTER_RESPONSE = VerdictLine("Better Response:", ("A", "B", "Tie"))
SATISFACTION = VerdictLine("Satisfaction:", ("YES", "NO"))

_LINE_BREAK = re.compile(r"\r\n?|\n")


class _Grammar(NamedTuple):
    """The patterns of one kind of verdict line."""

    resembling: re.Pattern[str]
    """The beginning of what is, or only resembles, a verdict line; its one group is the rest of the line."""
    verdict: re.Pattern[str]
    """A whole line that is read; one of its last two groups is the word."""


def parse_word(completion: str, line: VerdictLine) -> str | None:
    r"""Returns the verdict word of a completion, or None if there is no clear one.

    Example:
        >>> parse_word("Both do.\nBetter Response: **Tie**.", BETTER_RESPONSE)
        'Tie'
        >>> parse_word("Better Response: A (more personal than B)", BETTER_RESPONSE) is None
        True
    """
    grammar = _grammar(line)
    last = None
    for text in _LINE_BREAK.split(completion):
        resembling = grammar.resembling.fullmatch(text)
        if resembling and resembling[1].strip(" \t*"):
            last = text.strip()
    match = grammar.verdict.fullmatch(last) if last else None
    return (match[3] or match[4]) if match else None


def parse_single(completion: str, line: VerdictLine) -> str | None:
    """Returns the word that a whole completion is, or None if it is not plainly one of them.

    Example:
        >>> parse_single(" **Accepted**.", VerdictLine("", ("accepted", "rejected")))
        'accepted'
        >>> parse_single("accepted, I think", VerdictLine("", ("accepted", "rejected"))) is None
        True
    """
    word = read_word(completion, line.words)
    return None if isinstance(word, Invalid) else word


ParserName: TypeAlias = Literal["hicupid-v1", "word-v1"]
"""Names of grammars; one that comes to read anything otherwise takes a new name."""


class Parser(NamedTuple):
    """One grammar."""

    kinds: frozenset[str]
    """Kinds of judges that speak so."""
    read: Callable[[str, VerdictLine], str | None]
    """Takes a completion and returns its word, or None; any text is read, and none raises."""


PARSERS: Mapping[ParserName, Parser] = MappingProxyType(
    {
        "hicupid-v1": Parser(frozenset({"pairwise"}), parse_word),
        "word-v1": Parser(frozenset({"rating", "verifier"}), parse_single),
    }
)
"""All grammars by name."""


@cache
def _grammar(line: VerdictLine) -> _Grammar:
    """Compiles the patterns of one kind of verdict line."""
    name = re.escape(line.label.removesuffix(":"))
    loosely = r"\s+".join(map(re.escape, line.label.removesuffix(":").split()))
    word = f"({'|'.join(map(re.escape, line.words))})"
    return _Grammar(
        re.compile(rf"(?:[\W_]|\d+[.)])*{loosely}(?:[^\w:：]|_)*[:：](.*)", re.IGNORECASE | re.DOTALL),
        re.compile(
            rf"(\*\*)?{name}(?(1)(?::\*\*|\*\*:)|:)\s*(\*\*)?{word}(?(2)(?:\*\*[.!]?|[.!]\*\*)|[.!]?)"
            rf"|\*\*{name}:\s*{word}(?:[.!]?\*\*|\*\*[.!])"
        ),
    )


def outcome(word: str | None, type_: QuestionType, order: SlotOrder) -> Outcome | None:
    """Returns what a verdict word says of the model's answer, given the slot that held it.

    Example:
        >>> outcome("B", QuestionType.PERSONA, SlotOrder.GOLD_FIRST)
        <Outcome.WIN: 'win'>
    """
    if word is None:
        return None
    if type_ is QuestionType.SCHEDULE:
        return Outcome.SATISFIED if word == "YES" else Outcome.UNSATISFIED
    if word == "Tie":
        return Outcome.TIE
    return Outcome.WIN if (word == "A") == (order is SlotOrder.ANSWER_FIRST) else Outcome.LOSS
