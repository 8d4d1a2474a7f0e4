"""Where models come from: the Hub at a pinned commit, or a folder below the one folder that is allowed.

A model's name is `owner/name` on the Hub or `local/NAME` for a folder; both are pinned to a SHA before anything is
queued and never read at another one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.hub import resolve
from evaluator.identity import folder_digest

LOCAL = "local/"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_ALLOWED_FILES = ("*.safetensors", "*.json", "tokenizer*", "*.model", "*.jinja", "*.txt")
"""What is downloaded of a repository: no pickle, no code."""


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
        folder = Path(text.removeprefix(LOCAL) if text.startswith(LOCAL) else text)
        inside = (models / folder if text.startswith(LOCAL) else folder).resolve()
        if inside.parent != models.resolve():
            raise RapportError(
                Cause.FORBIDDEN_PATH,
                f"The path {text!r} is outside the folder from which models may be loaded.",
                f"Put the model's folder directly into {models} and name it local/NAME.",
            )
        text = LOCAL + inside.name
    parts = text.split("/")
    if len(parts) != 2 or not all(_NAME.fullmatch(part) and ".." not in part for part in parts):
        raise RapportError(
            Cause.MALFORMED_ID,
            f"{text[:200]!r} is not a model id.",
            "Write it as owner/name, as on the Hub, in letters, digits, '.', '_' and '-'.",
        )
    return text


def _is_path(text: str, models: Path) -> bool:
    """Tells a path from a Hub id."""
    return text.startswith((LOCAL, "/", "./", "../", "~", f"{models}/")) or "/../" in text or "\\" in text


def pin(model: str, revision: str | None, models: Path) -> PinnedModel:
    """Returns the SHA of a model's present state; downloads nothing.

    Raises:
        RapportError: `not_found`, `gated`, `infrastructure`, `unsafe_format` or `no_chat_template`.
    """
    if model.startswith(LOCAL):
        folder = models / model.removeprefix(LOCAL)
        if not folder.is_dir():
            raise RapportError(
                Cause.NOT_FOUND, f"There is no folder {folder.name!r} in {models}.", "Check the spelling."
            )
        names = {path.name for path in folder.iterdir()}
        _check_files(model, names, _has_inline_template(folder))
        return PinnedModel(model, folder_digest(folder))
    repository = resolve(model, repo_type="model", revision=revision)
    _check_files(model, set(repository.files), has_template=True)  # The tokenizer's own key is read by the worker.
    return PinnedModel(model, repository.sha)


def fetch(pinned: PinnedModel, models: Path) -> Path:
    """Returns the folder with a pinned model's files, downloading what is missing.

    Raises:
        RapportError: `not_found` if a local folder has changed since it was pinned, `disk_full`, `infrastructure`.
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
    return _download(pinned)


def _download(pinned: PinnedModel) -> Path:
    """Fetches a Hub model's weights and tokenizer at its commit."""
    import httpx
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(pinned.model, revision=pinned.sha, allow_patterns=list(_ALLOWED_FILES)))
    except (HfHubHTTPError, LocalEntryNotFoundError, httpx.HTTPError) as error:
        raise RapportError(
            Cause.INFRASTRUCTURE, f"{pinned.model} could not be downloaded ({type(error).__name__}).", "Try again."
        ) from error
    except OSError as error:
        raise RapportError(
            Cause.DISK_FULL if error.errno == 28 else Cause.INFRASTRUCTURE,
            f"{pinned.model} could not be stored: {error.strerror or error}.",
            "Free some disk on the worker and try again.",
        ) from error


def _has_inline_template(folder: Path) -> bool:
    """Says whether a folder's tokenizer carries a chat template, as a file or as a key."""
    if (folder / "chat_template.jinja").is_file():
        return True
    config = folder / "tokenizer_config.json"
    if not config.is_file():
        return False
    try:
        return bool(json.loads(config.read_text(encoding="utf-8")).get("chat_template"))
    except ValueError as error:
        raise RapportError(
            Cause.LOAD_ERROR, f"{config.name} of {folder.name} is not JSON.", "Save the tokenizer again."
        ) from error


def _check_files(model: str, names: set[str], has_template: bool) -> None:
    """Refuses what could not be run safely or at all."""
    if "config.json" not in names:
        raise RapportError(Cause.LOAD_ERROR, f"{model} has no config.json.", "Save the whole model with its config.")
    if not any(name.endswith(".safetensors") for name in names):
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"{model} has no safetensors weights; pickled and GGUF weights are not loaded.",
            "Convert the weights with save_pretrained(), which writes safetensors.",
        )
    if not has_template:
        raise RapportError(
            Cause.NO_CHAT_TEMPLATE,
            f"{model} has no chat template, so it is a base model and cannot hold a conversation.",
            "Submit an instruction-tuned model, or add a chat template to its tokenizer.",
        )
