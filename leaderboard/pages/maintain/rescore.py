"""One re-score for maintainers: how far it is, what stands in the way of its promotion, and what is decided about it.

Whoever promotes decides on what was shown: if anything has happened to the re-score since, nothing is done and that is
told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from fastapi.responses import Response

from evaluator.errors import Cause, RapportError
from evaluator.identity import digest
from leaderboard.fleet import Fleet
from leaderboard.pages.answering import see_other
from leaderboard.pages.maintain.judges import JUDGES, pairwise_ids
from leaderboard.pages.maintain.pages import Site, Visit, shown
from leaderboard.records import Lane, protocol_of
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.desk import RescoreMovedMeanwhile
from leaderboard.rescoring.judges import judge_of
from leaderboard.rescoring.records import Rescore, RescoreStatus, RescoreStep
from leaderboard.rescoring.reports import Report, ReportDesk, ReportKind
from leaderboard.rescoring.service import require_checked

RESCORES = "/maintain/rescores"
_RELOAD_AFTER = 10
"""Seconds after which a page is loaded anew while workers judge."""
_REPORTS_LOOKED_AT = 50
_FAILURES_SHOWN = 50


class RescoreAct(NamedTuple):
    """What may be done to a re-score."""

    name: str
    step: RescoreStep
    label: str
    says: str
    needs_reason: bool
    public: bool
    """Whether readers see the reason."""
    grave: bool
    """Whether it is for good, and so decided on what was seen alone."""


ACTS = (
    RescoreAct(
        "pause", RescoreStep.PAUSED, "Pause", "Workers finish the shard that they have, and take no more.",
        needs_reason=False, public=False, grave=False,
    ),
    RescoreAct(
        "resume", RescoreStep.RESUMED, "Resume", "It goes on; runs that failed are tried again.",
        needs_reason=False, public=False, grave=False,
    ),
    RescoreAct(
        "promote", RescoreStep.PROMOTED, "Promote", "Its judge decides ranks from now on. This cannot be undone; "
        "another judge can be promoted later.", needs_reason=True, public=True, grave=True,
    ),
    RescoreAct(
        "discard", RescoreStep.DISCARDED, "Discard", "Ends it for good. Its rows stay in the archive, and count for "
        "nothing.", needs_reason=True, public=False, grave=True,
    ),
)  # fmt: skip


def rescore(site: Site, visit: Visit) -> Response:
    """A re-score: how far it is, who judges, what failed, what was decided."""
    found = site.rescores.desk.get(visit.named("id"))
    reports = [each for each in ReportDesk(site.redis).recent(_REPORTS_LOOKED_AT) if each.rescore_id == found.id]
    fleet = Fleet(site.redis).alive()
    failed = list(found.failed.items())
    return shown(
        "maintain/rescore.html",
        visit,
        JUDGES,
        rescore=found,
        progress=site.rescores.desk.progress(found),
        protocols=protocols_of(found),
        failed=failed[:_FAILURES_SHOWN],
        failed_more=len(failed) - len(failed[:_FAILURES_SHOWN]),
        workers=[each for each in fleet if each.run_id and each.run_id.partition(".")[0] == found.id],
        judging=sum(Lane.JUDGE in each.lanes for each in fleet),
        acts=[act for act in ACTS if act.step in found.next],
        obstacles=list(obstacles(site, found)),
        pairwise=pairwise_ids(site.settings),
        reports=reports,
        reload_after=_RELOAD_AFTER if found.status is RescoreStatus.RUNNING else None,
    )


def sure(site: Site, visit: Visit) -> Response:
    """Asks for a reason and once more, beside what is decided on."""
    act, found = _act(visit), site.rescores.desk.get(visit.path["id"])
    standing_in_the_way = list(obstacles(site, found)) if act.name == "promote" else []
    # What is not finished yet has moved nowhere: what stands in the way is told instead.
    if act.step not in found.next and not standing_in_the_way:
        raise RescoreMovedMeanwhile(found)
    return shown(
        "maintain/rescore_sure.html",
        visit,
        JUDGES,
        act=act,
        rescore=found,
        seen=name_of(found),
        obstacles=standing_in_the_way,
        protocols=protocols_of(found),
        progress=site.rescores.desk.progress(found),
        reports=comparisons_of(site, found),
    )


def act(site: Site, visit: Visit) -> Response:
    """Decides about a re-score, if it still is what was seen."""
    chosen, home = _act(visit), f"{RESCORES}/{visit.path['id']}"
    if visit.said("sure") != "yes":
        return see_other(f"{home}/{chosen.name}")
    found = site.rescores.desk.get(visit.path["id"])
    if chosen.grave and name_of(found) != visit.said("seen"):
        raise RescoreMovedMeanwhile(found)
    reason, service = visit.reason, site.rescores
    if chosen.step is RescoreStep.PROMOTED:
        service.promote(found.id, visit.person, reason, seen=found)
    elif chosen.step is RescoreStep.DISCARDED:
        service.discard(found.id, visit.person, reason)
    elif chosen.step is RescoreStep.PAUSED:
        service.pause(found.id, visit.person, reason)
    else:
        service.resume(found.id, visit.person, reason)
    return see_other(f"{home}?done={chosen.step}")


def obstacles(site: Site, found: Rescore) -> Iterator[str]:
    """Yields what stands in the way of a promotion, a sentence each; nothing of one that is decided."""
    if found.status in (RescoreStatus.PROMOTED, RescoreStatus.DISCARDED):
        return
    if found.status is not RescoreStatus.COMPLETED:
        yield f"It is {found.status}: every run has to be judged first."
    if found.failed:
        failed = f"{len(found.failed):,} of {len(found.runs):,} runs"
        yield f"{failed} could not be judged. Resume it, which tries them again."
    try:
        if judge_of(found, site.settings.judges).status == "demo":
            yield f"{found.judge} is for trying the site."
    except RapportError as error:
        yield str(error)
    try:
        require_checked(found, site.settings, JudgeChecks(site.redis))
    except RapportError as error:
        yield str(error)


def name_of(found: Rescore) -> str:
    """Names what a maintainer sees: another name as soon as anything has happened to the re-score."""
    return digest(found.model_dump(mode="json"))


def protocols_of(found: Rescore) -> list[str]:
    """Returns the protocols of a re-score's runs, sorted."""
    return sorted({protocol_of(run_id) for run_id in found.runs})


def comparisons_of(site: Site, found: Rescore) -> list[Report]:
    """Returns the latest comparisons of a re-score, the newest first."""
    recent = ReportDesk(site.redis).recent(_REPORTS_LOOKED_AT)
    return [each for each in recent if each.rescore_id == found.id and each.kind is ReportKind.COMPARISON]


def _act(visit: Visit) -> RescoreAct:
    """Returns what the address names.

    Raises:
        RapportError: `not_found` if nothing is called so.
    """
    named: Mapping[str, RescoreAct] = {each.name: each for each in ACTS}
    if (found := named.get(visit.path.get("act", ""))) is None:
        raise RapportError(Cause.NOT_FOUND, "There is nothing of that name to be done.", "Open the re-score's page.")
    return found
