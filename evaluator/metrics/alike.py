"""Which of many texts are nearly the same, in one pass over them.

Two texts are as alike as the runs of `RUN` letters that they share: their number over that of all runs which stand in
either (Jaccard). It is estimated by MinHash with one permutation (Broder, 1997; Li, Owen and Zhang, 2012): the runs'
hashes fall into bins, and the share of bins that agree in their least hash is the estimate, here of at most `BINS` bins
with a standard error of at most 0.07. A text is only compared with those that agree with it in whole groups of bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

RUN = 8
"""Letters."""
BINS = 64
_BAND = 4
"""Bins that must agree before two texts are compared. Of long ones alike by 0.8 one pair in 4,000 never is."""
ALIKE = 0.8
"""From here on texts are nearly the same."""
_EMPTY = np.uint64(2**64 - 1)
_BASE, _MIX = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93

_FACTORS = np.arange(1, 2 * BINS, 2, dtype=np.uint64).reshape(-1, _BAND) * np.uint64(_BASE)
"""Odd, and another one for each bin, so that no two groups have one name by chance."""

_Sketch = npt.NDArray[np.uint64]


def alike(texts: Sequence[str]) -> list[int]:
    """Returns for each text the place of the first one that it is nearly the same as, which may be its own.

    Args:
        texts: In their plainest form; time grows with their length alone.

    Example:
        >>> one = "Thank you for asking. Choose whichever of them you like best, and enjoy it."
        >>> alike([one, "Ramen tonight, as always.", one + " Bye.", one])
        [0, 1, 0, 0]
    """
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        first.setdefault(text, place)
    leaders, leads = _Leaders({}, {}), dict[int, int]()
    for text, place in first.items():
        leads[place] = leaders.lead(place, _sketch(text)) if len(text) >= RUN else place
    return [leads[first[text]] for text in texts]


class _Leaders(NamedTuple):
    """The first of each lot of texts that are nearly the same."""

    sketches: dict[int, _Sketch]
    """By place."""
    bands: dict[int, int]
    """The first one's place, by the name of a group of bins that it fills so."""

    def lead(self, place: int, sketch: _Sketch) -> int:
        """Returns the place of the text that a new one is nearly the same as, or its own."""
        groups = sketch.reshape(-1, _BAND)
        names = ((groups * _FACTORS).sum(axis=1))[(groups != _EMPTY).any(axis=1)].tolist()
        for met in dict.fromkeys(self.bands[name] for name in names if name in self.bands):
            if _likeness(sketch, self.sketches[met]) >= ALIKE:
                return met
        self.sketches[place] = sketch
        for name in names:
            self.bands.setdefault(name, place)
        return place


def _likeness(one: _Sketch, other: _Sketch) -> float:
    """Estimates how alike two texts are, in 0..1."""
    filled = (one != _EMPTY) | (other != _EMPTY)
    return np.count_nonzero((one == other) & filled) / np.count_nonzero(filled)


def _sketch(text: str) -> _Sketch:
    """Returns the least hash of each bin that a text's runs fall into."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    hashes = np.zeros(len(letters) - RUN + 1, np.uint64)
    for offset in range(RUN):
        hashes = hashes * np.uint64(_BASE) + letters[offset : offset + len(hashes)]
    hashes = (hashes ^ (hashes >> np.uint64(32))) * np.uint64(_MIX)
    hashes ^= hashes >> np.uint64(29)
    sketch = np.full(BINS, _EMPTY)
    np.minimum.at(sketch, (hashes >> np.uint64(64 - BINS.bit_length() + 1)).astype(np.intp), hashes)
    return sketch
