"""An adapter changes the model as if it had been worked into the weights, or is refused in so many words."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.engines.base import Message, Request, Sampling
from evaluator.engines.process import EngineProcess
from evaluator.errors import Cause, RapportError
from tests.engines.conftest import spec_of
from tests.tiny_model import THINKING_TEMPLATE, make_adapter, make_tokenizer, merge_adapter

GREEDY = Sampling(max_tokens=12)
KV_CACHE_TOKENS = 2048
QUESTIONS = [Request(f"q{place}", "adapter", (Message("user", f"Question {place}?"),)) for place in range(4)]


def texts(engine: EngineProcess) -> dict[str, str | None]:
    return {item.key: item.text for item in engine.generate(QUESTIONS, GREEDY)}


@pytest.mark.parametrize("rank", [4, 256])
def test_an_adapter_answers_like_the_model_into_which_it_was_merged(
    rank: int, tiny_model: Path, tmp_path: Path, transformers_engine: EngineProcess
) -> None:
    adapter = make_adapter(tmp_path / "adapter", rank=rank)
    make_tokenizer().save_pretrained(adapter)  # The model's own, as training programs leave it.
    merged = merge_adapter(tiny_model, adapter, tmp_path / "merged")
    served = spec_of(tiny_model, adapter_path=str(adapter), kv_cache_tokens=KV_CACHE_TOKENS)
    with (
        EngineProcess(served, tmp_path / "served.log") as with_adapter,
        EngineProcess(spec_of(merged, "transformers"), tmp_path / "merged.log") as with_merged,
    ):
        answers = texts(with_adapter)
        assert answers == texts(with_merged)
        flags = dict(with_adapter.info.flags)

    assert all(answers[key] != text for key, text in texts(transformers_engine).items())
    assert (flags["adapter"], flags["kv_cache_tokens"]) == (f"rank {rank}", str(KV_CACHE_TOKENS))


def test_an_adapter_that_was_trained_on_another_chat_template_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter")
    make_tokenizer(chat_template=THINKING_TEMPLATE).save_pretrained(adapter)

    with pytest.raises(RapportError, match="brings a chat template") as refusal:
        EngineProcess(spec_of(tiny_model, adapter_path=str(adapter)), tmp_path / "log")

    assert refusal.value.cause is Cause.LOAD_ERROR
    assert "Merge" in refusal.value.remedy


def test_the_transformers_engine_says_that_it_serves_no_adapters(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    with pytest.raises(RapportError, match="serves no adapters") as refusal:
        EngineProcess(spec_of(tiny_model, "transformers", adapter_path=str(adapter)), tmp_path / "log")

    assert refusal.value.cause is Cause.LOAD_ERROR
    assert "merge" in refusal.value.remedy
