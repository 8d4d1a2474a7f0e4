"""What of extracted attributes follows from the rows of verifier and encoder alone, without lists and people's labels.

Lists of people's conversations are often withheld. An encoder has left a row on each of their entries, and on each
attribute that people accepted: whether it stands for itself, and whether it was found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from evaluator.hicupid.outcomes import why_missing
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.counting import Entry, Rows, judging_of, mean_figure
from evaluator.human.judged.extraction_scores import dropped_of, encoder_of
from evaluator.human.results import Judging
from evaluator.records import Outcome, Verdict
from leaderboard.audit.human.layouts import by_name, judging_laid_out
from leaderboard.audit.human.rows import GIVEN, PublicRun, Told

_UNCOMPARED = "not_compared"
"""Why an attribute has no verdict which no encoder has looked at: it left no row."""


def extraction_told(
    run: PublicRun, items: Sequence[HumanItem], answers: Told, rows: Rows
) -> tuple[dict[str, Any], list[str]]:
    """Returns figures and judging as far as they follow, laid out by name, and what does not follow.

    Users are told apart by what an encoder compared, which is another for each, and by groups of conversations: names
    do not matter, for an interval leaves out one user after the other.

    Args:
        run: The run.
        items: All that it asked.
        answers: What its answers say.
        rows: Its rows.
    """
    entries = [row for row in rows.rules if row.outcome is not Outcome.MERGED]
    listed = [row for row in entries if not row.key.question_id.startswith(GIVEN)]
    known = [row for row in entries if row.key.question_id.startswith(GIVEN)]
    read = [row for row in _written(run, rows) if row.outcome is not None]
    figures = [
        mean_figure("extraction.accepted", [Entry(_user(row), row.outcome is Outcome.ACCEPTED) for row in read]),
        mean_figure("extraction.recall", [Entry(row.key.decoding, row.outcome is Outcome.MATCHED) for row in known]),
    ]
    judging = judging_laid_out(_judging(run, rows, listed))
    judging = {name: value for name, value in judging.items() if name not in ("figures", "dropped")}
    left = []
    asked = [item for item in items if item.part is Part.CONVERSATION]
    if all(row.answer_status != "withheld" for row in run.generations):
        judging["dropped"] = dropped_of(rows)
    else:
        left.append("What was left out of lists does not follow, since answers are withheld.")
    if not answers.unknown:
        read_lists = [Entry(str(item.user_id), item.question_id in answers.said.sound) for item in asked]
        figures.append(mean_figure("extraction.answered", read_lists))
    if (sizes := _sizes(run, asked, answers, listed)) is not None:
        figures.append(mean_figure("extraction.attributes_per_user", sizes))
    else:
        left.append(
            "The attributes per user do not follow: of a user without any it is not known whether lists could be read."
        )
    return {"figures": by_name(figures), "judging": judging}, left


def _written(run: PublicRun, rows: Rows) -> list[Verdict]:
    """Returns the verdicts on extracted attributes that count."""
    counting = [
        (row.question_id, row.content_hash, row.slot_order)
        for row in run.verdicts
        if row.counts and row.rater_kind == "model" and not row.question_id.startswith(GIVEN)
    ]
    return [rows.verdicts[each] for each in dict.fromkeys(counting)]


def _judging(run: PublicRun, rows: Rows, listed: Sequence[Verdict]) -> Judging:
    """Returns what the verifier had to say; what no encoder looked at left no row and is taken as published."""
    published = run.card.result.judging
    uncompared = dict(published.missing_because).get(_UNCOMPARED, 0) if published else 0
    written = _written(run, rows)
    missing = Counter(why_missing(row) for row in written if row.outcome is None)
    missing.update({why_missing(None): len(listed) - len(written), _UNCOMPARED: uncompared})
    judged = sum(row.outcome is not None for row in written)
    judging = judging_of(items=len(listed) + uncompared, judged=judged, missing=+missing, rows=rows)
    return judging.model_copy(update={"encoder": encoder_of(rows)})


def _sizes(run: PublicRun, asked: Iterable[HumanItem], answers: Told, listed: Iterable[Verdict]) -> list[Entry] | None:
    """Returns how many attributes were extracted of each user of whom any list can be read; None if that is unknown."""
    groups = {item.question_id: item.user_id for item in asked}
    found = Counter(groups[row.key.question_id.rpartition("/")[0]] for row in listed)
    result = run.card.result
    all_read = result.answered == result.items
    sizes = []
    for group in sorted(set(groups.values())):
        own = {name for name, number in groups.items() if number == group}
        if found[group] or all_read or own & answers.said.sound.keys():
            sizes.append(Entry(str(group), found[group]))
        elif own & answers.unknown:
            return None
    return sizes


def _user(row: Verdict) -> str:
    """Returns the user of whom a verified attribute was extracted."""
    return row.key.question_id
