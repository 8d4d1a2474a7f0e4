"""The maintainers' pages: who may open them, what all of them share, and what is said to everybody else.

Plain HTML that works without JavaScript. Who asks is read on the server, from the login's session, before anything else
is looked at; every act is done by the service that the command line uses, which asks once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fastapi.responses import HTMLResponse, Response
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.objections.service import Objections
from leaderboard.pages.answering import NEVER_KEPT, answered_or_refused, fields_in
from leaderboard.pages.identity import person_of
from leaderboard.pages.maintain.index import Index
from leaderboard.pages.maintain.words import SECTIONS, done_sentence
from leaderboard.pages.reader import Reader
from leaderboard.pages.render import render
from leaderboard.people import Person
from leaderboard.rescoring.desk import RescoreMovedMeanwhile
from leaderboard.rescoring.service import RescoreService
from leaderboard.settings import Settings
from leaderboard.submissions.service import SubmissionService

HOME = "/maintain"
_MOST_FIELDS = 200
"""Of the form of a re-score, which has a box for each protocol."""
_LONGEST_SHOWN_AGAIN = 4000
_AWAY = "Nothing can be maintained right now"
_COMFORT = "Results stay readable; try again in a minute."
NOBODY = Person("nobody")


class Visit(NamedTuple):
    """One request, as far as the pages look at it."""

    profile: Mapping[str, object] | None
    """Claims of whoever is logged in."""
    path: Mapping[str, str] = {}
    """What the address's path names."""
    query: Mapping[str, str] = {}
    form: tuple[tuple[str, str], ...] = ()
    """Fields in their order."""
    person: Person = NOBODY
    """Who asks; a maintainer once the door is passed."""

    def said(self, name: str) -> str:
        """Returns what stands in a field of the form; empty if it has none of that name."""
        return next((value for field, value in reversed(self.form) if field == name), "")

    @property
    def reason(self) -> str:
        """What was written for a reason; browsers send each end of a line as two signs."""
        return self.said("reason").replace("\r\n", "\n")

    def all_said(self, name: str) -> tuple[str, ...]:
        """Returns everything that was chosen under a name."""
        return tuple(value for field, value in self.form if field == name)

    def named(self, name: str) -> str:
        """Returns what the address names; empty if it does not."""
        return self.path.get(name) or self.query.get(name, "")


class Site(NamedTuple):
    """What the pages work with."""

    settings: Settings
    redis: Redis
    reader: Reader
    service: SubmissionService
    rescores: RescoreService
    submissions: Index
    objections: Objections


Answer = Callable[[Site, Visit], Response]


class MaintainPages:
    """Answers requests for the maintainers' pages."""

    def __init__(self, settings: Settings, redis: Redis | None, reader: Reader) -> None:
        """Works on an open connection; without one there is nothing to maintain."""
        self._settings = settings
        self._site = None if redis is None else _site(settings, redis, reader)

    def answered(self, answer: Answer, visit: Visit, body: bytes = b"") -> Response:
        """Returns an answer to a maintainer, or the page that says why there is none.

        Args:
            answer: Answers.
            visit: What is asked.
            body: The form as it was sent, which is read for maintainers alone.
        """
        try:
            person = person_of(visit.profile, self._settings)
        except RapportError as error:
            return self._closed(NOBODY, "" if visit.profile is None and self._settings.can_log_in else str(error))
        if not person.maintainer:
            return self._closed(person, "")
        known = visit._replace(person=person)

        def answer_it() -> Response:
            nonlocal known
            if self._site is None:
                raise RapportError(Cause.INFRASTRUCTURE, "This site has no Redis.", "Set RAPPORT_REDIS_URL.")
            known = known._replace(form=tuple(fields_in(body, _MOST_FIELDS)))
            return answer(self._site, known)

        return answered_or_refused(answer_it, _AWAY, _COMFORT, lambda status, error: _refused(status, error, known))

    def _closed(self, person: Person, because: str) -> Response:
        """Says who maintains, and how to come in."""
        page = render(
            "maintain/closed.html",
            here=HOME,
            because=because,
            name="" if person is NOBODY else person.name,
            can_log_in=self._settings.can_log_in,
            maintainers=self._settings.maintainers,
        )
        return HTMLResponse(page, status_code=403, headers=dict(NEVER_KEPT))


def _site(settings: Settings, redis: Redis, reader: Reader) -> Site:
    """Returns what the pages work with."""
    return Site(
        settings,
        redis,
        reader,
        SubmissionService(settings, redis),
        RescoreService(settings, redis),
        Index(redis),
        Objections(settings, redis),
    )


def shown(template: str, visit: Visit, section: str, status: int = 200, **values: Any) -> Response:
    """Renders a page for a maintainer; no browser keeps it.

    Args:
        template: Its template.
        visit: Who asks for it, and what the address says was done.
        section: Address of the section that it belongs to.
        status: Of the answer.
        values: What the template is told.
    """
    done = done_sentence(visit.query)
    shared = {"here": HOME, "section": section, "sections": SECTIONS, "person": visit.person, "done": done}
    page = render(template, **{"reload_after": None, **shared, **values})
    return HTMLResponse(page, status_code=status, headers=dict(NEVER_KEPT))


def _refused(status: int, error: RapportError, visit: Visit) -> Response:
    """Says why something is not done; what was written is shown once more, so that it is not lost."""
    wrote = [value for name, value in visit.form if name in ("reason", "models") and value]
    return shown(
        "maintain/refused.html",
        visit._replace(query={}),
        "",
        status=409 if isinstance(error, RescoreMovedMeanwhile) else status,
        error=error,
        wrote=[text[:_LONGEST_SHOWN_AGAIN] for text in wrote],
        cut=any(len(text) > _LONGEST_SHOWN_AGAIN for text in wrote),
    )
