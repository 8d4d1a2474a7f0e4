"""Where the authors' prompts come from: known sources, accepted hashes, and reading one file from a path or an address.

Whoever answers at an address is a stranger: nothing is sent along, and size, time and redirects have limits.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import yaml

# The client's own name for the library that it speaks through: errors of another one would pass by uncaught.
from huggingface_hub.utils import httpx  # type: ignore[attr-defined]
from pydantic import Field, ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompt_import import LARGEST_SOURCE
from evaluator.hicupid.prompts import PackStatus, first_fault
from evaluator.records import Record

_SHIPPED = Path(__file__).parent / "prompt_sources.yaml"
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_SILENCE_SECONDS = 20
"""Longest wait for a connection or for the next bytes."""
_DOWNLOAD_SECONDS = 60
"""Longest time for one whole file."""
_REDIRECTS = 5
_UNCOMPRESSED = {"Accept-Encoding": "identity"}
"""So that nothing small can unfold into something huge."""


class AcceptedFile(Record):
    """A file whose prompts are official."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    pack: str = Field(pattern=r"^[0-9a-f]{16}$")
    """Id of the pack that the file makes, without which a stored pack would be believed when it names the file."""
    note: str
    """Which version it is."""


class PromptSources(Record):
    """Where to look for the authors' prompts, and how to know them.

    Example:
        >>> known = PromptSources(sources=(), accepted=(AcceptedFile(sha256="0" * 64, pack="1" * 16, note="v1"),))
        >>> known.status("0" * 64, "1" * 16), known.status("0" * 64, "2" * 16), known.status("3" * 64, "1" * 16)
        ('official', 'imported', 'imported')
    """

    sources: tuple[str, ...]
    """Addresses of a `constants.py`, tried in this order."""
    accepted: tuple[AcceptedFile, ...]
    """Official files, the preferred first."""

    @property
    def hashes(self) -> list[str]:
        """SHA-256 of the official files, the preferred first."""
        return [file.sha256 for file in self.accepted]

    def status(self, sha256: str, pack: str) -> PackStatus:
        """Returns what a pack with this id, said to be made from a file with this SHA-256, counts as."""
        return "official" if any((file.sha256, file.pack) == (sha256, pack) for file in self.accepted) else "imported"


def load_sources(extra: str = "") -> PromptSources:
    """Returns the shipped sources, and behind them those of another file of the same form.

    Args:
        extra: Path of a YAML file as `RAPPORT_PROMPT_SOURCES` names it; empty for none.

    Raises:
        RapportError: `not_found` if there is no such file, `data_error` if it is broken.

    Example:
        >>> load_sources().sources[0].startswith("https://")
        True
    """
    known = _read_sources(_SHIPPED)
    if not extra:
        return known
    added = _read_sources(Path(extra))
    return PromptSources(sources=known.sources + added.sources, accepted=known.accepted + added.accepted)


def _read_sources(path: Path) -> PromptSources:
    """Reads one list of sources."""
    try:
        return PromptSources.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RapportError(
            Cause.NOT_FOUND, f"The list of prompt sources {path} cannot be read.", "Check RAPPORT_PROMPT_SOURCES."
        ) from error
    except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
        fault = first_fault(error) if isinstance(error, ValidationError) else "it is no YAML text"
        raise RapportError(
            Cause.DATA_ERROR, f"The list of prompt sources {path} is broken: {fault}.", "Mend the file."
        ) from error


def read_source(place: str) -> bytes:
    """Returns the content of a `constants.py`, at most `LARGEST_SOURCE` bytes.

    Args:
        place: A path, or an https address. Plain http is for this machine alone.

    Raises:
        RapportError: `not_found`; `data_error` for an address of another kind or a file that is too large;
            `infrastructure` if the other side does not answer.
    """
    return _download(place) if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", place) else _read_path(Path(place))


def _read_path(path: Path) -> bytes:
    """Reads a file of this machine."""
    if not path.is_file():
        raise RapportError(Cause.NOT_FOUND, f"There is no file {path}.", "Check the path.")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_SOURCE + 1)
    except OSError as error:
        raise RapportError(
            Cause.NOT_FOUND, f"The file {path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    return _checked_size(content, str(path))


def _checked_size(content: bytes, place: str) -> bytes:
    """Refuses what is too large."""
    if len(content) > LARGEST_SOURCE:
        raise RapportError(
            Cause.DATA_ERROR, f"What lies at {place} is larger than {LARGEST_SOURCE:,} bytes.", "Check the address."
        )
    return content


def _download(place: str) -> bytes:
    """Fetches a file, following redirects one by one."""
    deadline = time.monotonic() + _DOWNLOAD_SECONDS
    try:
        url = _checked_address(httpx.URL(place), place, plain=True)
        for _ in range(_REDIRECTS + 1):
            # A client of its own for each address, so that no cookie is carried along; what is sent is not compressed,
            # so that its size is what arrives.
            with httpx.stream(
                "GET", url, timeout=_SILENCE_SECONDS, headers={"Accept-Encoding": "identity"}
            ) as response:
                if not response.has_redirect_location:
                    return _body(response, place, deadline)
                url = _checked_address(url.join(response.headers["location"]), place, plain=url.scheme == "http")
    except httpx.InvalidURL as error:
        raise _no_address(place) from error
    except (httpx.HTTPError, OSError) as error:
        raise _silent(place, type(error).__name__) from error
    raise _silent(place, "too many redirects")


def _checked_address(url: httpx.URL, place: str, plain: bool) -> httpx.URL:
    """Refuses addresses that are not safe to ask: no secrets in them, and plain http on this machine alone."""
    at_home = plain and url.scheme == "http" and url.host in _THIS_MACHINE
    if url.userinfo or not url.host or not (url.scheme == "https" or at_home):
        raise _no_address(place)
    return url


def _body(response: httpx.Response, place: str, deadline: float) -> bytes:
    """Reads an answer up to the limits of size and time."""
    if response.status_code in (404, 410):
        raise RapportError(Cause.NOT_FOUND, f"There is nothing at {place}.", "Check the address.")
    if response.status_code != 200:
        raise _silent(place, f"status {response.status_code}")
    content = b""
    for piece in response.iter_raw():
        content = _checked_size(content + piece, place)
        if time.monotonic() > deadline:
            raise _silent(place, f"not done after {_DOWNLOAD_SECONDS} s")
    return content


def _no_address(place: str) -> RapportError:
    """Says which addresses are asked."""
    return RapportError(
        Cause.DATA_ERROR,
        f"{place.rpartition('@')[2][:200]!r} is, or leads to, no address that is asked.",
        "Name a path or an https address without user name and password.",
    )


def _silent(place: str, why: str) -> RapportError:
    """Says that the other side did not do its part."""
    return RapportError(
        Cause.INFRASTRUCTURE, f"{place} did not send the file ({why}).", "Try again later, or name a local copy."
    )
