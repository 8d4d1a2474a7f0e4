"""Objections in Redis, where pages and the command line write them and the publisher takes them from."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from redis import Redis
from redis.client import Pipeline

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.maintaining.records import Act
from leaderboard.objections import scripts
from leaderboard.objections.records import Decision, Objection
from leaderboard.store.readable import Readable
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys

log = logging.getLogger("rapport.objections")


class Listed(NamedTuple):
    """A part of a list of objections."""

    objections: tuple[Objection, ...]
    total: int
    """How many the whole list has."""
    unreadable: int = 0
    """Those of this part that cannot be read; the log names them."""


class Known(NamedTuple):
    """What Redis knows of the objections to one answer."""

    own: Objection | None
    """That of whoever asks."""
    accepted: tuple[Objection, ...]
    """Everybody's that were accepted, the oldest first."""


class Unsaved(NamedTuple):
    """An objection that the store does not hold as it is."""

    objection: Objection
    value: bytes | str
    """As it stands in Redis."""


class ObjectionDesk:
    """Reads and writes objections.

    Example:
        >>> ObjectionDesk(redis).waiting().total  # doctest: +SKIP
        0
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis
        self._readable = Readable(Objection, log, "objection", lambda each: each.id)
        self._enter = redis.register_script(scripts.ENTER)
        self._reply = redis.register_script(scripts.REPLY)
        self._saved = redis.register_script(scripts.SAVED)

    def enter(self, objection: Objection, since: float, until: float, a_person: int, waiting: int) -> str:
        """Enters an objection; returns `entered`, or why it is not: `lost`, `known`, `quota` or `full`.

        Args:
            objection: What is entered.
            since: Others of the person count that were made after this moment, in seconds since 1970,
            until: and before this one.
            a_person: How many of these there may be, this one among them.
            waiting: How many may wait for maintainers, whoever made them.
        """
        name = objection.id
        return text(
            self._enter(
                keys=[
                    *(keys.EPOCH, keys.objection(name), keys.OBJECTIONS, keys.OBJECTIONS_WAITING),
                    keys.OBJECTIONS_UNSAVED,
                    *(keys.objections_by(objection.person), keys.objections_about(objection.submitter)),
                ],
                args=[
                    *(name, objection.model_dump_json(), repr(objection.at.timestamp())),
                    *(f"({since!r}", repr(until), a_person, waiting),
                ],
            )
        )

    def reply(self, seen: Objection, replied: Objection, act: Act | None) -> str:
        """Keeps what was said to an objection; returns `replied`, or why not: `lost` or `moved`.

        Args:
            seen: The objection that was decided about.
            replied: The same with the reply.
            act: The entry for the log of maintainers.

        Raises:
            RapportError: As of `get`.
        """
        name, reply = seen.id, replied.reply
        assert reply is not None, "somebody has replied"
        value, known = self._get(name)
        if known != seen:
            return "moved"
        entry = (keys.ACTS, act.model_dump_json()) if act else ("", "")
        return text(
            self._reply(
                keys=[
                    *(keys.EPOCH, keys.objection(name), keys.OBJECTIONS_WAITING, keys.OBJECTIONS_UNSAVED),
                    keys.objections_accepted(seen.scorecard_id, seen.question_id),
                ],
                args=[
                    *(name, value, replied.model_dump_json(), repr(reply.at.timestamp())),
                    *(int(reply.decision is Decision.ACCEPTED), *entry),
                ],
            )
        )

    def get(self, objection_id: str) -> Objection:
        """Returns an objection.

        Raises:
            RapportError: `not_found`; `data_error` if it cannot be read.
        """
        return self._get(objection_id)[1]

    def known(self, own: str | None, scorecard_id: str, question_id: str) -> Known:
        """Returns what there is on one answer; what cannot be read is left out.

        Args:
            own: Id of the objection of whoever asks; None if nobody is logged in.
            scorecard_id: The run with its judge.
            question_id: The question.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.zrange(keys.objections_accepted(scorecard_id, question_id), 0, -1)
            pipe.get(keys.objection(own or ""))
            answers: list[Any] = pipe.execute()
        names, mine = answers
        found = self._readable.of({own: mine}) if own and mine is not None else {}
        return Known(found.get(own or ""), self._read([text(name) for name in names]))

    def waiting(self, start: int = 0, count: int = 50) -> Listed:
        """Returns objections that nobody has replied to, the oldest first: who has waited longest comes first."""
        return self._list(keys.OBJECTIONS_WAITING, start, count, oldest_first=True)

    def all(self, start: int = 0, count: int = 50) -> Listed:
        """Returns all objections, the newest first."""
        return self._list(keys.OBJECTIONS, start, count)

    def by(self, person: str, start: int = 0, count: int = 50) -> Listed:
        """Returns a person's objections, the newest first."""
        return self._list(keys.objections_by(person), start, count)

    def about(self, submitter: str, start: int = 0, count: int = 50) -> Listed:
        """Returns the objections about a submitter's results, the newest first."""
        return self._list(keys.objections_about(submitter), start, count)

    def nth_last_of(self, person: str, window: tuple[float, float], number: int) -> float | None:
        """Returns when the last but `number` - 1 of a person's objections was made, of those within a window.

        Args:
            person: Who made them.
            window: After which moment and up to which one, in seconds since 1970.
            number: 1 for the last one.
        """
        index, bounds = keys.objections_by(person), (f"({window[0]!r}", repr(window[1]))
        place = int(self._redis.zcount(index, *bounds)) - number
        found: Any = ()
        if place >= 0:
            found = self._redis.zrangebyscore(index, *bounds, start=place, num=1, withscores=True)
        return next((float(score) for _, score in found), None)

    def unsaved(self) -> tuple[Unsaved, ...]:
        """Returns those that the store does not hold; what cannot be read is logged once, and goes on waiting."""
        names = sorted(text(name) for name in self._redis.smembers(keys.OBJECTIONS_UNSAVED))
        values = self._values(names)
        return tuple(Unsaved(each, values[name]) for name, each in self._readable.of(values).items())

    def note_saved(self, saved: Iterable[Unsaved]) -> None:
        """Notes what the store holds; what has happened to one since is saved later."""
        with self._redis.pipeline(transaction=False) as pipe:
            for each in saved:
                name = each.objection.id
                self._saved(keys=[keys.objection(name), keys.OBJECTIONS_UNSAVED], args=[name, each.value], client=pipe)
            pipe.execute()

    def put(self, objection: Objection, *, unsaved: bool) -> None:
        """Puts an objection where it belongs, whatever is there: as the store has it, or as both come to."""
        name, at = objection.id, objection.at.timestamp()
        with self._redis.pipeline() as pipe:
            _take_out(pipe, objection)
            pipe.set(keys.objection(name), objection.model_dump_json())
            for index in _indexes(objection):
                pipe.zadd(index, {name: at})
            if reply := objection.reply:
                if reply.decision is Decision.ACCEPTED:
                    accepted = keys.objections_accepted(objection.scorecard_id, objection.question_id)
                    pipe.zadd(accepted, {name: reply.at.timestamp()})
            else:
                pipe.zadd(keys.OBJECTIONS_WAITING, {name: at})
            if unsaved:
                pipe.sadd(keys.OBJECTIONS_UNSAVED, name)
            pipe.execute()

    def forget(self, objections: Iterable[Objection]) -> None:
        """Takes objections out for good."""
        with self._redis.pipeline() as pipe:
            for each in objections:
                _take_out(pipe, each)
            pipe.execute()

    def everything(self) -> tuple[Objection, ...]:
        """Returns all objections that can be read, the newest first."""
        return self._list(keys.OBJECTIONS, 0, -1).objections

    def _list(self, index: str, start: int, count: int, *, oldest_first: bool = False) -> Listed:
        """Reads a part of a list, which ends with it; a negative count is all of it."""
        total = int(self._redis.zcard(index))
        end = total if count < 0 else start + count
        ranged = self._redis.zrange if oldest_first else self._redis.zrevrange
        names = ranged(index, start, end - 1) if start < end else []
        found = self._read([text(name) for name in names])
        return Listed(found, total, len(names) - len(found))

    def _read(self, names: Sequence[str]) -> tuple[Objection, ...]:
        """Reads some objections; those that are gone or cannot be read are left out."""
        return tuple(self._readable.of(self._values(names)).values())

    def _values(self, names: Sequence[str]) -> dict[str, bytes | str]:
        """Returns some objections as they stand in Redis, by name; those that are gone are left out."""
        values = self._redis.mget([keys.objection(name) for name in names]) if names else []
        return {name: value for name, value in zip(names, values, strict=True) if value is not None}

    def _get(self, objection_id: str) -> tuple[bytes | str, Objection]:
        """Returns an objection as it stands in Redis, and what that says.

        Raises:
            RapportError: As of `get`.
        """
        value = self._redis.get(keys.objection(objection_id))
        if value is None:
            raise RapportError(
                Cause.NOT_FOUND, "There is no such objection.", "The list of objections has all that there are."
            )
        return value, read_record(value, Objection, f"objection {objection_id[:40]}")


def _indexes(objection: Objection) -> tuple[str, ...]:
    """Returns the lists in which an objection stands for good, by when it was made."""
    return keys.OBJECTIONS, keys.objections_by(objection.person), keys.objections_about(objection.submitter)


def _take_out(pipe: Pipeline, objection: Objection) -> None:
    """Takes an objection out of wherever it may stand."""
    name = objection.id
    accepted = keys.objections_accepted(objection.scorecard_id, objection.question_id)
    for index in (*_indexes(objection), keys.OBJECTIONS_WAITING, accepted):
        pipe.zrem(index, name)
    pipe.srem(keys.OBJECTIONS_UNSAVED, name)
    pipe.delete(keys.objection(name))
