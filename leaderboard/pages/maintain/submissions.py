"""The list of submissions for maintainers, as an address asks for it, and re-running all that failed of one cause."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi.responses import Response

from evaluator.errors import Cause, RapportError
from leaderboard.pages.answering import see_other
from leaderboard.pages.asking import page_number
from leaderboard.pages.maintain.index import Standing
from leaderboard.pages.maintain.marks import SAYS, Mark
from leaderboard.pages.maintain.pages import Site, Visit, shown
from leaderboard.people import Person
from leaderboard.records import State
from leaderboard.submissions.permissions import Action, may

SUBMISSIONS = "/maintain/submissions"
PAGE_LENGTH = 25
RETRIED_AT_ONCE = 20
"""Submissions that one press takes up again at most."""
_LONGEST_WORD = 200
_ID = re.compile(r"s-[0-9]{8}-[0-9a-f]{8}")


class Wanted(NamedTuple):
    """Which submissions an address asks for; whatever is none of these words asks for nothing."""

    state: State | None = None
    cause: Cause | None = None
    """Of a run that failed."""
    mark: Mark | None = None
    word: str = ""
    """Part of a model's, a submitter's or a submission's name."""
    page: int = 1

    def takes(self, standing: Standing) -> bool:
        """Says whether a submission is one of these."""
        names = (standing.id, standing.model.lower(), standing.submitter.lower())
        return (
            (self.state is None or standing.state is self.state)
            and (self.cause is None or any(run.cause is self.cause for run in standing.failed))
            and (self.mark is None or self.mark in standing.marks)
            and any(self.word.lower() in name for name in names)
        )

    def address(self, **changes: str | int) -> str:
        """Returns the address that asks for the same, with changes; what asks for nothing is left out."""
        own = {"state": self.state, "cause": self.cause, "mark": self.mark, "word": self.word, "page": self.page}
        told = {
            name: str(value) for name, value in {**own, **changes}.items() if value and (name, value) != ("page", 1)
        }
        return f"{SUBMISSIONS}?{urlencode(told)}" if told else SUBMISSIONS


def wanted_in(query: Mapping[str, str]) -> Wanted:
    """Reads what an address asks for.

    Example:
        >>> wanted_in({"cause": "crashed", "page": "2", "state": "<b>"}).address()
        '/maintain/submissions?cause=crashed&page=2'
        >>> wanted_in({}).address(mark="paused")
        '/maintain/submissions?mark=paused'
    """
    return Wanted(
        state=next((each for each in State if each == query.get("state")), None),
        cause=next((each for each in Cause if each == query.get("cause")), None),
        mark=next((each for each in Mark if each == query.get("mark")), None),
        word=query.get("word", "").strip()[:_LONGEST_WORD],
        page=page_number(query.get("page", "")),
    )


def submissions(site: Site, visit: Visit) -> Response:
    """The submissions that the address asks for, newest first, page by page."""
    wanted, seen = wanted_in(visit.query), site.submissions.look()
    found = [standing for standing in seen.standings if wanted.takes(standing)]
    last = max(1, -(-len(found) // PAGE_LENGTH))
    wanted = wanted._replace(page=min(wanted.page, last))
    on_page = found[(wanted.page - 1) * PAGE_LENGTH : wanted.page * PAGE_LENGTH]
    views = {view.submission.id: view for view in site.service.ledger.views(each.id for each in on_page)}
    retriable = {name for name, view in views.items() if may(visit.person, Action.RETRY, view.submission, view.events)}
    return shown(
        "maintain/submissions.html",
        visit,
        SUBMISSIONS,
        wanted=wanted,
        seen=seen,
        found=len(found),
        last=last,
        listed=[(each, views[each.id]) for each in on_page if each.id in views],
        retriable=retriable,
        states=list(State),
        causes=list(Cause),
        marks=SAYS,
        at_once=RETRIED_AT_ONCE,
        told=_told(visit.query, {each.id: each for each in seen.standings}),
    )


def retry_all(site: Site, visit: Visit) -> Response:
    """Takes up again what failed of a cause, the oldest first, one by one; then says what became of each."""
    wanted = wanted_in({"cause": visit.said("cause")})
    if wanted.cause is None:
        raise RapportError(Cause.DATA_ERROR, "No cause is named.", "Choose one of those that are listed.")
    failed = [
        each.id for each in site.submissions.look().standings if wanted.takes(each) and Mark.WITHDRAWN not in each.marks
    ]
    queued, left = _retried(site, visit.person, failed[::-1][:RETRIED_AT_ONCE])
    counts = {"count": str(len(queued)), "kept": str(len(left))}
    return see_other(wanted.address(done="retried", **counts, queued=",".join(queued), left=",".join(left)))


def _retried(site: Site, person: Person, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Takes submissions up again; returns those that were, and those that have moved on meanwhile.

    Raises:
        RapportError: `infrastructure` where Redis has gone away; what was queued before stays so.
    """
    queued, left = [], []
    for name in names:
        try:
            site.service.retry(name, person)
        except RapportError as error:
            if error.cause is Cause.INFRASTRUCTURE:
                raise
            left.append(name)
        else:
            queued.append(name)
    return queued, left


def _told(query: Mapping[str, str], known: Mapping[str, Standing]) -> list[tuple[str, Standing]]:
    """Returns the submissions of which an address says that something was tried, with where they stand now."""
    told = []
    for words, name in (("queued again", "queued"), ("not queued", "left")):
        ids = query.get(name, "").split(",")[:RETRIED_AT_ONCE]
        told += [(words, known[each]) for each in ids if _ID.fullmatch(each) and each in known]
    return told
