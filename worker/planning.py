"""Fixes what a run asks, before its first question."""

from __future__ import annotations

from pathlib import Path

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.prompts import builtin_pack
from evaluator.hicupid.selection import select_users
from evaluator.identity import digest
from evaluator.judges.spec import load_judge
from evaluator.models import PinnedModel, pin
from evaluator.protocol import load_protocol
from evaluator.run import RunSetup, items
from leaderboard.records import Plan, Shard, Submission, protocol_of

USERS_PER_SHARD = 2
"""Small enough that a lost worker costs little, large enough that a shard is worth a lease."""


def prepare(submission: Submission, run_id: str, data_set: str, models: Path) -> RunSetup:
    """Opens everything that a run needs, apart from engines.

    Raises:
        RapportError: `data_error`, `not_found`, `judge_error` or `infrastructure`.
    """
    protocol = load_protocol(protocol_of(run_id))
    judge = load_judge(protocol.judge)
    data = HicupidData.open(str(demo_set()) if data_set == "demo" else data_set)
    try:
        judge_revision = judge.revision or pin(judge.model, None, models).sha
    except RapportError as error:
        raise RapportError(Cause.JUDGE_ERROR, f"The judge {judge.id}: {error.message}", error.remedy) from error
    consented = submission.declaration.publish_answers
    return RunSetup(
        model=PinnedModel(submission.model, submission.revision),
        data=data,
        protocol=protocol,
        pack=builtin_pack(),
        judge=judge,
        judge_revision=judge_revision,
        terms=data.terms if consented else data.terms.model_copy(update={"visibility": "private"}),
    )


class OutdatedPlan(RapportError):
    """A run cannot go on, because what it was planned with is gone; only a new submission helps."""


def check_unchanged(plan: Plan, setup: RunSetup) -> None:
    """Refuses to go on with a run whose conditions are no longer those of its plan: its rows would not be comparable.

    Raises:
        OutdatedPlan: With cause `data_error` or `judge_error`.
    """
    if plan.data_sha != setup.data.sha:
        raise OutdatedPlan(
            Cause.DATA_ERROR, "The data set has changed since the run was planned.", "Submit the model again."
        )
    if plan.protocol_config != digest(setup.protocol.model_dump(mode="json")):
        raise OutdatedPlan(
            Cause.DATA_ERROR, "The protocol has changed since the run was planned.", "Submit the model again."
        )
    judge = (setup.judge_revision, setup.judge.digest(), setup.pack.id)
    if (plan.judge_revision, plan.judge_config, plan.prompt_pack) != judge:
        raise OutdatedPlan(
            Cause.JUDGE_ERROR,
            "The judge or its prompts have changed since the run was planned.",
            "Submit the model again.",
        )


def make_plan(run_id: str, setup: RunSetup) -> Plan:
    """Lists the items of a run and cuts its users into shards.

    Raises:
        RapportError: `data_error` if the data set is broken.
    """
    users = list(select_users(setup.data, setup.protocol))
    starts = range(0, len(users), USERS_PER_SHARD)
    return Plan(
        run_id=run_id,
        data_source=setup.data.source if setup.data.source != str(demo_set()) else "demo",
        data_sha=setup.data.sha,
        prompt_pack=setup.pack.id,
        prompt_pack_status=setup.pack.status,
        protocol_config=digest(setup.protocol.model_dump(mode="json")),
        judge=setup.judge.id,
        judge_revision=setup.judge_revision,
        judge_config=setup.judge.digest(),
        terms=setup.terms,
        items=tuple(items(setup)),
        shards=tuple(
            Shard(
                id=f"{run_id}.{number:04d}",
                users=tuple((user.split, user.user_id) for user in users[start : start + USERS_PER_SHARD]),
            )
            for number, start in enumerate(starts)
        ),
    )
