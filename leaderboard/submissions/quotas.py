"""How many submissions are accepted: of each person and of all together, within some days.

What counts stands in two sorted sets, by the time of the submission. They are derived: what a failure of ours has ended
leaves them when its end is saved, and after a loss of Redis they are made anew from the histories.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.protocol import is_reference
from leaderboard.people import Person
from leaderboard.records import State, Submission, Transition
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.states import ENDED

MAINTAINER = "maintainer"
"""Who submits from the command line: whoever knows the Redis of the leaderboard."""

OUR_FAULT = frozenset({Cause.INFRASTRUCTURE, Cause.DISK_FULL, Cause.JUDGE_ERROR, Cause.DATA_ERROR})
"""Causes that cost a submitter nothing.

A time-out costs: each try has held a worker for hours without a row, and nothing tells a slow machine from a model
that never ends. So does whatever the model itself is to blame for.
"""


class Quota(NamedTuple):
    """How many submissions within the window count, and how many may."""

    used: int
    limit: int
    next_at: datetime.datetime | None
    """When the next one is accepted; None if it is now."""


class Limits(NamedTuple):
    """How many submissions are accepted."""

    of_one: int
    """Of one person."""
    of_all: int
    """Of all together."""
    days: int
    """Within so many days."""

    @property
    def window(self) -> datetime.timedelta:
        """How long a submission counts."""
        return datetime.timedelta(days=self.days)

    def bounds(self, at: datetime.datetime) -> tuple[str, str]:
        """Returns between which scores submissions count at a moment.

        Times yet to come were told by a clock that was wrong, then or now: they count, but none counts for longer than
        two windows.
        """
        return f"({(at - self.window).timestamp()!r}", repr((at + self.window).timestamp())


def limits_of(settings: Settings) -> Limits:
    """Returns the limits that the settings name."""
    return Limits(settings.quota_per_user, settings.quota_all, settings.quota_days)


class Quotas(NamedTuple):
    """What a person may still submit."""

    own: Quota
    """The person's."""
    everyone: Quota
    """That of all submitters together."""

    def refusal(self) -> RapportError | None:
        """Says why the next submission is refused; None if it is accepted."""
        if self.own.next_at:
            return _refusal(self.own, "You have used", self.own.next_at)
        if self.everyone.next_at:
            return _refusal(self.everyone, "All submitters together have used", self.everyone.next_at)
        return None


def _refusal(quota: Quota, who: str, next_at: datetime.datetime) -> RapportError:
    """Says that a quota is used up, and until when."""
    return RapportError(
        Cause.QUOTA,
        f"{who} {quota.used} of the {quota.limit} submissions that are accepted at a time.",
        f"The next one is accepted from {minute(next_at)} on; failures that are our fault do not count.",
    )


def minute(at: datetime.datetime) -> str:
    """Writes a moment that has to come first: in whole minutes, never earlier.

    Example:
        >>> minute(datetime.datetime(2026, 3, 1, 12, 0, 1, tzinfo=datetime.UTC))
        '2026-03-01 12:01 UTC'
    """
    return f"{at + datetime.timedelta(minutes=1, microseconds=-1):%Y-%m-%d %H:%M} UTC"


def quotas_of(redis: Redis, person: Person, limits: Limits, at: datetime.datetime) -> Quotas | None:
    """Returns what counts for a person at a moment; None for maintainers, who have no quota."""
    if person.maintainer:
        return None
    names, bounds = (keys.counted_of(person.name), keys.COUNTED), limits.bounds(at)
    with redis.pipeline() as pipe:
        for name in names:
            pipe.zcount(name, *bounds)
        used = pipe.execute()
    own, everyone = (
        _quota(count, limit, _makes_room(redis, name, bounds, count - limit), limits.window)
        for name, count, limit in zip(names, used, (limits.of_one, limits.of_all), strict=True)
    )
    return Quotas(own, everyone)


def _makes_room(redis: Redis, name: str, bounds: tuple[str, str], place: int) -> float | None:
    """Returns when the submission at a place of those that count was made, the oldest first; None below the first.

    None of the thousands beside it is read: every visitor's check asks for this.
    """
    found: Any = redis.zrangebyscore(name, *bounds, start=place, num=1, withscores=True) if place >= 0 else ()
    return next((score for _, score in found), None)


def quota(times: list[float], limit: int, window: datetime.timedelta) -> Quota:
    """Says what submissions at some times come to.

    Args:
        times: Seconds since 1970 of all that count now, in any order.
        limit: How many may count.
        window: How long each counts.

    Example:
        >>> noon = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC).timestamp()
        >>> quota([noon], 2, datetime.timedelta(days=1))
        Quota(used=1, limit=2, next_at=None)
        >>> quota([noon, noon + 60], 2, datetime.timedelta(days=1)).next_at
        datetime.datetime(2026, 3, 2, 12, 0, tzinfo=datetime.timezone.utc)
    """
    place = len(times) - limit
    return _quota(len(times), limit, sorted(times)[place] if place >= 0 else None, window)


def _quota(used: int, limit: int, makes_room: float | None, window: datetime.timedelta) -> Quota:
    """Says what so many submissions come to; there is room once the one made at `makes_room` counts no longer."""
    if makes_room is None:
        return Quota(used, limit, None)
    return Quota(used, limit, datetime.datetime.fromtimestamp(makes_room, datetime.UTC) + window)


def is_free(submission: Submission) -> bool:
    """Says whether a submission never counts: references, and what maintainers submit from the command line."""
    return submission.submitter == MAINTAINER or is_reference(submission.model)


def counts(history: History) -> bool:
    """Says whether a submission counts against a quota.

    It does not if each of its runs was ended by a failure of ours, or stopped before any work on it began.
    """
    if is_free(history.submission):
        return False
    return any(_run_counts(history, run_id) for run_id in history.submission.run_ids())


def _run_counts(history: History, run_id: str) -> bool:
    """Says whether a run has cost what is being counted, or still may."""
    steps: list[Transition] = [step for step in history.transitions if step.run_id == run_id]
    last = steps[-1]
    if last.after is State.FAILED:
        return last.failure is None or last.failure.cause not in OUR_FAULT
    if last.after is State.CANCELLED:
        return any(step.after is State.GENERATING for step in steps)
    return True


MOST_RETRIES = 5
"""How often within a window a submission is taken up again after an end that was no fault of ours."""


def retry_refusal(history: History, limits: Limits, at: datetime.datetime) -> RapportError | None:
    """Says why a submission is not taken up once more: it has been too often of late. None if it is."""
    times = [step.at.timestamp() for step in _retries(history) if step.at > at - limits.window]
    retries = quota(times, MOST_RETRIES, limits.window)
    if retries.next_at is None:
        return None
    return RapportError(
        Cause.QUOTA,
        f"{history.submission.id} was taken up again {retries.used} times within {limits.days} days.",
        f"It can be again from {minute(retries.next_at)} on; failures that are our fault do not count.",
    )


def _retries(history: History) -> Iterator[Transition]:
    """Yields the steps by which runs were taken up again after an end that was no fault of ours."""
    for run_id in history.submission.run_ids():
        steps = [step for step in history.transitions if step.run_id == run_id]
        for end, step in pairwise(steps):
            ours = end.failure is not None and end.failure.cause in OUR_FAULT
            if end.after in ENDED and step.after is State.QUEUED and not ours:
                yield step
