"""What of a scorecard of a human-grounded task follows from public rows: worked out by the functions that scored it.

People's labels are not public. Without them follows what a judge said of what a model wrote, and how much was answered;
with the data set that was asked from, all of it. What made-up users were made from is HiCUPID's, and stands for labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from evaluator.hicupid.scoring import rounded
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.scoring import score_rows
from evaluator.human.outcomes import counted, score
from evaluator.human.records import RaterKind
from evaluator.human.tasks import JudgedTask
from evaluator.metrics.efficiency import prefill_efficiency
from leaderboard.audit.human.extraction import extraction_told
from leaderboard.audit.human.layouts import laid_out
from leaderboard.audit.human.rows import PublicRun, Told, generations_of, items_in, rows_of, told_by
from leaderboard.open_data.views import WHY_NO_VERDICTS, shows_verdicts

_LABELS = "follow from {whose}, which {are} not public: name {which} data set with --human-data."
_WITHHELD = "does not follow, since answers are withheld."
_UNSAID = f"Its figures do not follow, for its verdicts are not public: {WHY_NO_VERDICTS}."
_UNREAD = "How many answers can be read does not follow: some are withheld, or are lists without an entry."
_OF_LABELS = frozenset({"inflation"})
"""Figures of a writer that people's labels are needed for."""
_NO_EPSILON = 0.0
"""Without labels nothing is tested."""


class Followed(NamedTuple):
    """What follows."""

    told: Mapping[str, Any]
    """As `laid_out`, but for what does not follow."""
    left: tuple[str, ...]
    """What does not follow and why, a sentence each."""


class Asked(NamedTuple):
    """What a run asked, from the data set of people's labels."""

    items: Sequence[HumanItem]
    epsilon: float
    """Of the protocol."""


def follow(run: PublicRun, asked: Asked | None) -> Followed:
    """Works out what follows from the public rows of a run.

    Args:
        run: Scorecard and rows.
        asked: What it asked; None if the data set is not at hand.

    Raises:
        RapportError: `data_error` if a row contradicts itself.
        ValueError: If rows are no rows of such a task, as `LookupError`.
    """
    items = asked.items if asked else items_in(run)
    answers = told_by(run, items, labelled=asked is not None)
    told, left = _answered(run, items, answers, whole=asked is not None)
    task = run.card.result.task
    own: dict[str, Any]
    if not shows_verdicts(task, run.card.terms):
        own, more = {}, [_UNSAID]
    elif task is JudgedTask.EXTRACTION:
        own, more = _extracted(run, items, answers, asked)
    elif isinstance(task, JudgedTask):
        own, more = _written(run, task, items, answers, asked)
    else:
        own, more = _chosen(run, answers, asked)
    return Followed({**told, **own}, (*left, *more))


def _labels(run: PublicRun) -> str:
    """Says what is needed that is not public."""
    if run.card.result.kind is RaterKind.TRUTH:
        return _LABELS.format(whose="what made-up users were made from", are="is", which="HiCUPID's")
    return _LABELS.format(whose="people's labels", are="are", which="their")


def _answered(
    run: PublicRun, items: Sequence[HumanItem], answers: Told, *, whole: bool
) -> tuple[dict[str, Any], list[str]]:
    """Returns how much was answered, and why not; what is never asked has no row and is taken as published."""
    said, published = answers.said, run.card.result
    asked = [item for item in items if item.part is not Part.GIVEN]
    unasked = 0 if whole else dict(published.invalid).get("no_evidence", 0)
    number = len(asked) + unasked
    told: dict[str, Any] = {
        "items": number,
        "retried": said.retried,
        "failures": counted(said.failed.values()),
        "clashes": said.clashes,
        "prefill_efficiency": rounded(prefill_efficiency(said.counted)),
    }
    if whole or isinstance(published.task, JudgedTask):
        told["users"] = len({item.person for item in asked})
    if not answers.unknown:
        answered = sum(item.question_id in said.sound for item in asked)
        told |= {"answered": answered, "answered_share": rounded(answered / number) if number else None}
    if answers.reasons_known:
        told["invalid"] = counted([*said.invalid.values(), *["no_evidence"] * unasked])
        return told, []
    return told, [_UNREAD if answers.unknown else f"Why some answers cannot be read {_WITHHELD}"]


def _chosen(run: PublicRun, answers: Told, asked: Asked | None) -> tuple[dict[str, Any], list[str]]:
    """The figures of a task whose truth is people's labels."""
    task = run.card.result.task
    if asked is None:
        return {}, [f"Its figures {_labels(run)}"]
    if answers.unknown or isinstance(task, JudgedTask):
        return {}, [f"How far the model agrees with people {_WITHHELD}"]
    rows = zip(run.generations, generations_of(run), strict=True)
    result = score(asked.items, [made for row, made in rows if row.counts], task=task, epsilon=asked.epsilon)
    told = laid_out(result)
    return {name: told[name] for name in ("figures", "kind", "annotators", "labels")}, []


def _written(
    run: PublicRun, task: JudgedTask, items: Sequence[HumanItem], answers: Told, asked: Asked | None
) -> tuple[dict[str, Any], list[str]]:
    """What a judge said of two answers."""
    rows = rows_of(run, answers.said, labelled=asked is not None)
    result = score_rows(items, rows, task=task, epsilon=asked.epsilon if asked else _NO_EPSILON)
    told = laid_out(result)
    if asked is not None:
        return {name: told[name] for name in ("figures", "judging", "kind", "annotators", "labels")}, []
    figures = {name: figure for name, figure in told["figures"].items() if name not in _OF_LABELS}
    judging = {name: value for name, value in told["judging"].items() if name != "figures"}
    left = [f"The inflation and the judge's own figures {_labels(run)}"] if task is JudgedTask.UPLIFT else []
    return {"figures": figures, "judging": judging}, left


def _extracted(
    run: PublicRun, items: Sequence[HumanItem], answers: Told, asked: Asked | None
) -> tuple[dict[str, Any], list[str]]:
    """What a verifier said of extracted attributes."""
    told, left = extraction_told(run, items, answers, rows_of(run, answers.said, labelled=False))
    if asked is None:
        return told, [*left, f"The judge's own figures {_labels(run)}"]
    rows = rows_of(run, answers.said, labelled=True)
    scored = laid_out(score_rows(items, rows, task=JudgedTask.EXTRACTION, epsilon=asked.epsilon))
    labels = {name: scored[name] for name in ("kind", "annotators", "labels")}
    if not answers.unknown:
        return {**labels, "figures": scored["figures"], "judging": scored["judging"]}, []
    told["judging"]["figures"] = scored["judging"]["figures"]
    return {**labels, **told}, left
