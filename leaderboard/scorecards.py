"""Turns the rows of one run into its scorecard: a pure function of what is stored."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from evaluator.hicupid.outcomes import MadeOn
from evaluator.hicupid.scoring import score
from evaluator.hicupid.user_scores import UserScore, user_scores
from evaluator.identity import digest
from evaluator.judges.rater import Rater
from evaluator.judges.spec import JudgeSpec
from evaluator.protocol import HicupidProtocol, is_reference
from evaluator.records import Generation, Record, Terms, Verdict
from evaluator.results import Rate, Result
from leaderboard.records import Lane, Plan, ShardReport, State, Submission, Transition, protocol_of
from leaderboard.results import INCOMPLETE, JUDGE_REASONS, Scorecard

LEAST_JUDGED_SHARE = 0.98
"""Below this share of judged items a scorecard is incomplete and never ranks."""

LEAST_SLOT_WORDS = 20
"""Below this number of words for slot A or B nothing is said about how a judge chooses between slots."""

ONE_SLOT_PERCENT = 98.0
"""A judge whose words are for one and the same slot at least this often does not look at the answers."""

_Engine: TypeAlias = tuple[str, ...]
"""What words came from, but for the machine: engine, version, dtype, and of a model the room that it was given."""

PROMPTS = {"official": "official", "imported": "imported", "builtin": "built-in"}
"""How readers are told the status of a prompt pack."""


class UserScores(Record):
    """What each user's items came to in one scorecard: by these, models are compared without reading rows again."""

    schema_version: Literal[1] = 1
    scorecard_id: str
    rows_sha: str
    """That of the scorecard, which is of the same rows."""
    users: tuple[UserScore, ...]
    terms: Terms


class RunRows(NamedTuple):
    """Everything that a run left in the store."""

    generations: Sequence[Generation]
    verdicts: Sequence[Verdict]
    reports: Sequence[ShardReport]
    """At least one a lane: every shard ends with one in each. The last ones say what the run was made on."""

    def reports_of(self, lane: Lane) -> list[ShardReport]:
        """Returns the reports of a lane, in their order."""
        return [report for report in self.reports if report.lane is lane]

    @property
    def made_on(self) -> MadeOn:
        """What the run was made on."""
        model, judge = (self.reports_of(lane)[-1] for lane in (Lane.GENERATE, Lane.JUDGE))
        return MadeOn(model.engine, model.dtype, judge.engine, judge.dtype)


def scorecard_id(run_id: str, judge: str) -> str:
    """Returns the id of the scorecard of a run under a judge."""
    return f"{run_id}@{judge}"


def make_scorecard(
    submission: Submission,
    plan: Plan,
    rows: RunRows,
    protocol: HicupidProtocol,
    judge: JudgeSpec,
    transitions: Iterable[Transition],
    created_at: datetime.datetime,
) -> Scorecard:
    """Scores a run whose shards are all done.

    Args:
        submission: The submission that the run belongs to.
        plan: What the run asked.
        rows: What came out.
        protocol: The run's protocol.
        judge: The judge whose verdicts count.
        transitions: The run's history, for the time it waited.
        created_at: The scorecard's date.
    """
    result = score(plan.questions, rows.generations, rows.verdicts, rows.made_on)
    told = chat_template_arguments(rows.generations)
    return Scorecard(
        id=scorecard_id(plan.run_id, judge.id),
        **provenance(submission, plan, rows, judge),
        instruction_moved="/system" in protocol.prompt_style and ("system_role", "first_user") in told,
        result=result,
        unranked_because=_unranked_because(submission.model, result, plan, protocol, judge, rows),
        stage_seconds=stage_seconds(rows.reports, transitions),
        created_at=created_at,
        terms=plan.terms,
    )


def provenance(submission: Submission, plan: Plan, rows: RunRows, judge: Rater) -> dict[str, Any]:
    """Returns where a result comes from: the fields of `Provenance` that no suite decides for itself.

    Args:
        submission: The submission that the run belongs to.
        plan: What the run asked.
        rows: What came out.
        judge: Who judged.
    """
    last, judged_on = (rows.reports_of(lane)[-1] for lane in (Lane.GENERATE, Lane.JUDGE))
    return {
        "submission_id": submission.id,
        "run_id": plan.run_id,
        "model": submission.model,
        "revision": submission.revision,
        "adapter": submission.adapter,
        "adapter_revision": submission.adapter_revision,
        "submitter": submission.submitter,
        "declaration": submission.declaration,
        "protocol": protocol_of(plan.run_id),
        "protocol_config": plan.protocol_config,
        "judge": judge.id,
        "judge_revision": plan.judge_revision,
        "judge_config": plan.judge_config,
        "judge_status": judge.status,
        "prompt_pack": plan.prompt_pack,
        "prompt_pack_status": plan.prompt_pack_status,
        "data_source": plan.data_source,
        "data_sha": plan.data_sha,
        "context": last.context,
        "chat_template_arguments": chat_template_arguments(rows.generations),
        "engine": last.engine,
        "engine_version": last.engine_version,
        "engine_flags": last.engine_flags,
        "dtype": last.dtype,
        "hardware": last.hardware,
        "judge_engine": judged_on.engine,
        "judge_engine_version": judged_on.engine_version,
        "judge_dtype": judged_on.dtype,
        "judge_hardware": judged_on.hardware,
        "rows_sha": rows_sha(rows),
        "peak_rss_mb": max(report.peak_rss_mb for report in rows.reports),
    }


def chat_template_arguments(generations: Iterable[Generation]) -> tuple[tuple[str, str], ...]:
    """Returns what the model's chat template was told; nothing without an answer."""
    return min((row.key.chat_template_arguments for row in generations), default=())


def make_user_scores(card: Scorecard, plan: Plan, rows: RunRows) -> UserScores:
    """Returns the users' sums behind a scorecard.

    Args:
        card: The scorecard.
        plan: What its run asked.
        rows: What came out.
    """
    return UserScores(
        scorecard_id=card.id,
        rows_sha=card.rows_sha,
        users=user_scores(plan.questions, rows.generations, rows.verdicts, rows.made_on),
        terms=plan.terms,
    )


def rows_sha(rows: RunRows) -> str:
    """Names the rows behind a result, whatever their order. Words that were taken down count by their hash."""
    return digest(
        {
            "generations": sorted(
                [row.input_key, row.content_hash or str(row.failure), row.defect or ""] for row in rows.generations
            ),
            "verdicts": sorted([row.verdict_key, row.taken_down or row.completion] for row in rows.verdicts),
        }
    )


def _unranked_because(
    model: str,
    result: Result,
    plan: Plan,
    protocol: HicupidProtocol,
    judge: JudgeSpec,
    rows: RunRows,
) -> tuple[str, ...]:
    """Lists the reasons that keep a result out of the official ranking."""
    asked, reference = protocol.items or 0, is_reference(model)
    # Of the gold answer beside itself a judge has nothing but the slots to go by.
    slots_alone = not reference and _sees_slots_alone(result.slot_a_share)
    checks = (
        ("reference", reference),
        (JUDGE_REASONS.get(judge.status, ""), judge.status in JUDGE_REASONS),
        ("judge without a verdict of its own", slots_alone),
        (f"{PROMPTS[plan.prompt_pack_status]} prompts", plan.prompt_pack_status != "official"),
        (f"protocol {protocol.id}", not protocol.official),
        ("other data", protocol.data_set not in (None, plan.data_source)),
        (f"{result.items:,} of {asked:,} items", result.items < asked),
        *mixtures(rows),
        (INCOMPLETE, not result.items or result.judged / result.items < LEAST_JUDGED_SHARE),
    )
    return tuple(reason for reason, holds in checks if holds)


def mixtures(rows: RunRows) -> tuple[tuple[str, bool], ...]:
    """Returns what keeps rows from being those of one and the same model, each with whether it holds."""
    return (
        ("deterministic engine", any(kind == "deterministic" for kind in _kinds(rows))),
        ("mixed engines", len(set(_model_engines(rows))) > 1 or len(set(_judge_engines(rows))) > 1),
        ("mixed chat templates", _are_mixed(rows.generations) or _are_mixed(rows.verdicts)),
        ("mixed contexts", len(set(_contexts(rows))) > 1),
    )


def _sees_slots_alone(slot_a_share: Rate) -> bool:
    """Says whether a judge's words are about the slots and not about the answers."""
    share = slot_a_share.value
    if share is None or slot_a_share.judged < LEAST_SLOT_WORDS:
        return False
    return max(share, 100 - share) >= ONE_SLOT_PERCENT


def _kinds(rows: RunRows) -> Iterator[str]:
    """Yields the names of the engines that answers and verdicts came from."""
    yield from (kind for kind, *_ in (*_model_engines(rows), *_judge_engines(rows)))


def _model_engines(rows: RunRows) -> Iterator[_Engine]:
    """Yields what the answers came from, by the reports and by the rows: a worker that died left no report."""
    for report in rows.reports_of(Lane.GENERATE):
        yield report.engine, report.engine_version, report.dtype, _room(report.engine_flags)
    for row in rows.generations:
        yield row.key.engine, row.engine_version, row.key.dtype, _room(row.engine_flags)


def _judge_engines(rows: RunRows) -> Iterator[_Engine]:
    """Yields what the verdicts came from, by the reports and by the rows."""
    for report in rows.reports_of(Lane.JUDGE):
        yield report.engine, report.engine_version, report.dtype
    for row in rows.verdicts:
        yield row.key.engine, row.engine_version, row.key.dtype


def _contexts(rows: RunRows) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yields what decided the contexts besides the protocol, by the reports and by the rows."""
    yield from (report.context for report in rows.reports_of(Lane.GENERATE))
    yield from (row.key.context for row in rows.generations)


def _room(flags: tuple[tuple[str, str], ...]) -> str:
    """Returns the tokens of prompt and answer that an engine was given: they decide which items overflow."""
    return dict(flags).get("context_used", "")


def _are_mixed(rows: Iterable[Generation | Verdict]) -> bool:
    """Says whether more than one chat template wrote the prompts of some rows."""
    return len({(row.key.chat_template_hash, row.key.chat_template_arguments) for row in rows}) > 1


def stage_seconds(reports: Sequence[ShardReport], transitions: Iterable[Transition]) -> tuple[tuple[str, float], ...]:
    """Adds up where the time went: waiting by the ledger's clock, work by the workers' own."""
    seconds: dict[str, float] = {}
    for report in reports:
        for stage, spent in report.stage_seconds:
            seconds[stage] = seconds.get(stage, 0.0) + spent
    seconds["wait"] = _waited(transitions)
    return tuple(sorted((stage, round(spent, 2)) for stage, spent in seconds.items()))


def _waited(transitions: Iterable[Transition]) -> float:
    """Seconds that the run stood in the queue, all times together."""
    waited, since = 0.0, None
    for step in sorted(transitions, key=lambda step: step.sequence):
        if step.after is State.QUEUED:
            since = step.at
        elif since is not None:
            waited += (step.at - since).total_seconds()
            since = None
    return waited
