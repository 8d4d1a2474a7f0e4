"""The efficient frontier by its definition: no model of at most one's size scores higher."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leaderboard.pages.plots.frontier import frontier

MODELS = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), max_size=12)


def by_definition(models: list[tuple[int, int]]) -> set[int]:
    return {
        place
        for place, (size, score) in enumerate(models)
        if not any(other <= size and higher > score for other, higher in models)
    }


def test_of_one_size_the_best_is_on_it_and_of_equals_all() -> None:
    assert frontier([7, 7, 7], [30.0, 40.0, 40.0]) == [1, 2]


def test_a_larger_model_that_only_matches_a_smaller_one_is_on_it_and_one_that_scores_less_is_not() -> None:
    assert frontier([1, 2, 3], [40.0, 40.0, 39.9]) == [0, 1]


def test_nobody_and_one() -> None:
    assert frontier([], []) == []
    assert frontier([7], [0.0]) == [0]


@given(MODELS)
def test_it_is_those_that_the_definition_names_from_the_smallest_up(models: list[tuple[int, int]]) -> None:
    sizes, scores = [size for size, _ in models], [float(score) for _, score in models]
    found = frontier(sizes, scores)
    assert set(found) == by_definition(models)
    assert len(found) == len(set(found))
    assert [sizes[place] for place in found] == sorted(sizes[place] for place in found)
    assert [scores[place] for place in found] == sorted(scores[place] for place in found)
