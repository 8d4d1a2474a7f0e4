"""What a model's or adapter's repository holds at one state, on the Hub or in a folder of this machine, read in parts.

Everything in it was written by a stranger: sizes may lie, files may vanish, and nothing of it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from huggingface_hub import metadata_load

from evaluator.errors import Cause, RapportError
from evaluator.hub import RevisionMissing, licence_of, read_file, resolve
from evaluator.identity import folder_digest
from evaluator.untrusted_json import parse_object

LOCAL = "local/"
"""What the name of a model begins with that lies in a folder of this machine."""
Read = Callable[[str, int], bytes]
"""Takes a file's name and how many of its first bytes are wanted at most."""

_LARGEST_SETTINGS = 16 * 2**20
"""Bytes; the largest tokenizer settings in use are a tenth of it."""
_CARD = "README.md"


class Repository(NamedTuple):
    """A repository at one state of its files."""

    name: str
    """As the Hub calls it, or `local/NAME`."""
    sha: str
    files: Mapping[str, int | None]
    """Size in bytes by path; None where nobody says."""
    read: Read
    licence: str | None = None
    private: bool = False
    gated: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it lies in a folder of this machine."""
        return self.name.startswith(LOCAL)


def open_repository(name: str, revision: str | None, models: Path) -> Repository:
    """Returns a repository at the present state of a revision; reads nothing but the list of its files.

    Args:
        name: `owner/name` on the Hub, or `local/NAME`.
        revision: Branch, tag or commit; None for the default branch.
        models: The one folder from which local models are loaded.

    Raises:
        RapportError: As of `evaluator.hub.resolve`.
    """
    if name.startswith(LOCAL):
        return _open_folder(name, revision, models)
    found = resolve(name, repo_type="model", revision=revision)

    def read(file: str, most: int) -> bytes:
        return read_file(found.id, found.sha, file, most, repo_type="model")

    return Repository(found.id, found.sha, found.files, read, found.licence, found.private, found.gated)


def _open_folder(name: str, revision: str | None, models: Path) -> Repository:
    """Opens a folder of this machine."""
    folder = models / name.removeprefix(LOCAL)
    if not folder.is_dir():
        raise RapportError(Cause.NOT_FOUND, f"There is no folder {folder.name!r} in {models}.", "Check the spelling.")
    if revision is not None:
        raise RevisionMissing(
            Cause.NOT_FOUND, f"{name} is a folder and has no revision {revision!r}.", "Leave the revision out."
        )

    def read(file: str, most: int) -> bytes:
        with _while_it_stands(name), (folder / file).open("rb") as opened:
            return opened.read(most)

    with _while_it_stands(name):
        return Repository(name, folder_digest(folder), file_sizes(folder), read, _licence(folder / _CARD))


@contextmanager
def _while_it_stands(name: str) -> Iterator[None]:
    """Says of a folder that changes while it is read that it does."""
    try:
        yield
    except (OSError, UnicodeEncodeError) as error:
        raise RapportError(
            Cause.NOT_FOUND,
            f"A file of {name} cannot be read ({type(error).__name__}).",
            "Check that the folder and its files' names can be read, and that nothing writes to it.",
        ) from error


def file_sizes(folder: Path) -> dict[str, int | None]:
    """Returns the size in bytes of each file that stands in a folder."""
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}


def _licence(card: Path) -> str | None:
    """Returns the licence that the card of a folder names."""
    try:
        return licence_of(metadata_load(card)) if card.is_file() else None
    except (OSError, ValueError, yaml.YAMLError):
        return None


def read_settings(repository: Repository, name: str) -> dict[str, Any]:
    """Returns what a file of settings holds.

    Raises:
        RapportError: `load_error` if it is no JSON object, or larger than settings are; what reading it ended with.
    """
    size = repository.files[name]
    raw = b"" if size is None or size > _LARGEST_SETTINGS else repository.read(name, _LARGEST_SETTINGS + 1)
    if size is None or max(size, len(raw)) > _LARGEST_SETTINGS:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"{name} of {repository.name} is larger than {_LARGEST_SETTINGS // 2**20} MB.",
            "Save the model and its tokenizer again.",
        )
    try:
        return parse_object(raw)
    except ValueError as error:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"{name} of {repository.name} is not a JSON object: {error}.",
            "Save the model and its tokenizer again.",
        ) from error
