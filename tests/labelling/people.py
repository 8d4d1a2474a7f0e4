"""What people do on the labelling page, for tests."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis

from evaluator.human.tasks import Order
from evaluator.records import SlotOrder, Terms
from leaderboard.labelling.attention import load_attention
from leaderboard.labelling.consent import CONSENT
from leaderboard.labelling.desk import Desk
from leaderboard.labelling.pieces import Piece, piece
from leaderboard.labelling.pools import Pool
from leaderboard.labelling.records import Agreed, Asked, EventKind, Judged, Label, PersonEvent, Task
from leaderboard.labelling.service import Labelling

ALICE, BOB = "annotator-0a11ce", "annotator-0b0b0"
NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
TERMS = Terms(visibility="public", season="2026", licence="cc0-1.0", redistributable=True, personal_data="synthetic")
SHA = "c" * 40
KEY = b"a key that only the site has"


class Clock:
    """Three seconds pass between any two looks."""

    step = datetime.timedelta(seconds=3)

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime.datetime:
        self.now += self.step
        return self.now


class SmallPool:
    """Items without texts worth reading."""

    def __init__(self, names: tuple[str, ...], counts: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.names, self.counts = names, counts or {}
        self.data_set, self.data_sha, self.terms, self.made_up = "org/set", SHA, TERMS, True

    def pieces(self, item_id: str, order: Order | SlotOrder | None) -> tuple[Piece, ...]:
        return (piece("Prompt", f"The text of {item_id}"), piece("Attribute", str(order)))

    def judged(self, item_id: str) -> Judged | None:
        return None


def make_labelling(
    redis: Redis,
    pools: Mapping[Task, Pool],
    *,
    attention: bool = False,
    clock: Callable[[], datetime.datetime] | None = None,
) -> Labelling:
    """A labelling whose attention items are none, unless they are asked for."""
    items = load_attention()
    if not attention:
        items.names = lambda task: ()  # type: ignore[method-assign]
    return Labelling(Desk(redis), lambda: pools, items, KEY, clock or Clock())


def agree(labelling: Labelling, *people: str) -> None:
    for person in people:
        labelling.agree(person, CONSENT.version)


def label_next(labelling: Labelling, person: str, task: Task, word: str) -> str:
    """Labels what is shown; returns the item's name."""
    shown = labelling.next(person, task).shown
    assert shown is not None
    labelling.label(person, task, shown.token, word)
    return shown.asked.item_id


def look(redis: Redis, person: str, task: Task) -> None:
    """Has somebody looked at what is shown for a second, on a site whose clock is the real one."""
    desk = Desk(redis)
    shown = desk.shown(person, task)
    assert shown is not None
    desk.show(person, shown.model_copy(update={"at": shown.at - datetime.timedelta(seconds=1)}), instead_of=shown)


def make_label(item_id: str = "p1/a1", word: str = "YES", task: Task = Task.RELEVANCE, **asked: Any) -> Label:
    values = {"data_set": "org/set", "data_sha": SHA, "item_id": item_id, "task": task} | asked
    return Label(
        asked=Asked.model_validate(values),
        word=word,
        wording="human-v1@0123456789abcdef",
        consent=CONSENT.version,
        licence=CONSENT.licence,
        seconds=2.5,
        terms=TERMS,
    )


def make_events(person: str, *done: Label | int | EventKind) -> tuple[PersonEvent, ...]:
    """A person's events: labels, numbers of labels that are taken back, and others by their kind."""
    events = []
    for number, what in enumerate(done, start=1):
        at = NOON + datetime.timedelta(minutes=number)
        values: dict[str, Any] = {"annotator": person, "sequence": number, "at": at}
        if isinstance(what, Label):
            values |= {"kind": EventKind.LABELLED, "label": what}
        elif isinstance(what, EventKind):
            agreed = Agreed(version=CONSENT.version, text_sha=CONSENT.sha) if what is EventKind.AGREED else None
            values |= {"kind": what, "agreed": agreed}
        else:
            values |= {"kind": EventKind.TOOK_BACK, "took_back": what}
        events.append(PersonEvent.model_validate(values))
    return tuple(events)
