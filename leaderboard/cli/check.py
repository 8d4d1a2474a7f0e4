"""`rapport check`: looks a model over as the form does, before anything is submitted."""

from __future__ import annotations

from typing import Annotated

import typer

from evaluator.protocol import load_protocol
from leaderboard.checks.records import Check, CheckReport, CheckRequest, CheckResult
from leaderboard.checks.run import report
from leaderboard.checks.surroundings import surroundings_of
from leaderboard.cli.options import Adapter, AdapterRevision, Model, Revision, Thinking
from leaderboard.connection import web_client
from leaderboard.settings import Settings
from leaderboard.submissions.service import THE_MAINTAINER

FAILED, UNANSWERED = 1, 3
"""Exit codes; 0 is passed or warned throughout."""

_MARKS = {
    CheckResult.PASSED: "ok",
    CheckResult.WARNED: "!!",
    CheckResult.FAILED: "NO",
    CheckResult.UNANSWERED: "??",
    CheckResult.SKIPPED: "--",
}


def check(
    model: Model,
    revision: Revision = None,
    adapter: Adapter = None,
    adapter_revision: AdapterRevision = None,
    protocol: Annotated[
        list[str] | None, typer.Option(help="Protocol to run it on; those of RAPPORT_PROTOCOLS if left out.")
    ] = None,
    thinking: Thinking = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """Looks a model over without downloading its weights; submits nothing.

    Exit codes: 0 all is well or only worth knowing; 1 it cannot be submitted; 3 somebody who was asked did not answer.
    What needs the leaderboard is asked of the one at RAPPORT_REDIS_URL.
    """
    settings = Settings()
    protocols = tuple(protocol or settings.protocols)
    for name in protocols:
        load_protocol(name)
    redis = web_client(settings.redis_url) if settings.redis_url else None
    request = CheckRequest(model, revision, adapter, adapter_revision, protocols, thinking)
    found = report(request, surroundings_of(settings, redis, THE_MAINTAINER))
    print(found.model_dump_json(indent=2) if as_json else "\n".join(map(line, found.checks)))
    raise typer.Exit(exit_code(found))


def line(found: Check) -> str:
    """Writes a check in one line.

    Example:
        >>> from leaderboard.checks.records import CheckName
        >>> line(Check(name=CheckName.FIT, result=CheckResult.WARNED, message="No worker.", remedy="It waits."))
        '!! fit            No worker. It waits.'
    """
    return f"{_MARKS[found.result]} {found.name:<14} {found.message} {found.remedy}".rstrip()


def exit_code(found: CheckReport) -> int:
    """Returns the exit code that a list of checks ends with."""
    results = {check.result for check in found.checks}
    if CheckResult.FAILED in results:
        return FAILED
    return UNANSWERED if CheckResult.UNANSWERED in results else 0
