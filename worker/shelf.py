"""What of ended runs is kept in Redis, and for how long: rows are many, and the store holds them too.

A run that has a result, or was withdrawn, is forgotten as soon as that is saved. One that failed or was cancelled may
be taken up again, and is forgotten some days after its end: it is then *shelved*, and no worker may take it before the
publisher has brought its plan and rows back from the store.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Any

from redis import Redis

from leaderboard.connection import text
from leaderboard.records import Lane, State, now, submission_of
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.states import ENDED
from worker.outbox import Outbox

FOR_GOOD = 0.0
"""When a run ended with which nobody will go on."""
KEPT_FOR = datetime.timedelta(days=7)

_OF_RUN = (keys.plan, keys.marks, keys.log)
_OF_TRIALS = (keys.trouble, keys.killed, keys.crashed, keys.crowded, keys.pause)
_OF_LANE = (keys.done, keys.grants)

# KEYS: state, unsaved, outbox, ended, shelved, then all that is dropped, batches first.
# ARGV: run, its submission, the newest entry of the outbox among which none is the run's ('-' for none), whether it is
# for good, the states that are ends.
# Drops nothing of a run that goes on, whose end is not saved, or of which a batch is not stored.
_FORGET = """
local state, ended = redis.call('GET', KEYS[1]), false
for place = 5, #ARGV do ended = ended or state == ARGV[place] end
if not ended then
  redis.call('ZREM', KEYS[4], ARGV[1])
  return 0
end
if redis.call('SISMEMBER', KEYS[2], ARGV[2]) == 1 then return 0 end
for _, entry in ipairs(redis.call('XRANGE', KEYS[3], ARGV[3], '+')) do
  if entry[2][2] == ARGV[1] then return 0 end
end
if ARGV[4] == '0' and redis.call('EXISTS', KEYS[6]) == 1 then redis.call('SADD', KEYS[5], ARGV[1]) end
for place = 6, #KEYS do redis.call('DEL', KEYS[place]) end
redis.call('ZREM', KEYS[4], ARGV[1])
return 1
"""


def ends_of(history: History) -> dict[str, float]:
    """Returns when the runs of a submission that have ended did, in seconds since 1970; `FOR_GOOD` if that is final.

    Example:
        >>> ends_of(history)  # doctest: +SKIP
        {'s-20260101-0a1b2c3d.demo-v1': 1767261600.0}
    """
    last = {step.run_id: step for step in history.transitions}
    final = {run_id for run_id, step in last.items() if history.withdrawn or step.after is State.PUBLISHED}
    return {
        run_id: FOR_GOOD if run_id in final else step.at.timestamp()
        for run_id, step in last.items()
        if step.after in ENDED
    }


class Shelf:
    """Forgets what is in the store as well, in time.

    Example:
        >>> shelf = Shelf(redis, datetime.timedelta(days=7))  # doctest: +SKIP
        >>> shelf.note(histories)  # doctest: +SKIP
        >>> shelf.clear()  # doctest: +SKIP
    """

    def __init__(self, redis: Redis, kept: datetime.timedelta = KEPT_FOR) -> None:
        """Keeps what failed or was cancelled for as long as `kept` says."""
        self._redis, self._outbox, self._kept = redis, Outbox(redis), kept
        self._forget = redis.register_script(_FORGET)

    def note(self, histories: Iterable[History]) -> None:
        """Notes which runs have ended, by histories that the store holds."""
        if ends := {run_id: end for history in histories for run_id, end in ends_of(history).items()}:
            self._redis.zadd(keys.ENDED, ends)

    def clear(self) -> None:
        """Forgets what ended long enough ago, once its end is saved and its rows are stored."""
        due: Any = self._redis.zrangebyscore(keys.ENDED, "-inf", self._long_ago(), withscores=True)
        if not due:
            return
        waiting = self._outbox.waiting()
        newest = f"({waiting[-1].entry}" if waiting else "-"
        held = {entry.run_id for entry in waiting}
        with self._redis.pipeline(transaction=False) as pipe:
            for name, end in due:
                if (run_id := text(name)) not in held:
                    self._forget(
                        keys=[keys.state(run_id), keys.UNSAVED, keys.OUTBOX, keys.ENDED, keys.SHELVED, *_names(run_id)],
                        args=[run_id, submission_of(run_id), newest, int(end == FOR_GOOD), *ENDED],
                        client=pipe,
                    )
            pipe.execute()

    def shelved(self, run_ids: Sequence[str]) -> list[str]:
        """Returns which of some runs are in the store alone."""
        found = self._redis.smismember(keys.SHELVED, list(run_ids)) if run_ids else []
        return [run_id for run_id, is_shelved in zip(run_ids, found, strict=True) if is_shelved]

    def empty(self) -> None:
        """Drops all that was noted: an older copy of Redis may tell of it."""
        self._redis.delete(keys.ENDED, keys.SHELVED)

    def sort(self, histories: Iterable[History]) -> list[str]:
        """Notes ends anew, and shelves what ended long ago; returns the runs whose rows are needed, or may be soon."""
        known, needed, shelved = list(histories), list[str](), list[str]()
        self.note(known)
        for history in known:
            ends = ends_of(history)
            for run_id in history.states:
                end = ends.get(run_id)
                if end is not None and FOR_GOOD < end <= self._long_ago():
                    shelved.append(run_id)
                elif end != FOR_GOOD and not history.withdrawn:
                    needed.append(run_id)
        if shelved:
            self._redis.sadd(keys.SHELVED, *shelved)
        return needed

    def _long_ago(self) -> float:
        """Returns the moment before which a run must have ended to be forgotten, in seconds since 1970."""
        return (now() - self._kept).timestamp()


def _names(run_id: str) -> list[str]:
    """Names all that only the work on a run needs, its batches first; how far it came stays for its page."""
    rest = [name(run_id) for name in (*_OF_RUN, *_OF_TRIALS)]
    return [keys.batches(run_id), *rest, *(name(run_id, lane) for name in _OF_LANE for lane in Lane)]
