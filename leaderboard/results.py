"""The records of what runs came to: scorecards of both suites, and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, TypeAlias, TypeVar

from pydantic import Field, model_validator

from evaluator.facts import ModelFacts
from evaluator.human.results import HumanResult
from evaluator.judges.families import family_of
from evaluator.records import Record, Terms
from evaluator.results import Result
from leaderboard.records import Declaration, Moment

INCOMPLETE = "incomplete"
"""Why a result stays out of the ranking of which too little was answered or judged."""

JudgeStatus: TypeAlias = Literal["official", "candidate", "demo", "retired"]
"""Whether a judge's verdicts rank: those of an official one do."""
JUDGE_REASONS: Mapping[str, str] = {status: f"{status} judge" for status in ("candidate", "demo", "retired")}
"""Why a result stays out of the official ranking whose judge does not decide ranks, by that judge's status."""

Identity: TypeAlias = tuple[str, str, str | None, str | None, bool]
"""What is the same model under the same conditions: name, revision, adapter, its revision, and whether it thinks."""


class Provenance(Record):
    """Where a result comes from: everything needed to trace and repeat it."""

    submission_id: str
    run_id: str
    model: str
    revision: str
    adapter: str | None
    adapter_revision: str | None
    submitter: str
    declaration: Declaration
    protocol: str
    protocol_config: str
    """Digest of the whole protocol; see `Plan`."""
    judge: str
    judge_revision: str
    judge_config: str
    """Digest of the judge's whole configuration; see `Plan`."""
    judge_status: JudgeStatus
    prompt_pack: str
    prompt_pack_status: Literal["official", "imported", "builtin"]
    data_source: str
    data_sha: str
    context: tuple[tuple[str, str], ...]
    """What decided the contexts besides the protocol; see `InputKey.context`. A reference has none."""
    chat_template_arguments: tuple[tuple[str, str], ...]
    """What the model's chat template was told; see `InputKey.chat_template_arguments`."""
    instruction_moved: bool
    """Whether the instruction stood in the first user turn because the chat template has no place for a system
    message."""
    engine: str
    """Of the model, as all up to `hardware`."""
    engine_version: str
    engine_flags: tuple[tuple[str, str], ...]
    dtype: str
    hardware: str
    judge_engine: str
    judge_engine_version: str
    judge_dtype: str
    judge_hardware: str
    rows_sha: str
    """SHA-256 over the keys and contents of all rows behind the result."""
    unranked_because: tuple[str, ...]
    """Why it stays out of the official ranking; empty if it ranks."""
    peak_rss_mb: float
    """Highest resident memory of any one process of the run."""
    facts: ModelFacts | None = Field(default=None, exclude_if=lambda facts: facts is None)
    """What was known of the model when it was handed in, of its base where there is an adapter; None where nothing was
    kept. Laid over by the release: the archive's own scorecard never has it."""


class Scorecard(Provenance):
    """One run under one judge: the result and where it comes from."""

    schema_version: Literal[1, 2, 3] = 1
    """3 if it tells the facts of its model, else 2 if it came from a re-score, and else 1: such a scorecard has nothing
    that version 1 lacks."""
    id: str
    rescore_id: str | None = Field(default=None, exclude_if=lambda rescore_id: rescore_id is None)
    """The re-score that it came from, beside whose rows its verdicts lie; None if they lie in the run itself."""
    result: Result
    stage_seconds: tuple[tuple[str, float], ...]
    created_at: Moment
    terms: Terms

    @model_validator(mode="after")
    def _has_what_its_version_has(self) -> Self:
        if self.schema_version != (3 if self.facts is not None else 2 if self.rescore_id is not None else 1):
            raise ValueError("a scorecard is of version 3 with facts, else of 2 from a re-score, and else of version 1")
        return self


class HumanScorecard(Provenance):
    """One run of a human-grounded task: how far a model agrees with people, and where that comes from."""

    schema_version: Literal[1, 2] = 1
    """2 if it tells the facts of its model, and else 1: such a scorecard has nothing that version 1 lacks."""
    id: str
    result: HumanResult
    stage_seconds: tuple[tuple[str, float], ...]
    created_at: Moment
    terms: Terms

    @model_validator(mode="after")
    def _has_what_its_version_has(self) -> Self:
        if self.schema_version != (2 if self.facts is not None else 1):
            raise ValueError("a scorecard of people's labels is of version 2 with facts, and else of version 1")
        return self


AnyScorecard: TypeAlias = Scorecard | HumanScorecard
"""A scorecard of either suite."""
AnyCard = TypeVar("AnyCard", Scorecard, HumanScorecard)


def identity_of(of: Provenance) -> Identity:
    """Returns what tells a model under its conditions from others: results of one model belong together by it."""
    return of.model, of.revision, of.adapter, of.adapter_revision, of.declaration.thinking


def model_family(of: Provenance) -> str | None:
    """Returns the family of a result's model, as `evaluator.judges.families` names it; None where nothing tells."""
    return family_of(of.model, of.declaration.base_model, of.facts.architecture if of.facts else None)


def with_facts(card: AnyCard, facts: ModelFacts | None) -> AnyCard:
    """Returns a scorecard with what was known of its model; None takes nothing away and adds nothing."""
    if facts is None:
        return card
    return card.model_copy(update={"facts": facts, "schema_version": 3 if isinstance(card, Scorecard) else 2})
