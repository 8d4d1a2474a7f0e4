"""Failures that do not end a run at once: it is tried again a few times, with pauses, or on a larger worker."""

from __future__ import annotations

import datetime
import logging
from typing import NamedTuple

from redis import Redis

from evaluator.engines.child import Crashed, Killed
from evaluator.errors import Cause, RapportError
from leaderboard.records import Failure, Trial, now
from leaderboard.submissions import keys
from leaderboard.submissions.trials import note_trial

log = logging.getLogger("rapport.worker")

MOST_RETRIES = 3
FIRST_PAUSE_SECONDS = 5.0
_KEPT_SECONDS = 30 * 24 * 3600
"""How long it is remembered how an engine ended."""


class _Count(NamedTuple):
    """How failures of one kind are counted."""

    key: str
    most: int
    """How often a run is tried again."""


def _count_of(run_id: str, error: RapportError) -> _Count | None:
    """Returns how a failure is counted; None for one after which nothing is tried again.

    An engine that was killed is tried again once: it may have been a neighbour that took the memory. Its count and that
    of engines which ended by themselves are not forgotten at the next row: whoever made the weights decides when.
    """
    if isinstance(error, Killed):
        return _Count(keys.killed(run_id), 1)
    if isinstance(error, Crashed):
        return _Count(keys.crashed(run_id), MOST_RETRIES)
    return _Count(keys.trouble(run_id), MOST_RETRIES) if error.cause.passes else None


class Troubles:
    """Counts failures in a row and notes each in the history; a row that comes back sets most counts to zero."""

    def __init__(self, redis: Redis, actor: str = "worker", first_pause: float = FIRST_PAUSE_SECONDS) -> None:
        """Notes them in the name of `actor`; the pause begins at `first_pause` seconds and doubles."""
        self._redis, self._actor, self._first_pause = redis, actor, first_pause

    def may_try_again(self, run_id: str, error: RapportError) -> bool:
        """Notes a failure; says whether the run is to be tried again instead of ended.

        The reaper invites to the run again once the pause is over.
        """
        count = _count_of(run_id, error)
        if count is None:
            return False
        times: int = self._redis.incr(count.key)
        if times > count.most:
            self._redis.delete(count.key)
            return False
        if count.key != keys.trouble(run_id):
            self._redis.pexpire(count.key, 1000 * _KEPT_SECONDS)
        pause = self._first_pause * 2 ** (times - 1)
        self._redis.set(keys.pause(run_id), error.cause, px=int(1000 * pause))
        self.note(run_id, error, times, count.most + 1, pause)
        return True

    def note(self, run_id: str, error: RapportError, number: int, most: int, pause: float = 0.0) -> None:
        """Enters into the history that a try came to nothing: the `number`th of at most `most`."""
        trial = Trial(
            run_id=run_id,
            failure=Failure(cause=error.cause, message=error.message, remedy=error.remedy),
            number=number,
            most=most,
            resumes_at=now() + datetime.timedelta(seconds=pause),
        )
        note_trial(self._redis, self._actor, trial)
        log.warning("%s: %s %s", run_id, error, trial.told)

    def pausing(self, run_id: str) -> bool:
        """Says whether a run waits before it is tried again."""
        return bool(self._redis.exists(keys.pause(run_id)))


def last_word(error: RapportError, answered: bool) -> RapportError:
    """Returns what a run ends with that is not tried again: an engine that ended by itself is then the model's fault.

    Args:
        error: What the last try ended with.
        answered: Whether the model has ever given an answer.

    Example:
        >>> died = Crashed(Cause.INFRASTRUCTURE, "The engine ended unexpectedly with code 7.", "Try again.")
        >>> last_word(died, answered=False).cause, last_word(died, answered=True).cause
        (<Cause.LOAD_ERROR: 'load_error'>, <Cause.CRASHED: 'crashed'>)
    """
    if not isinstance(error, Crashed):
        return error
    remedy = "Check that the model loads and answers in the engine's pinned version; its log's last lines are here."
    return RapportError(Cause.CRASHED if answered else Cause.LOAD_ERROR, f"{error.message} So did each try.", remedy)
