"""What a repository must hold and must not hold, told from its list of files and its settings alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evaluator.engines.adapter_settings import CONFIG_FILE, WEIGHTS_FILE, check_adapter_settings
from evaluator.errors import Cause, RapportError
from evaluator.repositories import Repository, read_settings
from evaluator.safetensors_headers import is_weights

Check = Callable[[Repository], None]
"""Refuses a repository that could not be used."""
Settings = Mapping[str, Mapping[str, Any]]
"""What the files of settings hold, by file."""

MODEL_FILE = "config.json"
TOKENIZER_FILE = "tokenizer_config.json"
TEMPLATE_FILE = "chat_template.jinja"
"""The one file besides its settings from which a tokenizer takes a template; `chat_template.json` is not read."""

_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_LARGEST_TEMPLATE = 2**20
"""Bytes; the largest templates in use are a tenth of it."""


def check_model(model: Repository) -> None:
    """Refuses a model that could not be run safely or at all.

    Raises:
        RapportError: `load_error`, `unsafe_format` or `no_chat_template`; what reading its settings ended with.
    """
    check_chat_template(model, check_loadable(model))


def check_encoder(encoder: Repository) -> None:
    """Refuses an encoder that could not be run safely or at all; errors as of `check_model`, less the last."""
    check_loadable(encoder)


def check_loadable(model: Repository) -> Settings:
    """Returns the settings, by file, of what has safetensors weights and needs no code of its own.

    Raises:
        RapportError: As of `check_formats`, `read_model_settings` and `check_code`.
    """
    check_formats(model)
    settings = read_model_settings(model)
    check_code(model, settings)
    return settings


def read_model_settings(model: Repository) -> Settings:
    """Returns the settings, by file, of a model or encoder.

    Raises:
        RapportError: `load_error` if they are missing or broken; what reading them ended with.
    """
    if MODEL_FILE not in model.files:
        _refuse_without_config(model)
    return {name: read_settings(model, name) for name in (MODEL_FILE, TOKENIZER_FILE) if name in model.files}


def check_formats(model: Repository) -> None:
    """Refuses what has no safetensors weights.

    Raises:
        RapportError: `unsafe_format`.
    """
    if not any(map(is_weights, model.files)):
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"{model.name} has no safetensors weights{_instead(model.files)}; pickled and GGUF weights are not loaded.",
            "Convert the weights with save_pretrained(), which writes safetensors, or name a revision that has them, "
            "such as the refs/pr/N of the Hub's conversion bot.",
        )


def check_code(model: Repository, settings: Settings) -> None:
    """Refuses what needs code of its own.

    Raises:
        RapportError: `unsafe_format`.
    """
    for name, content in settings.items():
        if content.get("auto_map"):
            raise RapportError(
                Cause.UNSAFE_FORMAT,
                f"{model.name} needs code of its own (`auto_map` in {name}), and code of submitters is never run.",
                "Submit a model of an architecture that transformers knows, without `auto_map`.",
            )


def _refuse_without_config(model: Repository) -> None:
    """Says of what has no settings what it might be."""
    if CONFIG_FILE in model.files:
        base = read_settings(model, CONFIG_FILE).get("base_model_name_or_path")
        named = f"{base[:200]!r}" if isinstance(base, str) and base else "the one that it was trained on"
        raise RapportError(
            Cause.LOAD_ERROR,
            f"{model.name} is an adapter, and no model by itself.",
            f"Name its base model ({named}) as the model, and this as the adapter.",
        )
    raise RapportError(Cause.LOAD_ERROR, f"{model.name} has no {MODEL_FILE}.", "Save the whole model with its config.")


def _instead(files: Mapping[str, int | None]) -> str:
    """Names what a repository holds in the place of weights that are loaded."""
    found = [name for name in sorted(files) if name.endswith((*_PICKLED, ".gguf", ".safetensors"))]
    return f" at its top, but {found[0][:200]!r}" if found else ""


def check_chat_template(model: Repository, settings: Settings) -> str:
    """Returns the file from which a model's chat template is taken.

    Raises:
        RapportError: `no_chat_template` if there is none, `load_error` if it is larger than templates are.
    """
    size = model.files.get(TEMPLATE_FILE)
    inline = settings.get(TOKENIZER_FILE, {}).get("chat_template")
    if not size and not _is_template(inline):
        raise RapportError(
            Cause.NO_CHAT_TEMPLATE,
            f"{model.name} has no chat template, so it is a base model and cannot hold a conversation.",
            "Submit an instruction-tuned model, or add a chat template to its tokenizer.",
        )
    if size and size > _LARGEST_TEMPLATE:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"{TEMPLATE_FILE} of {model.name} is larger than {_LARGEST_TEMPLATE // 2**20} MB.",
            "Save the tokenizer again.",
        )
    return TEMPLATE_FILE if size else TOKENIZER_FILE


def _is_template(value: Any) -> bool:
    """Says whether a setting holds a template, or several of which one goes by the name `default`."""
    several = value if isinstance(value, list) else [{"name": "default", "template": value}]
    return any(
        isinstance(each, dict)
        and each.get("name") == "default"
        and isinstance(each.get("template"), str)
        and each["template"]
        for each in several
    )


def check_adapter(adapter: Repository) -> None:
    """Refuses an adapter that is no plain LoRA, or could not be loaded safely; errors as of `read_adapter_settings`."""
    read_adapter_settings(adapter)


def read_adapter_settings(adapter: Repository) -> dict[str, Any]:
    """Returns the settings of an adapter that is a plain LoRA and can be loaded safely.

    Raises:
        RapportError: `load_error` or `unsafe_format`; what reading its settings ended with.
    """
    if CONFIG_FILE not in adapter.files:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"{adapter.name} has no {CONFIG_FILE}, so it is no adapter.",
            "Save the adapter with save_pretrained(), or evaluate it as a model.",
        )
    if WEIGHTS_FILE not in adapter.files:
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"{adapter.name} has no {WEIGHTS_FILE}; pickled weights are not loaded.",
            "Save the adapter with save_pretrained(), which writes safetensors.",
        )
    settings = read_settings(adapter, CONFIG_FILE)
    check_adapter_settings(adapter.name, settings)
    return settings
