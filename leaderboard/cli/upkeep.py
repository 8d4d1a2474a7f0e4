"""`rapport store check|migrate|takedown`: keeps the stores sound; see docs/upkeep.md."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Annotated

import typer

from evaluator.errors import Cause, RapportError
from evaluator.redaction import secrets_of
from leaderboard.cli.options import AsJson
from leaderboard.records import now
from leaderboard.settings import Settings
from leaderboard.store.open import Stores, check_archive_private, names_of, open_store, open_stores
from leaderboard.submissions.service import THE_MAINTAINER
from leaderboard.upkeep.check import check_stores
from leaderboard.upkeep.findings import Finding
from leaderboard.upkeep.migrate import Migration, Skipped, migrate, migrations
from leaderboard.upkeep.patient import PatientStore
from leaderboard.upkeep.reach import Reach, look
from leaderboard.upkeep.records import Takedown, TakedownKind
from leaderboard.upkeep.rest import at_rest
from leaderboard.upkeep.takedown import Site, take_down
from leaderboard.upkeep.writing import last_mark, unknown_mark

_LINE_SECONDS = 5.0
_FORMS = {TakedownKind.ANSWER: r"[0-9a-f]{64}", TakedownKind.SUBMISSION: r"s-\d{8}-[0-9a-f]{8}"}

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only told.")]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to `rapport store`."""
    for command in (check, migrate_archive, takedown):
        app.command("migrate" if command is migrate_archive else None)(command)


def check(
    repair: Annotated[bool, typer.Option("--repair", help="Put right what can be; no publisher may run.")] = False,
    as_json: AsJson = False,
) -> None:
    """Looks at every file of the three stores, and counts all scorecards anew from their rows.

    Exit code 0 if nothing is wrong or all of it was repaired, and 1 if not. Rows are never deleted.
    """
    settings = Settings()
    stores = open_stores(settings)
    if repair:
        check_archive_private(stores.archive)
        with at_rest(settings):
            left = _tell_findings(settings, stores, as_json, repair=True)
    else:
        left = _tell_findings(settings, stores, as_json, repair=False)
    if left:
        raise typer.Exit(1)


def _tell_findings(settings: Settings, stores: Stores, as_json: bool, *, repair: bool) -> int:
    """Prints what is wrong as it is found; returns how much of it is left."""
    tell, findings = _teller(), list[Finding]()
    for finding in check_stores(
        Stores(*(PatientStore(store, tell) for store in stores)),
        names_of(settings),
        secrets_of(os.environ),
        repair=repair,
        judges=settings.judges,
        tell=lambda progress: tell(f"{progress.looked_at} of {progress.submissions} submissions"),
    ):
        findings.append(finding)
        if not as_json:
            print(finding.line(), flush=True)
    repaired = sum(finding.repaired for finding in findings)
    if as_json:
        print(json.dumps([finding.model_dump(mode="json") for finding in findings], indent=2))
    else:
        print(f"{len(findings)} findings, {repaired} of them repaired" if findings else "nothing is wrong")
    return len(findings) - repaired


def migrate_archive(yes: Yes = False, as_json: AsJson = False) -> None:
    """Rewrites in the archive what older versions wrote: old places, old records, results in many small files."""
    settings, tell = Settings(), _teller()
    archive = PatientStore(open_store(settings), tell)
    found = migrations(archive, lambda count: tell(f"{count} files"))
    if not yes:
        _tell_migrated(list(found), as_json, done=False)
        return
    with at_rest(settings) as redis:
        mark = unknown_mark() if redis is None else last_mark(archive)
        _tell_migrated(list(migrate(archive, mark, found)), as_json, done=True)


def takedown(
    reason: Annotated[str, typer.Option(help="Why, for everyone who asks: it is published with a withdrawal.")],
    model: Annotated[str | None, typer.Option(help="All results of a model.")] = None,
    submission: Annotated[str | None, typer.Option(help="All results of a submission.")] = None,
    answer: Annotated[str | None, typer.Option(help="An answer's text, by its content hash.")] = None,
    person: Annotated[
        str | None,
        typer.Option(help="A person's labels and verdicts, by the pseudonym; objections, by the name on the Hub."),
    ] = None,
    by: Annotated[str, typer.Option(help="Who decided it.")] = THE_MAINTAINER.name,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Takes a model, a submission, an answer or a person's words out of all stores, and out of their histories.

    What is taken down cannot be brought back. It leaves a note that says what, when, by whom and why. No publisher may
    run; who is interrupted calls the same again.
    """
    asked = {
        TakedownKind.MODEL: model,
        TakedownKind.SUBMISSION: submission,
        TakedownKind.ANSWER: answer,
        TakedownKind.PERSON: person,
    }
    given = {kind: name for kind, name in asked.items() if name}
    if len(given) != 1:
        raise typer.BadParameter("name exactly one of --model, --submission, --answer and --person")
    ((kind, name),) = given.items()
    if not re.fullmatch(_FORMS.get(kind, r".{1,200}"), name):
        raise typer.BadParameter(f"{name!r} is no {kind}", param_hint=f"--{kind}")
    if not 0 < len(reason.strip()) <= 1000:
        raise typer.BadParameter("takes 1 to 1000 characters", param_hint="--reason")
    order = Takedown(kind=kind, name=name, at=now(), actor=by, reason=reason.strip())
    settings, tell = Settings(), _teller()
    opened = open_stores(settings)
    stores = Stores(*(PatientStore(store, tell) for store in opened))
    if not yes:
        reach = look(stores.archive, stores.results, order, lambda run_id: tell(f"reading {run_id}"))
        _tell_reach(reach, as_json, "would change; nothing was done: give --yes to do it")
        return
    check_archive_private(opened.archive)
    with at_rest(settings) as redis:
        site = Site(stores, names_of(settings), secrets_of(os.environ), redis, settings.judges)
        reach = take_down(site, order, tell)
    _tell_reach(reach, as_json, "are changed or gone, and nothing of what was there before is kept")


def _tell_migrated(found: list[Migration | Skipped], as_json: bool, *, done: bool) -> None:
    """Prints what was rewritten, or is to be."""
    counts = Counter(str(each.reason) for each in found if isinstance(each, Migration))
    skipped = [each for each in found if isinstance(each, Skipped)]
    if as_json:
        print(json.dumps({"done": done, **counts, "skipped": [each._asdict() for each in skipped]}))
    else:
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items())) or "nothing to rewrite"
        print(told if done or not counts else f"to be rewritten: {told}; give --yes to do it")
    for each in skipped:
        print(f"left as it is: {each.path}: {each.because}", file=sys.stderr)
    if skipped:
        raise RapportError(
            Cause.DATA_ERROR, f"{len(skipped)} files cannot be read.", "`rapport store check` names what is wrong."
        )


def _tell_reach(reach: Reach, as_json: bool, what: str) -> None:
    """Prints what a takedown concerns."""
    if as_json:
        print(reach.model_dump_json())
        return
    for name in reach.submissions:
        print(name)
    print(f"{len(reach.submissions)} submissions with {len(reach.runs)} runs: {reach.files} files {what}")


def _teller(clock: Callable[[], float] = time.monotonic) -> Callable[[str], None]:
    """Returns what prints a line on standard error now and then."""
    next_line = clock() + _LINE_SECONDS

    def tell(words: str) -> None:
        nonlocal next_line
        if clock() >= next_line:
            next_line = clock() + _LINE_SECONDS
            print(words, file=sys.stderr, flush=True)

    return tell
