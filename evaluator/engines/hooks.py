"""What looks on while transformers generates: forces a pattern, notes probabilities, ends at a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import xgrammar

_LIKELIEST = 20


class Until:
    """Ends what `generate` writes once a text stands in it."""

    def __init__(self, text: str, begin: int, decode: Callable[[Sequence[int]], str]) -> None:
        """Looks for a text from the token at place `begin` on."""
        self._text, self._begin, self._decode = text, begin, decode
        # As many tokens as the text can have at most: each brings a byte of it or more.
        self._longest = len(text.encode())

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Tells for each sequence whether it is done, shape (1,)."""
        written = input_ids[0, max(self._begin, input_ids.shape[1] - self._longest) :].tolist()
        return torch.tensor([self._text in self._decode(written)], device=input_ids.device)


class Forced:
    """Lets `generate` draw only tokens that can still lead to a text of the pattern.

    Once nothing can follow, the end tokens alone are left. One completion needs one of these.
    """

    def __init__(self, grammar: xgrammar.CompiledGrammar) -> None:
        """Starts at the pattern's beginning."""
        self._matcher = xgrammar.GrammarMatcher(grammar)
        self._mask = xgrammar.allocate_token_bitmask(1, grammar.tokenizer_info.vocab_size)
        self._begun = False

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Returns the scores of the next token, shape (1, vocabulary), minus infinity for what the pattern forbids."""
        if self._begun and not self._matcher.accept_token(int(input_ids[0, -1])):
            raise ValueError("a token was drawn that the pattern forbids")
        self._begun = True
        self._matcher.fill_next_token_bitmask(self._mask)
        xgrammar.apply_token_bitmask_inplace(scores, self._mask.to(scores.device))
        return scores


class Watched:
    """Keeps how likely each token was in its place: after the pattern, before the temperature, as vLLM tells it."""

    def __init__(self) -> None:
        """Has seen nothing yet."""
        self._places: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Returns the scores as they came, shape (1, vocabulary)."""
        self._places.append(scores[0].log_softmax(-1))
        return scores

    def candidates(self, answer: Sequence[int], decode: Callable[[Sequence[int]], str]) -> list[dict[str, float]]:
        """For each token of the answer, the log probability of the likeliest token texts in its place, and of itself.

        Args:
            answer: The token ids that were drawn.
            decode: Turns token ids into text.
        """
        found = []
        for token, shares in zip(answer, self._places, strict=False):
            likeliest = shares.topk(min(_LIKELIEST, len(shares))).indices.tolist()
            found.append({decode([number]): float(shares[number]) for number in (*likeliest, token)})
        return found
