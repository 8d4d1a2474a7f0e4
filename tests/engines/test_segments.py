"""Putting remembered pieces together gives what tokenizing the whole text gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from evaluator.demo_model import ensure_demo_model
from evaluator.engines.segments import SegmentTokenizer

MARKS = ("<s>", "</s>", "<|im_start|>", "<|im_end|>")
TEXTS = st.lists(
    st.sampled_from([*MARKS, "a", "b ", " c", "\n", "é", "Hello there", "<|im_", "end|>", "▁"]), max_size=20
)


class Counting:
    """A tokenizer that counts the characters it was given."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer, self.characters = tokenizer, 0
        self.added_tokens_decoder = tokenizer.added_tokens_decoder

    def __call__(self, text: str, **options: bool) -> dict[str, list[int]]:
        self.characters += len(text)
        return self.tokenizer(text, **options)


def small(pre_tokenizer: pre_tokenizers.PreTokenizer, normalizer: normalizers.Normalizer | None = None) -> Counting:
    """A tokenizer of single characters with four special tokens."""
    alphabet = [*MARKS, "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "▁"]
    core = Tokenizer(models.BPE({sign: place for place, sign in enumerate(alphabet)}, [], unk_token="<unk>"))
    core.pre_tokenizer, core.decoder = pre_tokenizer, decoders.ByteLevel()
    if normalizer:
        core.normalizer = normalizer
    core.add_special_tokens(list(MARKS))
    return Counting(PreTrainedTokenizerFast(tokenizer_object=core))


BYTES = small(pre_tokenizers.ByteLevel(add_prefix_space=True))
PREPENDED = small(pre_tokenizers.Metaspace(prepend_scheme="first"), normalizers.Lowercase())


@pytest.mark.parametrize("tokenizer", [BYTES, PREPENDED], ids=["bytes", "prepended"])
@given(first=TEXTS, second=TEXTS)
def test_the_ids_are_those_of_the_whole_text(tokenizer: Counting, first: list[str], second: list[str]) -> None:
    segments = SegmentTokenizer(tokenizer)

    for text in ("".join(first), "".join(second), "".join(first + second)):
        assert segments.ids(text) == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_the_demo_model_gives_the_same_ids(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(ensure_demo_model(Path("data/models")))
    text = tokenizer.apply_chat_template(
        [{"role": role, "content": f"Ça va? {number}\n\n"} for number in range(9) for role in ("user", "assistant")],
        tokenize=False,
    )
    segments = SegmentTokenizer(tokenizer)

    assert segments.ids(text) == segments.ids(text) == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_a_history_that_came_before_is_not_tokenized_again() -> None:
    tokenizer = small(pre_tokenizers.ByteLevel(add_prefix_space=False))
    segments = SegmentTokenizer(tokenizer)
    history = "".join(f"<|im_start|>turn {number}<|im_end|>" for number in range(100))
    segments.ids(history + "<|im_start|>first question")
    before = tokenizer.characters

    segments.ids(history + "<|im_start|>second question")

    assert tokenizer.characters - before == len("<|im_start|>second question")


def test_a_tokenizer_for_which_pieces_do_not_add_up_is_given_whole_texts() -> None:
    class Odd(Counting):
        """Counts the characters of the whole text as its last token."""

        def __call__(self, text: str, **options: bool) -> dict[str, list[int]]:
            return {"input_ids": [*super().__call__(text, **options)["input_ids"], len(text)]}

    tokenizer = Odd(BYTES.tokenizer)
    segments = SegmentTokenizer(tokenizer)

    for text in ("<s>a</s>", "<s>b</s>", "<s>a</s><s>b</s>"):
        assert segments.ids(text) == tokenizer(text)["input_ids"]


def test_marks_that_swallow_the_space_around_them_are_no_place_to_cut() -> None:
    from tokenizers import AddedToken

    tokenizer = small(pre_tokenizers.ByteLevel(add_prefix_space=False)).tokenizer
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("<eat>", lstrip=True, rstrip=True)]})
    segments = SegmentTokenizer(tokenizer)

    for text in ("<s>a <eat> b</s>", "<s> <eat> </s>"):
        assert segments.ids(text) == tokenizer(text, add_special_tokens=False)["input_ids"]
