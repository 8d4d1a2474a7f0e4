"""Objections of readers to single answers, for maintainers: who has waited longest comes first."""

from __future__ import annotations

from fastapi.responses import Response

from evaluator.errors import Cause, RapportError
from leaderboard.objections.records import Decision
from leaderboard.pages.answering import see_other
from leaderboard.pages.asking import page_number
from leaderboard.pages.maintain.pages import Site, Visit, shown
from leaderboard.pages.objections.words import told_of

OBJECTIONS = "/maintain/objections"
_ALL = "all"
_A_PAGE = 25


def objections(site: Site, visit: Visit) -> Response:
    """Objections that wait, the oldest first; or all of them, the newest first."""
    everything = visit.query.get("show") == _ALL
    asked, number = (site.objections.desk.all if everything else site.objections.desk.waiting), 1
    total = asked(0, 0).total
    last = max(1, -(-total // _A_PAGE))
    number = min(last, page_number(visit.query.get("page", "")))
    found = asked((number - 1) * _A_PAGE, _A_PAGE)
    return shown(
        "maintain/objections.html",
        visit,
        OBJECTIONS,
        everything=everything,
        found=found,
        told=told_of,
        number=number,
        last=last,
        here_again=f"{OBJECTIONS}?{f'show={_ALL}&' if everything else ''}page=",
    )


def reply(site: Site, visit: Visit) -> Response:
    """Accepts or declines an objection."""
    said = visit.said("decision")
    if said not in list(Decision):
        raise RapportError(Cause.DATA_ERROR, "It does not say what is decided.", "Accept or decline the objection.")
    decision = Decision(said)
    site.objections.reply(visit.person, visit.named("id"), decision, visit.reason)
    return see_other(f"{OBJECTIONS}?done=objection-{decision}")
