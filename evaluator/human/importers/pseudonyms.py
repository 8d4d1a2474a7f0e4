"""Names that hide who somebody is, and names of rows that follow from what the rows hold.

A person's pseudonym is a keyed hash (HMAC-SHA256, RFC 2104) of the name under a secret salt: whoever has the salt gets
the same pseudonym for the same person in every import, and whoever lacks it cannot try names out.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from evaluator.errors import Cause, RapportError
from evaluator.identity import digest

VARIABLE = "RAPPORT_PSEUDONYM_SECRET"
"""Environment variable that holds the salt; its name tells logs to hide the value."""
LEAST_BYTES = 16
_MOST_BYTES = 4_096
_DIGITS = 20
"""Hexadecimal digits of a name: 80 bits, so that a million names stay apart."""
_REMEDY = (
    "Make one with `openssl rand -hex 32 > FILE`, name it with --salt-file, keep it secret, and use the same one for "
    "all imports into this data set."
)


class Salt:
    """The secret under which people's names become pseudonyms. It is never printed.

    Example:
        >>> salt = Salt(b"sixteen bytes or more")
        >>> salt
        Salt(...)
        >>> salt.pseudonym("annotator", "Alice") == salt.pseudonym("annotator", " Alice ")
        True
        >>> salt.pseudonym("annotator", "Alice") == Salt(b"another one of those").pseudonym("annotator", "Alice")
        False
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Takes the secret.

        Raises:
            RapportError: `data_error` if it is shorter than `LEAST_BYTES`.
        """
        if len(secret) < LEAST_BYTES:
            raise RapportError(Cause.DATA_ERROR, f"The salt is shorter than {LEAST_BYTES} bytes.", _REMEDY)
        self._secret = secret

    def __repr__(self) -> str:
        return "Salt(...)"

    def pseudonym(self, kind: str, name: str) -> str:
        """Returns somebody's pseudonym, such as `annotator-5d0c…`; spaces around the name do not count.

        Args:
            kind: `annotator` or `user`: one name has unrelated pseudonyms as either.
            name: Any text without lone surrogates.
        """
        text = f"{kind}\0{name.strip()}".encode()
        return f"{kind}-{hmac.new(self._secret, text, 'sha256').hexdigest()[:_DIGITS]}"


def load_salt(file: Path | None, target: Path, environment: Mapping[str, str] = os.environ) -> Salt | None:
    """Returns the salt that a file holds, else the one of the environment; None if there is neither.

    Args:
        file: The whole file counts, but for white space at its ends.
        target: The data set's folder, in which no salt may lie.
        environment: Looked into for `RAPPORT_PSEUDONYM_SECRET`.

    Raises:
        RapportError: `not_found` or `data_error`; it never holds any of the salt.
    """
    if file is None:
        held = environment.get(VARIABLE, "").strip()
        return Salt(held.encode()) if held else None
    if file.resolve().is_relative_to(target.resolve()):
        raise RapportError(
            Cause.DATA_ERROR, "The salt lies in the folder of the data set.", "Keep it where it is never published."
        )
    try:
        with file.open("rb") as opened:
            secret = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise RapportError(
            Cause.NOT_FOUND, f"The salt file cannot be read ({type(error).__name__}).", _REMEDY
        ) from error
    if len(secret) > _MOST_BYTES:
        raise RapportError(Cause.DATA_ERROR, f"The salt file has more than {_MOST_BYTES:,} bytes.", _REMEDY)
    return Salt(secret.strip())


def needed(salt: Salt | None) -> Salt:
    """Returns the salt.

    Raises:
        RapportError: `data_error` if there is none.
    """
    if salt is None:
        raise RapportError(
            Cause.DATA_ERROR, "This source names people, and there is no salt to make pseudonyms with.", _REMEDY
        )
    return salt


def derived_name(kind: str, *parts: str | None) -> str:
    """Returns the name of a row that follows from what makes it this row.

    Example:
        >>> derived_name("attribute", "user-1", "The user keeps bees.")
        'attribute-8e7b47ae854a13823573'
    """
    return f"{kind}-{digest([kind, *parts])[:_DIGITS]}"
