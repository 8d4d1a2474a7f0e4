"""What the labelling page does for one person: shows the next item, takes a label, takes it back, lets go of all."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.human.stages.wording import load_wording
from leaderboard.labelling.attention import AttentionItems
from leaderboard.labelling.choosing import attention_due, attention_left, choose, drawn_of, items_in_all
from leaderboard.labelling.consent import CONSENT
from leaderboard.labelling.desk import Desk, Meanwhile
from leaderboard.labelling.instructions import wording_name
from leaderboard.labelling.pieces import Piece
from leaderboard.labelling.pools import Counts, Pool
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
from leaderboard.labelling.standing import Standing, standing_of
from leaderboard.records import now


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
    can_go_back: bool
    """Whether there is a label to take back."""


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
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Works on what `pools` gives: the items of each task that there are."""
        self._desk, self._pools, self._attention, self._clock = desk, pools, attention, clock

    def pools(self) -> Mapping[Task, Pool]:
        """Returns the items of each task that there are.

        Raises:
            RapportError: If they cannot be had.
        """
        return self._pools()

    def standing(self, annotator: str) -> Standing:
        """Returns what holds of a person."""
        return standing_of(self._desk.events(annotator))

    def progress(self, standing: Standing, task: Task) -> Progress:
        """Returns how far somebody is in a task."""
        pool = self._pool(task)
        return Progress(
            len(standing.done(pool.data_set, task)), items_in_all(len(pool.names), len(self._attention.names(task)))
        )

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
        shown = self._desk.shown(annotator, task)
        if shown is None or not self._is_there(shown, standing, pool):
            shown = self._choose(annotator, standing, pool, task)
            if shown:
                self._desk.show(annotator, shown)
        pieces = self._pieces(shown.asked, pool) if shown else ()
        return Next(shown, pieces, self.progress(standing, task), standing.last(task) is not None)

    def label(self, annotator: str, task: Task, token: str, word: str) -> None:
        """Takes a label of what is shown; of anything else it takes none, and whoever asks is shown what is next.

        Raises:
            RapportError: `forbidden` without consent, `not_found` if there is no such task here, `data_error` if it is
                no word of the task.
        """
        pool, standing = self._pool(task), self._agreed(annotator)
        shown = self._desk.shown(annotator, task)
        if shown is None or not secrets.compare_digest(shown.token.encode(), token.encode()):
            return
        if not self._is_there(shown, standing, pool):
            return
        at = self._clock()
        try:
            label = Label(
                asked=shown.asked,
                word=word,
                wording=wording_name(task),
                consent=CONSENT.version,
                licence=CONSENT.licence,
                seconds=round(max(0.0, (at - shown.at).total_seconds()), 3),
                terms=pool.terms,
            )
        except ValueError as error:
            raise RapportError(
                Cause.DATA_ERROR, "This is no answer to the item.", "Choose one of the buttons."
            ) from error
        tally = Counter({label: 1}) if shown.asked.attention is None else None
        try:
            self._add(annotator, standing, EventKind.LABELLED, at=at, label=label, answers=shown, tally=tally)
        except Meanwhile:
            return  # Pressed twice: the first one counts.

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
        """Takes back a person's latest label of a task and shows its item again; nothing happens if there is none.

        Raises:
            RapportError: `forbidden` without consent, `not_found` if there is no such task here.
        """
        pool, standing = self._pool(task), self._agreed(annotator)
        given = standing.last(task)
        if given is None:
            return
        tally = Counter({given.label: -1}) if given.label.asked.attention is None else None
        try:
            self._add(annotator, standing, EventKind.TOOK_BACK, took_back=given.sequence, tally=tally)
        except Meanwhile:
            return
        if given.label.asked.data_set == pool.data_set:
            self._desk.show(annotator, self._shown(given.label.asked))

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
            RapportError: `forbidden` of anybody else.
        """
        standing = self.standing(annotator)
        if not standing.may_label():
            raise RapportError(
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

    def _is_there(self, shown: Shown, standing: Standing, pool: Pool) -> bool:
        """Says whether what was shown can still be labelled: the data set may be another one by now."""
        asked = shown.asked
        if asked.data_set != pool.data_set or asked.item_id in standing.done(pool.data_set, asked.task):
            return False
        if asked.attention is not None:
            return self._attention.get(asked.task, asked.item_id) is not None
        return asked.data_sha == pool.data_sha and asked.item_id in pool.names

    def _choose(self, annotator: str, standing: Standing, pool: Pool, task: Task) -> Shown | None:
        """Returns what a person is to be shown next; None if nothing is left."""
        done, skipped = standing.done(pool.data_set, task), self._desk.skipped(annotator, task)
        orders = ORDERS_OF[task]
        asked = {"task": task, "data_set": pool.data_set, "data_sha": pool.data_sha}
        if attention_due(len(done), annotator, task):
            name = attention_left(self._attention.names(task), done | skipped, annotator)
            if name and (item := self._attention.get(task, name)):
                order = drawn_of(orders, annotator, name) if orders else None
                known = item.words(order)
                return self._shown(Asked.model_validate(asked | {"item_id": name, "order": order, "attention": known}))
        counts = _added(pool.counts, self._desk.counts(pool.data_set, task))
        chosen = choose(pool.names, counts, done, skipped, annotator)
        if chosen is None:
            return None
        order = drawn_of(orders, annotator, chosen) if orders else None
        own = {"item_id": chosen, "order": order, "judged": pool.judged(chosen)}
        return self._shown(Asked.model_validate(asked | own))

    def _shown(self, asked: Asked) -> Shown:
        """Returns an item as it is shown from now on."""
        return Shown(token=secrets.token_urlsafe(16), asked=asked, at=self._clock())

    def _pieces(self, asked: Asked, pool: Pool) -> tuple[Piece, ...]:
        """Returns what is shown of an item."""
        if asked.attention is None:
            return pool.pieces(asked.item_id, asked.order)
        item = self._attention.get(asked.task, asked.item_id)
        return item.pieces(asked.order, load_wording().headings) if item else ()


def _added(one: Counts, other: Counts) -> Counts:
    """Returns the counts of two sources together."""
    return {item: Counter(one.get(item, {})) + Counter(other.get(item, {})) for item in {*one, *other}}
