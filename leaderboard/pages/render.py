"""Server-rendered pages: templates with automatic escaping, figures written one way everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluator.metrics.intervals import LEAST_USERS
from evaluator.protocol import is_reference
from evaluator.results import Gap, Interval, Rate, Total
from leaderboard.board.build import BoardRow
from leaderboard.pages.tables import known, pairs, sections
from leaderboard.records import State
from leaderboard.scorecards import PROMPTS
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


def within(value: Interval | None) -> str:
    """Writes an interval in brackets behind its figure, or nothing."""
    return f" ({interval(value, 0)})" if value else ""


def place(row: BoardRow) -> str:
    """Writes a row's rank, with the ranks that the data leave open to it; a dash where it does not rank."""
    if row.rank is None or row.rank_interval is None:
        return "–"
    low, high = row.rank_interval
    return str(row.rank) if low == high else f"{row.rank} ({low}–{high})"


def conditions(row: BoardRow) -> list[str]:
    """Lists how a row's model was run otherwise than a plain model that takes the instruction as it is meant."""
    marks = [f"adapter {row.adapter}"] if row.adapter else []
    marks += ["thinking"] if row.declaration.thinking else []
    return [*marks, "instruction in the first user turn"] if row.instruction_moved else marks


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
        *((("Context made with", pairs(row.context)),) if row.context else ()),
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
    return [
        ("Scorecard", row.scorecard_id),
        *((("Does not rank because", ", ".join(row.unranked_because)),) if row.unranked_because else ()),
        *((("Adapter", f"{row.adapter} at {row.adapter_revision}"),) if row.adapter else ()),
        ("Engine", f"{row.engine} {row.engine_version}, {row.dtype}, {row.hardware}"),
        ("Engine flags", pairs(row.engine_flags)),
        ("Chat template was told", pairs(row.chat_template_arguments)),
        ("Judge revision", row.judge_revision),
        ("Judge engine", f"{row.judge_engine} {row.judge_engine_version}, {row.judge_dtype}, {row.judge_hardware}"),
        ("Judge configuration", row.judge_config),
        ("Protocol configuration", row.protocol_config),
        ("Prompt pack", f"{row.prompt_pack} ({PROMPTS[row.prompt_pack_status]})"),
        ("Data set", f"{row.data_source} at {row.data_sha[:12]}"),
        ("Items", f"{row.items}, answered {row.generations}, judged in full {row.judged}, of {row.users} users"),
        ("Lost for a defect of the answer", counts(row.defects) or "none"),
        ("Verdicts", f"{row.verdicts}, missing {row.missing}"),
        ("Missing because", counts(row.missing_because) or "none is missing"),
        ("Two answers to the same question", f"{row.clashes} times"),
        ("Total if every missing verdict were a loss", figure(row.total.worst_case)),
        ("Pairs whose verdicts agree in both slot orders, %", _consistency(row)),
        ("Words for slot A, of those for A or B, %", _slot_a_share(row)),
        ("Prefill efficiency", _efficiency(row.prefill_efficiency)),
        ("Time", stages),
        ("Highest memory of a process", f"{row.peak_rss_mb:.0f} MB"),
        ("Rows", row.rows_sha),
    ]


def _consistency(row: BoardRow) -> str:
    """Writes how often both verdicts on a pair agree, or why nobody knows."""
    protocol = known(row.protocol)
    if protocol is not None and protocol.orders == "one":
        return "missing: each pair is judged in one slot order"
    return f"{figure(row.position_consistency.value)}, of {row.position_consistency.judged} pairs"


def _slot_a_share(row: BoardRow) -> str:
    """Writes how often the judge took the answer in slot A where it took one; near 50 if slots do not matter to it."""
    share = row.slot_a_share
    if share.value is None:
        return "missing: no pair has both verdicts and a preference"
    return f"{figure(share.value)}{within(share.interval)}, of {share.judged} words"


def _efficiency(value: float | None) -> str:
    """Writes the prefill efficiency.

    Example:
        >>> _efficiency(0.98765), _efficiency(None)
        ('0.988', 'missing: nothing was computed, or the engine does not tell')
    """
    return "missing: nothing was computed, or the engine does not tell" if value is None else f"{value:.3f}"


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
        conditions=conditions,
        counts=counts,
        desiderata=desiderata,
        figure=figure,
        interval=interval,
        is_reference=is_reference,
        navigation=NAVIGATION,
        place=place,
        progress_of=progress_of,
        provenance=provenance,
        sections=sections,
        within=within,
    )
    return environment
