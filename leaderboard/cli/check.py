"""`rapport check`: looks a model over as the form does, before anything is submitted; here, or at a site."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import typer

from evaluator.protocol import load_protocol
from leaderboard.api.records import Checked, Checklist
from leaderboard.api.telling import checklist_of
from leaderboard.checks.records import CheckRequest, CheckResult
from leaderboard.checks.run import report
from leaderboard.checks.surroundings import surroundings_of
from leaderboard.cli.options import Adapter, AdapterRevision, AsJson, Model, Revision, Thinking
from leaderboard.cli.remote import Site
from leaderboard.cli.remote_errors import nonsense, shown
from leaderboard.connection import web_client
from leaderboard.settings import Settings
from leaderboard.submissions.service import THE_MAINTAINER

FAILED, UNANSWERED = 1, 3
"""Exit codes; 0 is passed or warned throughout."""

_MARKS: Mapping[str, str] = {
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
        list[str] | None,
        typer.Option(help="Protocol to run it on; those of RAPPORT_PROTOCOLS, or of the site, if left out."),
    ] = None,
    thinking: Thinking = False,
    url: Annotated[
        str | None, typer.Option(help="Address of a site that looks at it; without it this machine does.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Looks a model over without downloading its weights; submits nothing.

    Exit codes: 0 all is well or only worth knowing; 1 it cannot be submitted; 3 somebody who was asked did not answer.
    What needs the leaderboard is asked of the one at RAPPORT_REDIS_URL. With --url all is asked of that site, under the
    protocols that it runs; one with a login is told who asks by the token in RAPPORT_TOKEN.
    """
    if url and protocol:
        raise typer.BadParameter("a site looks at the protocols that it runs", param_hint="--protocol")
    request = CheckRequest(model, revision, adapter, adapter_revision, tuple(protocol or ()), thinking)
    found = _found_at(url, request) if url else _found_here(request)
    print(json.dumps(found, indent=2) if as_json else "\n".join(map(line, found["checks"])))
    raise typer.Exit(exit_code(found))


def _found_here(request: CheckRequest) -> Checklist:
    """Looks at a model on this machine; without a protocol under those of the settings."""
    settings = Settings()
    asked = request._replace(protocols=request.protocols or settings.protocols)
    for name in asked.protocols:
        load_protocol(name)
    redis = web_client(settings.redis_url) if settings.redis_url else None
    return checklist_of(report(asked, surroundings_of(settings, redis, THE_MAINTAINER)))


def _found_at(url: str, request: CheckRequest) -> Checklist:
    """Lets a site look at a model."""
    site = Site(url, acts=True)
    found = site.call(
        "check",
        Checklist,
        model=request.model,
        revision=request.revision or "",
        adapter=request.adapter or "",
        adapter_revision=request.adapter_revision or "",
        thinking=request.thinking,
    )
    if any(each["result"] not in _MARKS for each in found["checks"]):
        raise nonsense(site.url)
    return found


def line(found: Checked) -> str:
    """Writes a check in one line.

    Example:
        >>> line(Checked(name="fit", result="warned", message="No worker.", remedy="It waits.", cause=None, facts={}))
        '!! fit            No worker. It waits.'
    """
    return shown(f"{_MARKS[found['result']]} {found['name']:<14} {found['message']} {found['remedy']}".rstrip())


def exit_code(found: Checklist) -> int:
    """Returns the exit code that a list of checks ends with."""
    if found["allowed"]:
        return 0
    return FAILED if any(each["result"] == CheckResult.FAILED for each in found["checks"]) else UNANSWERED
