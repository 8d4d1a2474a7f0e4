"""The key under which places and orders are drawn: only the site has it, and it stands beside no label."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from evaluator.errors import Cause, RapportError
from evaluator.human.importers.pseudonyms import Salt

FILE = "label.key"
"""Where a site without a secret keeps a random one, in its data folder."""
_BYTES = 32


def drawing_key(salt: Salt | None, folder: Path) -> bytes:
    """Returns the key: it follows from the secret that hides names; without one it is random and kept in a file.

    Args:
        salt: The secret.
        folder: Where a site keeps its data; the file in it can be read by its owner alone.

    Raises:
        RapportError: `infrastructure` if the file can be neither read nor written.

    Example:
        >>> drawing_key(Salt(b"sixteen bytes or more"), Path("data")).partition(b"-")[0]
        b'draw'
    """
    if salt is not None:
        return salt.pseudonym("draw", "labelling").encode()
    path = folder / FILE
    try:
        if not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise RapportError(
            Cause.INFRASTRUCTURE,
            f"the key {FILE} can be neither read nor made in the data folder ({type(error).__name__}).",
            "Let this process write to RAPPORT_DATA.",
        ) from error


def _make(path: Path) -> None:
    """Makes a key that appears whole; of two processes at the same time the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{FILE}-")  # Of mode 0600.
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_bytes(_BYTES))
        os.link(name, path)
    except FileExistsError:
        return
    finally:
        os.unlink(name)
