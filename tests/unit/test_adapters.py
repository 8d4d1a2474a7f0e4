"""Which adapters can be served, and why others cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluator.engines.adapter_settings import Adapter
from evaluator.engines.adapter_words import check_same_words
from evaluator.engines.adapters import check_fits, read_adapter
from evaluator.errors import Cause, RapportError
from tests.tiny_model import CHAT_TEMPLATE, REFUSING_TEMPLATE, make_adapter, make_tiny_model, make_tokenizer


def refused(folder: Path) -> RapportError:
    with pytest.raises(RapportError) as refusal:
        read_adapter(folder)
    assert folder.name in refusal.value.message
    assert refusal.value.remedy
    return refusal.value


@pytest.mark.parametrize(("rank", "room"), [(1, 8), (8, 8), (9, 16), (48, 64), (200, 256), (256, 256)])
def test_an_adapter_gets_the_smallest_room_into_which_it_fits(rank: int, room: int, tmp_path: Path) -> None:
    assert read_adapter(make_adapter(tmp_path / "plain", rank=rank)) == Adapter(rank, room)


def test_the_highest_rank_of_any_matrix_counts(tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "mixed", rank=4, rank_pattern={"q_proj": 64}, alpha_pattern={"q_proj": 8})

    assert read_adapter(adapter) == Adapter(64, 64)


def test_a_rank_that_is_too_high_is_refused(tmp_path: Path) -> None:
    error = refused(make_adapter(tmp_path / "large", r=257))

    assert error.cause is Cause.LOAD_ERROR
    assert "rank 257; at most 256" in error.message


@pytest.mark.parametrize("rank", [0, -1, None, "8", 8.5, True])
def test_a_rank_that_is_none_is_refused(rank: Any, tmp_path: Path) -> None:
    assert refused(make_adapter(tmp_path / "odd", r=rank)).cause is Cause.LOAD_ERROR


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "pickled")
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")

    assert refused(adapter).cause is Cause.UNSAFE_FORMAT


@pytest.mark.parametrize(
    "settings",
    [
        {"auto_map": {"AutoModel": "modeling.Model"}},
        {"auto_mapping": {"base_model_class": "Model", "parent_library": "transformers_modules.org.model"}},
    ],
)
def test_an_adapter_that_needs_code_of_its_own_is_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    assert refused(make_adapter(tmp_path / "code", **settings)).cause is Cause.UNSAFE_FORMAT


def test_the_class_of_a_known_library_is_no_code_of_its_own(tmp_path: Path) -> None:
    named = {"base_model_class": "LlamaForCausalLM", "parent_library": "transformers.models.llama.modeling_llama"}

    assert read_adapter(make_adapter(tmp_path / "named", auto_mapping=named)).rank == 4


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"layer_replication": [[0, 1]]}, "layer_replication"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"trainable_token_indices": [1]}, "trainable_token_indices"),
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "bias all"),
        ({"init_lora_weights": "pissa_niter_4"}, "init_lora_weights pissa_niter_4"),
        ({"peft_type": "IA3"}, "peft_type IA3"),
        ({"peft_type": None}, "peft_type None"),
    ],
)
def test_what_is_more_than_a_plain_lora_is_refused_by_name(settings: dict[str, Any], word: str, tmp_path: Path) -> None:
    error = refused(make_adapter(tmp_path / "special", **settings))

    assert error.cause is Cause.LOAD_ERROR
    assert word in error.message
    assert "merge" in error.remedy.lower()


@pytest.mark.parametrize("start", [True, False, "gaussian", "eva"])
def test_how_the_training_of_a_plain_lora_began_does_not_matter(start: bool | str, tmp_path: Path) -> None:
    assert read_adapter(make_adapter(tmp_path / "begun", init_lora_weights=start)).rank == 4


def test_resized_embeddings_are_refused(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    adapter = make_adapter(tmp_path / "resized")
    weights = load_file(adapter / "adapter_model.safetensors")
    weights["base_model.model.model.embed_tokens.base_layer.weight"] = torch.zeros(4, 4)
    save_file(weights, adapter / "adapter_model.safetensors")

    error = refused(adapter)

    assert error.cause is Cause.LOAD_ERROR
    assert "embed_tokens" in error.message


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_an_adapter_fits_the_model_on_which_it_was_trained(model: Path, tmp_path: Path) -> None:
    check_fits(make_adapter(tmp_path / "own"), model)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("q_proj.lora_A", (4, 64), "128 x 64 in rank 4, and the model has 128 x 128"),
        ("q_proj.lora_B", (64, 4), "64 x 128 in rank 4, and the model has 128 x 128"),
        ("layers.1.", "layers.7.", "layers.7.*the model has none"),
    ],
)
def test_an_adapter_of_another_size_is_refused(
    old: str, new: str | tuple[int, int], word: str, model: Path, tmp_path: Path
) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    adapter = make_adapter(tmp_path / "foreign")
    weights = load_file(adapter / "adapter_model.safetensors")
    for name in [name for name in weights if old in name]:
        tensor = weights.pop(name)
        weights |= {name.replace(old, new): tensor} if isinstance(new, str) else {name: torch.zeros(*new)}
    save_file(weights, adapter / "adapter_model.safetensors")

    with pytest.raises(RapportError, match=word) as refusal:
        check_fits(adapter, model)

    assert refusal.value.cause is Cause.LOAD_ERROR


def test_weights_under_other_names_are_left_to_the_engine(model: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    adapter = make_adapter(tmp_path / "renamed")
    names = ("base_model.model.vision.proj.lora_A.weight", "base_model.model.vision.proj.lora_B.weight")
    save_file({name: torch.zeros(4, 4) for name in names}, adapter / "adapter_model.safetensors")

    check_fits(adapter, model)


@pytest.mark.parametrize("content", [None, "", "[]", "{"])
def test_an_adapter_without_settings_is_refused(content: str | None, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "bare")
    (adapter / "adapter_config.json").unlink()
    if content is not None:
        (adapter / "adapter_config.json").write_text(content)

    assert refused(adapter).cause is Cause.LOAD_ERROR


@pytest.mark.parametrize("content", [b"", b"no safetensors at all"])
def test_broken_weights_are_refused(content: bytes, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "broken")
    (adapter / "adapter_model.safetensors").write_bytes(content)

    assert refused(adapter).cause is Cause.LOAD_ERROR


def test_settings_of_another_shape_are_refused_and_not_stumbled_over(tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "shapes")
    config = json.loads((adapter / "adapter_config.json").read_text())
    for odd in ({"auto_mapping": "x"}, {"rank_pattern": [1]}, {"rank_pattern": {"q_proj": "x"}}):
        (adapter / "adapter_config.json").write_text(json.dumps(config | odd))
        assert refused(adapter).cause is Cause.LOAD_ERROR


def with_words(folder: Path, tokenizer: Any) -> Path:
    """Writes an adapter that brings a tokenizer, as training programs leave one; returns its folder."""
    adapter = make_adapter(folder)
    tokenizer.save_pretrained(adapter)
    return adapter


def other_words(adapter: Path, model: Path) -> RapportError:
    with pytest.raises(RapportError) as refusal:
        check_same_words(adapter, model)
    assert refusal.value.cause is Cause.LOAD_ERROR
    assert adapter.name in refusal.value.message
    return refusal.value


def test_an_adapter_without_words_of_its_own_takes_the_models(model: Path, tmp_path: Path) -> None:
    check_same_words(make_adapter(tmp_path / "wordless"), model)


def test_an_adapter_that_brings_the_models_own_words_written_in_another_way_is_taken(
    model: Path, tmp_path: Path
) -> None:
    trained = make_tokenizer()
    trained.backend_tokenizer.enable_truncation(8)
    trained.backend_tokenizer.enable_padding(length=64)
    adapter = with_words(tmp_path / "trained", trained)
    settings = json.loads((adapter / "tokenizer_config.json").read_text())
    (adapter / "chat_template.jinja").unlink()
    marked = {"content": settings["eos_token"], "lstrip": False}
    named = [{"name": "tool_use", "template": "x"}, {"name": "default", "template": CHAT_TEMPLATE}]
    changed = settings | {"chat_template": named, "eos_token": marked, "pad_token": "<|user|>"}
    (adapter / "tokenizer_config.json").write_text(json.dumps(changed))
    content = json.loads((adapter / "tokenizer.json").read_text())
    assert content["truncation"]["max_length"] == 8
    (adapter / "tokenizer.json").write_text(json.dumps(content, indent=7))

    check_same_words(adapter, model)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"chat_template": REFUSING_TEMPLATE}, "chat template"),
        ({"words": ["<tool>"]}, "tokenizer that is not"),
        ({"adds_begin": True}, "tokenizer that is not"),
    ],
)
def test_an_adapter_that_was_trained_on_other_words_is_to_be_merged(
    changes: dict[str, Any], word: str, model: Path, tmp_path: Path
) -> None:
    error = other_words(with_words(tmp_path / "other", make_tokenizer(**changes)), model)

    assert word in error.message
    assert "merge" in error.remedy.lower()


def test_a_tokenizer_of_the_same_vocabulary_that_cuts_otherwise_is_another(model: Path, tmp_path: Path) -> None:
    from tokenizers import normalizers

    lowering = make_tokenizer()
    lowering.backend_tokenizer.normalizer = normalizers.Lowercase()

    assert "tokenizer that is not" in other_words(with_words(tmp_path / "lower", lowering), model).message


def test_another_end_of_an_answer_is_another_tokenizer(model: Path, tmp_path: Path) -> None:
    ending = make_tokenizer()
    ending.eos_token = "<|user|>"

    assert "special tokens" in other_words(with_words(tmp_path / "ending", ending), model).message


def test_a_chat_template_in_a_file_alone_is_compared_too(model: Path, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "template")
    (adapter / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    check_same_words(adapter, model)

    (adapter / "chat_template.jinja").write_text(f"{CHAT_TEMPLATE}<think>")
    assert "chat template" in other_words(adapter, model).message


def test_a_tokenizer_in_an_older_form_is_compared_by_its_bytes(model: Path, tmp_path: Path) -> None:
    import shutil

    adapter, older = make_adapter(tmp_path / "pieces"), shutil.copytree(model, tmp_path / "older")
    (adapter / "tokenizer.model").write_bytes(b"pieces")
    assert "tokenizer that is not" in other_words(adapter, older).message

    (older / "tokenizer.model").write_bytes(b"pieces")
    check_same_words(adapter, older)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("tokenizer.json", content) for content in ("", "[]", "{", '{"model": 1}')),
        *(("tokenizer_config.json", content) for content in ("", "[]", "{")),
    ],
)
def test_words_that_cannot_be_read_are_refused(name: str, content: str, model: Path, tmp_path: Path) -> None:
    adapter = with_words(tmp_path / "broken", make_tokenizer())
    (adapter / name).write_text(content)

    assert name in other_words(adapter, model).message
