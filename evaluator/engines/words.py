"""Reads the probability of each verdict word from the tokens that an engine considered in its place."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence


def word_probabilities(
    words: Sequence[str],
    text: str,
    token_ids: Sequence[int],
    candidates: Sequence[Mapping[str, float]],
    decode: Callable[[Sequence[int]], str],
) -> tuple[tuple[str, float], ...]:
    """Returns the probability of each word where the last of them begins in a completion.

    Args:
        words: The verdict words, such as A, B and Tie.
        text: The completion.
        token_ids: Its tokens.
        candidates: For each token, the log probability of the likeliest token texts in its place.
        decode: Turns token ids into text.

    Returns:
        Sorted (word, probability in 0..1) pairs; words outside the likeliest tokens are left out, so the
        probabilities need not add up to one. Empty if the text holds none of the words.
    """
    matches = list(re.finditer(r"\b(?:" + "|".join(map(re.escape, words)) + r")\b", text)) if words else []
    if not matches:
        return ()
    begin = matches[-1].start()
    place = next((i for i in range(len(token_ids) - 1, -1, -1) if len(decode(token_ids[:i])) <= begin), None)
    if place is None or place >= len(candidates):
        return ()
    found: dict[str, float] = {}
    for token, log_probability in candidates[place].items():
        start = token.strip()
        fitting = [word for word in words if start and word.startswith(start)]
        if len(fitting) == 1:
            found[fitting[0]] = found.get(fitting[0], 0.0) + math.exp(log_probability)
    return tuple(sorted((word, round(min(share, 1.0), 6)) for word, share in found.items()))
