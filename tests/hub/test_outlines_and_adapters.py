"""From the Hub too, an outline costs no weights, and an adapter is looked over before it is queued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluator.errors import Cause
from evaluator.models import PinnedModel, fetch, outline, pin_adapter, pin_encoder
from tests.hub_server import Client, LocalHub

NO_MODELS = Path("no-models-here")
ADAPTER: dict[str, bytes | str | None] = {
    "adapter_config.json": json.dumps({"peft_type": "LORA", "r": 8}),
    "adapter_model.safetensors": b"weights",
    "README.md": "A card.",
}
MODEL: dict[str, bytes | str | None] = {
    "config.json": '{"model_type": "llama"}',
    "model-1.safetensors": b"first weights",
    "model-2.safetensors": b"more weights",
    "other/model.safetensors": b"a copy for another program",
    "tokenizer.json": '{"version": "1.0"}',
    "tokenizer_config.json": '{"chat_template": "{{ messages }}"}',
}


def test_an_outline_takes_settings_and_tokenizer_and_leaves_the_weights(hub: LocalHub, client: Client) -> None:
    sha = hub.repositories.commit("model", "org/tiny", MODEL)
    told = client.run(outline, PinnedModel("org/tiny", sha), NO_MODELS).value
    assert told.weight_bytes == len(b"first weights") + len(b"more weights")
    assert sorted(path.name for path in told.folder.rglob("*.json")) == [
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert not [name for name in hub.files_sent() if name.endswith(".safetensors")]


def test_an_adapter_is_pinned_at_its_commit_without_its_weights_and_fetched_with_them(
    hub: LocalHub, client: Client
) -> None:
    sha = hub.repositories.commit("model", "org/lora", ADAPTER)
    pinned = client.run(pin_adapter, "org/lora", None, NO_MODELS).value
    assert pinned == ("org/lora", sha)
    assert hub.files_sent() == {"adapter_config.json"}
    folder = client.run(fetch, pinned, NO_MODELS).value
    assert {path.name for path in folder.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}


def test_a_pickled_adapter_is_refused_before_anything_is_fetched(hub: LocalHub, client: Client) -> None:
    files = {**ADAPTER, "adapter_model.safetensors": None, "adapter_model.bin": b"pickle"}
    hub.repositories.commit("model", "org/lora", {name: content for name, content in files.items() if content})
    assert client.run(pin_adapter, "org/lora", None, NO_MODELS).failure.cause is Cause.UNSAFE_FORMAT
    assert hub.files_sent() == set()


@pytest.mark.parametrize(
    ("settings", "cause", "told"),
    [
        ({"use_dora": True}, Cause.LOAD_ERROR, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, Cause.LOAD_ERROR, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 512}}, Cause.LOAD_ERROR, "rank 512"),
        ({"peft_type": "IA3"}, Cause.LOAD_ERROR, "peft_type IA3"),
        ({"auto_map": {"AutoModel": "modeling.Model"}}, Cause.UNSAFE_FORMAT, "code of its own"),
    ],
)
def test_what_the_engine_would_refuse_of_an_adapters_settings_is_refused_before_queueing(
    hub: LocalHub, client: Client, settings: dict[str, Any], cause: Cause, told: str
) -> None:
    config = json.dumps({"peft_type": "LORA", "r": 8} | settings)
    hub.repositories.commit("model", "org/lora", ADAPTER | {"adapter_config.json": config})
    failure = client.run(pin_adapter, "org/lora", None, NO_MODELS).failure
    assert failure.cause is cause
    assert "org/lora" in failure.message
    assert told in failure.message
    assert hub.files_sent() == {"adapter_config.json"}


def test_an_encoder_is_pinned_at_a_revision(hub: LocalHub, client: Client) -> None:
    files = {name: content for name, content in MODEL.items() if name != "tokenizer_config.json"}
    first = hub.repositories.commit("model", "org/encoder", files)
    hub.repositories.commit("model", "org/encoder", {"config.json": None})
    assert client.run(pin_encoder, "org/encoder", first, NO_MODELS).value.sha == first
