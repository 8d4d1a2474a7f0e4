"""Every page of the site with addresses at which it shows something, and all other addresses, which are no pages.

A new page needs a line in `WALKS`: with it, it is walked for accessibility, for its width and with hostile words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import quote

from redis import Redis

from benchmarks.site_store import Site
from evaluator.errors import Cause
from evaluator.records import Record
from leaderboard.labelling.records import Task
from leaderboard.maintaining.service import Maintenance
from leaderboard.objections.records import Decision, Ground
from leaderboard.objections.service import Answered, Objections
from leaderboard.pages.plots.library import NAME
from leaderboard.people import LOCAL_USER, Person
from leaderboard.records import AmendmentKind, Failure
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStep
from leaderboard.rescoring.reports import ReportDesk
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from tests.builders import NOON
from tests.worker.fleet import announce, make_worker

_RESCORE = "r-20260301-0a1b2c3d"
_CAROL = Person("carol", maintainer=True)
_OBJECTED = "test_2/000002"
"""A question of which an answer is objected to."""


class Found(Record):
    """What there is to look at on a generated site."""

    models: tuple[str, ...]
    """A model with rows, one without, and the first of those that were changed."""
    compared: tuple[str, ...]
    """Models with rows."""
    author: str
    """Who handed in the first model."""
    own: str
    """A submission of this author that waits."""
    submissions: tuple[str, ...]
    """One that is public, one that has failed, one under way, and all that were changed."""
    with_rows: str
    """The official scorecard of the first model."""
    human: str
    """A scorecard of a human-grounded task."""
    report: str = ""
    """Id of a preview that was asked for; empty where there is no Redis."""


Walk = Callable[[Found], Sequence[str]]


def found_on(site: Site) -> Found:
    """Returns what there is to look at on a site that was written."""
    first = site.models[0]
    mine = (each.id for each in site.cards if each.model == first.name and each.protocol == "official-v1")
    waiting, under_way, _, failed, *_ = site.unfinished
    changed = (each.submission_id for each in site.changed)
    return Found(
        models=tuple(site.models[place].name for place in (0, len(site.models) - 1, 9)),
        compared=tuple(each.name for each in site.models[:3]),
        author=first.submitter,
        own=waiting,
        submissions=tuple(dict.fromkeys((first.submission_id, failed, under_way, *changed))),
        with_rows=next(mine),
        human=site.human[0].id,
    )


def _of_submissions(address: str) -> Walk:
    return lambda found: [address.format(name) for name in found.submissions]


def _at(*addresses: str) -> Walk:
    return lambda _: addresses


def _with_rows(found: Found) -> str:
    return quote(found.with_rows, safe="@")


def _run(found: Found) -> str:
    return quote(found.with_rows.partition("@")[0])


WALKS: Mapping[str, Walk] = {
    "/": lambda found: [
        *("/", "/?judge=openai-compatible", "/?judge=nobody", "/?q=org&sort=-size", "/?protocol=paper"),
        f"/?pin={_with_rows(found)}&density=compact",
    ],
    "/about": _at("/about"),
    "/model": lambda found: [*(f"/model?id={quote(name)}" for name in found.models), "/model?id=nobody"],
    "/answers": lambda found: [
        f"/answers?scorecard={_with_rows(found)}",
        f"/answers?scorecard={_with_rows(found)}&only=lost&page=2",
    ],
    "/answer": lambda found: [
        f"/answer?scorecard={_with_rows(found)}&question={name}" for name in ("test_2/000001", _OBJECTED)
    ],
    "/objections": _at("/objections"),
    "/compare": lambda found: [
        "/compare",
        f"/compare?ids={','.join(quote(name) for name in found.compared)}",
        f"/compare?ids={','.join(quote(name) for name in found.models)}",
    ],
    "/changes": _at("/changes"),
    "/human": _at("/human"),
    "/plots": _at(*(f"/plots?plot={name}" for name in ("size", "ranks", "judges", "human", "nothing"))),
    "/human/figures": lambda found: [f"/human/figures?id={quote(found.human)}"],
    "/queue": _at("/queue", "/queue?page=2"),
    "/submission": lambda found: [
        *(f"/submission?id={name}" for name in found.submissions),
        "/submission?id=nothing",
    ],
    "/judges": _at("/judges"),
    "/judge": _at("/judge?id=hicupid-llama-3.2-3b", "/judge?id=nobody"),
    "/submit": _at("/submit"),
    "/manage": lambda found: [f"/manage?id={found.own}"],
    "/label": _at("/label"),
    "/label/withdraw": _at("/label/withdraw"),
    "/label/{task}": _at(*(f"/label/{task}" for task in Task)),
    "/maintain": _at("/maintain"),
    "/maintain/submissions": _at("/maintain/submissions", "/maintain/submissions?cause=load_error"),
    "/maintain/submissions/{id}": _of_submissions("/maintain/submissions/{}"),
    "/maintain/submissions/{id}/{act}": _of_submissions("/maintain/submissions/{}/hide"),
    "/maintain/disputes": _at("/maintain/disputes"),
    "/maintain/objections": _at("/maintain/objections", "/maintain/objections?show=all"),
    "/maintain/judges": _at("/maintain/judges"),
    "/maintain/reports/{id}": lambda found: [f"/maintain/reports/{found.report or 'nothing'}"],
    "/maintain/rescores/{id}": _at(f"/maintain/rescores/{_RESCORE}"),
    "/maintain/rescores/{id}/{act}": _at(f"/maintain/rescores/{_RESCORE}/promote"),
    "/maintain/site": _at("/maintain/site"),
    "/maintain/log": _at("/maintain/log"),
}
"""Pages by route, with where to look at each."""
NO_PAGES: Mapping[str, Walk] = {
    "/rows": _at("/rows"),
    "/live": _at("/live"),
    "/details": _of_submissions("/details?id={}"),
    "/scorecard": lambda found: [f"/scorecard?id={_run(found)}"],
    "/judge.json": _at("/judge.json?id=hicupid-llama-3.2-3b"),
    "/health": _at("/health"),
    "/human/rows": _at("/human/rows"),
    "/human/live": _at("/human/live"),
    "/plots/chart": _at("/plots/chart"),
    "/plots/data": _at("/plots/data?plot=ranks&format=csv"),
    f"/site/vendor/{NAME}": _at(f"/site/vendor/{NAME}"),
    "/exports/{name}": _at("/exports/board.csv", "/exports/board.json"),
    "/exports/scorecard/{name}": lambda found: [f"/exports/scorecard/{_with_rows(found)}.bib"],
    "/label/mine.json": _at("/label/mine.json"),
    "/maintain/reports/{id}/json": _at(),  # A file once a worker has made it, and nothing works here.
}
"""What answers with something else than a whole page: fragments of pages that are open, and files."""


def every_page(found: Found, leaving_out: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yields the address of everything that there is to look at."""
    for route, walk in WALKS.items():
        if route not in leaving_out:
            yield from walk(found)


_OF_NOTHING = {
    "/model": "?id=nobody",
    "/answers": "?scorecard=nobody",
    "/answer": "?scorecard=nobody&question=none",
    "/human/figures": "?id=nobody",
    "/submission": "?id=nothing",
    "/judge": "?id=nobody",
    "{task}": Task.VERIFICATION,
    "{id}": "nothing",
    "{act}": "hide",
}
"""What stands in addresses of a site that has nothing: what a page is told to look for, and parts of paths."""


def with_nothing() -> Iterator[str]:
    """Yields an address of every page, on a site before anything was submitted."""
    for route in WALKS:
        address = route
        for part in ("{task}", "{id}", "{act}"):
            address = address.replace(part, _OF_NOTHING[part])
        yield address + _OF_NOTHING.get(route, "")


def object_to(redis_url: str, settings: Settings, found: Found, words: str) -> None:
    """Has the first model's author, and whoever comes where nobody logs in, object to an answer in some words."""
    with Redis.from_url(redis_url) as redis:
        objections = Objections(settings, redis)
        for name, other in ((LOCAL_USER, found.author), (found.author, LOCAL_USER)):
            answered = Answered(found.with_rows, _OBJECTED, found.models[0], other)
            objection = objections.enter(Person(name), answered, Ground.OTHER, words)
            objections.enter(Person(name), answered._replace(question_id="test_2/000003"), Ground.GOLD, words)
            objections.reply(_CAROL, objection.id, Decision.ACCEPTED, words)


def look_after(redis_url: str, settings: Settings, submission_id: str, failed_id: str, words: str) -> str:
    """Has everything that a maintainer may have to look after be there, in some words; returns the id of a report."""
    with Redis.from_url(redis_url) as redis:
        ledger = Ledger(redis)
        history = ledger.history(submission_id)
        run_id = history.submission.run_ids()[0]
        ledger.amend(history, AmendmentKind.DISPUTED, words[:99], words, about="test_2/000001")
        ledger.amend(ledger.history(submission_id), AmendmentKind.SUSPECTED, "publisher", words, about=run_id)
        announce(redis, make_worker("gpu-1", run_id=f"{failed_id}.official-v1"), make_worker("gpu-2"))
        failure = Failure(cause=Cause.JUDGE_ERROR, message=words, remedy=words, log=(words[:300],))
        events = (
            RescoreEvent(sequence=1, step=RescoreStep.STARTED, at=NOON, actor=words[:99], reason=words),
            RescoreEvent(sequence=2, step=RescoreStep.RUN_FAILED, at=NOON, actor="w", run_id=run_id, failure=failure),
            RescoreEvent(sequence=3, step=RescoreStep.COMPLETED, at=NOON, actor="publisher"),
        )
        rescore = Rescore(
            id=_RESCORE,
            judge="openai-compatible",
            judge_revision="b" * 40,
            judge_config="c" * 64,
            prompt_pack="official",
            prompt_pack_status="builtin",
            runs=(run_id,),
            words=words,
            created_by=words[:99],
            created_at=NOON,
            events=events,
        )
        RescoreDesk(redis).enter(rescore)
        model = history.submission.model
        report = ReportDesk(redis).ask_preview(_CAROL, "openai-compatible", models=(model,), protocols=("official-v1",))
        maintenance = Maintenance(settings, redis)
        maintenance.pause_submissions(_CAROL, words)
        maintenance.set_quota(_CAROL, "somebody", 7, words)
        return report.id


def resume(redis_url: str, settings: Settings) -> None:
    """Has submissions be accepted again."""
    with Redis.from_url(redis_url) as redis:
        Maintenance(settings, redis).resume_submissions(_CAROL)
