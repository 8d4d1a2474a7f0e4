"""From the archive's rows and histories to public ones: what licences and consent allow, and nothing else.

Rows about single questions are public where their terms say so. The text in them is a model's answer, shown where its
owner consented, or a judge's words, shown where the source that they quote may be passed on as well. What an answer may
quote of people's conversations is shown on both conditions; one word of those that were asked for quotes nothing, and
neither do the names and numbers that a rule went by. Where it shows by the verdicts alone what labels say of an item,
they are public only if the data set may be passed on. Questions, reference answers and evidence stand in no record of
this package. Figures are public: see `figures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from evaluator.hicupid.questions import Item
from evaluator.human.answers import fault_of
from evaluator.human.items import HumanItem
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.protocol import is_reference
from evaluator.records import Defect, Generation, Record, Terms, Verdict, verdict_version
from evaluator.setup import AnyItem
from leaderboard.open_data import layout
from leaderboard.open_data.cleaning import NO_SECRETS, Secrets, clean, is_clean
from leaderboard.open_data.records import (
    OpenGeneration,
    OpenRecord,
    OpenRequest,
    OpenVerdict,
)
from leaderboard.records import (
    Amendment,
    Declaration,
    Event,
    Failure,
    Transition,
    protocol_of,
    submission_of,
)
from leaderboard.results import AnyScorecard, HumanScorecard
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History, withdrawal_of

WHY_NO_VERDICTS = "the data set may not be passed on, and which attributes have verdicts tells what labels say of them"
"""Why a scorecard's verdicts are not public, as a part of a sentence."""
_TELLING = (JudgedTask.EXTRACTION, JudgedTask.UPLIFT)
"""Tasks whose verdicts are on what most people accepted or called relevant, attribute by attribute."""
_ABOUT_NOTHING: Mapping[str, Any] = {"persona_category": None, "sentiment": None, "evidence_position": ()}
"""What rows of human-grounded tasks tell of slices that HiCUPID alone has."""
_LABEL = 64
"""Characters that a label has at most; what is longer may be text."""


def shows_answers(model: str, declaration: Declaration, terms: Terms) -> bool:
    """Says whether a model's answers may be shown: its owner consented, or it is a reference and its source allows it.

    Args:
        model: Its name; the answers of a reference are text of the data set itself.
        declaration: What holds of it by now, corrections included.
        terms: Those of the rows.
    """
    return terms.redistributable if is_reference(model) else declaration.publish_answers


def shows_verdicts(task: AnyTask, terms: Terms) -> bool:
    """Says whether a human-grounded task's verdicts, and what rules found beside them, may be public at all.

    Which attributes have any tells what most labels say of them. A data set that may be passed on tells that itself.

    Args:
        task: The task.
        terms: Those of the rows.
    """
    return terms.redistributable or task not in _TELLING


def public_row_paths(card: AnyScorecard) -> tuple[str, ...]:
    """Returns where the public rows behind a scorecard lie: its answers, and its verdicts if there are any to be shown.

    Example:
        >>> public_row_paths(card)  # doctest: +SKIP
        ('generations/c8/org@model/human-uplift-v1/s-20260101-0a1b2c3d.human-uplift-v1.parquet',)
    """
    answers, *said = layout.row_paths(card.model, card.run_id, card.judge)
    hidden = isinstance(card, HumanScorecard) and not shows_verdicts(card.result.task, card.terms)
    return (answers,) if hidden else (answers, *said)


def open_generation(
    row: Generation, item: AnyItem, counts: bool, declaration: Declaration, run_id: str, secrets: Secrets = NO_SECRETS
) -> OpenGeneration | None:
    """Returns the public row of an answer; None where its terms are private.

    What a model writes of people's conversations may quote them: such text is shown where the source may be passed on.
    One of the words that were asked for, which is all of an answer that can be read, quotes nothing.

    Args:
        row: The answer.
        item: What was asked.
        counts: Whether the result counts it; see `which_count` and `which_stand`.
        declaration: What holds of the model by now, corrections included.
        run_id: The run that asked.
        secrets: Texts that must not appear; an answer with one of them, or with what looks like one, is withheld.
    """
    if row.terms.visibility == "private":
        return None
    consented = shows_answers(row.key.model, declaration, row.terms)
    quotable = consented and (row.terms.redistributable or not isinstance(item, HumanItem))
    answer = _shown(row.answer, quotable or (consented and _is_one_word(row, item)), secrets)
    thought = _shown(row.thought, quotable, secrets)
    status: Literal["shown", "withheld", "none"] = "shown"
    if answer is None:
        status = "none" if row.content_hash is None else "withheld"
    own = {
        "run_id": run_id,
        "submission_id": submission_of(run_id),
        **_kind_of(item, row),
        "counts": counts,
        "answer_status": status,
        "answer": answer,
        "thought": thought,
    }
    values = _taken(OpenGeneration, row.terms, item, row.key, row) | own
    return clean(OpenGeneration.model_validate(values), secrets)


def _is_one_word(row: Generation, item: AnyItem) -> bool:
    """Says whether an answer is one of the words that were asked for, and nothing else."""
    return isinstance(item, HumanItem) and isinstance(item.task, Task) and fault_of(item, row) is None


def _kind_of(item: AnyItem, row: Generation) -> dict[str, Any]:
    """Returns what tells the rows of several suites apart."""
    if isinstance(item, HumanItem):
        has_evidence, fault = item.task in (Task.VERIFICATION, JudgedTask.EXTRACTION), fault_of(item, row)
        defect = (
            fault if isinstance(fault, Defect) else None
        )  # HiCUPID's rows know theirs; here it is found by scoring.
        return {"type": item.task, "has_evidence": has_evidence, "defect": defect, **_ABOUT_NOTHING}
    return {"has_evidence": bool(item.evidence), **_subject_of(item, row.terms)}


def _subject_of(item: Item, terms: Terms) -> dict[str, Any]:
    """Returns what is told of the taste that a question is about: labels, which are no text of its source.

    Of a real person they say what he likes.
    """
    if not terms.redistributable:
        if terms.personal_data not in ("none", "synthetic"):
            return {"persona_category": None, "sentiment": None}
        if len(item.persona_category or "") > _LABEL:
            return {"persona_category": None}
    return {}


def open_verdict(
    row: Verdict, counts: bool, model: str, declaration: Declaration, run_id: str, secrets: Secrets = NO_SECRETS
) -> OpenVerdict | None:
    """Returns the public row of a verdict; None where its terms are private.

    Args:
        row: The verdict.
        counts: Whether the result counts it; see `which_count`.
        model: Whose answer was judged.
        declaration: What holds of that model by now, corrections included.
        run_id: The run that the answer belongs to.
        secrets: Texts that must not appear; words with one of them, or with what looks like one, are withheld.
    """
    if row.terms.visibility == "private":
        return None
    # A judge quotes source and answer alike; a person's words may say who it is; a rule's are names and numbers.
    quotable = row.terms.redistributable and row.rater_kind == "model" and shows_answers(model, declaration, row.terms)
    may_show = quotable or row.rater_kind == "rule"
    values = _taken(OpenVerdict, row.terms, row.key, row) | {
        "run_id": run_id,
        "submission_id": submission_of(run_id),
        "model": model,
        "counts": counts,
        "protocol": protocol_of(run_id),
        "schema_version": 3 if row.rater_kind == "rule" else min(verdict_version(row.outcome), 2),
        "completion": _shown(row.completion, may_show and row.taken_down is None, secrets),
    }
    return clean(OpenVerdict.model_validate(values), secrets)


def open_request(history: History, secrets: Secrets = NO_SECRETS) -> OpenRequest | None:
    """Returns a submission as a public row; None where its terms are private.

    Logs may hold anything and are left out; of all other texts, what looks like a secret is.

    Args:
        history: The submission with at least the first step of each of its runs.
        secrets: Texts that must not appear.
    """
    if history.submission.terms.visibility == "private":
        return None
    public = clean(_without_logs(history), secrets)
    submission, withdrawal = public.submission, withdrawal_of(public.events)
    last = {step.run_id: step for step in public.transitions}.values()
    failure = next((step.failure for step in last if step.failure and step.after is public.state), None)
    own = {
        "state": public.state,
        "ended_at": max(step.at for step in last) if public.ended else None,
        "withdrawn_at": withdrawal and withdrawal.at,
        "cause": failure and failure.cause,
        "message": failure and failure.message,
        "remedy": failure and failure.remedy,
        "parameters": submission.facts and submission.facts.parameters,
        "model_licence": submission.facts and submission.facts.licence,
        "history": public.model_dump_json(),
        "schema_version": 1,
    }
    return OpenRequest.model_validate(_taken(OpenRequest, public.declaration, submission) | own)


def history_of(row: OpenRequest) -> History:
    """Returns the public history of a submission.

    Raises:
        RapportError: `data_error` if the row holds none.
    """
    return read_record(row.history, History, f"the history of {row.id}")


def _shown(text: str | None, may_show: bool, secrets: Secrets) -> str | None:
    """Returns a text where it may be shown as it is: its digest is public, so nothing is taken out of it."""
    return text if text is not None and may_show and is_clean(text, secrets) else None


def _without_logs(history: History) -> History:
    """Returns a history without the lines of any log."""
    return history.model_copy(update={"events": tuple(_without_log(event) for event in history.events)})


def _without_log(event: Event) -> Event:
    """Returns an event without the lines of a log."""
    if isinstance(event, Transition):
        return event.model_copy(update={"failure": _bare(event.failure)})
    return event.model_copy(update={"trial": _bare_trial(event)})


def _bare_trial(event: Amendment) -> Any:
    """Returns the try that has come to nothing, without the lines of its log."""
    return event.trial and event.trial.model_copy(update={"failure": _bare(event.trial.failure)})


def _bare(failure: Failure | None) -> Failure | None:
    """Returns a failure without the lines of its log."""
    return failure and failure.model_copy(update={"log": ()})


def _taken(kind: type[OpenRecord], *sources: Record) -> dict[str, Any]:
    """Returns the fields of a public row that records have under the same names; later records count more."""
    wanted = kind.model_fields.keys() - {"schema_version"}
    return {name: value for source in sources for name, value in source if name in wanted}
