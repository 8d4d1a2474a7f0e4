"""Text to token ids, remembering what it has seen: the questions of one user share a history of thousands of tokens.

A tokenizer cuts a text at its special tokens before it does anything else, so what stands between two of them can be
tokenized once and put together again. The first long text is tokenized both ways; should they differ, as an unusual
tokenizer might have it, nothing is remembered from then on.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_REMEMBERED = 2**14
"""Pieces; a user's history has some five hundred."""


class SegmentTokenizer:
    """Gives the same ids as `tokenizer(text, add_special_tokens=False)`, sooner for texts that share pieces."""

    def __init__(self, tokenizer: Any) -> None:
        """Finds the special tokens at which texts may be cut."""
        self._tokenizer = tokenizer
        self._cut = _cutter(tokenizer)
        self._checked = False
        self._piece = lru_cache(maxsize=_REMEMBERED)(self._whole)

    def ids(self, text: str) -> list[int]:
        """Returns a text's token ids, without adding any special token."""
        pieces = [piece for piece in self._cut.split(text) if piece] if self._cut else []
        if len(pieces) < 2:
            return list(self._whole(text))
        joined = [number for piece in pieces for number in self._piece(piece)]
        if not self._checked:
            whole = list(self._whole(text))
            self._checked = True
            if joined != whole:
                self._cut = None
                return whole
        return joined

    def _whole(self, text: str) -> tuple[int, ...]:
        """Tokenizes a text in one go."""
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _cutter(tokenizer: Any) -> re.Pattern[str] | None:
    """Returns a pattern that matches right before each special token that leaves the text around it alone."""
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    plain = [
        token.content for token in added if token.special and not (token.lstrip or token.rstrip or token.normalized)
    ]
    if not plain:
        return None
    longest_first = sorted(plain, key=len, reverse=True)
    return re.compile(f"(?={'|'.join(map(re.escape, longest_first))})")
