"""Counts how much of a prompt an ideal prefix cache could have reused.

This is the yardstick for prefill efficiency: an engine's own cached-token count says what was reused, this says what
could have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_Tokens = NDArray[np.int32]


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
    """The prompts of one group: the first one whole, of each later one where and how it left the first."""

    first: _Tokens
    tails: list[tuple[int, _Tokens]] = field(default_factory=list)


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
        longest = 0
        for other_left_at, other_tail in seen.tails:
            if other_left_at == left_first_at:  # Only those that left the first prompt here can share more than it.
                longest = max(longest, common_prefix(other_tail, tail))
        seen.tails.append((left_first_at, tail.copy()))
        return left_first_at + longest
