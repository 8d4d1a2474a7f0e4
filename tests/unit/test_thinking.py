"""What a model wrote is taken apart into thought and answer, whichever markers it uses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evaluator.engines.base import Sampling
from evaluator.engines.thinking import KNOWN_MARKERS, Draft, Markers, Reader, find_markers

THINK = Markers("<think>", "</think>")


def read(*words: str, markers: Markers = THINK, opened: bool = False, ended: bool = False, most: int = 100) -> Draft:
    """Reads a draft given as token texts; the end marker that is added has the number of its own."""
    texts = [*words, markers.end]
    reader = Reader(markers, [len(words)], lambda ids: "".join(texts[number] for number in ids))
    return reader.read(range(len(words)), opened=opened, ended=ended, max_tokens=most)


@pytest.mark.parametrize("markers", KNOWN_MARKERS)
def test_every_known_marker_is_found_by_template_and_by_vocabulary(markers: Markers) -> None:
    assert find_markers(f"x{markers.begin}y{markers.end}", []) == markers
    assert find_markers("", [*markers, "x"]) == markers


def test_a_template_tells_more_than_an_inherited_vocabulary() -> None:
    assert find_markers("{{ '[THINK]' }}", THINK) == Markers("[THINK]", "[/THINK]")


def test_a_model_without_markers_has_none() -> None:
    assert find_markers("{{ messages }}", ["think", "<|im_end|>", "<think>"]) is None


@pytest.mark.parametrize("opened", [True, False])
def test_a_closed_thought_is_kept_without_its_markers_and_the_answer_follows_it(opened: bool) -> None:
    begin = () if opened else ("<think>",)

    draft = read(*begin, "\n", "so", " so", "\n", "</think>", opened=opened)

    assert draft.thought == "so so"
    assert draft.prefix == list(range(draft.thought_tokens)) == list(range(5 + len(begin)))
    assert (draft.begun, draft.kept, draft.left) == ("", [], 100)


def test_a_thought_without_a_beginning_is_one_if_it_is_closed() -> None:
    assert read("so", "</think>").thought == "so"


def test_an_end_marker_in_pieces_is_one_and_what_stands_behind_it_is_the_answers() -> None:
    draft = read("<think>", "so", "</", "think", ">Yes")

    assert (draft.thought, draft.begun) == ("so", "Yes")
    assert draft.prefix == [0, 1, 2, 3, 4]


def test_a_thought_at_the_end_of_its_budget_is_closed() -> None:
    draft = read("<think>", "so", " so")

    assert (draft.thought, draft.thought_tokens) == ("so so", 3)
    assert draft.prefix == [0, 1, 2, 3]
    assert draft.left == 100


def test_a_model_that_ends_within_its_thought_still_gets_to_answer() -> None:
    draft = read("so", "<|end|>", opened=True, ended=True)

    assert (draft.thought, draft.thought_tokens) == ("so", 1)
    assert draft.prefix == [0, 2]
    assert draft.left == 100


def test_an_empty_thought_is_a_thought() -> None:
    assert read("<think>", "\n\n", "</think>").thought == ""


def test_an_answer_without_a_thought_is_complete_when_the_model_ended() -> None:
    draft = read("Yes", ".", "<|end|>", ended=True)

    assert (draft.thought, draft.kept, draft.left, draft.finish_reason) == (None, [0, 1, 2], 0, "stop")


@given(written=st.integers(1, 20), most=st.integers(1, 20), ended=st.booleans())
def test_an_answer_without_a_thought_never_has_more_tokens_than_it_may(written: int, most: int, ended: bool) -> None:
    draft = read(*["word"] * written, ended=ended, most=most)

    assert draft.thought_tokens == 0
    assert len(draft.kept) == min(written, most)
    if draft.left:
        assert not ended
        assert len(draft.kept) + draft.left == most
        assert draft.prefix == draft.kept
    else:
        assert draft.finish_reason == ("stop" if ended and written <= most else "length")


def test_a_marker_of_many_tokens_is_read_too() -> None:
    channels = Markers("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>")
    words = ["<|channel|>", "analysis", "<|message|>", "so", "<|end|>", "<|start|>", "assistant"]

    assert read(*words, "<|channel|>", "final", "<|message|>", markers=channels).thought == "so"


@pytest.mark.parametrize("wish", [{"pattern": "A|B"}, {"watch": ("A", "B")}])
def test_a_judge_cannot_be_told_to_think(wish: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="may think"):
        Sampling.model_validate({"max_tokens": 1, "thought_tokens": 1, **wish})


def test_the_end_of_a_pattern_cannot_be_ignored() -> None:
    with pytest.raises(ValidationError, match="cannot be ignored"):
        Sampling(max_tokens=1, ignore_end=True, pattern="A|B")
