"""What was worked out of judges, on the way to the archive: maintainers leave it in Redis, the publisher stores it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from redis import Redis

from evaluator.errors import RapportError
from evaluator.judges.canaries import JudgeCheck
from leaderboard.connection import text
from leaderboard.judge_board.records import ComputedQuality
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store, StoreCorrupt
from leaderboard.store.readable import Readable
from leaderboard.store.rows import Row, read_record
from leaderboard.submissions import keys
from leaderboard.upkeep.places import Sort, place_of

log = logging.getLogger("rapport.judges")


class JudgeQualities:
    """Qualities in Redis.

    Example:
        >>> JudgeQualities(redis).put([computed])  # doctest: +SKIP
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis
        self._readable = Readable(ComputedQuality, log, "quality of", lambda each: each.name)

    def put(self, computed: Iterable[ComputedQuality]) -> None:
        """Keeps qualities, each in the place of what was known of that version; all of them or none."""
        found = list(computed)
        if not found:
            return
        with self._redis.pipeline() as pipe:
            pipe.hset(keys.JUDGE_QUALITY, mapping={each.name: each.model_dump_json() for each in found})
            pipe.sadd(keys.JUDGE_QUALITY_UNSAVED, *(each.name for each in found))
            pipe.execute()

    def all(self) -> dict[str, ComputedQuality]:
        """Returns all qualities, by the name of the version.

        Raises:
            RapportError: `data_error` if one cannot be read.
        """
        return {
            text(name): read_record(value, ComputedQuality, f"quality of {text(name)}")
            for name, value in self._redis.hgetall(keys.JUDGE_QUALITY).items()
        }

    def unsaved(self) -> dict[str, ComputedQuality]:
        """Returns those that the archive does not hold; what cannot be read is logged once, and goes on waiting."""
        waiting = sorted(text(name) for name in self._redis.smembers(keys.JUDGE_QUALITY_UNSAVED))
        values = self._redis.hmget(keys.JUDGE_QUALITY, waiting) if waiting else []
        found = zip(waiting, values, strict=True)
        return self._readable.of({name: value for name, value in found if value is not None})

    def note_saved(self, saved: Mapping[str, ComputedQuality]) -> None:
        """Notes that the archive holds some; one that was replaced meanwhile goes on waiting."""
        present = self.unsaved()
        if done := [name for name, each in saved.items() if present.get(name) == each]:
            self._redis.srem(keys.JUDGE_QUALITY_UNSAVED, *done)

    def restore(self, store: Store) -> None:
        """Takes in what the archive holds, but for what waits here to replace it."""
        waiting = {text(name) for name in self._redis.smembers(keys.JUDGE_QUALITY_UNSAVED)}
        if held := [each for each in read_qualities(store) if each.name not in waiting]:
            self._redis.hset(keys.JUDGE_QUALITY, mapping={each.name: each.model_dump_json() for each in held})


def read_qualities(store: Store) -> list[ComputedQuality]:
    """Returns what an archive holds of judges, by their names; what cannot be read is logged, and holds up nothing.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    return _readable(store, Sort.JUDGE_QUALITY, ComputedQuality)


def read_checks(store: Store) -> list[JudgeCheck]:
    """Returns what canaries said of judges, as an archive holds it; likewise."""
    return _readable(store, Sort.JUDGE_CHECK, JudgeCheck)


def _readable(store: Store, sort: Sort, kind: type[Row]) -> list[Row]:
    """Returns the records of a sort that can be read."""
    paths = [path for path in store.list(layout.JUDGES) if (place := place_of(path)) and place.sort is sort]
    found = []
    for path in sorted(paths):
        try:
            found.append(read_record(store.read(path), kind, path))
        except (RapportError, NotFound, StoreCorrupt) as error:
            log.error("not told of judges: %s", error)
    return found
