"""Looks at what was worked out of judges, and at labelled verdict files: whether all of it can be read and fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from leaderboard.judge_board.labels import read_kept
from leaderboard.judge_board.records import ComputedQuality, LabelledSet
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.store.rows import read_record
from leaderboard.upkeep.findings import BACKUP, ITS_OWN, FindingKind, Found, found, unreadable
from leaderboard.upkeep.places import Place, Sort


def check_judge_board(archive: Store, places: Mapping[str, Place]) -> Iterator[Found]:
    """Yields what is wrong with the board of judges.

    Args:
        archive: Where it lies.
        places: All files of the archive.
    """
    for path, place in places.items():
        try:
            if place.sort is Sort.JUDGE_QUALITY:
                yield from _of_quality(archive, path, place)
            elif place.sort is Sort.LABELLED_SET:
                yield from _of_set(archive, path, place, places)
            elif place.sort is Sort.LABELLED_ROWS and layout.labelled_set_path(place.name) not in places:
                yield found(FindingKind.REFERENCE, path, "There are no terms under which these labels stand.", BACKUP)
        except ITS_OWN as error:
            yield unreadable(path, error)


def _of_quality(archive: Store, path: str, place: Place) -> Iterator[Found]:
    """Yields what is wrong with the quality of a judge."""
    computed = read_record(archive.read(path), ComputedQuality, path)
    if computed.name != place.name:
        yield found(FindingKind.MISPLACED, path, f"It is about {computed.name}.")


def _of_set(archive: Store, path: str, place: Place, places: Mapping[str, Place]) -> Iterator[Found]:
    """Yields what is wrong with a labelled verdict file."""
    terms = read_record(archive.read(path), LabelledSet, path)
    if terms.name != place.name:
        yield found(FindingKind.MISPLACED, path, f"It is about {terms.name}.")
    elif layout.labelled_rows_path(terms.name) not in places:
        yield found(FindingKind.REFERENCE, path, "There are no labels that it is about.", BACKUP)
    else:
        read_kept(archive, terms)
