"""Looks at the log of what maintainers did: whether all of it can be read, and no entry is missing or there twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leaderboard.maintaining.journal import read_acts, span_of
from leaderboard.maintaining.records import Act
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.upkeep.findings import BACKUP, ITS_OWN, FindingKind, Found, found, unreadable
from leaderboard.upkeep.places import Place, Sort


def check_acts(archive: Store, places: Mapping[str, Place]) -> Iterator[Found]:
    """Yields what is wrong with the log.

    Args:
        archive: Where it lies.
        places: All files of the archive.
    """
    known: dict[int, Act] = {}
    reached = 0
    for path in sorted(path for path, place in places.items() if place.sort is Sort.ACTS):
        first, last = span_of(path) or (0, 0)
        if first > reached + 1:
            message = f"The entries {reached + 1} to {first - 1} before it are missing."
            yield found(FindingKind.REFERENCE, path, message, f"Restore the folder {layout.ACTS} from a backup.")
        reached = max(reached, last)
        try:
            acts = read_acts(archive.read(path), path)
        except ITS_OWN as error:
            yield unreadable(path, error)
            continue
        if strange := [act.sequence for act in acts if known.setdefault(act.sequence, act) != act]:
            message = f"Its entry {strange[0]} is another one than that of the file before it, which counts."
            yield found(FindingKind.DOUBLE, path, message, BACKUP)
