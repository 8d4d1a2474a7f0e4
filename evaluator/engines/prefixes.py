"""Counts how much of a prompt an ideal prefix cache could have reused.

This is the yardstick for prefill efficiency: an engine's own cached-token count says what was reused, this says what
could have been.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_Tokens = NDArray[np.int32]
_SORTABLE = np.dtype(">i4")
"""Highest byte first: then bytes fall into the order of tokens, and prompts that begin alike stand together."""


def common_prefix(left: _Tokens, right: _Tokens) -> int:
    """Returns how many leading tokens two prompts share.

    Example:
        >>> common_prefix(np.array([1, 2, 3], np.int32), np.array([1, 2, 9, 9], np.int32))
        2
    """
    length = min(len(left), len(right))
    differing = np.flatnonzero(left[:length] != right[:length])
    return int(differing[0]) if len(differing) else length


def common_prefix_of_lists(left: Sequence[int], right: Sequence[int]) -> int:
    """Returns how many leading tokens two prompts share.

    Example:
        >>> common_prefix_of_lists([1, 2, 3], [1, 2, 9, 9])
        2
    """
    return common_prefix(np.asarray(left, dtype=np.int32), np.asarray(right, dtype=np.int32))


@dataclass
class _Seen:
    """The prompts of one group: the first one whole, of each other one how it went on where it left the first.

    Tails are kept by that place, sorted as bytes: whichever shares most with another one is its neighbour.
    """

    first: _Tokens
    tails: dict[int, list[bytes]] = field(default_factory=dict)


@dataclass
class SharedPrefixes:
    """Remembers the prompts of each group in little more memory than one prompt a group.

    Example:
        >>> prefixes = SharedPrefixes()
        >>> [prefixes.add("user 1", prompt) for prompt in ([1, 2, 3], [1, 2, 4, 5], [1, 2, 4, 6])]
        [0, 2, 3]
    """

    _groups: dict[str, _Seen] = field(default_factory=dict)

    def add(self, group: str, prompt: Sequence[int]) -> int:
        """Returns the longest common prefix of a prompt with any earlier one of its group, then remembers it."""
        tokens = np.asarray(prompt, dtype=np.int32)
        seen = self._groups.get(group)
        if seen is None:
            self._groups[group] = _Seen(tokens)
            return 0
        left_first_at = common_prefix(seen.first, tokens)
        tail = tokens[left_first_at:]
        # Only those that left the first prompt here can share more than it.
        return left_first_at + _insert(seen.tails.setdefault(left_first_at, []), tail)


def _insert(tails: list[bytes], tail: _Tokens) -> int:
    """Puts a tail in its place, unless it is there; returns the longest common prefix with any that was."""
    written = tail.astype(_SORTABLE).tobytes()
    place = bisect_left(tails, written)
    neighbours = tails[max(place - 1, 0) : place + 1]
    longest = max((common_prefix(np.frombuffer(other, _SORTABLE), tail) for other in neighbours), default=0)
    if written not in neighbours:
        tails.insert(place, written)
    return longest
