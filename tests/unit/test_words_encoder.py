"""The encoder without weights: near what shares pieces of words, and the same on every machine."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evaluator.encoders.words import NAME, WordsEncoder
from evaluator.hicupid.answers import says_something
from evaluator.human.stages.extraction import ExtractedAttribute
from evaluator.human.stages.merging import merge, one_vector_each
from evaluator.identity import text_digest


def merged(*texts: str) -> list[tuple[int, ...]]:
    attributes = [ExtractedAttribute(text=text, confidence=0.9) for text in texts]
    return [each.places for each in merge(attributes, one_vector_each(WordsEncoder().encode(texts)))]


def test_what_says_nearly_the_same_in_the_same_words_is_near_and_nothing_else():
    texts = ("The user keeps bees.", "The user is keeping bees.", "The user plays chess.")
    assert merged(*texts) == [(0, 1), (2,)]


def test_vectors_are_the_same_everywhere():
    (vector,) = WordsEncoder().encode(["The user keeps bees."])
    places = np.flatnonzero(vector[0])
    told = ",".join(f"{place}:{vector[0][place]:.6f}" for place in places)
    assert text_digest(told)[:16] == "95bf023e3622e32a", "another vector takes another revision"


@given(st.lists(st.text(min_size=1).filter(says_something), max_size=5))
def test_every_text_that_says_something_has_a_vector_whatever_is_asked_with_it(texts):
    encoder = WordsEncoder()
    together = encoder.encode(texts)
    assert [vector.shape for vector in together] == [(1, encoder.info.dimensions)] * len(texts)
    for text, vector in zip(texts, together, strict=True):
        assert np.isfinite(vector).all()
        assert vector.any()
        assert np.array_equal(encoder.encode([text])[0], vector)


def test_it_names_itself_for_provenance():
    with WordsEncoder() as encoder:
        assert encoder.info.encoder.startswith(f"{NAME}@")
        assert encoder.peak_rss_mb() > 0
