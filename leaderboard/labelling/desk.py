"""Labels in Redis, where the page writes them and the publisher takes them from."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.labelling import keys, scripts
from leaderboard.labelling.records import Label, PersonEvent, Shown, Task
from leaderboard.labelling.standing import standing_of
from leaderboard.store.rows import read_record
from leaderboard.submissions.keys import EPOCH
from leaderboard.submissions.ledger import BeingRestored

log = logging.getLogger("rapport.labels")

_SHOWN_FOR = 30 * 24 * 3600


class Meanwhile(RuntimeError):
    """Something happened to a person's labels since they were looked at."""


class Desk:
    """Reads and writes labels.

    Example:
        >>> Desk(connect("redis://localhost:6379/0")).events("annotator-0a1b2")  # doctest: +SKIP
        ()
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis
        self._append = redis.register_script(scripts.APPEND)
        self._saved = redis.register_script(scripts.SAVED)
        self._show = redis.register_script(scripts.SHOW)
        self._skip = redis.register_script(scripts.SKIP)

    def events(self, annotator: str) -> tuple[PersonEvent, ...]:
        """Returns all that a person has done, the oldest first.

        Raises:
            RapportError: `data_error` if something of it cannot be read.
        """
        return tuple(read_event(value, annotator) for value in self.written(annotator))

    def written(self, annotator: str, first: int = 0) -> list[bytes | str]:
        """Returns what a person has done as it is written, from an event on that is counted from 0."""
        values: list[bytes | str] = self._redis.lrange(keys.events(annotator), first, -1)
        return values

    def append(
        self,
        event: PersonEvent,
        *,
        answers: Shown | None = None,
        tally: Counter[Label] | None = None,
        urgent: bool = False,
    ) -> None:
        """Adds an event to a person's.

        Args:
            event: Its sequence number says how many the person's events were when it was decided on.
            answers: What has to be shown to the person still, and is not any more then.
            tally: Labels that count from now on (1), or no more (-1).
            urgent: Whether it is to be saved at once.

        Raises:
            Meanwhile: If anything has happened since, or something else is shown.
            BeingRestored: While it is not known whether Redis holds all labels.
            RapportError: `infrastructure` while the store cannot be read of the person.
        """
        changes = [(keys.tally(*label.key[:2]), _field(label), by) for label, by in (tally or Counter()).items()]
        names = sorted({name for name, _, _ in changes})
        task = answers.asked.task if answers else Task.RELEVANCE
        fixed = [EPOCH, keys.events(event.annotator), keys.UNSAVED, keys.PEOPLE, keys.URGENT, keys.HELD]
        fixed += [keys.shown(event.annotator, task), keys.just_skipped(event.annotator, task)]
        seen, shown = event.sequence - 1, answers.model_dump_json() if answers else ""
        told = [part for name, field, by in changes for part in (len(fixed) + names.index(name) + 1, field, by)]
        args = [seen, event.model_dump_json(), event.annotator, shown, int(urgent), *told]
        length = self._append(keys=[*fixed, *names], args=args)
        if length == -1:
            raise BeingRestored
        if length == -2:
            raise RapportError(
                Cause.INFRASTRUCTURE,
                "What is stored of your labels cannot be read, so nothing is added to it or taken out of it now.",
                "The maintainers have to mend it first.",
            )
        if not length:
            raise Meanwhile(f"something happened to the labels of {event.annotator}")

    def shown(self, annotator: str, task: Task) -> Shown | None:
        """Returns what a person sees in a task; None if nothing, or something that this version cannot read."""
        value = self._redis.get(keys.shown(annotator, task))
        try:
            return None if value is None else read_record(text(value), Shown, "what is shown")
        except RapportError:
            return None  # Of another version: another item is shown then, and nothing is lost.

    def show(self, annotator: str, shown: Shown, instead_of: Shown | None = None) -> Shown:
        """Notes what a person sees in a task from now on.

        Args:
            annotator: The person.
            shown: What is to be shown.
            instead_of: What is shown so far, as the caller saw it.

        Returns:
            What is shown now: something else if another window was quicker.
        """
        name, value = keys.shown(annotator, shown.asked.task), shown.model_dump_json()
        held = self._show(keys=[name], args=[instead_of.model_dump_json() if instead_of else "", value, _SHOWN_FOR])
        try:
            return read_record(text(held), Shown, "what is shown")
        except RapportError:  # Of another version.
            self._redis.set(name, value, ex=_SHOWN_FOR)
            return shown

    def skip(self, annotator: str, shown: Shown) -> None:
        """Notes that a person does not want to label what is shown: it stands behind all that was skipped before."""
        task = shown.asked.task
        named = [name(annotator, task) for name in (keys.shown, keys.put_off, keys.just_skipped)]
        self._skip(keys=named, args=[shown.model_dump_json(), _member(shown.asked.item_id, shown.asked.data_set)])

    def skipped(self, annotator: str, data_set: str, task: Task) -> tuple[str, ...]:
        """Returns the items of a data set that a person skipped, in that order."""
        return self._items(keys.put_off(annotator, task), data_set)

    def just_skipped(self, annotator: str, data_set: str, task: Task) -> tuple[str, ...]:
        """Returns the items of a data set that a person skipped since the last label, in that order."""
        return self._items(keys.just_skipped(annotator, task), data_set)

    def bring_back(self, annotator: str, shown: Shown) -> None:
        """Shows an item that was skipped, as if it had not been."""
        asked = shown.asked
        member = _member(asked.item_id, asked.data_set)
        with self._redis.pipeline() as pipe:
            pipe.zrem(keys.put_off(annotator, asked.task), member)
            pipe.zrem(keys.just_skipped(annotator, asked.task), member)
            pipe.set(keys.shown(annotator, asked.task), shown.model_dump_json(), ex=_SHOWN_FOR)
            pipe.execute()

    def _items(self, name: str, data_set: str) -> tuple[str, ...]:
        """Returns the items of a data set that stand in a sorted set."""
        found = (text(value).partition(" ") for value in self._redis.zrange(name, 0, -1))
        return tuple(item for item, _, where in found if where == data_set)

    def clear(self, annotator: str) -> None:
        """Forgets what a person sees and skipped."""
        names = (keys.shown, keys.put_off, keys.just_skipped)
        self._redis.delete(*(name(annotator, task) for task in Task for name in names))

    def counts(self, data_set: str, task: Task) -> dict[str, dict[str, int]]:
        """Returns how many people gave each item of a task each word."""
        found: dict[str, dict[str, int]] = {}
        for field, count in self._redis.hgetall(keys.tally(data_set, task)).items():
            word, _, item = text(field).partition(" ")
            if int(count) > 0:
                found.setdefault(item, {})[word] = int(count)
        return found

    def people(self) -> list[str]:
        """Returns all annotators."""
        return sorted(text(value) for value in self._redis.smembers(keys.PEOPLE))

    def unsaved(self) -> list[str]:
        """Returns those of whom the store lacks something."""
        return sorted(text(value) for value in self._redis.smembers(keys.UNSAVED))

    def is_unsaved(self, annotator: str) -> bool:
        """Says whether the store lacks something of a person."""
        return bool(self._redis.sismember(keys.UNSAVED, annotator))

    def held(self) -> Mapping[str, str]:
        """Returns those of whom the store cannot be read, and why."""
        return {text(name): text(why) for name, why in self._redis.hgetall(keys.HELD).items()}

    def hold(self, annotator: str, why: str) -> None:
        """Notes that the store cannot be read of a person: nothing is taken or saved until it can."""
        self._redis.hset(keys.HELD, annotator, why)
        self._redis.sadd(keys.PEOPLE, annotator)

    def let_go(self, annotator: str, saved: int) -> None:
        """Notes that the store can be read of a person and holds so many events."""
        self._redis.hset(keys.SAVED, annotator, saved)
        self._redis.hdel(keys.HELD, annotator)

    def saved(self, annotator: str) -> int:
        """Returns how many events of a person the store is known to hold."""
        return int(self._redis.hget(keys.SAVED, annotator) or 0)

    def urgent(self) -> frozenset[str]:
        """Returns those who have withdrawn, as far as the store does not know it."""
        return frozenset(text(value) for value in self._redis.smembers(keys.URGENT))

    def note_saved(self, annotator: str, events: int) -> None:
        """Notes that the store holds so many of a person's events; what has happened since keeps them unsaved."""
        self._saved(keys=[keys.events(annotator), keys.UNSAVED, keys.URGENT, keys.SAVED], args=[events, annotator])

    def note_unsaved(self, annotator: str) -> None:
        """Notes that the store lacks something of a person."""
        self._redis.sadd(keys.UNSAVED, annotator)

    def replace(self, annotator: str, events: Iterable[PersonEvent]) -> None:
        """Puts events in the place of all that Redis holds of a person."""
        name, values = keys.events(annotator), [event.model_dump_json() for event in events]
        with self._redis.pipeline() as pipe:
            pipe.delete(name)
            if values:
                pipe.rpush(name, *values)
                pipe.sadd(keys.PEOPLE, annotator)
            pipe.execute()

    def forget(self, annotator: str) -> None:
        """Takes out all that Redis holds of a person."""
        self.clear(annotator)
        with self._redis.pipeline() as pipe:
            pipe.delete(keys.events(annotator))
            for name in (keys.PEOPLE, keys.UNSAVED, keys.URGENT):
                pipe.srem(name, annotator)
            for name in (keys.HELD, keys.SAVED):
                pipe.hdel(name, annotator)
            pipe.execute()
        self.count_anew()

    def count_anew(self) -> None:
        """Makes the tallies anew from all labels that stand; to be called while nobody labels.

        What cannot be read is named in the log and counts for nothing.
        """
        tallies: dict[str, Counter[str]] = {}
        for annotator in self.people():
            try:
                standing = standing_of(self.events(annotator))
            except RapportError as error:
                log.error("not counted: %s", error)
                continue
            for given in standing.labels:
                if given.label.asked.attention is None:
                    tallies.setdefault(keys.tally(*given.label.key[:2]), Counter())[_field(given.label)] += 1
        old = list(self._redis.scan_iter(keys.tally("*", Task.RELEVANCE).replace(Task.RELEVANCE, "*"), count=1000))
        with self._redis.pipeline() as pipe:
            if old:
                pipe.delete(*old)
            for name, counts in tallies.items():
                pipe.hset(name, items=[part for pair in counts.items() for part in pair])
            pipe.execute()


def read_event(value: bytes | str, annotator: str) -> PersonEvent:
    """Reads an event.

    Raises:
        RapportError: `data_error` if it is none.
    """
    return read_record(value, PersonEvent, f"an event of {annotator}")


def _member(item_id: str, data_set: str) -> str:
    """Returns how an item stands among those that were skipped; no name of an item holds a space."""
    return f"{item_id} {data_set}"


def _field(label: Label) -> str:
    """Returns the field of a tally: the word as it means the same to everybody, and the item."""
    word = str(label.rating.value) if label.rating else label.outcome or label.word
    return f"{word} {label.asked.item_id}"
