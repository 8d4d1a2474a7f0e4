"""How far a release came, as it is noted in a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from leaderboard.store.base import Revision
from leaderboard.store.disk import make_folder, told_failures

DERIVATION = 3
"""Version of what is made from the archive: raised where the same archive leads to other public rows than before, so
that a site derives all of them again when it starts next."""
_HEAD = f"derivation {DERIVATION}\n"
_NOTED = re.compile(r"((?:[0-9a-f]{40}\n){3})((?:(?:s-\d{8}-[0-9a-f]{8}|annotator-[0-9a-z]{5,40})\n)*)", re.ASCII)


class Kept(NamedTuple):
    """How far a release came.

    Example:
        >>> import tempfile
        >>> kept = Kept(Revision("a" * 40), Revision("b" * 40), Revision("c" * 40), frozenset({"s-20260101-0a1b2c3d"}))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     kept.write(Path(folder) / ".released")
        ...     read_kept(Path(folder) / ".released") == kept
        True
    """

    archive: Revision
    """All that was written to the archive up to here is public."""
    results: Revision
    """What the results had come to by then."""
    requests: Revision
    """What the requests had come to by then."""
    broken: frozenset[str]
    """Submissions, and people who label, that could not be released."""

    def write(self, file: Path) -> None:
        """Notes it in a file.

        Raises:
            StoreError: If the disk is full or cannot be written to.
        """
        with told_failures(file.parent):
            make_folder(file.parent)
            new = file.with_name(f"{file.name}.new")
            lines = (self.archive, self.results, self.requests, *sorted(self.broken))
            new.write_text(_HEAD + "".join(f"{line}\n" for line in lines), encoding="ascii")
            new.replace(file)


def read_kept(file: Path) -> Kept | None:
    """Returns how far a release came; None if the file does not tell, or tells it of another `DERIVATION`."""
    try:
        told = file.read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    found = _NOTED.fullmatch(told.removeprefix(_HEAD)) if told.startswith(_HEAD) else None
    if found is None:
        return None
    archive, results, requests = map(Revision, found[1].split())
    return Kept(archive, results, requests, frozenset(found[2].split()))
