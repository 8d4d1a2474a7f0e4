"""Which objections go with a takedown: those of a person, or those about what is taken down."""

from __future__ import annotations

from collections.abc import Collection

from redis import Redis

from leaderboard.objections.desk import ObjectionDesk
from leaderboard.objections.journal import read_objection
from leaderboard.objections.records import Objection
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.upkeep.records import TakedownKind

_AT_ONCE = 500


def objections_of(archive: Store, kind: TakedownKind, name: str, submissions: Collection[str]) -> list[str]:
    """Returns the paths of the objections that go.

    Args:
        archive: Where they lie.
        kind: What is taken down.
        name: What it is called; of a person, the name on the Hub.
        submissions: Those that are taken down, by themselves or with all of their model.

    Raises:
        RapportError: `data_error` if one cannot be read: it may have to go.
    """
    if kind is TakedownKind.ANSWER:
        return []
    paths = archive.list(layout.OBJECTIONS)
    found = list[str]()
    for start in range(0, len(paths), _AT_ONCE):
        contents = archive.read_all(paths[start : start + _AT_ONCE])
        found += [path for path, each in contents.items() if _goes(read_objection(each, path), kind, name, submissions)]
    return found


def forget_objections(redis: Redis, kind: TakedownKind, name: str, submissions: Collection[str]) -> int:
    """Has Redis forget the objections that go; returns how many they are."""
    desk = ObjectionDesk(redis)
    going = [each for each in desk.everything() if _goes(each, kind, name, submissions)]
    desk.forget(going)
    return len(going)


def waiting_in(redis: Redis, kind: TakedownKind, name: str) -> int:
    """Counts the objections of a person that Redis holds; 0 of what is no person."""
    is_person = kind is TakedownKind.PERSON
    return sum(_goes(each, kind, name, ()) for each in ObjectionDesk(redis).everything()) if is_person else 0


def _goes(objection: Objection, kind: TakedownKind, name: str, submissions: Collection[str]) -> bool:
    """Says whether an objection goes with a takedown."""
    if kind is TakedownKind.PERSON:
        return objection.person == name
    return kind is not TakedownKind.ANSWER and objection.submission_id in submissions
