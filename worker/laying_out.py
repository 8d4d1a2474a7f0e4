"""Lays a run out for another judge: its plan, its answers and the verdicts that are there, as workers find them."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from evaluator.hicupid.selection import UserItems
from evaluator.records import Generation
from leaderboard.records import Batch, Lane, Plan, Shard
from leaderboard.rescoring.records import Rescore
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from worker.recovery import enter_counts
from worker.tasks import shard_id, shard_ids

USERS_PER_SHARD = 40
"""More than where answers are generated: a judge is given many prompts at once, and loses little with a machine."""


def judging_plan(plan: Plan, rescore: Rescore, name: str) -> Plan:
    """Returns what a re-score asks of a run: the same items, of another judge.

    Args:
        plan: The run's.
        rescore: The re-score.
        name: Of the judging.
    """
    users = [user for shard in plan.shards for user in shard.users]
    starts = range(0, len(users), USERS_PER_SHARD)
    return plan.model_copy(
        update={
            "run_id": name,
            "judge": rescore.judge,
            "judge_revision": rescore.judge_revision,
            "judge_config": rescore.judge_config,
            "prompt_pack": rescore.prompt_pack,
            "prompt_pack_status": rescore.prompt_pack_status,
            "shards": tuple(
                Shard(id=shard_id(name, number), users=tuple(users[start : start + USERS_PER_SHARD]))
                for number, start in enumerate(starts)
            ),
        }
    )


def judging_batches(plan: Plan, run: StoredRun, own: StoredRun) -> list[Batch]:
    """Returns what workers are to find of a judging: a batch of answers for each shard, and all that was stored of it.

    Thoughts stay where they are: no judge reads them.
    """
    answers, of_user = run.rows().generations, _shards_of(plan)
    by_shard: dict[str, list[Generation]] = {shard.id: [] for shard in plan.shards}
    for row in answers:
        if (shard := of_user.get(row.key.question_id)) is not None:
            by_shard[shard].append(row.model_copy(update={"thought": None}))
    laid_out = [
        Batch(id=f"{number:04d}-000000-answers-0001", run_id=plan.run_id, shard_id=name, generations=tuple(rows))
        for number, (name, rows) in enumerate(by_shard.items())
    ]
    return [*laid_out, *(own.batch(name) for name in sorted(own.names))]


def lay_out(redis: Redis, plan: Plan, batches: Sequence[Batch], rescore_id: str) -> None:
    """Enters a judging, so that workers may take it; does no harm if it is done twice."""
    name = plan.run_id
    with redis.pipeline() as pipe:
        pipe.hset(keys.batches(name), mapping={batch.id: batch.model_dump_json() for batch in batches})
        enter_counts(pipe, plan, batches)
        pipe.sadd(keys.done(name, Lane.GENERATE), *shard_ids(plan))
        pipe.sadd(keys.judgings(rescore_id), name)
        pipe.execute()


def _shards_of(plan: Plan) -> dict[str, str]:
    """Returns in which shard each question is asked."""
    of_user = {UserItems(*user): shard.id for shard in plan.shards for user in shard.users}
    return {item.question_id: of_user[UserItems(item.split, item.user_id)] for item in plan.items}
