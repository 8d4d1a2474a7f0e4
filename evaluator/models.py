"""Where models come from: the Hub at a pinned commit, or a folder below the one folder that is allowed.

A model's name is `owner/name` on the Hub or `local/NAME` for a folder; both are pinned to a SHA before anything is
queued and never read at another one. `reference/NAME` are answers that no model gave: an owner of that name on the Hub
cannot be evaluated.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.hub import download, resolve
from evaluator.identity import folder_digest, text_digest
from evaluator.model_checks import Check, check_adapter, check_encoder, check_model
from evaluator.protocol import REFERENCE, Reference, is_reference
from evaluator.repositories import LOCAL as LOCAL  # For whoever names models.
from evaluator.repositories import file_sizes, open_repository
from evaluator.safetensors_headers import is_weights

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_WEIGHTS = "*.safetensors"
_ALLOWED_FILES = (_WEIGHTS, "*.json", "*.model", "*.tiktoken", "*.jinja", "*.txt")
"""What is downloaded of a repository: no pickle, no code."""
_COPIES = ("*/*", "consolidated*")
"""Copies for other programs, often as large as the model; engines load none of them."""


class PinnedModel(NamedTuple):
    """A model at one state of its files."""

    model: str
    sha: str

    @property
    def is_reference(self) -> bool:
        """Whether its answers come out of the data set."""
        return is_reference(self.model)


def model_name(text: str, models: Path) -> str:
    """Returns the name of the model that a person typed.

    Args:
        text: `owner/name`, `local/NAME`, a path below `models`, or `reference/NAME`.
        models: The one folder from which local models are loaded.

    Raises:
        RapportError: `malformed_id`, `forbidden_path` for a path outside `models`, or `not_found` for an unknown
            reference.

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
    if is_reference(text) and parts[1] not in [*Reference]:
        known = ", ".join(REFERENCE + each for each in Reference)
        raise RapportError(Cause.NOT_FOUND, f"There is no reference {text!r}.", f"Choose one of: {known}.")
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

    Example:
        >>> pin("reference/gold", None, Path("models")).is_reference
        True
    """
    if is_reference(model):
        return PinnedModel(model, text_digest(model))  # Which data set it answers from stands in every row.
    return _pin(model, revision, models, check_model)


def pin_adapter(adapter: str, revision: str | None, models: Path) -> PinnedModel:
    """Returns the SHA of a LoRA adapter's present state; reads nothing but its settings.

    Args:
        adapter: `owner/name` on the Hub, or `local/NAME`.
        revision: Branch, tag or commit; None for the default branch.
        models: The one folder from which local models and adapters are loaded.

    Raises:
        RapportError: `malformed_id` for a reference, `not_found`, `gated`, `infrastructure`, `unsafe_format` or
            `load_error`.
    """
    return _pin(adapter, revision, models, check_adapter)


def pin_encoder(encoder: str, revision: str | None, models: Path) -> PinnedModel:
    """Returns the SHA of the present state of an encoder for retrieval; parameters and errors as of `pin_adapter`."""
    return _pin(encoder, revision, models, check_encoder)


def _pin(name: str, revision: str | None, models: Path, check: Check) -> PinnedModel:
    """Returns the SHA of what has passed a check."""
    if is_reference(name):
        raise _malformed(name)
    repository = open_repository(name, revision, models)
    check(repository)
    return PinnedModel(repository.name, repository.sha)


def fetch(pinned: PinnedModel, models: Path) -> Path:
    """Returns the folder with the files of a pinned model or adapter, downloading what is missing.

    Raises:
        RapportError: `not_found` if a local folder has changed since it was pinned or a Hub model is gone, `gated`,
            `disk_full` or `infrastructure`; `load_error` for a reference, which has no files.
    """
    if pinned.is_reference:
        raise RapportError(
            Cause.LOAD_ERROR, f"{pinned.model} has no files that could be loaded.", "Name a model in its place."
        )
    if pinned.model.startswith(LOCAL):
        folder = models / pinned.model.removeprefix(LOCAL)
        if not folder.is_dir() or folder_digest(folder) != pinned.sha:
            raise RapportError(
                Cause.NOT_FOUND,
                f"The folder of {pinned.model} is gone or has changed since it was submitted.",
                "Submit it again.",
            )
        return folder
    return download(pinned.model, pinned.sha, repo_type="model", allowed=_ALLOWED_FILES, ignored=_COPIES)


class Outline(NamedTuple):
    """What can be known of a model without its weights."""

    folder: Path
    """Its settings and its tokenizer."""
    weight_bytes: int | None
    """Size of its safetensors files; None where the Hub does not say."""


def outline(pinned: PinnedModel, models: Path) -> Outline:
    """Returns a model's settings, tokenizer and size; downloads no weights.

    Raises:
        RapportError: As `fetch`.
    """
    if pinned.model.startswith(LOCAL):
        folder = models / pinned.model.removeprefix(LOCAL)
        sizes = file_sizes(folder)
    else:
        sizes = dict(resolve(pinned.model, repo_type="model", revision=pinned.sha).files)
        small = tuple(pattern for pattern in _ALLOWED_FILES if pattern != _WEIGHTS)
        folder = download(pinned.model, pinned.sha, repo_type="model", allowed=small, ignored=_COPIES)
    weights = [size for name, size in sizes.items() if is_weights(name)]
    known = [size for size in weights if size is not None]
    return Outline(folder, sum(known) if len(known) == len(weights) else None)
