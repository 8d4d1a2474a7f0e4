"""The probability of each verdict word, read at the place where the last one begins."""

import math

import pytest

from evaluator.engines.words import word_probabilities

WORDS = ("A", "B", "Tie")


def read(tokens: list[str], *candidates: dict[str, float], words=WORDS) -> dict[str, float]:
    """Reads probabilities from a completion given as token texts; candidates are those of the last tokens."""
    considered = [{}] * (len(tokens) - len(candidates)) + [
        {token: math.log(share) for token, share in place.items()} for place in candidates
    ]
    found = word_probabilities(
        words, "".join(tokens), range(len(tokens)), considered, lambda ids: "".join(tokens[i] for i in ids)
    )
    return dict(found)


def test_each_word_has_the_probability_of_its_token():
    assert read(["Better", " Response", ":", " A"], {" A": 0.7, " B": 0.2, " Tie": 0.1}) == {
        "A": 0.7,
        "B": 0.2,
        "Tie": 0.1,
    }


def test_the_words_are_sorted_and_words_outside_the_likeliest_tokens_are_left_out():
    found = word_probabilities(
        WORDS, "A", [0], [{"Tie": math.log(0.25), "A": math.log(0.5)}], lambda ids: "A" * len(ids)
    )
    assert found == (("A", 0.5), ("Tie", 0.25))


def test_a_word_is_recognised_by_its_beginning():
    assert read([":", " T", "ie"], {" T": 0.6, " A": 0.4}, {"ie": 1.0}) == {"Tie": 0.6, "A": 0.4}


def test_spellings_of_one_word_are_added():
    assert read([":", " A"], {" A": 0.5, "A": 0.25, "\nA": 0.125}) == {"A": 0.875}


def test_a_beginning_that_fits_two_words_tells_nothing():
    assert read([" ", "NO"], {"N": 0.5, "NO": 0.25, "YES": 0.25}, words=("NO", "NEVER", "YES")) == {
        "NO": 0.25,
        "YES": 0.25,
    }


@pytest.mark.parametrize("token", ["", " ", "Answer", "b", "C"])
def test_other_tokens_are_passed_over(token):
    assert read([":", " A"], {" A": 0.5, token: 0.5}) == {"A": 0.5}


def test_the_last_word_counts_and_not_one_inside_the_reasons():
    tokens = ["A", " is", " fine", ".", " Better", " Response", ":", " B"]
    assert read(tokens, {" B": 0.9, " A": 0.1}) == {"B": 0.9, "A": 0.1}


def test_a_word_inside_another_word_is_none():
    assert read(["About", " Ties"], {" Ties": 1.0}) == {}


def test_a_completion_without_a_word_has_no_probabilities():
    assert read(["I", " cannot", " say"], {" say": 1.0}) == {}


def test_nothing_to_watch_finds_nothing():
    assert read([" A"], {" A": 1.0}, words=()) == {}


def test_candidates_that_were_cut_short_give_nothing_instead_of_a_neighbours():
    assert word_probabilities(WORDS, "x A", [0, 1], [{" B": 0.0}], lambda ids: "x A"[: 2 * len(ids) - 1]) == ()


def test_rounding_never_makes_a_probability_larger_than_one():
    assert read([":", " A"], {" A": 1.0, "A": 1e-9}) == {"A": 1.0}
