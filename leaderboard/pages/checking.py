"""The checklist as the form shows it: one line after the other, while they are decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaderboard.checks.findings import Surroundings
from leaderboard.checks.records import Check, CheckName, CheckRequest, CheckResult
from leaderboard.checks.run import run_checks
from leaderboard.pages.render import render

_WORDS = {
    CheckResult.PASSED: ("✓", "passed"),
    CheckResult.WARNED: ("!", "worth knowing"),
    CheckResult.FAILED: ("✗", "failed"),
    CheckResult.UNANSWERED: ("?", "no answer"),
    CheckResult.SKIPPED: ("–", "not looked at"),
}
"""Mark and words of each result; words stand beside marks, so that nobody needs to see either colour or sign."""
_NAMES = {
    CheckName.ID: "Model id",
    CheckName.EXISTS: "Repository",
    CheckName.ACCESS: "Access",
    CheckName.REVISION: "Revision",
    CheckName.WEIGHTS: "Weights",
    CheckName.LICENCE: "Licence",
    CheckName.ARCHITECTURE: "Architecture",
    CheckName.SIZE: "Size",
    CheckName.CONTEXT: "Context",
    CheckName.CHAT_TEMPLATE: "Chat template",
    CheckName.ADAPTER: "Adapter",
    CheckName.FIT: "Room on the workers",
    CheckName.DUPLICATE: "Submitted before",
    CheckName.QUOTA: "Quota",
    CheckName.ESTIMATE: "Expected time",
}


class Shown(NamedTuple):
    """The list at one moment."""

    html: str
    """A fragment; all that is not ours is escaped."""
    allowed: bool | None
    """Whether it can be submitted; None as long as checks are left."""


class Line(NamedTuple):
    """One check, for reading."""

    name: str
    result: CheckResult
    mark: str
    word: str
    message: str
    remedy: str
    covering: tuple[str, ...]
    """The submissions that cover the same already."""


def live_checks(request: CheckRequest, surroundings: Surroundings) -> Iterator[Shown]:
    """Yields the list anew after each check, and last with the word on whether it can be submitted.

    Args:
        request: What stands in the form.
        surroundings: Whom to ask.
    """
    lines: list[Line] = []
    allowed = True
    yield Shown(checklist((), None), None)
    for check in run_checks(request, surroundings):
        allowed = allowed and not check.refuses
        lines.append(_line(check))
        done = len(lines) == len(CheckName)
        yield Shown(checklist(lines, allowed if done else None), allowed if done else None)


def checklist(lines: list[Line] | tuple[Line, ...], allowed: bool | None) -> str:
    """Returns the list as an HTML fragment."""
    coming = list(_NAMES.values())[len(lines) :]
    return render("checks.html", lines=lines, coming=coming, allowed=allowed)


def _line(check: Check) -> Line:
    """Writes a check for reading."""
    mark, word = _WORDS[check.result]
    covering = dict.fromkeys(map(str, check.facts.values())) if check.name is CheckName.DUPLICATE else ()
    return Line(_NAMES[check.name], check.result, mark, word, check.message, check.remedy, tuple(covering))
