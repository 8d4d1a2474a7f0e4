"""What a rule finds in what a model wrote, as rows beside a judge's: it needs the texts, which a plan does not hold."""

from __future__ import annotations

from evaluator.identity import digest
from evaluator.records import Outcome, SlotOrder, Terms, Verdict, VerdictKey, verdict_version

_NONE = "none"


def rule_key(
    rater: str, revision: str, question_id: str, content_hash: str, data_sha: str, went_by: str = _NONE
) -> VerdictKey:
    """Returns the key of what a rule finds.

    Args:
        rater: The rule.
        revision: Its state.
        question_id: What it is about.
        content_hash: SHA-256 of the answer that it looked at.
        data_sha: The data set.
        went_by: Digest of what else it looked at.
    """
    return VerdictKey(
        content_hash=content_hash,
        data_sha=data_sha,
        question_id=question_id,
        rater=rater,
        rater_revision=revision,
        judge_prompt_pack=_NONE,
        decoding=went_by,
        engine="rule",
        dtype=_NONE,
        chat_template_hash=_NONE,
        chat_template_arguments=(),
        slot_order=SlotOrder.SINGLE,
    )


def rule_row(key: VerdictKey, outcome: Outcome, terms: Terms, found: str = "", version: str = "1") -> Verdict:
    """Returns the row of what a rule finds.

    Args:
        key: What of.
        outcome: What.
        terms: Of the row.
        found: What it went by.
        version: Of the library that it runs on.
    """
    return Verdict(
        schema_version=verdict_version(outcome),
        key=key,
        verdict_key=key.digest(),
        rater_kind="rule",
        completion=found,
        word=outcome.value,
        outcome=outcome,
        word_probabilities=(),
        prompt_hash=digest([]),
        prompt_tokens=0,
        cached_tokens=None,
        output_tokens=0,
        attempt=1,
        engine_version=version,
        seconds=0.0,
        terms=terms,
    )
