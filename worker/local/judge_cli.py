"""`rapport judge`: what a judge is, and how it takes the canaries."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from evaluator.judges.canaries import CanaryFigure, JudgeCheck
from evaluator.judges.spec import JudgeSpec, load_judge
from evaluator.results import Rate
from leaderboard.connection import connect
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.settings import Settings
from worker.engines import judge_endpoint
from worker.local.judge_check import Wanted, check_judge
from worker.local.progress import log_to
from worker.local.servers import Context, Flavour, JudgeName, JudgeUrl, Key, Server

OUTSIDE = 1
"""Exit code of a judge that falls for a canary."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def _options() -> None:
    """Looks at judges: directories of `evaluator/judges/configs`, or of the folder in RAPPORT_JUDGES."""


@app.command()
def check(
    judge_id: Annotated[str, typer.Argument(help="Id of a judge.")],
    data: Annotated[
        str | None,
        typer.Option(
            help="A folder or Hub data set: of HiCUPID's layout for a judge that compares, of people's labels for "
            "others; made-up users if left out."
        ),
    ] = None,
    prompts: Annotated[
        str | None, typer.Option(help="official, builtin, or the id of a prompt pack; the judge's if left out.")
    ] = None,
    judge_url: JudgeUrl = None,
    judge_name: JudgeName = None,
    judge_key: Key = None,
    judge_flavour: Flavour = None,
    judge_context: Context = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Loads a judge, asks it about canaries as about any answer, and prints its card; called again, it goes on.

    Where RAPPORT_REDIS_URL names a site, the site keeps what came of it: without that no judge is promoted.

    Exit codes: 0 it keeps to every bound; 1 it does not, or failed with a cause; 2 wrong usage.
    """
    log_to(Console(stderr=True))
    settings = Settings()
    judge = load_judge(judge_id, settings.judges)
    server = Server(judge_url, judge_name, judge_key, judge_flavour, judge_context)
    endpoint = server.endpoint("judge", judge.model) or judge_endpoint(settings, judge)
    done = check_judge(Wanted(judge, data, prompts or judge.prompt_pack, endpoint), settings)
    if settings.redis_url:
        JudgeChecks(connect(settings.redis_url)).put(done.check)
    print(done.check.model_dump_json(indent=2) if as_json else card_of(judge, done.check))
    print(done.folder, file=sys.stderr if as_json else sys.stdout)
    if not done.check.passed:
        raise typer.Exit(OUTSIDE)


_ON = {"pairwise": "questions", "rating": "rated pairs", "verifier": "accepted attributes"}
"""What the canaries of a kind answer, or stand in the place of."""


def card_of(judge: JudgeSpec, check: JudgeCheck) -> str:
    """Returns what a judge is and how it took the canaries, for reading."""
    engine = check.judge_engine
    lines = [
        f"{judge.id} ({judge.kind}, {judge.status}): {judge.title}",
        f"model      {judge.model} at {check.judge_revision[:12]}, licence {judge.licence}",
        f"engine     {engine.engine} {engine.version}, {engine.dtype}, {engine.hardware}",
        f"prompts    {check.prompt_pack}; configuration {check.judge_config[:12]}",
        f"decoding   {_decoding(judge)}",
        f"asked      orders: {judge.orders}; read by {judge.parser}",
        f"canaries   {check.canaries}, each on {check.questions} {_ON[judge.kind]} of {check.users} users, "
        f"data set {check.data_sha[:12]}",
        f"verdicts   {check.verdicts:,} read, {check.missing:,} missing",
        "",
        f"{'canary':<12} {'figure':<14} {'%':>6} {'95 %':>15} {'judged':>9}  {'bound':<10} says",
        *map(_line, check.figures),
        "",
        "It keeps to every bound." if check.passed else f"It may not rank: {_failed(check)}.",
    ]
    return "\n".join(lines)


def _decoding(judge: JudgeSpec) -> str:
    """Says how a judge is decoded."""
    drawn = judge.sampling
    forced = "a forced form" if judge.patterns else "free text"
    return f"temperature {drawn.temperature:g}, at most {drawn.max_tokens} tokens, seed {drawn.seed}, {forced}"


def _line(figure: CanaryFigure) -> str:
    """Writes one figure."""
    rate, bound = figure.rate, "-"
    if figure.bound:
        least, most = figure.bound.at_least, figure.bound.at_most
        bound = f">= {least:g}" if least is not None else f"<= {most:g}"
    value = "-" if rate.value is None else f"{rate.value:.1f}"
    judged = f"{rate.judged}/{rate.items}"
    return (
        f"{figure.canary or 'all':<12} {figure.figure:<14} {value:>6} {_interval(rate):>15} {judged:>9}  "
        f"{bound:<10} {figure.verdict}"
    )


def _interval(rate: Rate) -> str:
    """Writes an interval."""
    return f"{rate.interval.low:.1f} to {rate.interval.high:.1f}" if rate.interval else "-"


def _failed(check: JudgeCheck) -> str:
    """Names what a judge does not keep to."""
    return ", ".join(f"{canary or 'all'} {figure} ({why})" for canary, figure, why in check.unkept)
