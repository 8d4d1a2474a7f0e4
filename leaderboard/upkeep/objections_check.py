"""Looks at objections of readers: whether all of them can be read, lie where they belong, and were not taken down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leaderboard.objections.journal import read_objection
from leaderboard.store.base import Store
from leaderboard.upkeep.findings import ITS_OWN, Found, unreadable
from leaderboard.upkeep.places import Place, Sort
from leaderboard.upkeep.traces import Traces


def check_objections(archive: Store, places: Mapping[str, Place], traces: Traces) -> Iterator[Found]:
    """Yields what is wrong with objections.

    Args:
        archive: Where they lie.
        places: All files of the archive.
        traces: What was taken down.
    """
    for path in sorted(path for path, place in places.items() if place.sort is Sort.OBJECTION):
        try:
            objection = read_objection(archive.read(path), path)
        except ITS_OWN as error:
            yield unreadable(path, error)
            continue
        yield from traces.of_objection(path, objection)
