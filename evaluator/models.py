"""Where models come from: the Hub at a pinned commit, or a folder below the one folder that is allowed.

A model's name is `owner/name` on the Hub or `local/NAME` for a folder; both are pinned to a SHA before anything is
queued and never read at another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.hub import download, read_file, resolve
from evaluator.identity import folder_digest

LOCAL = "local/"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_ALLOWED_FILES = ("*.safetensors", "*.json", "*.model", "*.tiktoken", "*.jinja", "*.txt")
"""What is downloaded of a repository: no pickle, no code."""
_SUBFOLDERS = ("*/*",)
"""Copies for other programs, often as large as the model; engines load none of them."""
_LARGEST_CONFIG = 16 * 2**20
"""Bytes; the largest tokenizer settings in use are a tenth of it."""
_TEMPLATE_FILE = "chat_template.jinja"
"""The one file besides its settings from which a tokenizer takes a template; `chat_template.json` is not read."""


class PinnedModel(NamedTuple):
    """A model at one state of its files."""

    model: str
    sha: str


def model_name(text: str, models: Path) -> str:
    """Returns the name of the model that a person typed: `owner/name`, `local/NAME`, or a path below `models`.

    Raises:
        RapportError: `malformed_id`, or `forbidden_path` for a path outside `models`.

    Example:
        >>> model_name(" org/model ", Path("models"))
        'org/model'
        >>> model_name("models/tiny", Path("models"))
        'local/tiny'
    """
    text = text.strip()
    if _is_path(text, models):
        inside = _resolved(models / text.removeprefix(LOCAL) if text.startswith(LOCAL) else Path(text))
        if inside is None:
            raise _malformed(text)
        if inside.parent != models.resolve():
            raise RapportError(
                Cause.FORBIDDEN_PATH,
                f"The path {text!r} is outside the folder from which models may be loaded.",
                f"Put the model's folder directly into {models} and name it local/NAME.",
            )
        text = LOCAL + inside.name
    parts = text.split("/")
    if len(parts) != 2 or not all(_NAME.fullmatch(part) and ".." not in part for part in parts):
        raise _malformed(text)
    return text


def _resolved(path: Path) -> Path | None:
    """Follows all links of a path; None if no path could be so or its links go in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _malformed(text: str) -> RapportError:
    """Says how a model is named."""
    return RapportError(
        Cause.MALFORMED_ID,
        f"{text[:200]!r} is not a model id.",
        "Write it as owner/name, as on the Hub, in letters, digits, '.', '_' and '-'.",
    )


def _is_path(text: str, models: Path) -> bool:
    """Tells a path from a Hub id."""
    return text.startswith((LOCAL, "/", "./", "../", "~", f"{models}/")) or "/../" in text or "\\" in text


def pin(model: str, revision: str | None, models: Path) -> PinnedModel:
    """Returns the SHA of a model's present state; reads nothing but its settings.

    Raises:
        RapportError: `not_found`, `gated`, `infrastructure`, `unsafe_format`, `load_error` or `no_chat_template`.
    """
    if model.startswith(LOCAL):
        folder = models / model.removeprefix(LOCAL)
        if not folder.is_dir():
            raise RapportError(
                Cause.NOT_FOUND, f"There is no folder {folder.name!r} in {models}.", "Check the spelling."
            )
        sizes: dict[str, int | None] = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
        _check(model, sizes, lambda name: (folder / name).read_bytes())
        return PinnedModel(model, folder_digest(folder))
    repository = resolve(model, repo_type="model", revision=revision)
    _check(model, repository.files, lambda name: read_file(model, repository.sha, name, repo_type="model"))
    return PinnedModel(model, repository.sha)


def fetch(pinned: PinnedModel, models: Path) -> Path:
    """Returns the folder with a pinned model's files, downloading what is missing.

    Raises:
        RapportError: `not_found` if a local folder has changed since it was pinned or a Hub model is gone, `gated`,
            `disk_full` or `infrastructure`.
    """
    if pinned.model.startswith(LOCAL):
        folder = models / pinned.model.removeprefix(LOCAL)
        if not folder.is_dir() or folder_digest(folder) != pinned.sha:
            raise RapportError(
                Cause.NOT_FOUND,
                f"The folder of {pinned.model} is gone or has changed since it was submitted.",
                "Submit it again.",
            )
        return folder
    return download(pinned.model, pinned.sha, repo_type="model", allowed=_ALLOWED_FILES, ignored=_SUBFOLDERS)


def _check(model: str, sizes: Mapping[str, int | None], read: Callable[[str], bytes]) -> None:
    """Refuses what could not be run safely or at all.

    Args:
        model: The model's name.
        sizes: Size in bytes of each file; files in subfolders are never loaded.
        read: Returns a file's content by its name.
    """
    if "config.json" not in sizes:
        raise RapportError(Cause.LOAD_ERROR, f"{model} has no config.json.", "Save the whole model with its config.")
    if not any(name.endswith(".safetensors") and "/" not in name for name in sizes):
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"{model} has no safetensors weights; pickled and GGUF weights are not loaded.",
            "Convert the weights with save_pretrained(), which writes safetensors.",
        )
    settings = {
        name: _read_settings(model, name, sizes[name], read)
        for name in ("config.json", "tokenizer_config.json")
        if name in sizes
    }
    for name, content in settings.items():
        if content.get("auto_map"):
            raise RapportError(
                Cause.UNSAFE_FORMAT,
                f"{model} needs code of its own (`auto_map` in {name}), and code of submitters is never run.",
                "Submit a model of an architecture that transformers knows, without `auto_map`.",
            )
    inline = settings.get("tokenizer_config.json", {}).get("chat_template")
    if not inline and not sizes.get(_TEMPLATE_FILE):
        raise RapportError(
            Cause.NO_CHAT_TEMPLATE,
            f"{model} has no chat template, so it is a base model and cannot hold a conversation.",
            "Submit an instruction-tuned model, or add a chat template to its tokenizer.",
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
