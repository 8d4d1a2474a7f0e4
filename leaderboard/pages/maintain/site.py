"""The site as a whole, for maintainers: whether submissions are accepted, and how many of whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fastapi.responses import Response
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.maintaining.records import MOST_OF_ONE
from leaderboard.maintaining.service import Maintenance
from leaderboard.pages.answering import see_other
from leaderboard.pages.maintain.pages import Site, Visit, shown
from leaderboard.records import now
from leaderboard.submissions import keys
from leaderboard.submissions.quotas import MOST_FREE, Limits, limits_of

SITE = "/maintain/site"
MOST_LISTED = 50
"""Submitters whose use is listed, those who have used most first."""
_NUMBER = re.compile(r"[0-9]{1,4}")


class Use(NamedTuple):
    """How much of a quota somebody has used."""

    name: str
    used: int
    limit: int


def site_page(site: Site, visit: Visit) -> Response:
    """Whether submissions are accepted, all quotas, and who has used what."""
    maintenance, limits = Maintenance(site.settings, site.redis), limits_of(site.settings)
    seen, quotas = site.submissions.look(), maintenance.quotas()
    latest = {each.submitter for each in seen.standings if now() - each.created_at <= limits.window}
    using = used(site.redis, limits, sorted({*latest, *quotas}))
    told = [Use(name, count, quotas[name].of_one if name in quotas else limits.of_one) for name, count in using]
    by_use = sorted((use for use in told if use.used), key=lambda use: (-use.used, use.name))
    name = visit.query.get("name", "").strip()
    return shown(
        "maintain/site.html",
        visit,
        SITE,
        seen=seen,
        pause=maintenance.paused(),
        limits=limits,
        most_free=MOST_FREE,
        most_of_one=MOST_OF_ONE,
        used_by_all=_counted(site.redis, limits, [keys.COUNTED])[0],
        exceptions=sorted(quotas.items()),
        used={use.name: use.used for use in told},
        listed=by_use[:MOST_LISTED],
        unlisted=len(by_use) - len(by_use[:MOST_LISTED]),
        name=name,
        asked=maintenance.used(name) if name else None,
    )


def pause(site: Site, visit: Visit) -> Response:
    """Refuses new submissions from now on."""
    Maintenance(site.settings, site.redis).pause_submissions(visit.person, visit.reason)
    return see_other(f"{SITE}?done=site-pause")


def resume(site: Site, visit: Visit) -> Response:
    """Accepts submissions again."""
    Maintenance(site.settings, site.redis).resume_submissions(visit.person, visit.reason)
    return see_other(f"{SITE}?done=site-resume")


def set_quota(site: Site, visit: Visit) -> Response:
    """Gives a submitter a quota of its own."""
    number = visit.said("of_one").strip()
    if not _NUMBER.fullmatch(number):
        raise RapportError(Cause.DATA_ERROR, "The number cannot be read.", f"Write one from 0 to {MOST_OF_ONE}.")
    Maintenance(site.settings, site.redis).set_quota(visit.person, visit.said("name"), int(number), visit.reason)
    return see_other(f"{SITE}?done=quota-set")


def unset_quota(site: Site, visit: Visit) -> Response:
    """Gives a submitter the quota of all others again."""
    Maintenance(site.settings, site.redis).set_quota(visit.person, visit.said("name"), None, visit.reason)
    return see_other(f"{SITE}?done=quota-unset")


def used(redis: Redis, limits: Limits, names: Sequence[str]) -> list[tuple[str, int]]:
    """Returns how many submissions count against each of some submitters now, in one round trip."""
    return list(zip(names, _counted(redis, limits, map(keys.counted_of, names)), strict=True))


def _counted(redis: Redis, limits: Limits, places: Iterable[str]) -> list[int]:
    """Returns how many submissions count in each of some places."""
    bounds = limits.bounds(now())
    with redis.pipeline(transaction=False) as pipe:
        for place in places:
            pipe.zcount(place, *bounds)
        return [int(count) for count in pipe.execute()]
