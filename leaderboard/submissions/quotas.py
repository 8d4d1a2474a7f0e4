"""How many submissions are accepted: of each person and of all together, within some days.

What counts stands in two sorted sets, by the time of the submission. They are derived: what a failure of ours has ended
leaves them when its end is saved, and after a loss of Redis they are made anew from the histories. What costs nothing
is not without end either, since no list forgets it: a third set holds all that a person has entered of late, and how
often a submission is taken up again is told by its history. Maintainers are bound by none of this.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.protocol import is_reference
from leaderboard.maintaining.state import read_own_quota
from leaderboard.people import Person
from leaderboard.records import AmendmentKind, State, Submission, Transition
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.history import History, amendments_of
from leaderboard.submissions.states import ENDED

MAINTAINER = "maintainer"
"""Who submits from the command line: whoever knows the Redis of the leaderboard."""

MOST_FREE = 20
"""How many submissions more than the quota a person may enter within the window: those that turn out to cost nothing,
because they were cancelled before work began, or a failure of ours has ended them."""
MOST_RETRIES = 5
"""How often within the window a submitter takes a submission up again after ends that were no fault of ours."""
MOST_RETRIES_OF_OURS = 10
"""The same after failures of ours."""
MOST_AMENDMENTS = 20
"""How often within the window a submitter corrects or disputes one submission."""


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
    def entered(self) -> int:
        """How many a person may enter, whatever becomes of them."""
        return self.of_one + MOST_FREE

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


def limits_for(redis: Redis, person: Person, settings: Settings) -> Limits:
    """Returns the limits of a person: those of the settings, but for a quota of its own that a maintainer has set.

    Raises:
        RapportError: `data_error` if that cannot be read.
    """
    limits = limits_of(settings)
    own = None if person.maintainer else read_own_quota(redis, person.name)
    return limits if own is None else limits._replace(of_one=own.of_one)


class Quotas(NamedTuple):
    """What a person may still submit."""

    own: Quota
    """The person's."""
    everyone: Quota
    """That of all submitters together."""
    entered: Quota
    """All that the person has entered, whatever became of it."""

    def refusal(self) -> RapportError | None:
        """Says why the next submission is refused; None if it is accepted."""
        if self.own.limit == 0:
            return RapportError(
                Cause.QUOTA, "A maintainer has decided that nothing of yours is accepted now.", "Ask the maintainers."
            )
        if self.own.next_at:
            return _refusal(self.own, "You have used", self.own.next_at)
        if self.everyone.next_at:
            return _refusal(self.everyone, "All submitters together have used", self.everyone.next_at)
        if self.entered.next_at:
            return RapportError(
                Cause.QUOTA,
                f"You have entered {self.entered.used} submissions of late; {self.entered.limit} are the most, those "
                "that cost nothing among them.",
                f"The next one is accepted from {minute(self.entered.next_at)} on; a maintainer may submit it before.",
            )
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
    names = (keys.counted_of(person.name), keys.COUNTED, keys.entered_by(person.name))
    bounds, most = limits.bounds(at), (limits.of_one, limits.of_all, limits.entered)
    with redis.pipeline() as pipe:
        for name in names:
            pipe.zcount(name, *bounds)
        used = pipe.execute()
    return Quotas(
        *(
            _quota(count, limit, _makes_room(redis, name, bounds, count - limit), limits.window)
            for name, count, limit in zip(names, used, most, strict=True)
        )
    )


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
    """Says whether a submission never counts: references, and what maintainers submit."""
    return submission.by_maintainer or submission.submitter == MAINTAINER or is_reference(submission.model)


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
        return last.failure is None or not last.failure.cause.is_ours
    if last.after is State.CANCELLED:
        return any(step.after is State.GENERATING for step in steps)
    return True


def retry_refusal(history: History, limits: Limits, at: datetime.datetime) -> RapportError | None:
    """Says why its submitter may not take a submission up once more: too often of late. None where it may be."""
    for ours, most in ((False, MOST_RETRIES), (True, MOST_RETRIES_OF_OURS)):
        times = [step.at.timestamp() for step in _retries(history, ours) if step.at > at - limits.window]
        retries = quota(times, most, limits.window)
        if retries.next_at is not None:
            after = "failures of ours" if ours else "ends that were no fault of ours"
            return RapportError(
                Cause.QUOTA,
                f"{history.submission.id} was taken up again {retries.used} times within {limits.days} days after "
                f"{after}; {most} are the most.",
                f"It can be again from {minute(retries.next_at)} on; a maintainer may take it up before.",
            )
    return None


def amendment_refusal(history: History, limits: Limits, at: datetime.datetime) -> RapportError | None:
    """Says why its submitter may not correct or dispute a submission once more: too often of late. None if he may."""
    begin = at - limits.window
    made = (
        *amendments_of(history.events, AmendmentKind.CORRECTED),
        *amendments_of(history.events, AmendmentKind.DISPUTED),
    )
    times = [each.at.timestamp() for each in made if each.actor == history.submission.submitter and each.at > begin]
    amendments = quota(times, MOST_AMENDMENTS, limits.window)
    if amendments.next_at is None:
        return None
    return RapportError(
        Cause.QUOTA,
        f"{history.submission.id} was corrected or disputed {amendments.used} times within {limits.days} days; "
        f"{MOST_AMENDMENTS} are the most.",
        f"It can be again from {minute(amendments.next_at)} on; a maintainer may do it before.",
    )


def _retries(history: History, ours: bool) -> Iterator[Transition]:
    """Yields the steps by which a submitter took runs up again, after failures of ours or after other ends."""
    for run_id in history.submission.run_ids():
        steps = [step for step in history.transitions if step.run_id == run_id]
        for end, step in pairwise(steps):
            again = end.after in ENDED and step.after is State.QUEUED and step.actor == history.submission.submitter
            if again and (end.failure is not None and end.failure.cause.is_ours) is ours:
                yield step
