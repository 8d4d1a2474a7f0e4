"""From what people did on the labelling page to public rows: what consent and terms allow, and nothing else.

Labels on attention items are in no row: whoever could tell them apart could pass for attentive.
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.identity import text_digest
from evaluator.records import SlotOrder, Verdict, VerdictKey
from leaderboard.labelling.records import EventKind, PersonEvent, Task
from leaderboard.labelling.standing import Given, standing_of
from leaderboard.open_data.people import OpenAnnotator, OpenLabel
from leaderboard.open_data.records import OpenVerdict
from leaderboard.open_data.views import open_verdict
from leaderboard.results import Scorecard

NO_ENGINE = "person"
"""Stands where a judge's engine does."""


def counts_as_public(given: Given) -> bool:
    """Says whether a label that stands is public: its terms are, and it is on no attention item."""
    return given.label.asked.attention is None and given.label.terms.visibility == "public"


def open_label(annotator: str, given: Given) -> OpenLabel | None:
    """Returns the public row of a label; None of a verdict, and where it is not public."""
    label, asked = given.label, given.label.asked
    if asked.task is Task.PAIRS or not counts_as_public(given):
        return None
    return OpenLabel(
        data_set=asked.data_set,
        data_sha=asked.data_sha,
        stage=asked.task.value,
        item_id=asked.item_id,
        annotator=annotator,
        number=None if label.rating is None else float(label.rating),
        word=label.word if label.rating is None else None,
        order=asked.order and asked.order.value,
        wording=label.wording,
        seconds=label.seconds,
        consent=label.consent,
        created_at=given.at,
        licence=label.licence,
    )


def open_annotator(annotator: str, events: Sequence[PersonEvent]) -> OpenAnnotator | None:
    """Returns what is public of a person; None of one who has never given a label.

    Args:
        annotator: The pseudonym.
        events: All of the person's.
    """
    if not any(event.kind is EventKind.LABELLED for event in events):
        return None
    standing = standing_of(events)
    given, right = standing.attention
    return OpenAnnotator(
        annotator=annotator,
        consent=standing.agreed and standing.agreed.version,
        withdrawn_at=standing.withdrew_at,
        labels=sum(map(counts_as_public, standing.labels)),
        attention_items=given,
        attention_right=right,
    )


def verdict_of(annotator: str, given: Given) -> Verdict:
    """Returns the row of a person's verdict on a model's answer.

    Raises:
        ValueError: If it is no such verdict.
    """
    label, asked = given.label, given.label.asked
    if asked.judged is None or label.outcome is None:
        raise ValueError("only a pair has a verdict")
    key = VerdictKey(
        content_hash=asked.judged.content_hash,
        data_sha=asked.data_sha,
        question_id=asked.judged.question_id,
        rater=annotator,
        rater_revision=label.wording,
        judge_prompt_pack=label.wording.partition("@")[0],
        decoding=text_digest(""),
        engine=NO_ENGINE,
        dtype=NO_ENGINE,
        chat_template_hash=text_digest(""),
        chat_template_arguments=(),
        slot_order=SlotOrder(str(asked.order)),
    )
    return Verdict(
        key=key,
        verdict_key=key.digest(),
        rater_kind="human",
        completion=label.word,
        word=label.word,
        outcome=label.outcome,
        word_probabilities=(),
        prompt_hash=text_digest(label.wording),
        prompt_tokens=0,
        cached_tokens=None,
        output_tokens=0,
        attempt=1,
        engine_version=label.wording,
        seconds=label.seconds,
        terms=label.terms,
    )


def open_peoples_verdict(annotator: str, given: Given, card: Scorecard) -> OpenVerdict | None:
    """Returns the public row of a person's verdict; None where it is not public.

    It counts for no result: a person is another rater, and a scorecard is its judge's.

    Args:
        annotator: The pseudonym.
        given: A verdict.
        card: A scorecard of the run that the answer belongs to.
    """
    if not counts_as_public(given):
        return None
    return open_verdict(verdict_of(annotator, given), False, card.model, card.declaration, card.run_id)
