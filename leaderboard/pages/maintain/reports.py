"""Reports on re-scores for maintainers: asked for, waited for, and shown: previews, comparisons, and beginnings."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from fastapi.responses import Response

from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import load_judge
from leaderboard.fleet import Fleet
from leaderboard.pages.answering import NEVER_KEPT, see_other
from leaderboard.pages.maintain.judges import JUDGES
from leaderboard.pages.maintain.pages import Site, Visit, shown
from leaderboard.pages.maintain.preview import preview_facts
from leaderboard.records import Lane
from leaderboard.rescoring.preview_records import Preview
from leaderboard.rescoring.reports import Report, ReportDesk, ReportKind, ReportState
from leaderboard.store.rows import read_record

REPORTS = "/maintain/reports"
FLIPS_SHOWN = 3
"""Flips of each kind that a page shows with the words of both judges; the JSON has all that are kept."""
_RELOAD_AFTER = 3
"""Seconds after which a page is loaded anew while a report is worked out."""
_SEPARATORS = re.compile(r"[\s,]+")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def ask_preview(site: Site, visit: Visit) -> Response:
    """Asks what a re-score would take.

    Raises:
        RapportError: As of `load_judge`: the publisher need not be asked about a judge that there is not.
    """
    judge = load_judge(visit.said("judge").strip(), site.settings.judges)
    asked = ReportDesk(site.redis).ask_preview(
        visit.person,
        judge.id,
        models=[name for name in _SEPARATORS.split(visit.said("models")) if name],
        protocols=visit.all_said("protocol"),
        since=day_in(visit.said("since")),
    )
    return see_other(f"{REPORTS}/{asked.id}")


def compare(site: Site, visit: Visit) -> Response:
    """Asks for old and new side by side."""
    asked = ReportDesk(site.redis).ask_comparison(
        visit.person,
        visit.path["id"],
        protocol=visit.said("protocol") or None,
        against=visit.said("against").strip() or None,
    )
    return see_other(f"{REPORTS}/{asked.id}")


def start(site: Site, visit: Visit) -> Response:
    """Asks for the re-score that a preview was of."""
    desk = ReportDesk(site.redis)
    of = desk.get(visit.path["id"])
    if of.kind is not ReportKind.PREVIEW or of.state is not ReportState.READY or of.judge is None:
        raise RapportError(Cause.DATA_ERROR, f"{of.id} is no preview that is ready.", "Ask for a preview first.")
    asked = desk.ask_start(
        visit.person,
        of.judge,
        models=of.models,
        protocols=of.protocols,
        since=of.since,
        reason=visit.reason,
    )
    return see_other(f"{REPORTS}/{asked.id}")


def report(site: Site, visit: Visit) -> Response:
    """A report, or how far it is; one that began a re-score leads there."""
    desk = ReportDesk(site.redis)
    found = desk.get(visit.path["id"])
    if found.kind is ReportKind.START and found.result:
        return see_other(f"/maintain/rescores/{found.result}?done=started")
    template, values = "maintain/report.html", dict[str, Any]()
    if found.state is ReportState.READY and found.result:
        template, values = _result(site, found, found.result)
    reload_after = _RELOAD_AFTER if found.is_open else None
    return shown(template, visit, JUDGES, report=found, served=desk.is_served(), reload_after=reload_after, **values)


def as_json(site: Site, visit: Visit) -> Response:
    """All of a report's result."""
    found = ReportDesk(site.redis).get(visit.path["id"])
    if found.state is not ReportState.READY or found.result is None or found.kind is ReportKind.START:
        raise RapportError(Cause.NOT_FOUND, f"{found.id} has no result to take along.", "Open its page.")
    headers = {**NEVER_KEPT, "Content-Disposition": f'attachment; filename="{found.id}.json"'}
    return Response(found.result, media_type="application/json", headers=headers)


def day_in(text: str) -> datetime.date | None:
    """Reads a day as a form sends it; None for an empty field.

    Raises:
        RapportError: `data_error` if it is none.

    Example:
        >>> day_in("2026-11-01"), day_in("")
        (datetime.date(2026, 11, 1), None)
    """
    words = text.strip()
    if not words:
        return None
    try:
        if _DAY.fullmatch(words):
            return datetime.date.fromisoformat(words)
    except ValueError:
        pass  # Of the right form, and no day all the same: told below.
    raise RapportError(Cause.DATA_ERROR, "The day cannot be read.", "Write it like 2026-11-01.")


def _result(site: Site, found: Report, result: str) -> tuple[str, dict[str, Any]]:
    """Returns the template of a result, with what it is told."""
    if found.kind is ReportKind.PREVIEW:
        told = read_record(result, Preview, f"result of {found.id}")
        judging = sum(Lane.JUDGE in worker.lanes for worker in Fleet(site.redis).alive())
        return "maintain/preview.html", {"preview": told, "facts": preview_facts(told), "judging": judging}
    return "maintain/comparison.html", _comparison(found, result)


def _comparison(found: Report, result: str) -> dict[str, Any]:
    """Reads a comparison; with its records come numpy and scipy, which no other page needs."""
    from leaderboard.pages.maintain.comparison import headline, parts_of
    from leaderboard.rescoring.comparison import Comparison

    told = read_record(result, Comparison, f"result of {found.id}")
    parts: Sequence[Any] = parts_of(told, FLIPS_SHOWN)
    return {"comparison": told, "headline": headline(told), "parts": parts}
