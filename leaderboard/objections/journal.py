"""Objections in the archive: what is left of them if Redis is lost; each lies in a file of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.records import Objection
from leaderboard.store import layout
from leaderboard.store.base import Store, Write
from leaderboard.store.rows import read_record

log = logging.getLogger("rapport.publisher")

_AT_ONCE = 500


def files_of(objections: Iterable[Objection]) -> Iterator[Write]:
    """Yields the files that hold objections."""
    for each in objections:
        yield Write(layout.objection_path(each.id), each.model_dump_json().encode())


def read_objection(content: bytes, path: str) -> Objection:
    """Reads a file of the archive.

    Raises:
        RapportError: `data_error` if it is no objection, or another one than its path says.
    """
    found = read_record(content, Objection, path)
    if layout.objection_path(found.id) != path:
        raise RapportError(Cause.DATA_ERROR, f"{path} holds {found.id}.", "Restore it from a backup.")
    return found


def stored(store: Store) -> Iterator[Objection]:
    """Yields the objections that an archive holds; one that cannot be read is named in the log and left out."""
    paths = store.list(layout.OBJECTIONS)
    for start in range(0, len(paths), _AT_ONCE):
        for path, content in store.read_all(paths[start : start + _AT_ONCE]).items():
            try:
                yield read_objection(content, path)
            except RapportError as error:
                log.error("not restored: %s", error)


def merged(saved: Objection | None, live: Objection | None) -> Objection | None:
    """Returns what is true of an objection: a reply is never taken back, and of two the store's counts.

    Args:
        saved: As the store holds it.
        live: As Redis holds it.
    """
    if saved is None:
        return live
    return live if live is not None and saved.reply is None else saved


def restore(redis: Redis, store: Store) -> int:
    """Merges the objections of Redis with those of the store, and makes anew the lists in which they stand.

    Returns:
        How many of them the store knew better.
    """
    desk = ObjectionDesk(redis)
    live: Mapping[str, Objection] = {each.id: each for each in desk.everything()}
    saved: Mapping[str, Objection] = {each.id: each for each in stored(store)}
    changed = 0
    for name in sorted({*live, *saved}):
        found = merged(saved.get(name), live.get(name))
        assert found is not None, "one of them has it"
        desk.put(found, unsaved=found != saved.get(name))
        changed += found != live.get(name)
    return changed
