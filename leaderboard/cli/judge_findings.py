"""What `rapport doctor` finds out about judges: whether each can be read, and whether its server can be asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from evaluator.errors import RapportError
from evaluator.judges.spec import judge_ids, load_judge
from leaderboard.cli.findings import Finding, Mark, Role
from leaderboard.records import Lane
from leaderboard.settings import Settings


def judge_findings(settings: Settings, role: Role, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Whether all judges can be read, and, where they are asked, whether their servers are named with their keys."""
    try:
        names = judge_ids(settings.judges)
    except RapportError as error:
        yield Finding("judges", Mark.BROKEN, error.message, error.remedy)
        return
    broken = False
    for name in names:
        try:
            load_judge(name, settings.judges)
        except RapportError as error:
            broken = True
            yield Finding(f"judge {name}", Mark.BROKEN, error.message, error.remedy)
    if not broken:
        yield Finding("judges", Mark.FINE, f"{len(names)} judges can be read.")
    if role in (Role.ALL, Role.WORKER) and Lane.JUDGE in settings.lanes:
        yield from _servers(settings, names, environment)


def _servers(settings: Settings, judges: Sequence[str], environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether each server is one of a judge that there is, and has its key."""
    for server in settings.judge_servers:
        if server.judge not in judges:
            remedy = f"Choose of: {', '.join(judges)}."
            yield Finding("judge servers", Mark.BROKEN, f"One is named for {server.judge}: no such judge.", remedy)
    keys = {server.key_variable for server in settings.judge_servers} | {settings.judge_key_variable}
    for variable in sorted(key for key in keys if key and not environment.get(key)):
        remedy = f"Set {variable} to the server's key for this process, or name none."
        yield Finding("judge servers", Mark.BROKEN, f"{variable} is not set, which a judge's server needs.", remedy)
