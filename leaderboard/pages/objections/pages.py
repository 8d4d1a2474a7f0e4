"""Objecting to a single answer, and the list of one's own objections.

Plain HTML that works without JavaScript. Who objects is read on the server, from the login's session. The page of an
answer is there for everybody: whoever is not logged in, or comes while Redis is away, reads it all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.objections.desk import Known, Listed
from leaderboard.objections.records import Ground
from leaderboard.objections.service import Answered, Objections
from leaderboard.pages.answering import NEVER_KEPT, fields_in, see_other, status_of
from leaderboard.pages.asking import page_number
from leaderboard.pages.identity import person_of
from leaderboard.pages.model.pages import ModelPages, Single
from leaderboard.pages.objections.words import GROUNDS, SAYS, Told, told_of
from leaderboard.pages.render import render
from leaderboard.pages.unchanged import unless_known
from leaderboard.people import Person
from leaderboard.settings import Settings

log = logging.getLogger("rapport.pages")

MINE = "/objections"
PLACE = "disagree"
"""Where on the page of an answer people object."""
_SENT = "sent"
_A_PAGE = 20
_MOST_FIELDS = 5
_LONGEST_SHOWN_AGAIN = 4000

_GROUNDS = tuple((each, GROUNDS[each], SAYS[each]) for each in Ground)


class _Wrote(NamedTuple):
    """What was sent and not entered."""

    error: RapportError
    """Why it was not."""
    ground: str
    """What was chosen."""
    text: str
    """What was written, or its beginning."""
    cut: bool
    """Whether it is the beginning."""


class Objecting(NamedTuple):
    """What the page of an answer is told of objections to it."""

    action: str
    """Where the form is sent to."""
    closed: str = ""
    """Why nobody can object now; empty if somebody can."""
    refused: str = ""
    """Why whoever is logged in cannot."""
    person: str = ""
    """Who is logged in; empty if nobody is."""
    login: str = ""
    """Where to log in, and come back from; empty where nobody can."""
    own: Told | None = None
    """What the person has objected to it."""
    accepted: tuple[Told, ...] = ()
    """Objections that maintainers have accepted."""
    sent: bool = False
    """Whether the person's objection has just been sent."""
    wrote: _Wrote | None = None
    """What was not entered; None where nothing was sent, or it was entered."""
    grounds: tuple[tuple[Ground, str, str], ...] = _GROUNDS
    """What may be chosen, what it is called, and what it means."""


class _Who(NamedTuple):
    """Who asks."""

    person: Person | None
    refused: str
    """Why whoever is logged in cannot act here."""


class ObjectionPages:
    """Answers requests of these pages."""

    def __init__(self, settings: Settings, redis: Redis | None, models: ModelPages) -> None:
        """Keeps objections in Redis; without one nobody can object.

        Args:
            settings: Who may log in, and how often one may object.
            redis: Where objections lie.
            models: Shows the answers that are objected to.
        """
        self._settings, self._models = settings, models
        self._objections = Objections(settings, redis) if redis else None

    def answer(self, request: Request, profile: Mapping[str, object] | None) -> Response:
        """A single answer, with the form."""
        who = self._who(profile)

        def objecting(single: Single) -> Objecting:
            told = self._objecting(single, who)
            return told._replace(sent=bool(told.own) and request.query_params.get(_SENT) == "yes")

        page = self._models.answer(request, objecting)
        page.headers["Vary"] = "Cookie"
        if who.person is not None:
            page.headers["Cache-Control"] = "private, no-cache"  # It says something to one person alone.
        return unless_known(request, page)

    def objected(self, request: Request, profile: Mapping[str, object] | None, body: bytes) -> Response:
        """Enters an objection, or shows the answer once more with what was written and why it was not entered."""
        who, form = self._who(profile), dict[str, str]()
        single: Single | Response | None = None
        try:
            form = dict(fields_in(body, _MOST_FIELDS))
            single = self._models.single(request)
            if isinstance(single, Single):
                self._enter(single, person_of(profile, self._settings), form)
                sign = "&" if "?" in single.address else "?"
                return see_other(f"{single.address}{sign}{_SENT}=yes#{PLACE}")
        except RapportError as error:
            return self._not_entered(request, single, who, form, error)
        unseen = RapportError(Cause.NOT_FOUND, "This answer is not shown right now.", "Open it again from the board.")
        return self._not_entered(request, single, who, form, unseen)

    def mine(self, query: Mapping[str, str], profile: Mapping[str, object] | None) -> Response:
        """What somebody has objected to, what others object to in what that person submitted, and what came of it."""
        who, number = self._who(profile), page_number(query.get("page", ""))
        closed, nothing = self._closed(), Listed((), 0)
        mine, about = nothing, nothing
        if who.person and self._objections and not closed:
            start = (number - 1) * _A_PAGE
            try:
                mine = self._objections.by(who.person, start, _A_PAGE)
                about = self._objections.about(who.person, start, _A_PAGE)
            except RapportError as error:
                closed = str(error)
        page = render(
            "objections/mine.html",
            here=MINE,
            person=who.person.name if who.person else "",
            refused=who.refused,
            closed=closed,
            login=_login(MINE) if self._settings.can_log_in else "",
            mine=mine,
            about=about,
            told=told_of,
            number=number,
            last=max(1, -(-max(mine.total, about.total) // _A_PAGE)),
        )
        return HTMLResponse(page, headers=dict(NEVER_KEPT))

    def _enter(self, single: Single, person: Person, form: Mapping[str, str]) -> None:
        """Enters an objection.

        Raises:
            RapportError: As of `Objections.enter`; `infrastructure` without Redis.
        """
        if self._objections is None:
            raise RapportError(Cause.INFRASTRUCTURE, "This site has no Redis.", "Write to its maintainers.")
        row = single.found.row
        answered = Answered(row.scorecard_id, single.question, row.model, row.submitter)
        self._objections.enter(person, answered, form.get("ground", ""), _words(form))

    def _not_entered(
        self,
        request: Request,
        single: Single | Response | None,
        who: _Who,
        form: Mapping[str, str],
        error: RapportError,
    ) -> Response:
        """Shows what was written and why it was not entered, beside the answer if that can be shown."""
        words = _words(form)
        cut = len(words) > _LONGEST_SHOWN_AGAIN
        wrote = _Wrote(error, form.get("ground", ""), words[:_LONGEST_SHOWN_AGAIN], cut)
        page: Response | None = None
        if isinstance(single, Single):
            page = self._models.answer(request, lambda found: self._objecting(found, who)._replace(wrote=wrote))
        if page is None or page.status_code != 200:
            page = HTMLResponse(render("objections/not_entered.html", here="/", wrote=wrote))
        status = status_of(error)
        if isinstance(single, Response):
            status = single.status_code
        return HTMLResponse(page.body, status_code=status, headers=dict(NEVER_KEPT))

    def _objecting(self, single: Single, who: _Who) -> Objecting:
        """Returns what the page of an answer is told of objections; where Redis is away, that nobody can object now."""
        closed, known = self._closed(), Known(None, ())
        if self._objections is not None:
            try:
                known = self._objections.known(who.person, single.found.row.scorecard_id, single.question)
            except RapportError as error:
                log.error("objections cannot be read: %s", error)
                closed = closed or "Redis does not answer. Keep your words and come back in a minute."
        return Objecting(
            action=single.address,
            closed=closed,
            refused=who.refused,
            person=who.person.name if who.person else "",
            login=_login(f"{single.address}#{PLACE}") if self._settings.can_log_in else "",
            own=told_of(known.own) if known.own else None,
            accepted=tuple(map(told_of, known.accepted)),
        )

    def _closed(self) -> str:
        """Says in a sentence why nobody can object here; empty if somebody can."""
        if self._objections is None:
            return "This site has no Redis, and keeps no objections."
        if not (self._settings.can_log_in or self._settings.allow_local_user):
            return "Nobody can log in here."
        return "This site takes no objections." if self._settings.objections_per_day == 0 else ""

    def _who(self, profile: Mapping[str, object] | None) -> _Who:
        """Returns who asks."""
        try:
            return _Who(person_of(profile, self._settings), "")
        except RapportError as error:
            return _Who(None, str(error) if profile is not None else "")


def _words(form: Mapping[str, str]) -> str:
    """Returns what was written for a reason; browsers send each end of a line as two signs."""
    return form.get("reason", "").replace("\r\n", "\n")


def _login(target: str) -> str:
    """Returns where to log in and come back from."""
    return f"/login/huggingface?_target_url={quote(target, safe='/')}"
