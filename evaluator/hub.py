"""Reads what the Hub says of a repository, telling "does not exist" from "did not answer".

Only the read side lives here; nothing in the benchmark ever writes to the Hub. Everything is read at a commit, so that
a branch that moves on changes nothing.
"""

from __future__ import annotations

import errno
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

from huggingface_hub import HfApi, get_hf_file_metadata, get_session, hf_hub_url, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

# The client's own name for the library that it speaks through: errors of another one would pass by uncaught.
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, httpx  # type: ignore[attr-defined]

from evaluator.errors import Cause, RapportError

RepositoryKind = Literal["model", "dataset"]

_TIMEOUT_SECONDS = 20
"""The client itself would wait for ever for an answer to a question about a repository."""
_MOST_SECONDS = 60
"""For one part of a file, however slowly it drips."""
_NOTHING_THERE = 416
"""What the Hub answers when asked for the first bytes of an empty file."""
_LONGEST_LICENCE = 100
_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_REVISION = re.compile(r"\w[\w./+@-]{0,199}")
_SHA = re.compile(r"[0-9a-f]{40}")


class HubRepository(NamedTuple):
    """A repository pinned to a commit."""

    id: str
    """As the Hub calls it now; one that was renamed answers to its old names too."""
    sha: str
    files: Mapping[str, int | None]
    """Size in bytes by path; None where the Hub does not say."""
    licence: str | None = None
    """As its card names it."""
    private: bool = False
    gated: bool = False
    """Whether its files are only for those who were let in; this process was."""


class RevisionMissing(RapportError):
    """The repository is there, but not the branch, tag or commit that was named."""


def resolve(name: str, *, repo_type: RepositoryKind, revision: str | None = None) -> HubRepository:
    """Returns a repository's commit and the files of it, once it is clear that they may be read.

    Raises:
        RapportError: `malformed_id` for a name or revision that none could be, `not_found` (a `RevisionMissing` where
            the repository itself is there), `gated`, `load_error` if its card is beyond reading, or `infrastructure`
            if the Hub did not answer.
    """
    check_revision(revision)
    with _named_failures(name, repo_type, revision):
        info = _info(name, repo_type, revision)
        files = {sibling.rfilename: sibling.size for sibling in getattr(info, "siblings", None) or ()}
        _check_names(name, files)
        gated = bool(getattr(info, "gated", False))
        if gated and files:
            # Anyone may see what a gated repository holds; only asking for a file tells who may read it.
            first = hf_hub_url(name, min(files), repo_type=repo_type, revision=info.sha)
            get_hf_file_metadata(first, timeout=_TIMEOUT_SECONDS)
    card = getattr(info, "card_data", None)
    return HubRepository(str(info.id), str(info.sha), files, licence_of(card), bool(info.private), gated)


def check_revision(revision: str | None) -> None:
    """Refuses what is no branch, tag or commit, before it becomes part of an address.

    Raises:
        RapportError: `malformed_id`.
    """
    if revision is not None and (".." in revision or not _REVISION.fullmatch(revision)):
        raise RapportError(
            Cause.MALFORMED_ID,
            f"{revision[:200]!r} is not the name of a revision.",
            "Name a branch, tag or commit, or leave it empty for the default branch.",
        )


def _info(name: str, repo_type: RepositoryKind, revision: str | None) -> Any:
    """Asks the Hub for a repository; its client trips over some of what people write into their cards."""
    try:
        info = HfApi().repo_info(
            name, repo_type=repo_type, revision=revision, files_metadata=True, timeout=_TIMEOUT_SECONDS
        )
    except HFValidationError:
        raise
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise httpx.DecodingError("no JSON") from error
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"What the Hub says of {name} cannot be read ({type(error).__name__}).",
            "Mend the metadata at the head of its README.md.",
        ) from error
    if not (_ID.fullmatch(str(info.id)) and _SHA.fullmatch(str(info.sha))):
        raise httpx.DecodingError("neither an id nor a commit")
    return info


def _check_names(name: str, files: Iterable[str]) -> None:
    """Refuses files whose names cannot become part of an address."""
    try:
        "".join(files).encode()
    except UnicodeEncodeError as error:
        raise RapportError(
            Cause.LOAD_ERROR, f"{name} holds a file whose name is no text.", "Give its files names in Unicode."
        ) from error


def licence_of(card: Any) -> str | None:
    """Returns the licence that the metadata of a card names; None if they name none that can be read.

    Args:
        card: Its fields by name; anything else has no licence. Under `license: other` the name that it goes by counts.

    Example:
        >>> licence_of({"license": ["mit", "apache-2.0"]}), licence_of({"license": 3}), licence_of(None)
        ('mit, apache-2.0', None, None)
        >>> licence_of({"license": "other", "license_name": "llama3.2"})
        'llama3.2'
    """
    fields = card.to_dict() if hasattr(card, "to_dict") else card
    if not isinstance(fields, Mapping):
        return None
    named = fields.get("license")
    if named == "other" and isinstance(fields.get("license_name"), str):
        named = fields["license_name"]
    several: list[object] = named if isinstance(named, list) else [named]
    licences = [each for each in several if isinstance(each, str) and each.strip() and each.isprintable()]
    return ", ".join(licences)[:_LONGEST_LICENCE] if licences else None


def read_file(name: str, sha: str, path: str, most: int, *, repo_type: RepositoryKind) -> bytes:
    """Returns the first bytes of a file at a commit, `most` of them or as many as it has; keeps nothing on disk.

    Whatever the Hub says of its size, no more is read.

    Raises:
        RapportError: `not_found`, `gated` or `infrastructure`.
    """
    url = hf_hub_url(name, path, repo_type=repo_type, revision=sha)
    # Bytes as they lie there: a few that are compressed may stand for any number.
    headers = build_hf_headers() | {"Range": f"bytes=0-{most - 1}", "Accept-Encoding": "identity"}
    deadline = time.monotonic() + _MOST_SECONDS
    found = bytearray()
    with (
        _named_failures(name, repo_type, sha),
        get_session().stream("GET", url, headers=headers, timeout=_TIMEOUT_SECONDS) as response,
    ):
        if response.status_code == _NOTHING_THERE:
            return b""
        if response.is_error:
            response.read()  # The client looks for the reason in it.
        hf_raise_for_status(response)
        for part in response.iter_raw():
            found += part
            if len(found) >= most:
                break
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("it takes too long")
    return bytes(found[:most])


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
        raise RevisionMissing(
            Cause.NOT_FOUND, f"The {kind} {name} has no revision {revision!r}.", "Name a branch, tag or commit of it."
        ) from error
    except RemoteEntryNotFoundError as error:
        raise RapportError(
            Cause.NOT_FOUND,
            f"A file of the {kind} {name} is gone from commit {revision}.",
            "Its history was written anew: submit it again at its present commit.",
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
