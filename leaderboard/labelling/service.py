"""What the labelling page does for one person: shows the next item, takes a label, takes it back, lets go of all."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.human.stages.wording import load_wording
from leaderboard.labelling.attention import AttentionItems
from leaderboard.labelling.choosing import (
    Lot,
    attention_due,
    attention_left,
    attention_owed,
    choose,
    drawn_of,
    items_in_all,
)
from leaderboard.labelling.consent import CONSENT
from leaderboard.labelling.desk import Desk, Meanwhile
from leaderboard.labelling.instructions import wording_name
from leaderboard.labelling.pieces import Piece
from leaderboard.labelling.pools import Counts, Pool
from leaderboard.labelling.recall import Recall
from leaderboard.labelling.records import (
    ORDERS_OF,
    Agreed,
    Asked,
    EventKind,
    Label,
    PersonEvent,
    Shown,
    Task,
)
from leaderboard.labelling.standing import MOST_TAKEN_BACK, Standing
from leaderboard.records import now

LEAST_SECONDS = 0.3
"""A label that comes sooner after its item was shown is not taken: nobody has read the item."""
_TRIES = 10


class NotAgreed(RapportError):
    """Somebody has not agreed to the text of consent as it is."""


class Back(StrEnum):
    """What a person did last in a task, which can be undone."""

    LABEL = "label"
    SKIP = "skip"


class Progress(NamedTuple):
    """How far somebody is in a task."""

    labelled: int
    items: int
    """Of how many items the way through the task consists."""


class Next(NamedTuple):
    """What a person is shown in a task."""

    shown: Shown | None
    """None if there is nothing left to label."""
    pieces: tuple[Piece, ...]
    progress: Progress
    back: Back | None
    """What going back would undo; None if there is nothing."""


class _Way(NamedTuple):
    """How somebody stands on the way through a task."""

    done: frozenset[str]
    """Items that the person has labelled, attention items too."""
    attended: int
    """How many of them are attention items."""
    items: int
    """Items that are no attention items: those that there are, and those labelled that left the data set since."""


class Labelling:
    """The labelling of one site.

    Example:
        >>> Labelling(desk, pools, attention).next("annotator-0a1b2", Task.RELEVANCE)  # doctest: +SKIP
    """

    def __init__(
        self,
        desk: Desk,
        pools: Callable[[], Mapping[Task, Pool]],
        attention: AttentionItems,
        key: bytes,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Works on what `pools` gives: the items of each task that there are; places are drawn under a secret key."""
        self._desk, self._pools, self._attention, self._clock = desk, pools, attention, clock
        self._recall, self._key = Recall(desk), key

    def pools(self) -> Mapping[Task, Pool]:
        """Returns the items of each task that there are.

        Raises:
            RapportError: If they cannot be had.
        """
        return self._pools()

    def standing(self, annotator: str) -> Standing:
        """Returns what holds of a person."""
        return self._recall.standing(annotator)

    def is_being_saved(self, annotator: str) -> bool:
        """Says whether Redis alone holds something that a person did."""
        return self._desk.is_unsaved(annotator)

    def progress(self, standing: Standing, task: Task) -> Progress:
        """Returns how far somebody is in a task."""
        return self._progress(_way(standing, self._pool(task), task), task)

    def agree(self, annotator: str, version: str) -> None:
        """Notes that a person agrees to the text of consent; a second time changes nothing.

        Raises:
            RapportError: `data_error` if it is another text by now.
        """
        if version != CONSENT.version:
            raise RapportError(Cause.DATA_ERROR, "The text has changed meanwhile.", "Read it once more.")
        standing = self.standing(annotator)
        if not standing.may_label():
            agreed = Agreed(version=CONSENT.version, text_sha=CONSENT.sha)
            with suppress(Meanwhile):  # Pressed twice.
                self._add(annotator, standing, EventKind.AGREED, agreed=agreed)

    def next(self, annotator: str, task: Task) -> Next:
        """Returns what a person is shown in a task: the same until it is labelled or skipped.

        Raises:
            RapportError: `forbidden` without consent, `not_found` if there is no such task here.
        """
        pool, standing = self._pool(task), self._agreed(annotator)
        way, shown = _way(standing, pool, task), self._desk.shown(annotator, task)
        if shown is None or not self._is_there(shown.asked, way, pool):
            asked = self._choose(annotator, way, pool, task)
            shown = self._desk.show(annotator, self._shown(asked), instead_of=shown) if asked else None
        pieces = self._pieces(shown.asked, pool) if shown else ()
        return Next(shown, pieces, self._progress(way, task), self._back(annotator, standing, way, pool, task))

    def label(self, annotator: str, task: Task, token: str, word: str) -> None:
        """Takes a label of what is shown; of anything else it takes none, and whoever asks is shown what is next.

        A label that comes within `LEAST_SECONDS` is not taken either: the item is shown again.

        Raises:
            RapportError: `forbidden` without consent, `not_found` if there is no such task here, `data_error` if it is
                no word of the task, `infrastructure` if the person does too much at once.
        """
        pool = self._pool(task)
        for _ in range(_TRIES):
            standing, shown, at = self._agreed(annotator), self._desk.shown(annotator, task), self._clock()
            if shown is None or not secrets.compare_digest(shown.token.encode(), token.encode()):
                return  # Pressed twice: the first one counts.
            seconds = (at - shown.at).total_seconds()
            if 0 <= seconds < LEAST_SECONDS or not self._is_there(shown.asked, _way(standing, pool, task), pool):
                return
            label = _label(shown.asked, word, seconds, pool)
            tally = Counter({label: 1}) if shown.asked.attention is None else None
            with suppress(Meanwhile):  # Another task was labelled in another window, say.
                self._add(annotator, standing, EventKind.LABELLED, at=at, label=label, answers=shown, tally=tally)
                return
        raise _too_much_at_once()

    def skip(self, annotator: str, task: Task, token: str) -> None:
        """Puts off what is shown; it comes again once nothing else is left.

        Raises:
            RapportError: `forbidden` without consent.
        """
        self._agreed(annotator)
        shown = self._desk.shown(annotator, task)
        if shown and shown.token == token:
            self._desk.skip(annotator, shown)

    def go_back(self, annotator: str, task: Task) -> None:
        """Undoes what a person did last in a task, and shows its item again; nothing happens if there is nothing.

        Raises:
            RapportError: `forbidden` without consent, `not_found` if there is no such task here, `data_error` if the
                label was taken back too often, `infrastructure` if the person does too much at once.
        """
        pool, standing = self._pool(task), self._agreed(annotator)
        if skipped := self._skipped_last(annotator, _way(standing, pool, task), pool, task):
            self._desk.bring_back(annotator, self._shown(skipped))
            return
        if (given := standing.last(pool.data_set, task)) is None:
            return
        _check_taken_back(standing, given.label)
        tally = Counter({given.label: -1}) if given.label.asked.attention is None else None
        for _ in range(_TRIES):
            with suppress(Meanwhile):
                self._add(annotator, standing, EventKind.TOOK_BACK, took_back=given.sequence, tally=tally)
                break
            standing = self._agreed(annotator)
            if standing.last(pool.data_set, task) != given:
                return  # Pressed twice.
        else:
            raise _too_much_at_once()
        if asked := self._asked(annotator, given.label.asked.item_id, pool, task):
            self._desk.show(annotator, self._shown(asked), instead_of=self._desk.shown(annotator, task))

    def withdraw(self, annotator: str) -> None:
        """Withdraws a person's consent and all labels, at once; a second time changes nothing."""
        while (standing := self.standing(annotator)).agreed is not None or standing.labels:
            tally = Counter({given.label: -1 for given in standing.labels if given.label.asked.attention is None})
            try:
                self._add(annotator, standing, EventKind.WITHDREW, tally=tally, urgent=True)
            except Meanwhile:
                continue  # A label that was given in another window is withdrawn as well.
        self._desk.clear(annotator)

    def _add(
        self,
        annotator: str,
        standing: Standing,
        kind: EventKind,
        *,
        at: datetime | None = None,
        answers: Shown | None = None,
        tally: Counter[Label] | None = None,
        urgent: bool = False,
        **told: Agreed | Label | int,
    ) -> None:
        """Adds an event that was decided on as things stood."""
        event = PersonEvent.model_validate(
            {
                "kind": kind,
                "annotator": annotator,
                "sequence": standing.events + 1,
                "at": at or self._clock(),
                **told,
            }
        )
        self._desk.append(event, answers=answers, tally=tally, urgent=urgent)

    def _agreed(self, annotator: str) -> Standing:
        """Returns what holds of somebody who has agreed to the text as it is.

        Raises:
            NotAgreed: `forbidden` of anybody else.
        """
        standing = self.standing(annotator)
        if not standing.may_label():
            raise NotAgreed(
                Cause.FORBIDDEN, "No label is taken without your consent.", "Read the text and agree to it first."
            )
        return standing

    def _pool(self, task: Task) -> Pool:
        """Returns the items of a task.

        Raises:
            RapportError: `not_found` if there are none.
        """
        if (pool := self._pools().get(task)) is None:
            raise RapportError(Cause.NOT_FOUND, f"There is nothing to label for {task} here.", "Choose another task.")
        return pool

    def _progress(self, way: _Way, task: Task) -> Progress:
        """Returns how far somebody is."""
        stock = way.attended + len({*self._attention.names(task)} - way.done)
        return Progress(len(way.done), max(items_in_all(way.items, stock), way.items + way.attended))

    def _is_there(self, asked: Asked, way: _Way, pool: Pool) -> bool:
        """Says whether what was shown can still be labelled: the data set may be another one by now."""
        if asked.data_set != pool.data_set or asked.item_id in way.done:
            return False
        if asked.attention is not None:
            return self._attention.get(asked.task, asked.item_id) is not None
        return asked.data_sha == pool.data_sha and asked.item_id in pool.names

    def _choose(self, annotator: str, way: _Way, pool: Pool, task: Task) -> Asked | None:
        """Returns what a person is to be shown next; None if nothing is left.

        Which attention item and which other one would be next is worked out either way, so that how long it takes
        does not tell which one it is.
        """
        lot, skipped = Lot(self._key, annotator), self._desk.skipped(annotator, pool.data_set, task)
        counts = _added(pool.counts, self._desk.counts(pool.data_set, task))
        other = choose(pool.names, counts, way.done, skipped, lot)
        attention = attention_left(self._attention.names(task), {*way.done, *skipped}, lot)
        owed = way.attended < attention_owed(way.items)
        if attention and owed and (other is None or attention_due(len(way.done), lot, task)):
            return self._asked(annotator, attention, pool, task)
        if other is not None:
            return self._asked(annotator, other, pool, task)
        left = (self._asked(annotator, name, pool, task) for name in skipped if name not in way.done)
        return next((asked for asked in left if asked and (owed or asked.attention is None)), None)

    def _asked(self, annotator: str, name: str, pool: Pool, task: Task) -> Asked | None:
        """Returns an item as a person is asked about it; None if there is none of this name any more."""
        orders = ORDERS_OF[task]
        order = drawn_of(orders, Lot(self._key, annotator), name) if orders else None
        asked = {"task": task, "data_set": pool.data_set, "data_sha": pool.data_sha, "item_id": name, "order": order}
        if item := self._attention.get(task, name):
            return Asked.model_validate(asked | {"attention": item.words(order)})
        return Asked.model_validate(asked | {"judged": pool.judged(name)}) if name in pool.names else None

    def _skipped_last(self, annotator: str, way: _Way, pool: Pool, task: Task) -> Asked | None:
        """Returns the item that a person skipped last; None if a label was given since."""
        names = self._desk.just_skipped(annotator, pool.data_set, task)
        found = (self._asked(annotator, name, pool, task) for name in reversed(names) if name not in way.done)
        return next((asked for asked in found if asked), None)

    def _back(self, annotator: str, standing: Standing, way: _Way, pool: Pool, task: Task) -> Back | None:
        """Returns what going back would undo."""
        if self._skipped_last(annotator, way, pool, task):
            return Back.SKIP
        given = standing.last(pool.data_set, task)
        if given is None or standing.taken_back.get(given.label.key, 0) >= MOST_TAKEN_BACK:
            return None
        return Back.LABEL

    def _shown(self, asked: Asked) -> Shown:
        """Returns an item as it is shown from now on."""
        return Shown(token=secrets.token_urlsafe(16), asked=asked, at=self._clock())

    def _pieces(self, asked: Asked, pool: Pool) -> tuple[Piece, ...]:
        """Returns what is shown of an item."""
        if asked.attention is None:
            return pool.pieces(asked.item_id, asked.order)
        item = self._attention.get(asked.task, asked.item_id)
        return item.pieces(asked.order, load_wording().headings) if item else ()


def _way(standing: Standing, pool: Pool, task: Task) -> _Way:
    """Returns how somebody stands on the way through a task."""
    labels = standing.of(pool.data_set, task)
    others = {label.asked.item_id for label in labels if label.asked.attention is None}
    done = frozenset(label.asked.item_id for label in labels)
    return _Way(done, len(done) - len(others), len(others.union(pool.names)))


def _label(asked: Asked, word: str, seconds: float, pool: Pool) -> Label:
    """Returns a label as it is kept.

    Raises:
        RapportError: `data_error` if it is no word of the task.
    """
    try:
        return Label(
            asked=asked,
            word=word,
            wording=wording_name(asked.task),
            consent=CONSENT.version,
            licence=CONSENT.licence,
            seconds=round(max(0.0, seconds), 3),
            terms=pool.terms,
        )
    except ValueError as error:
        raise RapportError(Cause.DATA_ERROR, "This is no answer to the item.", "Choose one of the buttons.") from error


def _check_taken_back(standing: Standing, label: Label) -> None:
    """Returns if a label may be taken back once more.

    Raises:
        RapportError: `data_error` if not.
    """
    if standing.taken_back.get(label.key, 0) >= MOST_TAKEN_BACK:
        raise RapportError(
            Cause.DATA_ERROR, f"This label was taken back {MOST_TAKEN_BACK} times.", "It stays as it is now."
        )


def _too_much_at_once() -> RapportError:
    return RapportError(Cause.INFRASTRUCTURE, "Your labels change in other windows all the time.", "Try again.")


def _added(one: Counts, other: Counts) -> Counts:
    """Returns the counts of two sources together."""
    return {item: Counter(one.get(item, {})) + Counter(other.get(item, {})) for item in {*one, *other}}
