"""Prompt packs on disk: one JSON file each, named by its prompts, never believed without a look.

A file tells which source it was made from; whether that and its prompts make it official is decided anew at every
reading.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from evaluator.engines.base import Message
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompt_import import pack_from_source
from evaluator.hicupid.prompt_sources import PromptSources, load_sources, read_source
from evaluator.hicupid.prompts import PromptPack, builtin_pack, first_fault
from evaluator.hicupid.questions import QuestionType
from evaluator.records import Record

log = logging.getLogger("rapport.prompts")

_LARGEST_FILE = 8_000_000
"""Bytes; JSON makes at most six out of one byte of a source."""


class _PackFile(Record):
    """What a stored pack's file holds."""

    schema_version: Literal[1] = 1
    source: str
    source_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    inference: dict[str, tuple[Message, ...]]
    evaluation: dict[QuestionType, tuple[Message, ...]]


class StoredPack(NamedTuple):
    """A pack on disk."""

    pack: PromptPack
    path: Path
    source: str
    """Address, or name of the file, that it was made from."""
    source_sha256: str


def import_pack(place: str, packs: Path, sources: PromptSources | None = None, sha256: str | None = None) -> StoredPack:
    """Stores the prompts of a `constants.py`; doing it again changes nothing.

    Args:
        place: Path or https address of the file.
        packs: Folder of stored packs; made if it is not there.
        sources: What counts as official; the shipped list if left out.
        sha256: What the file's SHA-256 must be, as 64 hexadecimal digits; anything if left out.

    Raises:
        RapportError: `not_found`, `data_error` or `infrastructure` if the file cannot be had, is another one or is not
            in the authors' layout; `disk_full` or `infrastructure` if the pack cannot be written.
    """
    sources = sources or load_sources()
    return _store(_made_from(place, packs, sources, None if sha256 is None else [sha256.lower()]), sources)


class StoredPacks(NamedTuple):
    """What lies in a folder of packs."""

    packs: tuple[StoredPack, ...]
    """By id."""
    faults: tuple[RapportError, ...]
    """Of each other file: `data_error` if it is not what its name says, `infrastructure` if it cannot be read."""


def stored_packs(packs: Path, sources: PromptSources | None = None) -> StoredPacks:
    """Returns every pack in a folder; a file that cannot be believed is told beside the others and hides none.

    Example:
        >>> stored_packs(Path("no/such/folder"))
        StoredPacks(packs=(), faults=())
    """
    sources = sources or load_sources()
    found, faults = [], []
    for path in sorted(packs.glob("*.json")):
        try:
            found.append(_read(path, sources))
        except RapportError as error:
            faults.append(error)
    return StoredPacks(tuple(found), tuple(faults))


def find_pack(
    wanted: Literal["builtin", "official"] | str, packs: Path, sources: PromptSources | None = None
) -> PromptPack:
    """Returns a pack by its id, or by what it is to be.

    Args:
        wanted: `builtin` for our own wording; `official` for the authors', which is fetched if none is stored; or an id
            of 16 hexadecimal digits.
        packs: Folder of stored packs.
        sources: Where to fetch from, and what counts as official; the shipped list if left out.

    Raises:
        RapportError: `not_found` if there is no such pack; `data_error` if a stored file is broken or the sources hold
            no accepted file; `infrastructure` if no source can be reached.

    Example:
        >>> find_pack("builtin", Path("data/packs")) == builtin_pack()
        True
    """
    if wanted in ("builtin", builtin_pack().id):
        return builtin_pack()
    sources = sources or load_sources()
    if wanted == "official":
        return _official(packs, sources)
    path = packs / f"{wanted}.json"
    if not re.fullmatch(r"[0-9a-f]{16}", wanted) or not path.is_file():
        raise RapportError(
            Cause.NOT_FOUND,
            f"There is no prompt pack {wanted!r}.",
            "`rapport prompts list` shows what there is.",
        )
    return _read(path, sources).pack


def _official(packs: Path, sources: PromptSources) -> PromptPack:
    """Returns the preferred official pack that is stored, or else fetches one; broken files are passed over."""
    found, broken = stored_packs(packs, sources)
    for fault in broken:
        log.warning("%s", fault)
    official = [each for each in found if each.pack.status == "official"]
    if official:
        return min(official, key=lambda each: sources.hashes.index(each.source_sha256)).pack
    faults = [*broken]
    for place in sources.sources:
        try:
            fetched = _made_from(place, packs, sources, sources.hashes)
        except RapportError as error:
            faults.append(error)
            continue
        if fetched.pack.status == "official":
            return _store(fetched, sources).pack
        faults.append(_other_pack(place, fetched.pack.id))
    raise RapportError(
        # Whoever did not answer now may do so later; a wrong file stays wrong.
        Cause.DATA_ERROR if all(fault.cause is Cause.DATA_ERROR for fault in faults) else Cause.INFRASTRUCTURE,
        f"The official prompts could not be fetched: {' '.join(fault.message for fault in faults)}",
        "Get src/constants.py of HiCUPID and run `rapport prompts import PATH`.",
    )


def _made_from(place: str, packs: Path, sources: PromptSources, hashes: Sequence[str] | None) -> StoredPack:
    """Returns the pack that a source would be stored as, if it has one of some SHA-256."""
    content = read_source(place)
    found = hashlib.sha256(content).hexdigest()
    if hashes is not None and found not in hashes:
        raise RapportError(
            Cause.DATA_ERROR, f"{place} has the SHA-256 {found}, not {' or '.join(hashes)}.", "Take another version."
        )
    pack = pack_from_source(content)
    name = place if "://" in place else Path(place).name
    return StoredPack(_with_standing(pack, found, sources), packs / f"{pack.id}.json", name, found)


def _with_standing(pack: PromptPack, source_sha256: str, sources: PromptSources) -> PromptPack:
    """Returns a pack with the standing that its prompts and their source give it."""
    return pack.model_copy(update={"status": sources.status(source_sha256, pack.id)})


def _other_pack(place: str, pack_id: str) -> RapportError:
    """Says that an accepted file does not make the pack that it is known to make."""
    return RapportError(
        Cause.DATA_ERROR, f"What lies at {place} makes the pack {pack_id}, not the accepted one.", "Update Rapport."
    )


def _store(stored: StoredPack, sources: PromptSources) -> StoredPack:
    """Writes a pack, unless the same prompts lie there with no lesser standing."""
    try:
        there = _read(stored.path, sources) if stored.path.is_file() else None
    except RapportError:
        there = None  # What is broken is written anew.
    if there and (there.pack.status == "official" or stored.pack.status != "official"):
        return there
    file = _PackFile(
        source=stored.source,
        source_sha256=stored.source_sha256,
        inference=stored.pack.inference,
        evaluation=stored.pack.evaluation,
    )
    try:
        _write(stored.path, file.model_dump_json(indent=1).encode())
    except OSError as error:
        raise RapportError(
            Cause.DISK_FULL if error.errno == errno.ENOSPC else Cause.INFRASTRUCTURE,
            f"The prompt pack could not be written to {stored.path}: {error.strerror or error}.",
            "Make room or set RAPPORT_PACKS to a folder that can be written, and try again.",
        ) from error
    return stored


def _write(path: Path, content: bytes) -> None:
    """Writes a file beside its place and renames it, so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(scratch, 0o644)
        os.replace(scratch, path)
    finally:
        Path(scratch).unlink(missing_ok=True)


def _read(path: Path, sources: PromptSources) -> StoredPack:
    """Reads a stored pack and checks that it is what it says."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _broken(path, f"it is larger than {_LARGEST_FILE:,} bytes")
        file = _PackFile.model_validate_json(path.read_bytes())
        pack = PromptPack(inference=file.inference, evaluation=file.evaluation, status="imported")
    except ValidationError as error:
        raise _broken(path, first_fault(error)) from error
    except OSError as error:
        raise RapportError(
            Cause.INFRASTRUCTURE, f"The prompt pack {path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    if pack.id != path.stem:
        raise _broken(path, f"its prompts are those of {pack.id}")
    return StoredPack(_with_standing(pack, file.source_sha256, sources), path, file.source, file.source_sha256)


def _broken(path: Path, fault: str) -> RapportError:
    """Says that a stored file cannot be believed."""
    return RapportError(
        Cause.DATA_ERROR,
        f"The prompt pack {path} is broken: {fault}.",
        "Delete it and run `rapport prompts import` again.",
    )
