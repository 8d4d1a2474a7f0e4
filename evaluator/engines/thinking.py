"""Thoughts of thinking models: which markers enclose them, and what is left to do after a model had time to think.

An engine asks twice. First it lets the model write until its end marker or until the budget of the thought is spent;
then, with the thought closed, it asks for the answer on the same prefix, which the cache still holds. So thought and
answer have a budget of their own each, on every engine alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple


class Markers(NamedTuple):
    """What a model writes before and after a thought."""

    begin: str
    end: str


KNOWN_MARKERS = (
    Markers("<think>", "</think>"),
    Markers("<seed:think>", "</seed:think>"),
    Markers("<mm:think>", "</mm:think>"),
    Markers("[THINK]", "[/THINK]"),
    Markers("<|START_THINKING|>", "<|END_THINKING|>"),
    Markers("<|channel>thought", "<channel|>"),
    Markers("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    Markers("<|inner_prefix|>", "<|inner_suffix|>"),
    Markers("<|begin_of_thought|>", "<|end_of_thought|>"),
    Markers("◁think▷", "◁/think▷"),
    Markers("<thought>", "</thought>"),
    Markers("<thinking>", "</thinking>"),
    Markers("<reasoning>", "</reasoning>"),
)
"""The markers of open models, in the order in which they are looked for."""


def find_markers(template: str, vocabulary: Collection[str]) -> Markers | None:
    """Returns the markers of a model; None if it has none that are known.

    A template that names markers tells more than a vocabulary, which a fine-tuned model inherits.

    Example:
        >>> find_markers("{{ '<thinking>' }}", ["<think>", "</think>"])
        Markers(begin='<thinking>', end='</thinking>')
        >>> find_markers("", ["<think>", "</think>"])
        Markers(begin='<think>', end='</think>')
    """
    named = (markers for markers in KNOWN_MARKERS if markers.begin in template or markers.end in template)
    owned = (markers for markers in KNOWN_MARKERS if markers.begin in vocabulary and markers.end in vocabulary)
    return next(named, None) or next(owned, None)


class Draft(NamedTuple):
    """What a model wrote in the time it had to think, and what is left to ask of it.

    Attributes:
        thought: The thought without its markers; None if the model did not think.
        thought_tokens: How many tokens the thought took.
        prefix: What follows the prompt when the model is asked again.
        begun: Text of the answer that the end marker's last token brought along.
        kept: Tokens of the answer that are there already.
        left: How many tokens the answer may still take; 0 if it is complete.
        finish_reason: Why a complete answer ended.
    """

    thought: str | None
    thought_tokens: int
    prefix: list[int]
    begun: str
    kept: list[int]
    left: int
    finish_reason: str


def cached_twice(prompt_tokens: int, first: int, second: int) -> int:
    """Returns how many prompt tokens count as cached after two requests on one prompt, as `Completion` defines it.

    Args:
        prompt_tokens: Of the prompt, without the thought.
        first: Tokens that the first request found in the cache.
        second: Tokens that the second one found there, those of the thought among them.

    Example:
        >>> cached_twice(100, 90, 110), cached_twice(100, 90, 96), cached_twice(100, 90, 0)
        (90, 86, 0)
    """
    return max(0, first - max(0, prompt_tokens - second))


def no_draft(max_tokens: int) -> Draft:
    """Returns the draft of a model that is not to think."""
    return Draft(None, 0, [], "", [], max_tokens, "")


class Reader(NamedTuple):
    """Reads drafts of one model.

    Attributes:
        markers: The model's markers.
        end_ids: The token ids with which a thought is closed for the model.
        decode: Turns token ids into text, special tokens among it.
    """

    markers: Markers
    end_ids: list[int]
    decode: Callable[[Sequence[int]], str]

    def read(self, tokens: Sequence[int], *, opened: bool, ended: bool, max_tokens: int) -> Draft:
        """Tells thought and answer apart.

        A thought that the model has not closed, be it that the budget was spent or that it ended there, is closed with
        the end marker, so that every model gets to answer. A model that did not think has begun its answer.

        Args:
            tokens: What the model wrote until its end marker, its own end or the end of its budget.
            opened: Whether the prompt began the thought already.
            ended: Whether the last token is one that ends an answer.
            max_tokens: How many tokens the answer may have.

        Example:
            >>> words = ["<think>", "so", "</think>", " Yes", ".", "<end>"]
            >>> reader = Reader(Markers("<think>", "</think>"), [2], lambda ids: "".join(words[i] for i in ids))
            >>> reader.read([0, 1, 2], opened=False, ended=False, max_tokens=9)[:3]
            ('so', 3, [0, 1, 2])
            >>> reader.read([0, 1], opened=False, ended=False, max_tokens=9)[:3]
            ('so', 2, [0, 1, 2])
            >>> reader.read([3, 4, 5], opened=False, ended=True, max_tokens=2)[4:]
            ([3, 4], 0, 'length')
        """
        written = list(tokens[:-1] if ended else tokens)
        head, closed, rest = self.decode(written).partition(self.markers.end)
        if closed or opened or self.markers.begin in head:
            thought = head.replace(self.markers.begin, "", 1).strip()
            prefix = written if closed else [*written, *self.end_ids]
            return Draft(thought, len(written), prefix, rest, [], max_tokens, "")
        left = 0 if ended else max(0, max_tokens - len(tokens))
        finish_reason = "stop" if ended and len(tokens) <= max_tokens else "length"
        return Draft(None, 0, list(tokens), "", list(tokens[:max_tokens]), left, finish_reason)
