"""An encoder without weights: texts are near that share pieces of words. For trying everything without a download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from evaluator.encoders.base import EncoderInfo, Vectors
from evaluator.engines.base import process_peak_rss_mb

NAME = "builtin/words"
"""How protocols name it; on the Hub nobody of that name has an encoder that could be meant."""
REVISION = "1"
"""Another one as soon as any text gets another vector."""
_DIMENSIONS = 2**14


class WordsEncoder:
    """Counts pieces of three to five letters within words; see `Encoder`. A paraphrase in other words is far from it.

    Example:
        >>> one, other, third = WordsEncoder().encode(["keeps bees", "keeping bees", "plays chess"])
        >>> float((one @ other.T).item()) > float((one @ third.T).item())
        True
    """

    def __init__(self) -> None:
        """Has nothing to load but the library, which takes half a second that most processes need not spend."""
        from sklearn.feature_extraction.text import HashingVectorizer

        self._count = HashingVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), n_features=_DIMENSIONS, alternate_sign=False, dtype=np.float32
        )
        self.info = EncoderInfo(
            encoder=f"{NAME}@{REVISION}",
            library="rapport 1",
            hardware="none",
            dimensions=_DIMENSIONS,
            window_tokens=_DIMENSIONS,
            load_seconds=0.0,
        )

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        """See `Encoder.encode`; a text has one window, however long it is."""
        return [np.asarray(row.toarray(), np.float32) for row in self._count.transform(texts)] if texts else []

    def peak_rss_mb(self) -> float:
        """See `Encoder.peak_rss_mb`."""
        return process_peak_rss_mb()

    def close(self) -> None:
        """Has nothing to end."""

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Has nothing to end."""
