"""Judges and re-scores for maintainers: which judge decides where, what canaries said, and the form for another one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from fastapi.responses import Response

from evaluator.errors import RapportError
from evaluator.judges.canaries import JudgeCheck
from evaluator.judges.spec import JudgeSpec, judge_ids, load_judge
from evaluator.protocol import is_human_grounded, protocol_ids
from leaderboard.pages.asking import page_number
from leaderboard.pages.maintain.pages import Site, Visit, shown
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.promotions import Promotions, judges_as_promoted, told_promotions
from leaderboard.rescoring.reports import ReportDesk
from leaderboard.settings import Settings

JUDGES = "/maintain/judges"
_REPORTS_SHOWN = 20
_RESCORES_A_PAGE = 20


class CheckLine(NamedTuple):
    """What canaries said of one version of a judge."""

    revision: str
    engine: str
    passed: bool
    unkept: tuple[str, ...]
    """The bounds that it does not keep to."""
    is_present: bool
    """Whether it is of the judge's configuration as it is now."""


class JudgeLine(NamedTuple):
    """What is said of a judge."""

    id: str
    spec: JudgeSpec | None
    """With the status that it has by now; None if the page does not have it, or cannot read it."""
    problem: str
    protocols: tuple[str, ...]
    """Whose ranks it decides by a promotion."""
    checks: tuple[CheckLine, ...]


def judges(site: Site, visit: Visit) -> Response:
    """All judges, all re-scores and the latest reports, with the form for another re-score."""
    checks, promotions = JudgeChecks(site.redis).all().values(), told_promotions(site.redis)
    rescores = site.rescores.desk.all()[::-1]
    known, problem = _known(site.settings)
    elsewhere = {check.judge for check in checks} | {rescore.judge for rescore in rescores}
    folder = None if problem else site.settings.judges
    lines = [_line(name, folder, checks, promotions) for name in sorted({*known, *elsewhere})]
    last = max(1, -(-len(rescores) // _RESCORES_A_PAGE))
    number = min(last, page_number(visit.query.get("page", "")))
    desk = ReportDesk(site.redis)
    return shown(
        "maintain/judges.html",
        visit,
        JUDGES,
        judges=lines,
        problem=problem,
        pairwise=[line.id for line in lines if line.spec and line.spec.kind == "pairwise"],
        protocols=[name for name in protocol_ids() if not is_human_grounded(name)],
        rescores=rescores[(number - 1) * _RESCORES_A_PAGE : number * _RESCORES_A_PAGE],
        number=number,
        last=last,
        reports=desk.recent(_REPORTS_SHOWN),
        served=desk.is_served(),
    )


def pairwise_ids(settings: Settings) -> list[str]:
    """Returns the judges that compare, as far as the page can read them, sorted."""
    found = []
    for name in _known(settings)[0]:
        with contextlib.suppress(RapportError):  # What is wrong with it stands in the table of judges.
            if load_judge(name, settings.judges).kind == "pairwise":
                found.append(name)
    return found


def _known(settings: Settings) -> tuple[list[str], str]:
    """Returns the ids of the judges that the page has, and what is wrong with their folder."""
    try:
        return judge_ids(settings.judges), ""
    except RapportError as error:
        return judge_ids(), str(error)


def _line(name: str, folder: Path | None, checks: Iterable[JudgeCheck], promotions: Promotions) -> JudgeLine:
    """Returns what is known of one judge."""
    spec, config, problem = None, None, ""
    try:
        own = load_judge(name, folder)
        (spec,) = judges_as_promoted([own], promotions)
        config = own.digest()  # Canaries are asked of its own file: a promotion changes its status, and nothing else.
    except RapportError as error:
        problem = str(error)
    held = {each.protocol: each.judge for each in promotions.promotions}
    return JudgeLine(
        id=name,
        spec=spec,
        problem=problem,
        protocols=tuple(sorted(protocol for protocol, judge in held.items() if judge == name)),
        checks=tuple(_check(each, config) for each in checks if each.judge == name),
    )


def _check(check: JudgeCheck, config: str | None) -> CheckLine:
    """Returns what one check says."""
    engine = f"{check.judge_engine.engine} {check.judge_engine.version}, {check.judge_engine.dtype}"
    unkept = tuple(f"{canary or 'all together'}: {figure} {said}" for canary, figure, said in check.unkept)
    return CheckLine(check.judge_revision, engine, check.passed, unkept, check.judge_config == config)
