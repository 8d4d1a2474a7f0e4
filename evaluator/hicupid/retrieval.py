"""Finds the parts of a history that fit a question best.

A part is a turn or a dialogue, and what is compared is all its words, those of the user and those of the assistant.
Equal scores fall to the newer part, so what is found depends on nothing but history and question.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

from evaluator.context_mode import Unit
from evaluator.encoders.base import Encoder, Vectors
from evaluator.hicupid.questions import History, Turn

Scores: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
"""One number for each part, shape (parts,); higher fits better."""
Scorer: TypeAlias = Callable[[str], Scores]
"""Scores the parts of one history against a question."""

_METHOD, _K1, _B = "lucene", 1.5, 0.75
_QUESTIONS = 4096
"""Questions whose vectors are kept: many are asked of several users, and all of them twice."""


class Part(NamedTuple):
    """What is retrieved together."""

    dialogue_id: int
    turns: tuple[Turn, ...]

    @property
    def text(self) -> str:
        """The words that are compared with a question."""
        return "\n".join(line for turn in self.turns for line in (turn.user, turn.assistant))


class Retriever(Protocol):
    """One way to compare parts with questions."""

    @property
    def provenance(self) -> tuple[tuple[str, str], ...]:
        """What decides the scores, as sorted name and value pairs."""

    def index(self, texts: Sequence[str]) -> Scorer:
        """Prepares the parts of one history, at least one, in time order."""


def parts_of(history: History, unit: Unit) -> tuple[Part, ...]:
    """Returns a history in parts, in time order."""
    if unit == "dialogue":
        return tuple(Part(dialogue.dialogue_id, dialogue.turns) for dialogue in history.dialogues)
    return tuple(Part(dialogue.dialogue_id, (turn,)) for dialogue in history.dialogues for turn in dialogue.turns)


def best(scores: Sequence[float] | Scores, k: int) -> list[int]:
    """Returns the places of the k highest scores in time order; all places if there are fewer than k.

    Args:
        scores: One for each part, in time order.
        k: At least one.

    Example:
        >>> best([0.5, 2.0, 0.5, 0.1], k=2)  # Of equal ones the newer.
        [1, 2]
    """
    newest_first = range(len(scores) - 1, -1, -1)
    return sorted(sorted(newest_first, key=lambda place: -scores[place])[:k])


class Bm25Retriever:
    """BM25 as Lucene has it (Kamphuis et al. 2020), k1 1.5 and b 0.75, over whitespace tokens as they are.

    A token is what `str.split` makes of a text: case and punctuation count, nothing is stemmed or left out, as in
    HiCUPID. A word that a question says twice counts twice. A part's score for a question is the sum, over the words w
    of the question, of

        log(1 + (N - n + 0.5) / (n + 0.5)) * f / (f + k1 * (1 - b + b * l / L))

    with N parts, n of them with w, f times w in this part, l words in this part and L in the average part.

    Example:
        >>> scorer = Bm25Retriever().index(["I love ramen", "I love my dog", "See you"])
        >>> scorer("Where is ramen served?").round(4).tolist()
        [0.3923, 0.0, 0.0]
    """

    def __init__(self) -> None:
        """Loads the library, which takes most of a second."""
        import bm25s

        # It logs every step at a level that a worker's handlers would pass on.
        logging.getLogger("bm25s").setLevel(logging.WARNING)
        self._library = bm25s
        self.provenance = (("bm25", f"{_METHOD}, k1 {_K1}, b {_B}"), ("bm25s", str(bm25s.__version__)))

    def index(self, texts: Sequence[str]) -> Scorer:
        """See `Retriever.index`."""
        tokens = [text.split() for text in texts]
        if not any(tokens):
            return lambda question: np.zeros(len(texts))
        bm25 = self._library.BM25(method=_METHOD, k1=_K1, b=_B, dtype="float64", backend="numpy")
        bm25.index(tokens, create_empty_token=False, show_progress=False)
        return lambda question: bm25.get_scores_from_ids(bm25.get_tokens_ids(question.split()))


class DenseRetriever:
    """The dot product of mean-pooled vectors, Contriever's own measure.

    A text longer than the encoder's window is encoded in several, and fits as well as the best of them does: the mean
    over all would make whatever stands beside the answer count against it. Parts are encoded once for each history and
    every question on its own, so a vector never depends on which other questions are left.
    """

    def __init__(self, encoder: Encoder) -> None:
        """Takes a loaded encoder, which stays its owner's."""
        self._encoder = encoder
        self._question = lru_cache(maxsize=_QUESTIONS)(lambda question: encoder.encode([question])[0])
        self.provenance = (("encoder", encoder.info.encoder), ("encoder_library", encoder.info.library))

    def index(self, texts: Sequence[str]) -> Scorer:
        """See `Retriever.index`."""
        distinct = list(dict.fromkeys(texts))  # Equal texts get the very same score.
        places = {text: place for place, text in enumerate(distinct)}
        parts = self._encoder.encode(distinct)
        starts = np.cumsum([0, *(len(windows) for windows in parts[:-1])])
        windows, expanded = np.concatenate(parts), [places[text] for text in texts]
        return lambda question: _best_windows(windows, starts, self._question(question))[expanded]


def _best_windows(parts: Vectors, starts: np.ndarray[Any, Any], question: Vectors) -> Scores:
    """Returns each part's highest dot product of any of its windows with any of the question's.

    Args:
        parts: The windows of all parts, shape (windows, dimensions).
        starts: The place of each part's first window.
        question: Shape (windows, dimensions).
    """
    products = parts.astype(np.float64) @ question.astype(np.float64).T
    highest: Scores = np.maximum.reduceat(products.max(axis=1), starts)
    return highest
