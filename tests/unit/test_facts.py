"""Facts of models in words, and the sizes that models are looked for by."""

from __future__ import annotations

import pytest

from leaderboard.pages.facts import SIZE_CLASSES, context_in_words, size_class, size_in_words

BILLION = 10**9


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (999_949, "999.9k"),
        (999_950, "1.0M"),
        (134_515_008, "134.5M"),
        (999_949_999, "999.9M"),
        (999_950_000, "1.0B"),
        (72_706_203_648, "72.7B"),
        (1_000 * BILLION, "1.0T"),
        (None, "–"),
    ],
)
def test_a_size_has_one_decimal_and_never_a_thousand_of_a_unit(parameters: int | None, words: str) -> None:
    assert size_in_words(parameters) == words


@pytest.mark.parametrize(
    ("most", "name", "next_name"),
    [
        (BILLION, "up to 1B", "1B to 4B"),
        (4 * BILLION, "1B to 4B", "4B to 9B"),
        (9 * BILLION, "4B to 9B", "9B to 32B"),
        (32 * BILLION, "9B to 32B", "over 32B"),
    ],
)
def test_a_class_takes_what_it_ends_at(most: int, name: str, next_name: str) -> None:
    assert (size_class(most), size_class(most + 1)) == (name, next_name)


def test_classes_stand_in_their_order_and_what_is_not_known_is_none_of_them() -> None:
    sizes = [0, 2 * BILLION, 5 * BILLION, 10 * BILLION, 10**15, None]
    assert tuple(map(size_class, sizes)) == SIZE_CLASSES
    assert (context_in_words(1), context_in_words(131_072)) == ("1 token", "131,072 tokens")
