"""Server-rendered pages: templates with automatic escaping, figures written one way everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluator.errors import RapportError
from evaluator.metrics.intervals import LEAST_USERS
from evaluator.protocol import PublishedRow, is_reference, load_protocol
from evaluator.results import Gap, Interval, Rate, Total
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


class Table(NamedTuple):
    """The rows of one protocol, and what others have published under its setting."""

    protocol: str
    title: str
    """One sentence; empty for a protocol that is no longer shipped."""
    rows: list[BoardRow]
    published: tuple[PublishedRow, ...]


def tables(rows: Iterable[BoardRow]) -> list[Table]:
    """Lays the board's rows out by protocol, in the order in which protocols first appear."""
    found: dict[str, Table] = {}
    for row in rows:
        if row.protocol not in found:
            found[row.protocol] = _empty_table(row.protocol)
        found[row.protocol].rows.append(row)
    return list(found.values())


def _empty_table(protocol_id: str) -> Table:
    """Returns a protocol's table without rows."""
    try:
        protocol = load_protocol(protocol_id)
    except RapportError:
        return Table(protocol_id, "", [], ())
    return Table(protocol_id, protocol.title, [], protocol.published)


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


def within(value: Interval | None) -> str:
    """Writes an interval in brackets behind its figure, or nothing."""
    return f" ({interval(value, 0)})" if value else ""


def place(row: BoardRow) -> str:
    """Writes a row's rank, with the ranks that the data leave open to it; a dash where it does not rank."""
    if row.rank is None or row.rank_interval is None:
        return "–"
    low, high = row.rank_interval
    return str(row.rank) if low == high else f"{row.rank} ({low}–{high})"


def counts(values: Iterable[tuple[str, int]]) -> str:
    """Writes counts by name.

    Example:
        >>> counts([("empty", 2), ("control_tokens", 1)])
        '2 empty, 1 control tokens'
    """
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in values)


def rate(value: Rate | Total) -> str:
    """Writes a rate or Total with its interval and counts.

    Example:
        >>> rate(Rate(value=50.0, judged=7, items=8, interval=None))
        '50.0, of 7 of 8 items'
    """
    return f"{figure(value.value)}{within(value.interval)}, of {value.judged} of {value.items} items"


def gap(value: Gap | None) -> str:
    """Writes a gap with its interval and counts; that there is none is said.

    Example:
        >>> gap(None)
        'missing: only one of the two was evaluated'
    """
    if value is None:
        return "missing: only one of the two was evaluated"
    if value.value is None:
        return "missing: one of the two has nothing judged"
    first, second = value.judged
    return f"{value.value:+.1f}{within(value.interval)}, of {first} and {second} items, {value.users} users"


def desiderata(row: BoardRow) -> list[tuple[str, str]]:
    """Lists the five desiderata of a row, and what else tells of a model, for reading."""
    found = row.desiderata
    return [
        ("AUI, adherence to user information: Total", rate(found.aui)),
        ("UII, implicit information: persona score", rate(found.uii)),
        ("MI, multiple information: profile score", rate(found.mi)),
        ("LC, long context: persona score, whole history less needed dialogues", gap(found.lc)),
        ("PR, proactiveness: schedule satisfaction", rate(found.pr)),
        ("Generalisation: Total, unseen less seen users", gap(found.generalisation)),
        *((f"Total, {scores.split}", rate(scores.total)) for scores in row.by_split if len(row.by_split) > 1),
        ("BLEU against gold", rate(row.bleu)),
        ("ROUGE-L against gold", rate(row.rouge_l)),
        ("Evidence that the context showed, %", rate(row.evidence_recall)),
    ]


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
        *((("Adapter", f"{row.adapter} at {row.adapter_revision}"),) if row.adapter else ()),
        ("Engine", f"{row.engine} {row.engine_version}, {row.dtype}, {row.hardware}"),
        ("Engine flags", ", ".join(f"{name}={value}" for name, value in row.engine_flags)),
        ("Judge revision", row.judge_revision),
        ("Prompt pack", f"{row.prompt_pack} ({row.prompt_pack_status})"),
        ("Data set", f"{row.data_source} at {row.data_sha[:12]}"),
        ("Items", f"{row.items}, answered {row.generations}, judged in full {row.judged}, of {row.users} users"),
        ("Lost for a defect of the answer", counts(row.defects) or "none"),
        ("Verdicts", f"{row.verdicts}, missing {row.missing}"),
        ("Missing because", counts(row.missing_because) or "none is missing"),
        ("Two answers to the same question", f"{row.clashes} times"),
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
        counts=counts,
        desiderata=desiderata,
        figure=figure,
        interval=interval,
        is_reference=is_reference,
        navigation=NAVIGATION,
        part=lambda value: f"{value or 0:.1f}",
        place=place,
        progress_of=progress_of,
        provenance=provenance,
        tables=tables,
        within=within,
    )
    return environment
