"""Lays a run out for another judge: its plan, its answers and the verdicts that are there, as workers find them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from redis import Redis

from evaluator.hicupid.selection import UserItems
from evaluator.judges.prompt import slot_orders
from evaluator.judges.spec import JudgeSpec
from evaluator.protocol import hicupid_protocol
from evaluator.records import Generation, Verdict
from leaderboard.records import Batch, Lane, Plan, Shard, protocol_of
from leaderboard.rescoring.records import Rescore, judged_run_of
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from worker.recovery import enter_counts
from worker.tasks import shard_id, shard_ids

Row = TypeVar("Row", Generation, Verdict)

USERS_PER_SHARD = 40
"""More than where answers are generated: a judge is given many prompts at once, and loses little with a machine."""


def judging_plan(plan: Plan, rescore: Rescore, judge: JudgeSpec, name: str) -> Plan:
    """Returns what a re-score asks of a run: the same items, of another judge in its own slot orders.

    Args:
        plan: The run's.
        rescore: The re-score.
        judge: Its judge.
        name: Of the judging.

    Raises:
        RapportError: `not_found` if the run's protocol is not there any more, or is none of HiCUPID.
    """
    protocol = hicupid_protocol(protocol_of(judged_run_of(name)))
    items = (item.model_copy(update={"orders": slot_orders(item, protocol, judge.orders)}) for item in plan.questions)
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
            "items": tuple(items),
            "shards": tuple(
                Shard(id=shard_id(name, number), users=tuple(users[start : start + USERS_PER_SHARD]))
                for number, start in enumerate(starts)
            ),
        }
    )


class LaidOut(NamedTuple):
    """What workers are to find of a judging."""

    answers: list[Batch]
    """Of each shard; they lie in the run, and are not stored again."""
    stored: list[Batch]
    """What the archive holds of the judging."""
    known: list[Batch]
    """What the judge said of equal answers elsewhere, and the archive does not hold here yet."""


def judging_batches(plan: Plan, answers: Sequence[Generation], own: StoredRun, known: Sequence[Verdict]) -> LaidOut:
    """Returns what workers are to find of a judging. Thoughts stay where they are: no judge reads them.

    Args:
        plan: Of the judging.
        answers: Of the run.
        own: What is stored of the judging.
        known: What the judge said of equal answers, wherever that lies.
    """
    stored = [own.batch(name) for name in sorted(own.names)]
    there = {(row.verdict_key, row.attempt) for batch in stored for row in batch.verdicts}
    new = [row for row in known if (row.verdict_key, row.attempt) not in there]
    without_thoughts = [row.model_copy(update={"thought": None}) for row in answers]
    return LaidOut(
        [
            _batch(plan, number, "answers", generations=tuple(rows))
            for number, rows in enumerate(_by_shard(plan, without_thoughts))
        ],
        stored,
        [
            _batch(plan, number, "known", verdicts=tuple(rows))
            for number, rows in enumerate(_by_shard(plan, new))
            if rows
        ],
    )


def lay_out(redis: Redis, plan: Plan, found: LaidOut, rescore_id: str) -> None:
    """Enters a judging, so that workers may take it; does no harm if it is done twice."""
    name, batches = plan.run_id, [*found.answers, *found.stored, *found.known]
    with redis.pipeline() as pipe:
        pipe.hset(keys.batches(name), mapping={batch.id: batch.model_dump_json() for batch in batches})
        enter_counts(pipe, plan, batches)
        pipe.sadd(keys.done(name, Lane.GENERATE), *shard_ids(plan))
        for batch in found.known:
            pipe.xadd(keys.OUTBOX, {"run": name, "batch": batch.id})
        pipe.sadd(keys.judgings(rescore_id), name)
        pipe.execute()


def _batch(
    plan: Plan,
    number: int,
    what: str,
    generations: tuple[Generation, ...] = (),
    verdicts: tuple[Verdict, ...] = (),
) -> Batch:
    """Returns a batch of a shard that no worker has handed over: its name holds the lowest number of a lease."""
    return Batch(
        id=f"{number:04d}-000000-{what}-0001",
        run_id=plan.run_id,
        shard_id=shard_id(plan.run_id, number),
        generations=generations,
        verdicts=verdicts,
    )


def _by_shard(plan: Plan, rows: Iterable[Row]) -> list[list[Row]]:
    """Returns rows by the shard in which their question is asked, in the order of shards."""
    of_user = {UserItems(*user): number for number, shard in enumerate(plan.shards) for user in shard.users}
    numbers = {item.question_id: of_user[UserItems(item.split, item.user_id)] for item in plan.items}
    found: list[list[Row]] = [[] for _ in plan.shards]
    for row in rows:
        if (number := numbers.get(row.key.question_id)) is not None:
            found[number].append(row)
    return found
