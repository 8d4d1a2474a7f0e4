"""Fixes what a run asks, before its first question."""

from __future__ import annotations

from typing import NamedTuple

from evaluator.context_mode import Dense
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.prompt_packs import find_pack
from evaluator.hicupid.prompt_sources import load_sources
from evaluator.judges.spec import JudgeSpec, load_judge
from evaluator.models import LOCAL, PinnedModel, pin, pin_encoder
from evaluator.protocol import EvaluationProtocol, load_protocol
from evaluator.setup import RunSetup, items, users_of
from leaderboard.records import Plan, Shard, Submission, protocol_of
from leaderboard.settings import Settings
from leaderboard.submissions.entering import SUBMIT_AGAIN
from worker.tasks import shard_id

MOST_USERS_PER_SHARD = 10
LEAST_USERS_PER_SHARD = 2


def users_per_shard(users: int) -> int:
    """Returns how many users make a shard: few enough that a lost worker costs little, and enough for a lease.

    Example:
        >>> [users_per_shard(users) for users in (4, 100, 250, 1500)]
        [2, 4, 10, 10]
    """
    return min(MOST_USERS_PER_SHARD, max(LEAST_USERS_PER_SHARD, users // 25))


class Candidate(NamedTuple):
    """Who is evaluated."""

    model: PinnedModel
    adapter: PinnedModel | None
    thinking: bool
    """Whether it was declared to think before it answers."""


class Conditions(NamedTuple):
    """What a model is evaluated under."""

    protocol: EvaluationProtocol
    judge: JudgeSpec
    prompts: str
    """Prompt pack: its id, `builtin` or `official`."""
    data_set: str
    """`demo`, a folder, or a Hub data set."""


def prepare(submission: Submission, run_id: str, settings: Settings, planned: Plan | None = None) -> RunSetup:
    """Opens everything that a submission's run needs, apart from engines.

    Args:
        submission: What was handed in.
        run_id: One of its runs.
        settings: Those of the worker.
        planned: The run's plan if it has one: data set and judge are then taken at its commits, wherever their
            branches on the Hub have moved since.

    Raises:
        RapportError: `data_error`, `not_found`, `judge_error` or `infrastructure`.
    """
    protocol = load_protocol(protocol_of(run_id))
    judge = load_judge(protocol.judge)
    conditions = Conditions(protocol, judge, judge.prompt_pack, settings.data_set)
    return make_setup(candidate_of(submission), conditions, settings, planned)


def candidate_of(submission: Submission) -> Candidate:
    """Returns who a submission hands in."""
    adapter = None
    if submission.adapter is not None and submission.adapter_revision is not None:
        adapter = PinnedModel(submission.adapter, submission.adapter_revision)
    declared = submission.declaration
    model = PinnedModel(submission.model, submission.revision)
    return Candidate(model, adapter, declared.thinking)


def make_setup(
    candidate: Candidate, conditions: Conditions, settings: Settings, planned: Plan | None = None
) -> RunSetup:
    """Opens everything that a run needs under some conditions, apart from engines.

    Args:
        candidate: Who is evaluated.
        conditions: Under what.
        settings: Those of the machine.
        planned: As of `prepare`.

    Raises:
        RapportError: As of `prepare`.
    """
    judge, data = conditions.judge, _open_data(conditions.data_set, planned)
    protocol = _with_pinned_encoder(conditions.protocol, settings)
    return RunSetup(
        model=candidate.model,
        adapter=candidate.adapter,
        thinking=candidate.thinking,
        data=data,
        protocol=protocol,
        pack=find_pack(conditions.prompts, settings.packs, load_sources(settings.prompt_sources)),
        judge=judge,
        judge_revision=_judge_revision(judge, settings, planned),
        terms=data.terms,
    )


def _open_data(data_set: str, planned: Plan | None) -> HicupidData:
    """Opens the data set, at the commit of the plan if it is that of the plan."""
    at = planned.data_sha if planned and planned.data_source == data_set else None
    return HicupidData.open(str(demo_set()) if data_set == "demo" else data_set, at)


def _judge_revision(judge: JudgeSpec, settings: Settings, planned: Plan | None) -> str:
    """Returns the commit of the judge; a local one has its present state alone."""
    if judge.revision:
        return judge.revision
    if planned and planned.judge == judge.id and not judge.model.startswith(LOCAL):
        return planned.judge_revision
    try:
        return pin(judge.model, None, settings.models).sha
    except RapportError as error:
        raise RapportError(Cause.JUDGE_ERROR, f"The judge {judge.id}: {error.message}", error.remedy) from error


def _with_pinned_encoder(protocol: EvaluationProtocol, settings: Settings) -> EvaluationProtocol:
    """Returns a protocol whose encoder, if it has one, stands at a SHA."""
    context = protocol.context
    if not isinstance(context, Dense):
        return protocol
    pinned = pin_encoder(context.encoder, context.revision, settings.models)
    return protocol.model_copy(update={"context": context.model_copy(update={"revision": pinned.sha})})


class OutdatedPlan(RapportError):
    """A run cannot go on, because what it was planned with is gone; only a new submission helps."""

    def __init__(self, cause: Cause, message: str) -> None:
        """Says what is gone; the remedy is what lets the model be submitted anew, see `entering.uncovered`."""
        super().__init__(cause, message, SUBMIT_AGAIN)


def check_unchanged(plan: Plan, setup: RunSetup) -> None:
    """Refuses to go on with a run whose conditions are no longer those of its plan: its rows would not be comparable.

    Raises:
        OutdatedPlan: With cause `data_error` or `judge_error`.
    """
    if plan.data_sha != setup.data.sha:
        raise OutdatedPlan(Cause.DATA_ERROR, "The data set has changed since the run was planned.")
    if plan.protocol_config != setup.protocol.digest():
        raise OutdatedPlan(Cause.DATA_ERROR, "The protocol has changed since the run was planned.")
    judge = (setup.judge_revision, setup.judge.digest(), setup.pack.id)
    if (plan.judge_revision, plan.judge_config, plan.prompt_pack) != judge:
        raise OutdatedPlan(Cause.JUDGE_ERROR, "The judge or its prompts have changed since the run was planned.")


def make_plan(run_id: str, setup: RunSetup) -> Plan:
    """Lists the items of a run and cuts its users into shards.

    Raises:
        RapportError: `data_error` if the data set is broken.
    """
    asked = tuple(items(setup))
    if not asked:
        raise RapportError(
            Cause.DATA_ERROR,
            f"The data set holds nothing that the protocol {setup.protocol.id} asks.",
            "Check the splits and question types of both.",
        )
    users = users_of(asked)
    step = users_per_shard(len(users))
    return Plan(
        run_id=run_id,
        data_source=setup.data.source if setup.data.source != str(demo_set()) else "demo",
        data_sha=setup.data.sha,
        prompt_pack=setup.pack.id,
        prompt_pack_status=setup.pack.status,
        protocol_config=setup.protocol.digest(),
        judge=setup.judge.id,
        judge_revision=setup.judge_revision,
        judge_config=setup.judge.digest(),
        terms=setup.terms,
        items=asked,
        shards=tuple(
            Shard(
                id=shard_id(run_id, number),
                users=tuple((user.split, user.user_id) for user in users[start : start + step]),
            )
            for number, start in enumerate(range(0, len(users), step))
        ),
    )
