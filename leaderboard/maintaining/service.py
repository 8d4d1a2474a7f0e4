"""What maintainers do to the site as a whole: pause submissions, and set how many one submitter may make."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from redis import Redis
from redis.client import Pipeline

from evaluator.errors import Cause, RapportError
from leaderboard.maintaining.desk import MaintainDesk, append, place_of_next
from leaderboard.maintaining.records import MOST_OF_ONE, Act, ActKind, QuotaException, SitePause, act_of
from leaderboard.maintaining.state import Site, read_pause, read_site
from leaderboard.people import LOCAL_USER, Person, hub_person
from leaderboard.records import now
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.actions import checked_text, told
from leaderboard.submissions.ledger import BeingRestored
from leaderboard.submissions.quotas import Quotas, limits_for, quotas_of


class Maintenance:
    """The way in to the state of the site: anybody may look, and maintainers alone change it.

    What changes it raises `RapportError`: `forbidden` for anybody else, and where it stands so already; `data_error`
    for a reason, name or number that is missing or wrong; `infrastructure` where Redis is away or being restored.

    Example:
        >>> Maintenance(settings, redis).pause_submissions(Person("carol", True), "A new judge.")  # doctest: +SKIP
    """

    def __init__(self, settings: Settings, redis: Redis) -> None:
        """Works on an open connection."""
        self._settings, self._redis = settings, redis
        self.desk = MaintainDesk(redis)

    def paused(self) -> SitePause | None:
        """Returns since when and why no submission is accepted; None while they are."""
        with told():
            return read_pause(self._redis)

    def pause_submissions(self, person: Person, reason: str) -> SitePause:
        """Refuses new submissions from now on, but those of maintainers; what is queued goes on.

        Args:
            person: Who decides it.
            reason: Why, for everyone to read.
        """
        act = _act(person, ActKind.SITE_PAUSE, None, checked_text(reason, needed=True))
        self._decide(act, lambda site: "Submissions are paused already." if site.pause else None)
        return SitePause(reason=act.reason, at=act.at, actor=act.actor)

    def resume_submissions(self, person: Person, reason: str = "") -> None:
        """Accepts submissions again."""
        act = _act(person, ActKind.SITE_RESUME, None, checked_text(reason, needed=False))
        self._decide(act, lambda site: None if site.pause else "Submissions are not paused.")

    def set_quota(self, person: Person, name: str, of_one: int | None, reason: str) -> None:
        """Gives a submitter a quota of its own instead of the site's, or takes it back.

        Args:
            person: Who decides it.
            name: The submitter, a name on the Hub.
            of_one: Submissions within the window of the quota, 0 to 1000; None for as many as all others.
            reason: Why.
        """
        _only_maintainers(person)
        submitter, why = self._checked_name(name), checked_text(reason, needed=True)
        if of_one is None:
            act = _act(person, ActKind.QUOTA_UNSET, submitter, why)
            missing = f"{submitter} has no quota of its own."
            self._decide(act, lambda site: None if submitter in site.quotas else missing)
            return
        if not 0 <= of_one <= MOST_OF_ONE:
            raise RapportError(
                Cause.DATA_ERROR, f"{of_one} is no quota: it is 0 to {MOST_OF_ONE} submissions.", "Name another number."
            )
        detail = f"{of_one} submissions within {self._settings.quota_days} days; for all others it is"
        act = _act(person, ActKind.QUOTA_SET, submitter, why, f"{detail} {self._settings.quota_per_user}.", of_one)
        self._decide(act, lambda _: None)

    def quotas(self) -> Mapping[str, QuotaException]:
        """Returns the submitters who have a quota of their own, by name."""
        with told():
            return self.desk.site().quotas

    def used(self, name: str) -> Quotas:
        """Returns what a submitter has used, and may still submit."""
        submitter = Person(self._checked_name(name))
        with told():
            found = quotas_of(self._redis, submitter, limits_for(self._redis, submitter, self._settings), now())
        assert found is not None, "no maintainer was asked about"
        return found

    def _decide(self, act: Act, refused: Callable[[Site], str | None]) -> None:
        """Appends an act together with what it changes, unless something speaks against it.

        Args:
            act: What is done.
            refused: Says why it cannot be done as the site stands; None if it can.
        """

        def change(pipe: Pipeline) -> None:
            if not pipe.exists(keys.EPOCH):
                raise BeingRestored
            site = read_site(pipe.hgetall(keys.SITE))
            if because := refused(site):
                raise RapportError(Cause.FORBIDDEN, because, "Look at it again: somebody else may have decided.")
            place, after = place_of_next(pipe), site.after(act).fields()
            before = site.fields()
            pipe.multi()
            append(pipe, act, place)
            for field in before.keys() - after.keys():
                pipe.hdel(keys.SITE, field)
            for field, value in after.items():
                if before.get(field) != value:
                    pipe.hset(keys.SITE, field, value)

        with told():
            self._redis.transaction(change, keys.ACTS, keys.SITE)

    def _checked_name(self, name: str) -> str:
        """Returns the name of somebody who may submit here.

        Raises:
            RapportError: `data_error` if nobody can have it.
        """
        known = name.strip()
        if hub_person({"preferred_username": known}, ()) or (self._settings.allow_local_user and known == LOCAL_USER):
            return known
        raise RapportError(
            Cause.DATA_ERROR,
            f"{known[:100]!r} is no name of somebody who submits.",
            "Write the name on the Hub, as the submission's page shows it.",
        )


def _act(
    person: Person,
    kind: ActKind,
    subject: str | None,
    reason: str,
    detail: str | None = None,
    of_one: int | None = None,
) -> Act:
    """Returns the entry for something that a maintainer does.

    Raises:
        RapportError: `forbidden` for anybody else.
    """
    act = act_of(person, kind, subject, reason, detail, of_one)
    if act is None:
        raise _not_yours()
    return act


def _only_maintainers(person: Person) -> None:
    """Refuses everybody else.

    Raises:
        RapportError: `forbidden`.
    """
    if not person.maintainer:
        raise _not_yours()


def _not_yours() -> RapportError:
    """Says who may do it."""
    return RapportError(
        Cause.FORBIDDEN, "Only maintainers may change the state of the site.", "Ask a maintainer; the board names them."
    )
