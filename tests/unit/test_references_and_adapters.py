"""What is pinned besides models: references, which have no files, adapters and encoders, and a model's outline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.models import PinnedModel, fetch, model_name, outline, pin, pin_adapter, pin_encoder
from evaluator.protocol import Reference
from tests.model_folders import WEIGHTS, make_model_folder

CONFIG = {"peft_type": "LORA", "r": 8, "lora_alpha": 16}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    make_model_folder(folder, "tiny")
    return folder


def adapter_folder(models: Path, leave_out: str = "", **changes: Any) -> str:
    """Writes what looks like a LoRA adapter; returns its name."""
    folder = models / "lora"
    folder.mkdir()
    contents = {"adapter_config.json": json.dumps(CONFIG | changes), "adapter_model.safetensors": "weights"}
    for name, text in contents.items():
        if name != leave_out:
            (folder / name).write_text(text)
    return "local/lora"


def cause_of(call, *arguments) -> Cause:
    with pytest.raises(RapportError) as caught:
        call(*arguments)
    return caught.value.cause


@pytest.mark.parametrize("reference", [*Reference])
def test_a_reference_is_pinned_without_a_look_at_any_file(reference):
    nowhere = Path("no-such-folder")
    name = model_name(f" reference/{reference} ", nowhere)
    assert name == f"reference/{reference}"
    assert pin(name, None, nowhere) == pin(name, None, nowhere)
    assert len({pin(f"reference/{each}", None, nowhere).sha for each in Reference}) == len(Reference)


def test_an_unknown_reference_is_refused_naming_those_that_there_are(models):
    with pytest.raises(RapportError, match="reference/general_answer") as caught:
        model_name("reference/silver", models)
    assert caught.value.cause is Cause.NOT_FOUND


def test_a_reference_has_no_files_and_is_neither_an_adapter_nor_an_encoder(models):
    assert cause_of(fetch, pin("reference/gold", None, models), models) is Cause.LOAD_ERROR
    for pinning in (pin_adapter, pin_encoder):
        assert cause_of(pinning, "reference/gold", None, models) is Cause.MALFORMED_ID


def test_an_adapter_is_pinned_to_what_lies_in_it_and_loaded_from_there(models):
    name = adapter_folder(models)
    pinned = pin_adapter(name, None, models)
    assert pinned == PinnedModel(name, pinned.sha)
    assert fetch(pinned, models) == models / "lora"
    (models / "lora" / "adapter_model.safetensors").write_text("trained a little longer")
    assert pin_adapter(name, None, models).sha != pinned.sha
    assert cause_of(fetch, pinned, models) is Cause.NOT_FOUND


@pytest.mark.parametrize(
    ("leave_out", "changes", "cause"),
    [
        ("adapter_config.json", {}, Cause.LOAD_ERROR),
        ("adapter_model.safetensors", {}, Cause.UNSAFE_FORMAT),
        ("", {"auto_map": {"AutoModel": "code.Model"}}, Cause.UNSAFE_FORMAT),
        ("", {"peft_type": "PREFIX_TUNING"}, Cause.LOAD_ERROR),
        ("", {"peft_type": None}, Cause.LOAD_ERROR),
        ("", {"r": 0}, Cause.LOAD_ERROR),
        ("", {"r": 257}, Cause.LOAD_ERROR),
        ("", {"r": "8"}, Cause.LOAD_ERROR),
        ("", {"r": True}, Cause.LOAD_ERROR),
    ],
)
def test_an_adapter_that_is_no_plain_lora_is_refused(models, leave_out, changes, cause):
    name = adapter_folder(models, leave_out, **changes)
    assert cause_of(pin_adapter, name, None, models) is cause


@pytest.mark.parametrize("rank", [1, 256])
def test_ranks_up_to_the_highest_are_taken(models, rank):
    assert pin_adapter(adapter_folder(models, r=rank), None, models).model == "local/lora"


def test_a_pickled_adapter_beside_safetensors_does_no_harm(models):
    name = adapter_folder(models)
    (models / "lora" / "adapter_model.bin").write_bytes(b"pickle")
    assert pin_adapter(name, None, models).model == name


def test_a_model_is_no_adapter_and_an_adapter_is_no_model(models):
    assert cause_of(pin_adapter, "local/tiny", None, models) is Cause.LOAD_ERROR
    assert cause_of(pin, adapter_folder(models), None, models) is Cause.LOAD_ERROR


def test_an_encoder_needs_no_chat_template_but_safetensors(models):
    make_model_folder(models, "encoder", tokenizer_config__json="{}")
    assert pin_encoder("local/encoder", None, models).model == "local/encoder"
    (models / "encoder" / "model.safetensors").rename(models / "encoder" / "pytorch_model.bin")
    assert cause_of(pin_encoder, "local/encoder", None, models) is Cause.UNSAFE_FORMAT


def test_an_outline_says_how_large_the_weights_are(models):
    (models / "tiny" / "model-2.safetensors").write_bytes(b"12345")
    (models / "tiny" / "training.bin").write_bytes(b"not loaded")
    told = outline(pin("local/tiny", None, models), models)
    assert (told.folder, told.weight_bytes) == (models / "tiny", len(WEIGHTS) + 5)


@pytest.mark.parametrize("pinning", [pin, pin_adapter, pin_encoder])
def test_a_folder_has_no_revisions(models, pinning):
    with pytest.raises(RapportError, match="no revision 'main'") as caught:
        pinning("local/tiny", "main", models)
    assert caught.value.cause is Cause.NOT_FOUND
