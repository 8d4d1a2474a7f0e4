"""Names derived from content: the same things always get the same name, on every machine.

All identities of Rapport are SHA-256 digests of canonical JSON or of raw text; nothing depends on time, order of
keys or Python's `hash`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> str:
    """Writes a JSON value in its one canonical form: sorted keys, no spaces, UTF-8 kept as it is, no NaN.

    Raises:
        ValueError: If the value holds NaN or an infinity.

    Example:
        >>> canonical_json({"b": 1, "a": "é"})
        '{"a":"é","b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Returns the SHA-256 of a JSON value's canonical form, as 64 hexadecimal characters.

    Example:
        >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
        True
    """
    return text_digest(canonical_json(value))


def text_digest(text: str) -> str:
    """Returns the SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal characters.

    Example:
        >>> text_digest("")[:12]
        'e3b0c44298fc'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def folder_digest(folder: Path) -> str:
    """Returns one SHA-256 over the relative paths and contents of all visible files below a folder.

    Hidden files and folders are left out: caches and version control are not part of a model or a data set.

    Raises:
        OSError: If a file cannot be read.
    """
    names: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or any(part.startswith(".") for part in relative.parts):
            continue
        with path.open("rb") as file:
            names[relative.as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digest(names)
