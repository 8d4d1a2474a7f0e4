"""What came of making a published row again, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evaluator.metrics.sameness import Agreement
from evaluator.reproduced_scores import Apart
from evaluator.reproduction import Finding, ItemFinding, NearTie, Report, VerdictFinding
from worker.local.reproduce import Reproduction

MOST_ITEMS = 20
"""Items that differ and are listed; the file holds all."""

_WORDS = {
    Finding.EQUAL: "equal",
    Finding.DIFFERENT: "differs",
    Finding.MISSING_HERE: "missing here",
    Finding.MISSING_THERE: "missing there",
    Finding.MISSING: "missing on both sides",
    Finding.NOT_COMPARED: "not compared",
}


def describe(found: Reproduction, file: Path) -> str:
    """Says in some lines what came of it.

    Args:
        found: What came of it.
        file: Where the whole of it lies.
    """
    return "\n".join([*_head(found), *_differences(found), f"All items: {file}"])


def _head(found: Reproduction) -> Iterator[str]:
    """Yields what was made again on what, and how far it agrees."""
    report = found.report
    yield f"{found.scorecard_id}, {found.model}"
    yield f"items       {report.items:,} of {found.published_items:,}{_withheld(found)}"
    yield f"model       {found.engine} there, {found.engine_here} here"
    yield f"judge       {found.judge_engine} there, {found.judge_engine_here or 'not asked'} here"
    for change in found.changes:
        yield f"changed     {change.describe()}"
    yield f"prompts     {_rate(report.prompts)}"
    yield f"answers     {_rate(report.answers)}"
    yield f"to judge    prompts {_rate(report.judge_prompts)}"
    yield f"verdicts    on equal answers {_rate(report.verdicts)}{_near_ties(report)}"
    if report.shift is not None:
        yield f"mean score  {_apart(report.shift.mean)}, of {report.shift.items:,} items"
        yield f"Total       {_apart(report.shift.total)}"
    yield f"agreeing    {report.agreeing:,} of {report.items:,} items in all that was compared"


def _differences(found: Reproduction) -> Iterator[str]:
    """Yields the first items that differ, a line each."""
    differing = [row for row in found.report.rows if not row.agrees]
    for row in differing[:MOST_ITEMS]:
        yield f"  {row.question_id} ({row.type}): {'; '.join(_said(row))}"
    if len(differing) > MOST_ITEMS:
        yield f"  and {len(differing) - MOST_ITEMS:,} more"


def _said(row: ItemFinding) -> Iterator[str]:
    """Yields what of an item does not agree."""
    own = (("prompt", row.prompt), ("answer", row.answer), ("defect or failure", row.fate))
    for name, finding in own:
        if finding not in (Finding.EQUAL, Finding.NOT_COMPARED):
            yield f"{name} {_WORDS[finding]}{_place(row) if name == 'answer' else ''}"
    for verdict in row.verdicts:
        if verdict.prompt is Finding.DIFFERENT:
            yield f"prompt of the judge {verdict.order} {_WORDS[verdict.prompt]}"
        if verdict.finding not in (Finding.EQUAL, Finding.NOT_COMPARED):
            yield _verdict(verdict)


def _place(row: ItemFinding) -> str:
    """Says where two answers part; whether a near-tie parted them is not known of any engine."""
    where = "" if row.differs_at is None else f" from character {row.differs_at:,} on"
    return f"{where} (near-tie: unknown)" if row.answer is Finding.DIFFERENT else ""


def _verdict(verdict: VerdictFinding) -> str:
    """Says how two verdicts differ, and by how little."""
    if verdict.finding is not Finding.DIFFERENT:
        return f"verdict {verdict.order} {_WORDS[verdict.finding]}"
    margins = " and ".join(
        "unknown" if margin is None else f"{margin:.3f}" for margin in (verdict.margin_there, verdict.margin_here)
    )
    near = {NearTie.YES: "near-tie", NearTie.NO: "no near-tie", NearTie.UNKNOWN: "near-tie: unknown"}[verdict.near_tie]
    words = f"{verdict.there or 'unread'} there, {verdict.here or 'unread'} here"
    return f"verdict {verdict.order} {words} ({near}, margins {margins})"


def _rate(rate: Agreement) -> str:
    """Writes a rate with its counts and interval.

    Example:
        >>> from evaluator.metrics.sameness import agreement
        >>> from evaluator.metrics.intervals import UserSums
        >>> _rate(agreement([UserSums(9, 10)], missing=1))
        '9 of 10 equal: 90.0 % [55.5, 99.7], items taken as independent; 1 missing'
    """
    missing = f"; {rate.missing:,} missing" if rate.missing else ""
    if rate.percent is None:
        return f"not compared{missing}"
    how = "clustered by user" if rate.clustered_by == "user" else "items taken as independent"
    share = f"{rate.percent:.1f} % [{rate.low:.1f}, {rate.high:.1f}], {how}"
    return f"{rate.agree:,} of {rate.compared:,} equal: {share}{missing}"


def _near_ties(report: Report) -> str:
    """Says how many of the verdicts that differ are near-ties."""
    differing = report.verdicts.compared - report.verdicts.agree
    below = f"margin below {report.near_tie_below:g}"
    return f"; of {differing:,} that differ {report.near_ties:,} are near-ties ({below})" if differing else ""


def _apart(apart: Apart) -> str:
    """Writes a score of both runs."""
    if apart.there is None or apart.here is None or apart.difference is None:
        return "none: not every question type has an item that both have judged"
    interval = f" [{apart.interval.low:+.1f}, {apart.interval.high:+.1f}]" if apart.interval else " (no interval)"
    return f"{apart.there:.1f} there, {apart.here:.1f} here: {apart.difference:+.1f}{interval}"


def _withheld(found: Reproduction) -> str:
    return f"; {found.withheld:,} cannot be judged again, for their answers are not public" if found.withheld else ""
