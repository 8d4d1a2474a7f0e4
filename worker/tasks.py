"""Tasks: what one worker takes at a time is a shard in one lane, and a shard is judged once it has been generated."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from redis import Redis

from evaluator.hicupid.selection import UserItems
from evaluator.records import Generation
from leaderboard.connection import text
from leaderboard.records import Lane, Plan
from leaderboard.submissions import keys


class Task(NamedTuple):
    """One shard in one lane.

    Example:
        >>> str(Task("s-20260101-0a1b2c3d.demo-v1.0000", Lane.JUDGE))
        's-20260101-0a1b2c3d.demo-v1.0000.judge'
    """

    shard_id: str
    lane: Lane

    def __str__(self) -> str:
        """Names it in logs and errors."""
        return f"{self.shard_id}.{self.lane}"


class Board(NamedTuple):
    """Where the tasks of one run stand."""

    shards: tuple[str, ...]
    generated: frozenset[str]
    judged: frozenset[str]
    held: frozenset[Task]
    """Tasks under a lease."""

    def free(self) -> list[Task]:
        """Returns the tasks that a worker may take now: those of the judge first, so that what is begun is finished.

        Example:
            >>> board = Board(("a", "b", "c"), frozenset("a"), frozenset(), frozenset({Task("b", Lane.GENERATE)}))
            >>> [str(task) for task in board.free()]
            ['a.judge', 'c.generate']
        """
        judging = [Task(each, Lane.JUDGE) for each in self.shards if each in self.generated and each not in self.judged]
        generating = [Task(each, Lane.GENERATE) for each in self.shards if each not in self.generated]
        return [task for task in (*judging, *generating) if task not in self.held]


def read_boards(redis: Redis, shards: dict[str, tuple[str, ...]]) -> dict[str, Board]:
    """Returns where the tasks of some runs stand, in one round trip however many there are.

    Args:
        redis: An open connection.
        shards: The ids of each run's shards, by run id.
    """
    with redis.pipeline(transaction=False) as pipe:
        for run_id, names in shards.items():
            for lane in Lane:
                pipe.smembers(keys.done(run_id, lane))
            pipe.mget([keys.lease(name, lane) for name in names for lane in Lane])
        answers = iter(pipe.execute())
    boards = {}
    for run_id, names in shards.items():
        generated, judged = ({text(name) for name in next(answers)} for _ in Lane)
        tasks = [Task(name, lane) for name in names for lane in Lane]
        held = (task for task, lease in zip(tasks, next(answers), strict=True) if lease is not None)
        boards[run_id] = Board(names, frozenset(generated), frozenset(judged), frozenset(held))
    return boards


def board_of(redis: Redis, plan: Plan) -> Board:
    """Returns where the tasks of one run stand."""
    return read_boards(redis, {plan.run_id: shard_ids(plan)})[plan.run_id]


def shard_id(run_id: str, number: int) -> str:
    """Names a shard by its place in the plan.

    Example:
        >>> shard_id("s-20260101-0a1b2c3d.demo-v1", 12)
        's-20260101-0a1b2c3d.demo-v1.0012'
    """
    return f"{run_id}.{number:04d}"


def shard_ids(plan: Plan) -> tuple[str, ...]:
    """Returns the ids of a run's shards."""
    return tuple(shard.id for shard in plan.shards)


def finished(redis: Redis, plan: Plan, lanes: Collection[Lane] = tuple(Lane)) -> bool:
    """Says whether all shards of a run are done, in both lanes unless told otherwise.

    Example:
        >>> finished(redis, plan)  # doctest: +SKIP
        False
    """
    if not plan.shards:
        return False
    with redis.pipeline(transaction=False) as pipe:
        for lane in lanes:
            pipe.smismember(keys.done(plan.run_id, lane), list(shard_ids(plan)))
        return all(all(done) for done in pipe.execute())


def unanswered(plan: Plan, generations: Iterable[Generation]) -> tuple[str, ...]:
    """Returns the ids of the shards some question of which has no answer at all: each asked one has, be it a failure.

    Example:
        >>> unanswered(plan, [])  # doctest: +SKIP
        ('s-20260101-0a1b2c3d.demo-v1.0000',)
    """
    answered = {row.key.question_id for row in generations}
    lacking = [item for item in plan.items if item.is_asked and item.question_id not in answered]
    users = {UserItems(item.split, item.user_id) for item in lacking}
    return tuple(shard.id for shard in plan.shards if not users.isdisjoint(UserItems(*user) for user in shard.users))


def reopen(redis: Redis, run_id: str, shards: Collection[str]) -> int:
    """Lets shards be taken anew in both lanes; what is known of them is not asked again.

    Returns:
        How often shards of this run were reopened.
    """
    with redis.pipeline() as pipe:
        for lane in Lane:
            pipe.srem(keys.done(run_id, lane), *shards)
        pipe.hincrby(keys.progress(run_id), "reopened", 1)
        return int(pipe.execute()[-1])
