"""The efficient frontier: which models no other one beats at their size."""

from __future__ import annotations

from collections.abc import Sequence


def frontier(sizes: Sequence[float], scores: Sequence[float]) -> list[int]:
    """Returns who is on the efficient frontier, from the smallest to the largest.

    A model is on it when no model of at most its size scores higher: i is, if there is no j with size_j <= size_i and
    score_j > score_i. So models of one size and one score are on it together or not at all, and a larger model that
    only matches the best smaller one is on it. Figures are taken as they are: their intervals do not count here.

    Args:
        sizes: (n,) such as numbers of parameters.
        scores: (n,) higher is better.

    Returns:
        Places in 0..n-1, by size, then place; the scores of these never fall.

    Example:
        >>> frontier([1, 7, 7, 3, 70], [20.0, 40.0, 30.0, 35.0, 40.0])
        [0, 3, 1, 4]
    """
    found, best = [], float("-inf")
    for place in sorted(range(len(sizes)), key=lambda place: (sizes[place], -scores[place], place)):
        if scores[place] >= best:
            best = scores[place]
            found.append(place)
    return found
