"""What a repository must hold and must not hold, told from its list of files and its settings alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from evaluator.engines.adapter_settings import CONFIG_FILE, WEIGHTS_FILE, check_adapter_settings
from evaluator.errors import Cause, RapportError

Check = Callable[[str, Mapping[str, int | None], Callable[[str], bytes]], None]
"""Takes a repository's name, the size of each of its files, and what reads a file by its name."""

_LARGEST_CONFIG = 16 * 2**20
"""Bytes; the largest tokenizer settings in use are a tenth of it."""
TEMPLATE_FILE = "chat_template.jinja"
"""The one file besides its settings from which a tokenizer takes a template; `chat_template.json` is not read."""


def is_weights(name: str) -> bool:
    """Says whether a file holds weights that engines load."""
    return name.endswith(".safetensors") and "/" not in name


def check_model(model: str, sizes: Mapping[str, int | None], read: Callable[[str], bytes]) -> None:
    """Refuses a model that could not be run safely or at all.

    Args:
        model: The model's name.
        sizes: Size in bytes of each file; files in subfolders are never loaded.
        read: Returns a file's content by its name.
    """
    settings = _check_loadable(model, sizes, read)
    inline = settings.get("tokenizer_config.json", {}).get("chat_template")
    if not inline and not sizes.get(TEMPLATE_FILE):
        raise RapportError(
            Cause.NO_CHAT_TEMPLATE,
            f"{model} has no chat template, so it is a base model and cannot hold a conversation.",
            "Submit an instruction-tuned model, or add a chat template to its tokenizer.",
        )


def check_encoder(encoder: str, sizes: Mapping[str, int | None], read: Callable[[str], bytes]) -> None:
    """Refuses an encoder that could not be run safely or at all; parameters as of `check_model`."""
    _check_loadable(encoder, sizes, read)


def _check_loadable(
    model: str, sizes: Mapping[str, int | None], read: Callable[[str], bytes]
) -> dict[str, dict[str, Any]]:
    """Returns the settings of what has safetensors weights and needs no code of its own."""
    if "config.json" not in sizes:
        raise RapportError(Cause.LOAD_ERROR, f"{model} has no config.json.", "Save the whole model with its config.")
    if not any(map(is_weights, sizes)):
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"{model} has no safetensors weights; pickled and GGUF weights are not loaded.",
            "Convert the weights with save_pretrained(), which writes safetensors, or name a revision that has them, "
            "such as the refs/pr/N of the Hub's conversion bot.",
        )
    settings = {
        name: _read_settings(model, name, sizes[name], read)
        for name in ("config.json", "tokenizer_config.json")
        if name in sizes
    }
    for name, content in settings.items():
        _refuse_code(model, name, content)
    return settings


def check_adapter(adapter: str, sizes: Mapping[str, int | None], read: Callable[[str], bytes]) -> None:
    """Refuses an adapter that is no plain LoRA, or could not be loaded safely; parameters as of `check_model`."""
    if CONFIG_FILE not in sizes:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"{adapter} has no {CONFIG_FILE}, so it is no adapter.",
            "Save the adapter with save_pretrained(), or evaluate it as a model.",
        )
    if WEIGHTS_FILE not in sizes:
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"{adapter} has no {WEIGHTS_FILE}; pickled weights are not loaded.",
            "Save the adapter with save_pretrained(), which writes safetensors.",
        )
    check_adapter_settings(adapter, _read_settings(adapter, CONFIG_FILE, sizes[CONFIG_FILE], read))


def _refuse_code(model: str, name: str, content: Mapping[str, Any]) -> None:
    """Refuses settings that name code in the repository."""
    if content.get("auto_map"):
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"{model} needs code of its own (`auto_map` in {name}), and code of submitters is never run.",
            "Submit a model of an architecture that transformers knows, without `auto_map`.",
        )


def _read_settings(model: str, name: str, size: int | None, read: Callable[[str], bytes]) -> dict[str, Any]:
    """Reads a JSON object that is small enough to be one of settings."""
    if size is None or size > _LARGEST_CONFIG:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"{name} of {model} is larger than {_LARGEST_CONFIG // 2**20} MB.",
            "Save the model and its tokenizer again.",
        )
    try:
        content = json.loads(read(name))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise RapportError(
            Cause.LOAD_ERROR, f"{name} of {model} is not a JSON object.", "Save the model and its tokenizer again."
        )
    return content
