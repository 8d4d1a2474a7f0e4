"""The state of the site: a pure function of what maintainers did, which in Redis stands beside their log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.maintaining.records import Act, ActKind, QuotaException, SitePause
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys


class Site(NamedTuple):
    """What maintainers have decided about the site, as it stands.

    Example:
        >>> Site().pause is None
        True
    """

    pause: SitePause | None = None
    """None while submissions are accepted."""
    quotas: Mapping[str, QuotaException] = {}
    """By submitter."""

    def after(self, act: Act) -> Site:
        """Returns the state once an act was done."""
        if act.kind is ActKind.SITE_PAUSE:
            return self._replace(pause=SitePause(reason=act.reason, at=act.at, actor=act.actor))
        if act.kind is ActKind.SITE_RESUME:
            return self._replace(pause=None)
        if act.kind in (ActKind.QUOTA_SET, ActKind.QUOTA_UNSET) and act.subject is not None:
            others = {name: own for name, own in self.quotas.items() if name != act.subject}
            if act.of_one is None:
                return self._replace(quotas=others)
            own = QuotaException(of_one=act.of_one, reason=act.reason, at=act.at, actor=act.actor)
            return self._replace(quotas={**others, act.subject: own})
        return self

    def fields(self) -> dict[str, str]:
        """Returns how it stands in Redis: one field for the pause, and one for each quota."""
        pause = {keys.PAUSE_FIELD: self.pause.model_dump_json()} if self.pause else {}
        return pause | {keys.quota_field(name): own.model_dump_json() for name, own in self.quotas.items()}


def site_of(acts: Iterable[Act]) -> Site:
    """Returns what all acts come to, the oldest first."""
    site = Site()
    for act in acts:
        site = site.after(act)
    return site


def read_site(values: Mapping[Any, Any]) -> Site:
    """Reads the state as it stands in Redis.

    Raises:
        RapportError: `data_error` if it cannot be read.
    """
    known = {text(field): value for field, value in values.items()}
    pause = known.pop(keys.PAUSE_FIELD, None)
    quotas = {
        field.removeprefix(keys.quota_field("")): read_record(value, QuotaException, f"{keys.SITE} {field}")
        for field, value in sorted(known.items())
    }
    return Site(pause and read_record(pause, SitePause, f"{keys.SITE} {keys.PAUSE_FIELD}"), quotas)


def read_pause(redis: Redis) -> SitePause | None:
    """Returns since when and why no submission is accepted; None while they are.

    Raises:
        RapportError: `data_error` if it cannot be read.
    """
    value = redis.hget(keys.SITE, keys.PAUSE_FIELD)
    return None if value is None else read_record(value, SitePause, f"{keys.SITE} {keys.PAUSE_FIELD}")


def read_own_quota(redis: Redis, name: str) -> QuotaException | None:
    """Returns a submitter's own quota; None for one who has the quota of all others.

    Raises:
        RapportError: `data_error` if it cannot be read.
    """
    value = redis.hget(keys.SITE, keys.quota_field(name))
    return None if value is None else read_record(value, QuotaException, f"{keys.SITE} {keys.quota_field(name)}")


def paused_words(pause: SitePause) -> str:
    """Says since when and why no submission is accepted.

    Example:
        >>> import datetime
        >>> at = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
        >>> paused_words(SitePause(reason="The judge is being replaced.", at=at, actor="carol"))
        'No submission is accepted since 2026-03-01 12:00 UTC: The judge is being replaced.'
    """
    return f"No submission is accepted since {pause.at:%Y-%m-%d %H:%M} UTC: {pause.reason}"


def paused_refusal(pause: SitePause) -> RapportError:
    """Returns what a submitter is told while no submission is accepted."""
    return RapportError(
        Cause.FORBIDDEN, paused_words(pause), "Come back later: what is queued goes on, and failed runs can be retried."
    )
