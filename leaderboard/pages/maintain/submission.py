"""One submission for maintainers: what may be done to it now, done with a reason, and its open disputes answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi.responses import Response

from evaluator.errors import Cause, RapportError
from leaderboard.pages.answering import see_other
from leaderboard.pages.asking import page_number
from leaderboard.pages.maintain.marks import Mark, open_disputes
from leaderboard.pages.maintain.pages import Site, Visit, shown
from leaderboard.pages.maintain.submissions import SUBMISSIONS, wanted_in
from leaderboard.pages.maintain.words import ACTS, ActForm, act_named
from leaderboard.people import Person
from leaderboard.submissions.history import amendments_of, suspicion_of
from leaderboard.submissions.permissions import Action, refusal
from leaderboard.submissions.service import SubmissionService
from leaderboard.submissions.views import SubmissionView

DISPUTES = "/maintain/disputes"
_A_PAGE = 25

Done = Callable[[str, Person, str], SubmissionView]
"""Does something to a submission for a person, with a reason."""


def submission(site: Site, visit: Visit) -> Response:
    """A submission with what may be done to it, and why nothing else may."""
    view = site.service.view(visit.named("id"))
    refusals = {act.action: refusal(visit.person, act.action, view.submission, view.events) for act in ACTS}
    disputes = open_disputes(view.events)
    if refusal(visit.person, Action.ANSWER, view.submission, view.events):
        disputes = ()
    return shown(
        "maintain/submission.html",
        visit,
        SUBMISSIONS,
        view=view,
        acts=[act for act in ACTS if refusals[act.action] is None],
        closed=[(act, refusals[act.action]) for act in ACTS if refusals[act.action]],
        disputes=disputes,
        suspicion=suspicion_of(view.events),
        said=amendments_of(view.events)[::-1],
        outlooks=site.service.ledger.outlooks([view]),
    )


def sure(site: Site, visit: Visit) -> Response:
    """Asks once more whether something is to be done that readers notice, or that cannot be undone."""
    act = _act(visit)
    if not act.asks:
        return see_other(_home(visit))
    view = site.service.view(visit.named("id"))
    if because := refusal(visit.person, act.action, view.submission, view.events):
        raise RapportError(Cause.FORBIDDEN, because, "Its page says what may be done.")
    return shown("maintain/sure.html", visit, SUBMISSIONS, act=act, view=view, action=visit.path["act"])


def act(site: Site, visit: Visit) -> Response:
    """Does something to a submission."""
    chosen = _act(visit)
    if chosen.asks and visit.said("sure") != "yes":
        return see_other(f"{_home(visit)}/{chosen.action}")
    _method(site.service, chosen.action)(visit.path["id"], visit.person, visit.reason)
    return see_other(_back(visit, chosen.action))


def answer(site: Site, visit: Visit) -> Response:
    """Answers a dispute."""
    site.service.answer(visit.path["id"], visit.person, visit.reason, visit.said("about") or None)
    return see_other(_back(visit, Action.ANSWER))


def disputes(site: Site, visit: Visit) -> Response:
    """What waits for a maintainer's word, the newest first: disputes, and what a program suspects."""
    seen = site.submissions.look()
    waiting = [each for each in seen.standings if each.marks & {Mark.DISPUTED, Mark.SUSPECTED}]
    last = max(1, -(-len(waiting) // _A_PAGE))
    number = min(last, page_number(visit.query.get("page", "")))
    views = site.service.ledger.views(each.id for each in waiting[(number - 1) * _A_PAGE : number * _A_PAGE])
    return shown(
        "maintain/disputes.html",
        visit,
        DISPUTES,
        seen=seen,
        waiting=len(waiting),
        number=number,
        last=last,
        listed=[(view, open_disputes(view.events), suspicion_of(view.events)) for view in views],
    )


def _act(visit: Visit) -> ActForm:
    """Returns what the address names.

    Raises:
        RapportError: `not_found` if nothing is called so.
    """
    found = act_named(visit.path.get("act", ""))
    if found is None:
        raise RapportError(Cause.NOT_FOUND, "There is nothing of that name to be done.", "Open the submission's page.")
    return found


def _home(visit: Visit) -> str:
    """Returns the address of the submission's page, whose id the service has seen or will see."""
    return f"{SUBMISSIONS}/{visit.path['id']}"


def _back(visit: Visit, done: Action) -> str:
    """Returns where a form was sent from: a list, or the submission's page; nothing else that a form may say."""
    if visit.said("from") == "disputes":
        return f"{DISPUTES}?done={done}"
    if visit.said("from") == "list":
        return wanted_in(dict(visit.form)).address(done=done)
    return f"{_home(visit)}?done={done}"


def _method(service: SubmissionService, action: Action) -> Done:
    """Returns what does an action."""
    methods: Mapping[Action, Done] = {
        Action.CANCEL: service.cancel,
        Action.CLEAR: service.clear,
        Action.FLAG: service.flag,
        Action.HIDE: service.hide,
        Action.LIFT: service.lift,
        Action.PAUSE: service.pause,
        Action.RESUME: service.resume,
        Action.RETRY: lambda name, person, _reason: service.retry(name, person),
        Action.SHOW: service.show,
        Action.WITHDRAW: service.withdraw,
    }
    return methods[action]
