"""Server-rendered pages: templates with automatic escaping, figures written one way everywhere."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluator.metrics.intervals import LEAST_USERS
from evaluator.results import Interval, Rate
from leaderboard.board.build import BoardRow
from leaderboard.records import State
from leaderboard.submissions.ledger import RunView

STATIC = Path(__file__).parent / "static"
_DIGITS_OF_HASH = 10
NAVIGATION = (("/", "Board"), ("/queue", "Queue"), ("/submit", "Submit"))
"""Address and name of each page, in the order in which they are offered."""

_WAITING = {
    State.CHECKING: "being checked",
    State.QUEUED: "waiting for a worker",
    State.GENERATING: "planning",
}
"""What happens in a run that has no plan; of one that has ended without a plan there is nothing to tell."""


def render(template: str, **values: Any) -> str:
    """Returns a page; every value that is not a template's own text is escaped."""
    return _environment().get_template(template).render(**values)


def figure(value: float | None) -> str:
    """Writes a figure with one decimal; a missing one as a dash.

    Example:
        >>> figure(37.04), figure(None)
        ('37.0', '–')
    """
    return "–" if value is None else f"{value:.1f}"


def interval(value: Interval | None, users: int) -> str:
    """Writes an interval, or why there is none.

    Example:
        >>> interval(None, 4)
        'no interval: 4 users'
    """
    if value is None:
        return f"no interval: {users} users" if users < LEAST_USERS else "no interval"
    return f"{value.low:.1f} to {value.high:.1f}"


def interval_of(name: str, rate: Rate) -> str:
    """Writes a rate's interval behind its count, or nothing."""
    return f", {name} {interval(rate.interval, 0)}" if rate.interval else ""


def progress_of(run: RunView) -> str:
    """Says how far a run is, or what it waits for; nothing where its state says it all.

    Example:
        >>> from leaderboard.submissions.ledger import Progress
        >>> progress_of(RunView("s-20260101-0a1b2c3d.demo-v1", State.QUEUED, Progress(0, None, 0, None), ()))
        'waiting for a worker'
    """
    done = run.progress
    if done.items is None:
        return _WAITING.get(run.state, "")
    return f"{done.generations} of {done.items} answers, {done.verdicts} of {done.verdicts_wanted or 0} verdicts"


def provenance(row: BoardRow) -> list[tuple[str, str]]:
    """Lists where a row's figures come from, for reading."""
    stages = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in row.stage_seconds.items())
    efficiency = "–" if row.prefill_efficiency is None else f"{row.prefill_efficiency:.3f}"
    return [
        ("Scorecard", row.scorecard_id),
        ("Engine", f"{row.engine} {row.engine_version}, {row.dtype}, {row.hardware}"),
        ("Engine flags", ", ".join(f"{name}={value}" for name, value in row.engine_flags)),
        ("Judge revision", row.judge_revision),
        ("Prompt pack", f"{row.prompt_pack} ({row.prompt_pack_status})"),
        ("Data set", f"{row.data_source} at {row.data_sha[:12]}"),
        ("Items", f"{row.items}, answered {row.generations}, by {row.users} users"),
        ("Verdicts", f"{row.verdicts}, missing {row.missing}"),
        ("Total if every missing verdict were a loss", figure(row.total.worst_case)),
        (
            "Verdicts that agree in both orders, %",
            f"{figure(row.position_consistency.value)} of {row.position_consistency.judged} pairs",
        ),
        ("Prefill efficiency", efficiency),
        ("Time", stages),
        ("Highest memory of a process", f"{row.peak_rss_mb:.0f} MB"),
        ("Rows", row.rows_sha),
    ]


@cache
def asset(name: str) -> str:
    """Returns the address of a static file; it changes with the file, so browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:_DIGITS_OF_HASH]
    return f"/site/{name}?v={digest}"


@cache
def _environment() -> Environment:
    """The template environment: escaping always, unknown names are errors."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        asset=asset,
        figure=figure,
        interval=interval,
        interval_of=interval_of,
        navigation=NAVIGATION,
        part=lambda value: f"{value or 0:.1f}",
        progress_of=progress_of,
        provenance=provenance,
    )
    return environment
