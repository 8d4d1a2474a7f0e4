"""Labels in the archive: what is left if Redis is lost. A person's events lie in files of some hundred, in order."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.records import PersonEvent
from leaderboard.labelling.standing import merged
from leaderboard.store import layout
from leaderboard.store.base import Store, StoreCorrupt, Write
from leaderboard.store.rows import decode_rows, encode_rows

log = logging.getLogger("rapport.publisher")

EVENTS_A_FILE = 500


def files_of(events: Sequence[PersonEvent], saved: int = 0) -> Iterator[Write]:
    """Yields the files that hold a person's events.

    Args:
        events: All of them, in order.
        saved: How many of them the store is known to hold: files that are full with these are left out.
    """
    for first in range(saved - saved % EVENTS_A_FILE, len(events), EVENTS_A_FILE):
        path = layout.person_path(events[0].annotator, first // EVENTS_A_FILE)
        yield Write(path, encode_rows(events[first : first + EVENTS_A_FILE]))


def people_in(store: Store) -> list[str]:
    """Returns the annotators of whom an archive holds anything."""
    return sorted({path.split("/")[2] for path in store.list(layout.PEOPLE)})


def read_events(store: Store, annotator: str) -> tuple[PersonEvent, ...]:
    """Returns a person's events as an archive holds them.

    Raises:
        RapportError: `data_error` if a file cannot be read, or one is missing between others.
    """
    paths = store.list(layout.person_folder(annotator))
    contents = store.read_all(paths)
    events = [event for path in paths for event in decode_rows(contents[path], PersonEvent, path)]
    for number, event in enumerate(events, start=1):
        if (event.sequence, event.annotator) != (number, annotator):
            raise RapportError(
                Cause.DATA_ERROR,
                f"{layout.person_folder(annotator)} lacks event {number} of its person.",
                "Restore the folder from a backup.",
            )
    return tuple(events)


def restore(redis: Redis, store: Store) -> int:
    """Merges the labels of Redis with those that the store holds, and counts them anew.

    Of whom the store cannot be read, that person is held, which holds up nobody else.

    Returns:
        Of how many people the store knew better.
    """
    desk, changed = Desk(redis), 0
    for annotator in sorted({*people_in(store), *desk.people()}):
        changed += _restore(desk, store, annotator)
    desk.count_anew()
    return changed


def look_again(redis: Redis, store: Store) -> int:
    """Restores those who are held, if the store can be read of them by now; returns how many they are."""
    desk = Desk(redis)
    mended = [annotator for annotator in desk.held() if not _fault(store, annotator)]
    for annotator in mended:
        _restore(desk, store, annotator)
    if mended:
        desk.count_anew()
    return len(mended)


def _restore(desk: Desk, store: Store, annotator: str) -> bool:
    """Merges what Redis and store hold of a person; says whether the store knew something better.

    Of whom the store cannot be read, nothing is taken or saved until it can: fewer events than it holds would take the
    place of those that it holds.
    """
    if why := _fault(store, annotator):
        log.error("held: %s", why)
        desk.hold(annotator, why)
        return False
    saved, live = read_events(store, annotator), _live(desk, annotator)
    now = merged(saved, live)
    if now != live:
        desk.replace(annotator, now)
    if now != saved:
        desk.note_unsaved(annotator)
    desk.let_go(annotator, len(saved))
    return now != live


def _fault(store: Store, annotator: str) -> str:
    """Says why the store cannot be read of a person; empty if it can."""
    try:
        read_events(store, annotator)
    except (RapportError, StoreCorrupt) as error:
        return str(error)
    return ""


def _live(desk: Desk, annotator: str) -> tuple[PersonEvent, ...]:
    """Returns what Redis holds of a person; nothing if that cannot be read: the store's copy takes its place."""
    try:
        return desk.events(annotator)
    except RapportError as error:
        log.error("%s The store's copy takes its place.", error)
        return ()
