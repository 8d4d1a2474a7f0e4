"""Re-scores in Redis: what they are, as in the archive, and which judgings are open now, which stands here alone."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from redis import Redis
from redis.client import Pipeline

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.maintaining.desk import append, place_of_next
from leaderboard.maintaining.records import Act
from leaderboard.records import Failure, Lane, now
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStatus, RescoreStep
from leaderboard.store.readable import Readable
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys

log = logging.getLogger("rapport.publisher")

IN_HAND = frozenset({RescoreStatus.RUNNING, RescoreStatus.PAUSED, RescoreStatus.COMPLETED})
"""Statuses of which something is still to be decided."""


class RescoreMovedMeanwhile(RapportError):
    """Something happened to a re-score since it was looked at."""

    def __init__(self, rescore: Rescore) -> None:
        """Says where it stands."""
        super().__init__(
            Cause.INFRASTRUCTURE,
            f"{rescore.id} is {rescore.status} by now: somebody else has decided meanwhile.",
            "Look at it again with `rapport rescore status`.",
        )


class RescoreProgress(NamedTuple):
    """How far a re-score is."""

    done: int
    """Runs with a scorecard."""
    failed: int
    runs: int
    verdicts: int
    """Of the judgings that are open now."""
    verdicts_wanted: int
    """Likewise."""


class Seen(NamedTuple):
    """What stands in Redis at one moment."""

    rescores: tuple[Rescore, ...]
    """All of them that can be read, the oldest first."""
    unsaved: frozenset[str]
    """Ids of those with news that the archive does not hold."""
    checks_unsaved: bool
    """Whether that is so of a check of a judge."""
    qualities_unsaved: bool = False
    """Whether that is so of what was worked out of a judge."""
    acts: int = 0
    """How long the log of what maintainers do is."""
    objections_unsaved: bool = False
    """Whether the archive does not hold an objection as it is."""

    def with_status(self, *statuses: RescoreStatus) -> list[Rescore]:
        """Returns the re-scores that stood at one of some statuses."""
        return [rescore for rescore in self.rescores if rescore.status in statuses]


class RescoreDesk:
    """Reads and changes re-scores.

    Example:
        >>> RescoreDesk(redis).all()  # doctest: +SKIP
        ()
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis
        self._readable = Readable(Rescore, log, "re-score", lambda each: each.id)

    def all(self) -> tuple[Rescore, ...]:
        """Returns every re-score, the oldest first.

        Raises:
            RapportError: `data_error` if one cannot be read.
        """
        return _read(self._redis.hgetall(keys.RESCORES))

    def readable(self) -> tuple[Rescore, ...]:
        """Returns every re-score that can be read, the oldest first; of the others each is logged once."""
        return _by_age(self._readable.of(self._redis.hgetall(keys.RESCORES)).values())

    def look(self) -> Seen:
        """Returns all that a publisher has to know at each step, in one round trip.

        A re-score that cannot be read is logged once and left out: nothing is done for it, and all else goes on.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.RESCORES)
            pipe.smembers(keys.RESCORES_UNSAVED)
            pipe.exists(keys.JUDGE_CHECKS_UNSAVED)
            pipe.exists(keys.JUDGE_QUALITY_UNSAVED)
            pipe.llen(keys.ACTS)
            pipe.exists(keys.OBJECTIONS_UNSAVED)
            values, unsaved, checks, qualities, acts, objections = pipe.execute()
        readable = _by_age(self._readable.of(values).values())
        return Seen(readable, frozenset(map(text, unsaved)), bool(checks), bool(qualities), acts, bool(objections))

    def get(self, rescore_id: str) -> Rescore:
        """Returns a re-score.

        Raises:
            RapportError: `not_found`; `data_error` if it cannot be read.
        """
        if (found := self.find(rescore_id)) is None:
            raise RapportError(
                Cause.NOT_FOUND, f"There is no re-score {rescore_id}.", "See them all with `rapport rescore status`."
            )
        return found

    def find(self, rescore_id: str) -> Rescore | None:
        """Returns a re-score; None if Redis does not know it.

        Raises:
            RapportError: `data_error` if it cannot be read.
        """
        value = self._redis.hget(keys.RESCORES, rescore_id)
        return None if value is None else read_record(value, Rescore, f"re-score {rescore_id}")

    def with_status(self, *statuses: RescoreStatus) -> list[Rescore]:
        """Returns the re-scores that stand at one of some statuses, the oldest first; of those that can be read."""
        return [rescore for rescore in self.readable() if rescore.status in statuses]

    def enter(self, rescore: Rescore, act: Act | None = None) -> None:
        """Enters a new re-score; the archive has it as soon as the publisher comes to it.

        Args:
            rescore: What is entered.
            act: The entry for the log of maintainers; None where no person does it.

        Raises:
            RapportError: `data_error` if another one by the same judge has some of its runs in hand, however close
                together both were begun.
        """

        def add(pipe: Pipeline) -> None:
            for other in _read(pipe.hgetall(keys.RESCORES)):
                if other.status in IN_HAND and other.judge == rescore.judge and {*rescore.runs} & {*other.runs}:
                    raise RapportError(
                        Cause.DATA_ERROR,
                        f"{other.id} by {rescore.judge} has some of these runs in hand ({other.status}).",
                        "Wait for it, promote it, or discard it first: what it has judged is not asked again.",
                    )
            place = place_of_next(pipe) if act else 0
            pipe.multi()
            pipe.hset(keys.RESCORES, rescore.id, rescore.model_dump_json())
            pipe.sadd(keys.RESCORES_UNSAVED, rescore.id)
            if act:
                append(pipe, act, place)

        self._redis.transaction(add, keys.RESCORES, *_log(act))

    def note(
        self,
        rescore_id: str,
        step: RescoreStep,
        actor: str,
        reason: str = "",
        *,
        seen: Rescore | None = None,
        run_id: str | None = None,
        failure: Failure | None = None,
        act: Act | None = None,
    ) -> Rescore:
        """Adds what happened to a re-score, if that may follow.

        Args:
            rescore_id: The re-score.
            step: What happened.
            actor: Who did it.
            reason: Why, in that person's words.
            seen: What a person saw when deciding; None where what happened meanwhile does not matter.
            run_id: The run that failed.
            failure: Why something failed.
            act: The entry for the log of maintainers; None where no person does it.

        Raises:
            RescoreMovedMeanwhile: If it stands elsewhere by now.
            RapportError: As of `get`.
        """
        changed: list[Rescore] = []

        def add(pipe: Pipeline) -> None:
            value = pipe.hget(keys.RESCORES, rescore_id)
            rescore = read_record(value, Rescore, rescore_id) if value is not None else self.get(rescore_id)
            if step not in rescore.next or (seen is not None and seen.events != rescore.events):
                raise RescoreMovedMeanwhile(rescore)
            event = RescoreEvent(
                sequence=len(rescore.events) + 1,
                step=step,
                at=now(),
                actor=actor,
                reason=reason,
                run_id=run_id,
                failure=failure,
            )
            new = rescore.model_copy(update={"events": (*rescore.events, event)})
            place = place_of_next(pipe) if act else 0
            pipe.multi()
            pipe.hset(keys.RESCORES, rescore_id, new.model_dump_json())
            pipe.sadd(keys.RESCORES_UNSAVED, rescore_id)
            if act:
                append(pipe, act, place)
            changed.append(new)

        self._redis.transaction(add, keys.RESCORES, *_log(act))
        return changed[-1]

    def note_saved(self, rescores: Iterable[Rescore]) -> None:
        """Notes what the archive holds by now; what has happened since stays unsaved."""
        for rescore in rescores:
            if self.get(rescore.id).events == rescore.events:
                self._redis.srem(keys.RESCORES_UNSAVED, rescore.id)

    def restore(self, saved: Iterable[Rescore]) -> int:
        """Takes in re-scores as the archive holds them, where it knows more; returns of how many that was so.

        What is told by Redis alone is saved anew. Of what cannot be read here, the archive's copy takes the place.
        """
        stored, changed = {rescore.id: rescore for rescore in saved}, 0
        live = {rescore.id: rescore for rescore in self.readable()}
        for name in sorted({*stored, *live}):
            mine, theirs = live.get(name), stored.get(name)
            if theirs is not None and (mine is None or len(mine.events) < len(theirs.events)):
                self._redis.hset(keys.RESCORES, name, theirs.model_dump_json())
                changed += 1
            elif mine != theirs:
                self._redis.sadd(keys.RESCORES_UNSAVED, name)
        return changed

    def judgings(self, rescore_id: str) -> list[str]:
        """Returns the judgings of a re-score that are open now, sorted."""
        return sorted(map(text, self._redis.smembers(keys.judgings(rescore_id))))

    def close(self, judgings: Collection[str], rescore_id: str) -> None:
        """Drops judgings with all that Redis holds of them, and ends their leases: no row is taken any more."""
        if not judgings:
            return
        with self._redis.pipeline(transaction=False) as pipe:
            for name in judgings:
                pipe.hget(keys.progress(name), "shards")
            counts = [int(count or 0) for count in pipe.execute()]
        with self._redis.pipeline() as pipe:
            for name, count in zip(judgings, counts, strict=True):
                for number in range(count):
                    pipe.delete(keys.lease(f"{name}.{number:04d}", Lane.JUDGE))
                pipe.delete(keys.plan(name), keys.batches(name), keys.progress(name), keys.marks(name))
                for lane in Lane:
                    pipe.delete(keys.done(name, lane), keys.grants(name, lane))
            pipe.srem(keys.judgings(rescore_id), *judgings)
            pipe.execute()

    def progress(self, rescore: Rescore) -> RescoreProgress:
        """Returns how far a re-score is."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(keys.rescored(rescore.id))
            for name in self.judgings(rescore.id):
                pipe.hmget(keys.progress(name), "verdicts", "verdicts_wanted")
            done, *counts = pipe.execute()
        given, wanted = (
            ([int(count or 0) for count in column] for column in zip(*counts, strict=True)) if counts else ((), ())
        )
        return RescoreProgress(int(done or 0), len(rescore.failed), len(rescore.runs), sum(given), sum(wanted))


def _log(act: Act | None) -> tuple[str, ...]:
    """Names the log of maintainers, which nobody else may append to while an entry is given its place."""
    return (keys.ACTS,) if act else ()


def _read(values: Mapping[Any, Any]) -> tuple[Rescore, ...]:
    """Reads re-scores, the oldest first."""
    found = (read_record(value, Rescore, f"re-score {text(name)}") for name, value in values.items())
    return _by_age(found)


def _by_age(rescores: Iterable[Rescore]) -> tuple[Rescore, ...]:
    """Returns re-scores, the oldest first."""
    return tuple(sorted(rescores, key=lambda rescore: (rescore.created_at, rescore.id)))
