"""Server-rendered pages: what is said of a row, and templates with automatic escaping."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evaluator.human.figures import GIVEN
from evaluator.plurals import several
from evaluator.protocol import is_reference
from evaluator.results import Scores
from leaderboard.board.build import BoardRow
from leaderboard.board.human_words import annotators
from leaderboard.exports.formats import board_links, human_board_links, scorecard_links
from leaderboard.pages.decisions import decisions, kind_in_words
from leaderboard.pages.figures import counts, estimate, figure, gap, interval, judged, pairwise, rate, share
from leaderboard.pages.human_tables import (
    agreement_title,
    human_address,
    human_figures,
    human_provenance,
    labels_warning,
)
from leaderboard.pages.judge_view import judge_standing
from leaderboard.pages.tables import known, pairs
from leaderboard.pages.times import outlook_sentences, progress_of
from leaderboard.pages.workers import workers_sentence
from leaderboard.results import Provenance
from leaderboard.scorecards import PROMPTS

STATIC = Path(__file__).parent / "static"
_DIGITS_OF_HASH = 10
NAVIGATION = (
    ("/", "Board"),
    ("/judges", "Judges"),
    ("/human", "Human agreement"),
    ("/plots", "Plots"),
    ("/queue", "Queue"),
    ("/submit", "Submit"),
    ("/label", "Label"),
    ("/about", "About"),
)
"""Address and name of each page, in the order in which they are offered."""

_DATE_NOT_PINNED = ("date", "not pinned")
"""What a served chat template is told to have done that writes the day's own date into prompts."""


def render(template: str, **values: Any) -> str:
    """Returns a page; every value that is not a template's own text is escaped."""
    return _environment().get_template(template).render(**values)


def place(row: BoardRow) -> str:
    """Writes a row's rank, with the ranks that the data leave open to it; a dash where it does not rank."""
    if row.rank is None or row.rank_interval is None:
        return "–"
    return _place(row.rank, row.rank_interval)


def _place(rank: int, ends: tuple[int, int]) -> str:
    """Writes a rank with its ends."""
    low, high = ends
    return str(rank) if low == high else f"{rank} ({low}–{high})"


def conditions(row: Provenance) -> list[str]:
    """Lists how a row's model was run otherwise than a plain model that takes the instruction as it is meant."""
    marks = {
        f"adapter {row.adapter}": row.adapter is not None,
        "thinking": row.declaration.thinking,
        "instruction in the first user turn": row.instruction_moved,
        "date not pinned": _DATE_NOT_PINNED in row.chat_template_arguments,
    }
    return [mark for mark, holds in marks.items() if holds]


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
        ("BLEU against gold", rate(row.bleu)),
        ("ROUGE-L against gold", rate(row.rouge_l)),
        ("Evidence that the context showed, %", rate(row.evidence_recall)),
        *((("Context made with", pairs(row.context)),) if row.context else ()),
    ]


def scores(row: BoardRow) -> list[tuple[str, str]]:
    """Lists every score of a row by type and, where there are several, by split; each with its interval and count."""
    found = _beside_gold(row, "")
    for part in row.by_split if len(row.by_split) > 1 else ():
        found.append((f"Total, {part.split}", rate(part.total)))
        found += _beside_gold(part, f", {part.split}")
        found.append((f"Schedule satisfaction, {part.split}, %", rate(part.schedule)))
    return found


def _beside_gold(scored: BoardRow | Scores, of: str) -> list[tuple[str, str]]:
    """Lists the scores of the two types whose answers are judged beside gold."""
    return [
        (f"Persona against gold{of}, %", pairwise(scored.persona)),
        (f"Profile against gold{of}, %", pairwise(scored.profile)),
    ]


def provenance(row: BoardRow) -> list[tuple[str, str]]:
    """Lists where a row's figures come from, for reading."""
    stages = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in row.stage_seconds.items())
    return [
        ("Scorecard", row.scorecard_id),
        *((("Does not rank because", ", ".join(row.unranked_because)),) if row.unranked_because else ()),
        *_rank_under_judge(row),
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
        ("Items", _items(row)),
        ("Lost for a defect of the answer", counts(row.defects) or "none"),
        ("Verdicts", f"{row.verdicts}, missing {row.missing}"),
        ("Missing because", counts(row.missing_because) or "none is missing"),
        ("Left out, for another row on the same thing counts", f"{row.clashes:,} answers and verdicts"),
        ("Total if every missing verdict were a loss", figure(row.total.worst_case)),
        ("Pairs whose verdicts agree in both slot orders, %", _consistency(row)),
        ("Words for slot A, of those for A or B, %", _slot_a_share(row)),
        ("Prefill efficiency", _efficiency(row.prefill_efficiency)),
        ("Time", stages),
        ("Highest memory of a process", f"{row.peak_rss_mb:.0f} MB"),
        ("Rows", row.rows_sha),
    ]


def _rank_under_judge(row: BoardRow) -> list[tuple[str, str]]:
    """Lists the rank that a row would have if its judge decided ranks; nothing where it does, or has none."""
    if row.rank is not None or row.rank_under_judge is None or row.rank_under_judge_interval is None:
        return []
    return [("Rank under this judge alone", _place(row.rank_under_judge, row.rank_under_judge_interval))]


def _items(row: BoardRow) -> str:
    """Writes how many items were asked, answered and judged."""
    in_full = f"judged {row.judged:,} ({share(row.judged, row.items)})"
    return f"{row.items:,}, answered {row.generations:,}, {in_full}, of {row.users:,} users"


def _consistency(row: BoardRow) -> str:
    """Writes how often both verdicts on a pair agree, or why nobody knows."""
    protocol = known(row.protocol)
    if protocol is not None and protocol.orders == "one":
        return "missing: each pair is judged in one slot order"
    agreeing = row.position_consistency
    return f"{estimate(agreeing.value, agreeing.interval)}, of {agreeing.judged:,} of {agreeing.items:,} pairs"


def _slot_a_share(row: BoardRow) -> str:
    """Writes how often the judge took the answer in slot A where it took one; near 50 if slots do not matter to it."""
    in_a = row.slot_a_share
    if in_a.value is None:
        return "missing: no pair has both verdicts and a preference"
    return f"{estimate(in_a.value, in_a.interval)}, of {in_a.judged:,} words"


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
        agreement_title=agreement_title,
        annotators=annotators,
        asset=asset,
        board_links=board_links,
        conditions=conditions,
        counts=counts,
        decisions=decisions,
        desiderata=desiderata,
        figure=figure,
        given=GIVEN,
        human_address=human_address,
        human_board_links=human_board_links,
        human_figures=human_figures,
        human_provenance=human_provenance,
        interval=interval,
        is_reference=is_reference,
        judged=judged,
        judge_standing=judge_standing,
        labels_warning=labels_warning,
        kind_in_words=kind_in_words,
        navigation=NAVIGATION,
        place=place,
        outlook_sentences=outlook_sentences,
        workers_sentence=workers_sentence,
        progress_of=progress_of,
        provenance=provenance,
        scorecard_links=scorecard_links,
        scores=scores,
        several=several,
        share=share,
    )
    return environment
