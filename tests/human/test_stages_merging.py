"""Near-duplicates are merged and the rest matched one to one, whatever the order."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.human.stages.extraction import ExtractedAttribute
from evaluator.human.stages.merging import match, merge, one_vector_each


def directions(*degrees: float) -> np.ndarray:
    """Returns vectors in a plane, of different lengths, which must not matter."""
    angles = np.radians(degrees)
    lengths = np.arange(1, len(degrees) + 1)[:, None]
    return np.column_stack([np.cos(angles), np.sin(angles)]) * lengths


def found(*stated: tuple[str, float]) -> list[ExtractedAttribute]:
    return [ExtractedAttribute(text=text, confidence=confidence) for text, confidence in stated]


def plain(count: int) -> list[ExtractedAttribute]:
    return found(*((f"Thing {number}.", 0.5) for number in range(count)))


def places(attributes: list[ExtractedAttribute], vectors: np.ndarray) -> list[tuple[int, ...]]:
    return [each.places for each in merge(attributes, vectors)]


def test_near_ones_are_merged_and_far_ones_are_not():
    # A cosine of 0.7 is an angle of 45.6 degrees.
    assert places(plain(4), directions(0, 90, 40, 180)) == [(0, 2), (1,), (3,)]
    assert places(plain(2), directions(0, 45)) == [(0, 1)]
    assert places(plain(2), directions(0, 46)) == [(0,), (1,)]


def test_a_chain_of_neighbours_is_not_one_cluster():
    # Each is near the next one, and the ends are far from each other: on average the pairs are too far.
    assert places(plain(3), directions(0, 39, 80)) == [(0, 1), (2,)]


def test_one_odd_pair_does_not_keep_paraphrases_apart():
    # The ends alone are further than 45.6 degrees from each other, their average pair is not.
    assert places(plain(3), directions(0, 10, 50)) == [(0, 1, 2)]


def test_the_most_confident_text_stands_for_its_cluster():
    stated = found(("The user keeps bees.", 0.6), ("The user has hives.", 0.9), ("The user is a beekeeper.", 0.8))

    (merged,) = merge(stated, directions(0, 1, 2))

    assert merged.attribute == stated[1]
    assert merged.places == (0, 1, 2)


def test_between_equally_confident_texts_the_shorter_and_then_the_first_by_code_point_stays():
    stated = found(("The user keeps bees at home.", 0.9), ("The user likes bees.", 0.9), ("The user keeps bees.", 0.9))

    (merged,) = merge(stated, directions(0, 1, 2))

    assert merged.attribute.text == "The user keeps bees."


def test_the_same_text_of_two_conversations_is_merged():
    stated = found(("The user keeps bees.", 0.5), ("The user lives in Oslo.", 0.5), ("The user keeps bees.", 0.7))

    merged = merge(stated, directions(0, 90, 0))

    assert [(each.attribute.confidence, each.places) for each in merged] == [(0.7, (0, 2)), (0.5, (1,))]


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_are_left_as_they_are(count: int):
    assert places(plain(count), directions(*range(count))) == [(place,) for place in range(count)]


@given(st.lists(st.tuples(st.integers(0, 359), st.sampled_from([0.4, 0.5, 1.0])), max_size=12), st.randoms())
def test_the_order_in_which_attributes_are_given_decides_nothing(
    stated: list[tuple[int, float]], chance: random.Random
):
    # What has the same text has the same vector.
    attributes = found(*((f"Thing {degrees}.", confidence) for degrees, confidence in stated))
    order = list(range(len(stated)))
    chance.shuffle(order)

    def merged(these: list[int]) -> set[ExtractedAttribute]:
        vectors = directions(*(stated[place][0] for place in these))
        return {each.attribute for each in merge([attributes[place] for place in these], vectors)}

    assert merged(order) == merged(sorted(order))


@given(st.lists(st.integers(0, 359), max_size=12))
def test_every_attribute_is_in_one_cluster(degrees: list[int]):
    gathered = [place for each in places(plain(len(degrees)), directions(*degrees)) for place in each]

    assert sorted(gathered) == list(range(len(degrees)))


@pytest.mark.parametrize("vectors", [np.zeros((2, 3)), np.array([[1.0, 0.0], [np.nan, 1.0]]), np.ones((3, 2))])
def test_vectors_that_do_not_fit_are_refused(vectors: np.ndarray):
    with pytest.raises(ValueError, match="vector"):
        merge(plain(2), vectors)


def test_each_is_matched_with_one_at_most():
    # The one extracted attribute lies between two that people accepted, and near enough to both.
    assert [(each.extracted, each.accepted) for each in match(directions(30), directions(0, 50))] == [(0, 1)]


def test_as_many_as_can_be_are_matched_even_if_the_nearest_pair_is_parted_for_it():
    # 0 is nearest to 5, but only 0 can go to 320.
    extracted, accepted = directions(0, 40), directions(5, 320)

    assert [(each.extracted, each.accepted) for each in match(extracted, accepted)] == [(0, 1), (1, 0)]
    # Here the one near pair even outweighs both of the others together.
    assert len(match(directions(0, 80), directions(0, 280), least=0.1)) == 2


def test_what_is_too_far_is_not_matched():
    assert match(directions(0), directions(46)) == ()
    (pair,) = match(directions(0), directions(45))
    assert pair.cosine == pytest.approx(np.cos(np.radians(45)), abs=1e-6)
    assert len(match(directions(0), directions(46), least=0.6)) == 1


def test_nothing_is_matched_with_nothing():
    assert match(directions(), directions(0)) == ()
    assert match(directions(0), directions()) == ()


@given(st.lists(st.integers(0, 359), max_size=8), st.lists(st.integers(0, 359), max_size=8), st.randoms())
def test_recall_depends_on_no_order(extracted: list[int], accepted: list[int], chance: random.Random):
    straight = len(match(directions(*extracted), directions(*accepted)))
    chance.shuffle(extracted)
    chance.shuffle(accepted)

    assert len(match(directions(*extracted), directions(*accepted))) == straight
    assert len(match(directions(*accepted), directions(*extracted))) == straight


@given(st.lists(st.integers(0, 359), min_size=1, max_size=8))
def test_a_copy_of_what_was_accepted_finds_all_of_it(degrees: list[int]):
    assert len(match(directions(*degrees), directions(*degrees))) == len(degrees)


def test_a_text_of_several_windows_has_their_mean():
    windows = [np.array([[1.0, 0.0], [0.0, 1.0]], np.float32), np.array([[2.0, 2.0]], np.float32)]

    assert one_vector_each(windows).tolist() == [[0.5, 0.5], [2.0, 2.0]]
