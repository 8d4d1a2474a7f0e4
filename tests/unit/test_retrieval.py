"""Which parts fit a question: known answers, a second reckoning of BM25, and equal scores that fall to the newer."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.encoders.base import EncoderInfo, Vectors, pack, unpack
from evaluator.hicupid.questions import Dialogue, History, Turn
from evaluator.hicupid.retrieval import Bm25Retriever, DenseRetriever, best, parts_of
from tests.builders import PERSONA, SCHEDULE

HISTORY = History(
    user_id=1,
    dialogues=(
        Dialogue(
            dialogue_id=4,
            type=PERSONA,
            turns=(Turn(user="I love ramen", assistant="Good"), Turn(user="And soup", assistant="So warm")),
        ),
        Dialogue(dialogue_id=7, type=SCHEDULE, turns=(Turn(user="Dentist at 3 PM", assistant="Noted"),)),
    ),
)
WORDS = st.lists(st.sampled_from(["ramen", "Ramen", "soup", "dog", "dog,", "at", "3", "PM"]), max_size=8).map(" ".join)


def lucene_bm25(texts: Sequence[str], question: str) -> list[float]:
    """BM25 in the variant that Kamphuis et al. call Lucene (accurate), straight from its definition."""
    parts = [text.split() for text in texts]
    mean = sum(map(len, parts)) / len(parts)
    scores = []
    for part in parts:
        score = 0.0
        for word in question.split():
            holding = sum(1 for other in parts if word in other)
            if word in part:
                times = part.count(word)
                rarity = math.log(1 + (len(parts) - holding + 0.5) / (holding + 0.5))
                score += rarity * times / (times + 1.5 * (1 - 0.75 + 0.75 * len(part) / mean))
        scores.append(score)
    return scores


class LetterEncoder:
    """Counts a, b and c in windows of four letters."""

    info = EncoderInfo(
        encoder="local/letters@0", library="none 0", hardware="cpu", dimensions=3, window_tokens=4, load_seconds=0
    )

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> list[Vectors]:
        self.asked.append(list(texts))
        return [
            np.array([[text[start : start + 4].count(letter) for letter in "abc"] for start in range(0, len(text), 4)])
            .reshape(-1, 3)
            .astype(np.float32)
            for text in texts
        ]

    def peak_rss_mb(self) -> float:
        return 1.0

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> LetterEncoder:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@pytest.fixture(scope="module")
def bm25() -> Bm25Retriever:
    return Bm25Retriever()


def test_an_utterance_is_a_turn_with_its_answer_and_a_dialogue_is_all_of_its_turns():
    turns, dialogues = parts_of(HISTORY, "utterance"), parts_of(HISTORY, "dialogue")
    assert [part.dialogue_id for part in turns] == [4, 4, 7]
    assert [part.text for part in turns] == ["I love ramen\nGood", "And soup\nSo warm", "Dentist at 3 PM\nNoted"]
    assert [part.dialogue_id for part in dialogues] == [4, 7]
    assert dialogues[0].text == "I love ramen\nGood\nAnd soup\nSo warm"
    assert [turn for part in turns for turn in part.turns] == [turn for part in dialogues for turn in part.turns]


@pytest.mark.parametrize(
    ("scores", "k", "found"),
    [
        ([3.0, 1.0, 2.0], 2, [0, 2]),
        ([1.0, 3.0, 2.0], 1, [1]),
        ([0.0, 0.0, 0.0, 0.0], 2, [2, 3]),
        ([1.0, 0.0, 1.0, 1.0], 2, [2, 3]),
        ([1.0, 2.0], 5, [0, 1]),
    ],
)
def test_the_highest_scores_are_found_in_time_order_and_equal_ones_fall_to_the_newer(scores, k, found):
    assert best(scores, k) == found
    assert best(np.array(scores), k) == found


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1), st.integers(min_value=1, max_value=6))
def test_no_part_is_left_out_for_a_worse_or_an_older_one(scores, k):
    found = best(scores, k)
    assert found == sorted(set(found))
    assert len(found) == min(k, len(scores))
    left_out = set(range(len(scores))) - set(found)
    assert all((scores[one], one) > (scores[other], other) for one in found for other in left_out)


@given(st.lists(WORDS, min_size=1, max_size=6), WORDS)
def test_bm25_is_what_its_definition_says(bm25, texts, question):
    assert bm25.index(texts)(question).tolist() == pytest.approx(lucene_bm25(texts, question), abs=1e-12)


@given(st.lists(WORDS, min_size=1, max_size=4), WORDS)
def test_equal_texts_score_exactly_the_same(bm25, texts, question):
    scores = bm25.index([*texts, *reversed(texts)])(question)
    assert scores.tolist() == scores[::-1].tolist()


def test_case_and_punctuation_tell_words_apart(bm25):
    scores = bm25.index(["I love ramen", "Ramen is here", "More ramen.", "nothing"])("ramen")
    assert [score > 0 for score in scores] == [True, False, False, False]


def test_what_has_no_word_at_all_scores_nothing(bm25):
    assert bm25.index(["", " \n"])("ramen").tolist() == [0, 0]
    assert bm25.index(["ramen", ""])("").tolist() == [0, 0]
    assert bm25.index(["ramen", ""])("dentist").tolist() == [0, 0]


def test_bm25_shows_no_progress_and_logs_nothing(bm25, capfd, caplog):
    with caplog.at_level(logging.DEBUG):
        bm25.index(["ramen", "soup"])("ramen soup")
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_bm25_names_its_variant_and_its_library(bm25):
    assert dict(bm25.provenance) == {"bm25": "lucene, k1 1.5, b 0.75", "bm25s": bm25._library.__version__}


def test_a_dense_score_is_a_dot_product():
    scores = DenseRetriever(LetterEncoder()).index(["aab", "ccc", "abc"])("aac")
    assert scores.tolist() == [4.0, 3.0, 3.0]


def test_a_part_of_several_windows_fits_as_well_as_its_best_one():
    score = DenseRetriever(LetterEncoder()).index(["ccccaaac", "aacc", "cccccccc"])
    assert score("aa").tolist() == [6.0, 4.0, 0.0]
    assert score("bbbbaa").tolist() == [6.0, 4.0, 0.0]


def test_parts_are_encoded_once_and_every_question_alone():
    encoder = LetterEncoder()
    score = DenseRetriever(encoder).index(["aab", "ccc", "aab"])
    assert score("a").tolist() == [2.0, 0.0, 2.0]
    score("b")
    score("a")
    assert encoder.asked == [["aab", "ccc"], ["a"], ["b"]]


def test_dense_provenance_names_encoder_and_library():
    assert DenseRetriever(LetterEncoder()).provenance == (("encoder", "local/letters@0"), ("encoder_library", "none 0"))


@given(st.lists(st.lists(st.lists(st.floats(width=32), min_size=2, max_size=2), min_size=1), max_size=4))
def test_vectors_survive_being_sent_bit_by_bit(several):
    vectors = [np.array(each, np.float32) for each in several]
    again = unpack(pack(vectors))
    assert [each.shape for each in again] == [each.shape for each in vectors]
    assert [each.tobytes() for each in again] == [each.tobytes() for each in vectors]
