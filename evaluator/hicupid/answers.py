"""What an answer shows before any judge reads it: defects that lose, and the words it shares with gold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from evaluator.records import Defect

if TYPE_CHECKING:
    from rouge_score.tokenizers import Tokenizer
    from sacrebleu.metrics import BLEU

_MARKUP = re.compile(
    r"<[|｜][^|｜<>\s]{1,40}[|｜]>|</?s>|<(?:bos|eos|pad|unk)>|\[/?INST\]|\[/?TOOL_CALLS?\]|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|</?(?:think|thinking|tool_call)>"
)
"""What chat templates write between messages."""
_STRUCK_OUT = re.compile(r"<s>[^<>]*</s>")
"""The one piece of HTML that looks like it."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""Control characters apart from those that only move the text on."""
_LEAST_REPEATS = 5
_LONGEST_WORD = 64
"""Letters; what is longer is no English word, and the stemmer, which calls itself letter by letter, would give up."""


class Overlap(NamedTuple):
    """How many of gold's words an answer shares, each in 0..100."""

    bleu: float
    """Sentence BLEU (Papineni et al., 2002) with sacrebleu's 13a tokens, exponential smoothing, effective order."""
    rouge_l: float
    """ROUGE-L F1 (Lin, 2004) with stemming, as rouge-score gives it."""


def find_defect(answer: str, finish_reason: str) -> Defect | None:
    """Returns what makes an answer lose without being judged, or None.

    An endless repetition is one that only the token limit stopped: the answer ends in one unit, at least five times in
    a row, sign for sign but for the kind of its spaces, over at least half of its length. Neither a long list nor an
    answer that says something twice is one.

    Args:
        answer: The answer.
        finish_reason: `stop` or `length`, as the engine said.

    Example:
        >>> find_defect("", "stop")
        <Defect.EMPTY: 'empty'>
        >>> find_defect("I like tea. " + "and tea " * 40, "length")
        <Defect.REPETITION: 'repetition'>
        >>> find_defect("Tea, tea and tea again.", "length") is None
        True
    """
    if _CONTROL.search(answer) or _MARKUP.search(_STRUCK_OUT.sub("", answer)):
        return Defect.CONTROL_TOKENS
    if not says_something(answer):
        return Defect.EMPTY
    if finish_reason == "length" and _repeats_at_end(" ".join(answer.split())):
        return Defect.REPETITION
    return None


def says_something(text: str) -> bool:
    r"""Says whether a text has a sign that can be seen: joiners and marks of direction are none.

    Example:
        >>> [says_something(text) for text in ("Tea.", " ", "\u200b")]
        [True, False, False]
    """
    return any(not sign.isspace() and unicodedata.category(sign) != "Cf" for sign in text)


def _repeats_at_end(text: str) -> bool:
    """Says whether at least half of a text is one unit, over and over, up to its end.

    Read from its end, a text that repeats with period p shares with itself, moved by p, all of the repetition but p
    signs.
    """
    shared = _shared_with_itself(text[::-1])
    half = len(text) / 2
    return any(period + shared[period] >= max(half, _LEAST_REPEATS * period) for period in range(1, len(text)))


def _shared_with_itself(text: str) -> list[int]:
    """Returns for each place how much of what begins there is also the text's beginning, in linear time.

    The Z algorithm (Gusfield, Algorithms on Strings, Trees and Sequences, 1997, section 1.4).
    """
    shared = [len(text)] * len(text)
    left = right = 0
    for place in range(1, len(text)):
        known = min(right - place, shared[place - left]) if place < right else 0
        while place + known < len(text) and text[known] == text[place + known]:
            known += 1
        shared[place] = known
        if place + known > right:
            left, right = place, place + known
    return shared


def overlap_with_gold(answer: str, gold: str) -> Overlap:
    """Returns how close an answer's words are to gold's; both are 0 for an empty answer.

    Example:
        >>> overlap_with_gold("The ramen you love.", "The ramen you love.")
        Overlap(bleu=100.0, rouge_l=100.0)
    """
    bleu = _bleu().sentence_score(answer, [gold]).score
    return Overlap(round(min(bleu, 100.0), 6), round(_rouge_l(_stems(answer), _stems(gold)), 6))


def _rouge_l(answer: Sequence[str], gold: Sequence[str]) -> float:
    """Returns the F1 of precision and recall of the longest common subsequence, in 0..100."""
    return 200 * _common(answer, gold) / (len(answer) + len(gold)) if answer and gold else 0.0


def _common(answer: Sequence[str], gold: Sequence[str]) -> int:
    """Returns the length of the longest common subsequence, in one pass over the answer.

    rouge-score fills a table of answer times gold in Python, which takes seconds for a long answer. Here a row of the
    table is one integer (Hyyrö, Bit-parallel LCS-length computation revisited, AWOCA 2004): a bit is 0 where the row
    grows.
    """
    places: dict[str, int] = {}
    for place, word in enumerate(gold):
        places[word] = places.get(word, 0) | 1 << place
    everywhere = (1 << len(gold)) - 1
    row = everywhere
    for word in answer:
        if found := row & places.get(word, 0):
            row = (row + found | row - found) & everywhere
    return len(gold) - row.bit_count()


def _stems(text: str) -> list[str]:
    """Returns the words that ROUGE compares: letters and digits in lower case, stemmed."""
    return [_stem(word) for word in re.findall(r"[a-z0-9]+", text.lower())]


@lru_cache(maxsize=2**16)
def _stem(word: str) -> str:
    """Returns a word's stem."""
    return word if len(word) > _LONGEST_WORD else "".join(_tokenizer().tokenize(word))


@cache
def _bleu() -> BLEU:
    """The one BLEU scorer; loading it takes a moment."""
    from sacrebleu.metrics import BLEU

    return BLEU(effective_order=True)


@cache
def _tokenizer() -> Tokenizer:
    """The one ROUGE tokenizer."""
    from rouge_score.tokenizers import DefaultTokenizer

    return DefaultTokenizer(use_stemmer=True)
