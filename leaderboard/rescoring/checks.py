"""What canaries said of judges, on the way to the archive and at hand: no judge is promoted that fell for one."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.identity import digest
from evaluator.judges.canaries import JudgeCheck
from evaluator.metrics.intervals import LEAST_USERS
from leaderboard.connection import text
from leaderboard.judge_board.desk import read_checks
from leaderboard.store.base import Store
from leaderboard.store.readable import Readable
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys

log = logging.getLogger("rapport.judges")


class JudgeChecks:
    """Checks in Redis, where maintainers leave them and the publisher takes them to the archive.

    Example:
        >>> JudgeChecks(redis).put(check)  # doctest: +SKIP
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis
        self._readable = Readable(JudgeCheck, log, "check", name_of)

    def put(self, check: JudgeCheck) -> None:
        """Keeps a check; the archive has it as soon as the publisher comes to it."""
        name = name_of(check)
        with self._redis.pipeline() as pipe:
            pipe.hset(keys.JUDGE_CHECKS, name, check.model_dump_json())
            pipe.sadd(keys.JUDGE_CHECKS_UNSAVED, name)
            pipe.execute()

    def all(self) -> dict[str, JudgeCheck]:
        """Returns all checks, by name.

        Raises:
            RapportError: `data_error` if one cannot be read.
        """
        found = self._redis.hgetall(keys.JUDGE_CHECKS)
        return {text(name): read_record(value, JudgeCheck, f"check {text(name)}") for name, value in found.items()}

    def unsaved(self) -> dict[str, JudgeCheck]:
        """Returns those that the archive does not hold; what cannot be read is logged once, and goes on waiting."""
        waiting = sorted(text(name) for name in self._redis.smembers(keys.JUDGE_CHECKS_UNSAVED))
        values = self._redis.hmget(keys.JUDGE_CHECKS, waiting) if waiting else []
        found = zip(waiting, values, strict=True)
        return self._readable.of({name: value for name, value in found if value is not None})

    def note_saved(self, checks: Mapping[str, JudgeCheck]) -> None:
        """Notes that the archive holds some checks; one that was replaced meanwhile goes on waiting."""
        present = self.unsaved()
        if done := [name for name, check in checks.items() if present.get(name) == check]:
            self._redis.srem(keys.JUDGE_CHECKS_UNSAVED, *done)

    def restore(self, store: Store) -> None:
        """Takes in what the archive holds, as far as it can be read."""
        for check in read_checks(store):
            self._redis.hsetnx(keys.JUDGE_CHECKS, name_of(check), check.model_dump_json())

    def require_passed(self, judge: str, revision: str, config: str, wording: str) -> None:
        """Refuses a version of a judge of which no check says that it keeps to every bound.

        A check counts that was made in the prompts of the re-score, on as many users as an interval takes; one that was
        failed counts in whatever prompts and on however many.

        Args:
            judge: The judge's id.
            revision: Of its model.
            config: Digest of its whole configuration.
            wording: Its prompts and how answers are set into them; see `wording_of`.

        Raises:
            RapportError: `judge_error`.
        """
        version = (judge, revision, config)
        found = [
            each for each in self.all().values() if (each.judge, each.judge_revision, each.judge_config) == version
        ]
        if not all(each.passed for each in found):
            raise RapportError(
                Cause.JUDGE_ERROR,
                f"{judge} at {revision[:12]} falls for a canary: such a judge never decides ranks.",
                f"See which with `rapport judge check {judge}`, and bring a better one.",
            )
        if not any(each.prompt_pack == wording and each.users >= LEAST_USERS for each in found):
            least = f"in the prompts of this re-score and of at least {LEAST_USERS} users"
            raise RapportError(
                Cause.JUDGE_ERROR,
                f"Nobody has asked {judge} at {revision[:12]} about the canaries {least}.",
                f"Run `rapport judge check {judge}` with RAPPORT_REDIS_URL set, then promote it.",
            )


def name_of(check: JudgeCheck) -> str:
    """Names a check by what was checked, on which questions and which engine: none takes the place of another."""
    version = digest([check.judge_revision, check.judge_config, check.prompt_pack, check.data_sha])[:16]
    return f"{check.judge}/{version}-{digest(check.judge_engine.model_dump(mode='json'))[:12]}"
