"""`rapport reproduce`: its options, what it prints, and how it ends."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from leaderboard.open_data.published import read_published
from leaderboard.records import Lane
from leaderboard.settings import Settings
from leaderboard.store.open import open_results
from worker.local.progress import Progress, log_to
from worker.local.reproduce import REPORT, Order, reproduce
from worker.local.reproduced import describe

DIFFERS = 1
"""Exit code where something differs or is missing."""

log = logging.getLogger("rapport.reproduce")


class OwnEngine(StrEnum):
    """What runs models on this machine."""

    VLLM = "vllm"
    TRANSFORMERS = "transformers"
    DETERMINISTIC = "deterministic"


def reproduce_command(
    scorecard_id: Annotated[str, typer.Argument(help="As on the board: RUN@JUDGE.")],
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only so many items, spread over users and types; all if left out.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="hub://owner/name, or a folder laid out as RAPPORT_DATA is; RAPPORT_STORE if left out. Only public "
            "results are read."
        ),
    ] = None,
    judge_only: Annotated[bool, typer.Option("--judge-only", help="Judge the published answers again.")] = False,
    no_judge: Annotated[bool, typer.Option("--no-judge", help="Ask for answers alone.")] = False,
    engine: Annotated[OwnEngine | None, typer.Option(help="What runs models; what ran them there if left out.")] = None,
    data: Annotated[
        str | None, typer.Option(help="demo, a folder, or a Hub data set; where the row's was if left out.")
    ] = None,
    context_tokens: Annotated[
        int | None, typer.Option(min=1, help="Most tokens an engine is set up for; RAPPORT_CONTEXT_TOKENS if left out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the repeated run; below data/evaluations if left out.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Go on where protocol, prompts, data, model or judge are not the same.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole report as JSON on standard output.")] = False,
) -> None:
    """Makes a published row again on this machine and says item by item what agrees; called again, it goes on.

    Exit codes: 0 everything agrees; 1 something differs or is missing, or it failed with a cause (then nothing stands
    on standard output); 2 wrong usage; 130 stopped by Ctrl-C.
    """
    if judge_only and no_judge:
        raise typer.BadParameter("--judge-only and --no-judge leave nothing to do")
    lanes = frozenset(Lane) - ({Lane.GENERATE} if judge_only else set()) - ({Lane.JUDGE} if no_judge else set())
    settings = Settings()
    if context_tokens is not None:
        settings = settings.model_copy(update={"context_tokens": context_tokens})
    console = Console(stderr=True)
    log_to(console)
    order = Order(limit, lanes, anyway, data, engine.value if engine else None, out)
    published = read_published(open_results(settings, store), scorecard_id)
    made = reproduce(published, order, settings, Progress(console), lambda line: log.warning("changed: %s", line))
    file = made.folder / REPORT
    print(made.found.model_dump_json(indent=2) if as_json else describe(made.found, file))
    if as_json:
        print(file, file=sys.stderr)
    if not made.found.report.agrees:
        raise typer.Exit(DIFFERS)
