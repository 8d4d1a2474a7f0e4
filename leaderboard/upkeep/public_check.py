"""Compares the public data sets with what follows from the archive, by making all of it anew beside them.

The record of changes follows from nothing, so it is gone on with: what the next board would write to it is missing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pyarrow as pa

from evaluator.errors import RapportError
from evaluator.parquet import read_table
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.changes import REMEDY, read_changes
from leaderboard.open_data.cleaning import Secrets
from leaderboard.release.derive import all_submissions
from leaderboard.release.people import all_people
from leaderboard.release.release import Release
from leaderboard.rescoring.promotions import read_promotions
from leaderboard.store.base import Delete, NotFound, Store, Write
from leaderboard.store.hashes import is_content
from leaderboard.store.local import LocalStore
from leaderboard.store.open import Names, Stores
from leaderboard.upkeep.findings import ITS_OWN, REPAIR, DataSet, FindingKind, Found, found

_FIRST = "Put the archive right first: what cannot be read there would be taken out here."
_OTHER = "It is not what follows from the archive."
_OTHERWISE = {open_layout.CHANGES: "It does not tell of the board as it is by now."}
_NOT_COMPARED = "Nothing public was compared: it cannot be read which judge decides ranks."


def check_public(
    stores: Stores, names: Names, secrets: Secrets, judges: Path | None = None, *, whole: bool
) -> Iterator[Found]:
    """Yields the files of results and requests that are not what follows from the archive.

    Args:
        stores: The three data sets.
        names: What they are called.
        secrets: Texts that must not appear in public.
        judges: A folder of judges beside those that ship.
        whole: Whether all of the archive can be read: otherwise nothing here can be repaired.

    Raises:
        StoreError: If a store as a whole cannot be read.
    """
    try:
        read_promotions(stores.archive)
    except ITS_OWN:  # That it cannot be read is a finding of the archive.
        yield found(FindingKind.PUBLIC, open_layout.BOARD, _NOT_COMPARED, _FIRST, data_set="results")
        return
    with tempfile.TemporaryDirectory(prefix="rapport-") as folder:
        made = Stores(stores.archive, LocalStore(Path(folder, "results")), LocalStore(Path(folder, "requests")))
        if why := _go_on_with_changes(stores.results, made.results):
            yield found(FindingKind.UNREADABLE, open_layout.CHANGES, why, REMEDY, data_set="results")
        release = Release(made, names, secrets, judges)
        everything = [*all_submissions(stores.archive), *all_people(stores.archive)]
        whole = not release.bring(everything) and whole
        release.describe()
        release.rank()
        for data_set in get_args(DataSet)[1:]:
            for each in _differences(data_set, getattr(stores, data_set), getattr(made, data_set)):
                if not (why and each.finding.path == open_layout.CHANGES):
                    yield each if whole else _not_now(each)


def _go_on_with_changes(results: Store, made: Store) -> str:
    """Lets the record of changes be gone on with; says in a sentence why it cannot be read, and nothing if it can."""
    try:
        content = results.read(open_layout.CHANGES)
        read_changes(content, open_layout.CHANGES)
    except NotFound:
        return ""
    except ITS_OWN as error:
        return error.message if isinstance(error, RapportError) else f"{error}."
    made.commit([Write(open_layout.CHANGES, content)], "as it is")
    return ""


def _not_now(difference: Found) -> Found:
    """Returns a finding that cannot be repaired yet."""
    return Found(difference.finding.model_copy(update={"repairable": False, "remedy": _FIRST}))


def _differences(data_set: DataSet, store: Store, made: Store) -> Iterator[Found]:
    """Yields what a store holds too little, too much, or otherwise."""
    held = store.hashes()
    wanted = made.list()
    for path in wanted:
        content = made.read(path)
        if path not in held:
            yield _public(data_set, path, "It is missing.", Write(path, content))
        elif not is_content(content, held[path]) and not _says_the_same(store, path, content):
            yield _public(data_set, path, _OTHERWISE.get(path, _OTHER), Write(path, content))
    for path in sorted(held.keys() - set(wanted)):
        yield _public(data_set, path, "Nothing in the archive leads to such a file.", Delete(path))


def _public(data_set: DataSet, path: str, message: str, repair: Write | Delete) -> Found:
    return found(FindingKind.PUBLIC, path, message, REPAIR, repair, data_set=data_set)


def _says_the_same(store: Store, path: str, content: bytes) -> bool:
    """Says whether a file holds the same rows: another version of the library writes other bytes."""
    if not path.endswith(".parquet"):
        return False
    try:
        here, there = (read_table(each) for each in (content, store.read(path)))
    except (pa.ArrowException, OSError, NotFound):
        return False
    return bool(here.equals(there))
