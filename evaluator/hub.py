"""Reads what the Hub says of a repository, telling "does not exist" from "did not answer".

Only the read side lives here; nothing in the benchmark ever writes to the Hub. Everything is read at a commit, so that
a branch that moves on changes nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

# The client's own name for the library that it speaks through: errors of another one would pass by uncaught.
from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

from evaluator.errors import Cause, RapportError

RepositoryKind = Literal["model", "dataset"]

_TIMEOUT_SECONDS = 20
"""The client itself would wait for ever for an answer to a question about a repository."""


class HubRepository(NamedTuple):
    """A repository pinned to a commit."""

    id: str
    sha: str
    files: Mapping[str, int | None]
    """Size in bytes by path; None where the Hub does not say."""


def resolve(name: str, *, repo_type: RepositoryKind, revision: str | None = None) -> HubRepository:
    """Returns a repository's commit and the files of it, once it is clear that they may be read.

    Raises:
        RapportError: `malformed_id`, `not_found`, `gated`, or `infrastructure` if the Hub did not answer.
    """
    with _named_failures(name, repo_type, revision):
        info = HfApi().repo_info(
            name, repo_type=repo_type, revision=revision, files_metadata=True, timeout=_TIMEOUT_SECONDS
        )
        files = {sibling.rfilename: sibling.size for sibling in getattr(info, "siblings", None) or ()}
        sha = str(info.sha)
        if getattr(info, "gated", False) and files:
            # Anyone may see what a gated repository holds; only asking for a file tells who may read it.
            first = hf_hub_url(name, min(files), repo_type=repo_type, revision=sha)
            get_hf_file_metadata(first, timeout=_TIMEOUT_SECONDS)
    return HubRepository(name, sha, files)


def read_file(name: str, sha: str, path: str, *, repo_type: RepositoryKind) -> bytes:
    """Returns one small file of a repository at a commit.

    Raises:
        RapportError: `not_found`, `gated`, `disk_full` or `infrastructure`.
    """
    with _named_failures(name, repo_type, sha):
        return Path(hf_hub_download(name, path, repo_type=repo_type, revision=sha)).read_bytes()


def download(
    name: str, sha: str, *, repo_type: RepositoryKind, allowed: tuple[str, ...], ignored: tuple[str, ...] = ()
) -> Path:
    """Returns a folder with the files of a commit that match a pattern of `allowed` and none of `ignored`.

    What is there already is not fetched again; `*` matches the slashes of paths too.

    Raises:
        RapportError: `not_found`, `gated`, `disk_full` or `infrastructure`.
    """
    with _named_failures(name, repo_type, sha):
        folder = snapshot_download(
            name, repo_type=repo_type, revision=sha, allow_patterns=list(allowed), ignore_patterns=list(ignored)
        )
    return Path(folder)


@contextmanager
def _named_failures(name: str, repo_type: RepositoryKind, revision: str | None) -> Iterator[None]:
    """Turns whatever the client raises into a typed cause."""
    kind = "data set" if repo_type == "dataset" else "model"
    try:
        yield
    except HFValidationError as error:
        raise RapportError(
            Cause.MALFORMED_ID, f"{name!r} is not the id of a {kind}.", "Write it as owner/name, as on the Hub."
        ) from error
    except GatedRepoError as error:
        raise RapportError(
            Cause.GATED, f"The {kind} {name} is gated.", "Open its access, or ask a maintainer to request it."
        ) from error
    except RevisionNotFoundError as error:
        raise RapportError(
            Cause.NOT_FOUND, f"The {kind} {name} has no revision {revision!r}.", "Name a branch, tag or commit of it."
        ) from error
    except RepositoryNotFoundError as error:
        raise RapportError(
            Cause.NOT_FOUND,
            f"The {kind} {name} does not exist on the Hub, or is private.",
            "Check the spelling; a private one must be made public first.",
        ) from error
    except (httpx.HTTPError, OSError) as error:
        raise _our_fault(f"{kind} {name}", error) from error


def _our_fault(thing: str, error: Exception) -> RapportError:
    """Tells a full disk from a Hub that did not answer."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return RapportError(
            Cause.DISK_FULL, f"There is no disk left to store the {thing}.", "Free some disk and try again."
        )
    return RapportError(
        Cause.INFRASTRUCTURE,
        f"The Hub did not answer when asked for the {thing} ({type(error).__name__}).",
        "This is not about your input; try again in some minutes.",
    )
