"""The records of what runs came to: scorecards of both suites, and where each comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from evaluator.human.results import HumanResult
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


class Scorecard(Provenance):
    """One run under one judge: the result and where it comes from."""

    schema_version: Literal[1, 2] = 1
    """2 if it came from a re-score, and else 1: such a scorecard has nothing that version 1 lacks."""
    id: str
    rescore_id: str | None = Field(default=None, exclude_if=lambda rescore_id: rescore_id is None)
    """The re-score that it came from, beside whose rows its verdicts lie; None if they lie in the run itself."""
    result: Result
    stage_seconds: tuple[tuple[str, float], ...]
    created_at: Moment
    terms: Terms

    @model_validator(mode="after")
    def _has_what_its_version_has(self) -> Self:
        if (self.schema_version == 2) != (self.rescore_id is not None):
            raise ValueError("a scorecard is of version 2 if it came from a re-score, and else of version 1")
        return self


class HumanScorecard(Provenance):
    """One run of a human-grounded task: how far a model agrees with people, and where that comes from."""

    schema_version: Literal[1] = 1
    id: str
    result: HumanResult
    stage_seconds: tuple[tuple[str, float], ...]
    created_at: Moment
    terms: Terms


AnyScorecard: TypeAlias = Scorecard | HumanScorecard
"""A scorecard of either suite."""


def identity_of(of: Provenance) -> Identity:
    """Returns what tells a model under its conditions from others: results of one model belong together by it."""
    return of.model, of.revision, of.adapter, of.adapter_revision, of.declaration.thinking
