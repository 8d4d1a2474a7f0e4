"""Published runs and a re-score of them by a judge of the tests' own, all made up by the deterministic engine."""

from __future__ import annotations

from typing import NamedTuple

from redis import Redis

from evaluator.engines.base import EngineInfo
from evaluator.hicupid.prompts import builtin_pack
from evaluator.judges.canaries import CanaryFigure, CanaryVerdict, JudgeCheck, bounds_of
from evaluator.judges.prompt import wording_of
from evaluator.results import Rate
from leaderboard.people import Person
from leaderboard.records import Lane, Plan, Shard, State, Submission
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import Rescore
from leaderboard.rescoring.service import RescoreService
from leaderboard.settings import Settings
from leaderboard.store import LocalStore
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration, make_report
from tests.faults.accounts import undisturbed
from tests.model_folders import make_model_folder
from tests.rescoring.other_judge import DEMO, OTHER
from worker.handover import Handover
from worker.jobs import evaluate
from worker.lease import Leases
from worker.outbox import Outbox
from worker.planning import make_plan, prepare
from worker.publisher import Publisher

CAROL = Person("carol", maintainer=True)
MODELS = ("first", "second", "third")


def settle(publisher: Publisher) -> None:
    """Lets the publisher do all that there is to do."""
    for _ in range(200):
        if not publisher.step():
            return
    raise AssertionError("the publisher does not come to rest")


class Bench(NamedTuple):
    """Everything that a re-score needs."""

    settings: Settings
    redis: Redis
    store: LocalStore
    publisher: Publisher
    runs: tuple[str, ...]

    @property
    def desk(self) -> RescoreDesk:
        """Where re-scores stand."""
        return RescoreDesk(self.redis)

    @property
    def service(self) -> RescoreService:
        """What maintainers do."""
        return RescoreService(self.settings, self.redis)

    def begin(self, judge: str = OTHER) -> Rescore:
        """Begins a re-score of all runs, and has it laid out."""
        rescore = self.service.start(judge, self.runs, CAROL, "A better judge.")
        settle(self.publisher)
        return self.desk.get(rescore.id)

    def finish(self, rescore: Rescore) -> Rescore:
        """Has a worker judge all of it."""
        evaluate(rescore.work_id)
        settle(self.publisher)
        return self.desk.get(rescore.id)


def publish_runs(settings: Settings, redis: Redis, publisher: Publisher) -> tuple[str, ...]:
    """Has three models evaluated and published; returns their runs."""
    service, ledger, found = SubmissionService(settings, redis), Ledger(redis), []
    for name in (DEMO.model.removeprefix("local/"), OTHER, *MODELS):
        make_model_folder(settings.models, name)
    for name in MODELS:
        view = service.submit(f"local/{name}", None, make_declaration(), Person("alice"))
        if settings.judge_servers:
            evaluate(view.runs[0].id)
        else:
            hand_over_all(settings, redis, view.submission)
        found.append(view.runs[0].id)
    settle(publisher)
    assert [ledger.state(run_id) for run_id in found] == [State.PUBLISHED] * 3
    return tuple(found)


def hand_over_all(settings: Settings, redis: Redis, submission: Submission) -> None:
    """Hands over what a worker would, made in this process: starting engines takes seconds."""
    (run_id,) = submission.run_ids()
    plan = Ledger(redis).put_plan(make_plan(run_id, prepare(submission, run_id, settings)))
    rows, leases = undisturbed(submission, plan, settings), Leases(redis, seconds=600)
    shards = {question: shard.id for shard in plan.shards for question in _asked(plan, shard)}
    while lease := leases.claim(plan, "gpu-1"):
        handover = Handover(leases, lease, Outbox(redis))
        own = [row for row in rows.generations if shards[row.key.question_id] == lease.shard_id]
        if lease.lane is Lane.GENERATE:
            handover.generations(own)
        else:
            handover.verdicts(row for row in rows.verdicts if shards[row.key.question_id] == lease.shard_id)
        handover.finish(make_report(lease.lane, engine="deterministic", dtype="none"))
        leases.release(lease, forgive=True)


def _asked(plan: Plan, shard: Shard) -> list[str]:
    return [item.question_id for item in plan.items if (item.split, item.user_id) in set(shard.users)]


def make_check(rescore: Rescore) -> JudgeCheck:
    """A check that a re-score's judge has passed."""
    rate = Rate(value=50.0, judged=10, items=10, interval=None)
    figures = tuple(
        CanaryFigure(canary=canary, figure=figure, rate=rate, bound=bound, verdict=CanaryVerdict.WITHIN)
        for (canary, figure), bound in bounds_of("pairwise").items()
    )
    return JudgeCheck(
        kind="pairwise",
        judge=rescore.judge,
        judge_revision=rescore.judge_revision,
        judge_config=rescore.judge_config,
        judge_engine=EngineInfo(
            engine="deterministic",
            version="1",
            flags=(),
            dtype="none",
            hardware="cpu",
            context_length=1024,
            load_seconds=0.0,
            chat_template_hash="0" * 64,
            chat_template_arguments=(),
        ),
        prompt_pack=wording_of(builtin_pack()),
        data_sha="0" * 64,
        questions=100,
        users=25,
        verdicts=0,
        missing=0,
        prompt_tokens=0,
        output_tokens=0,
        rows_sha="0" * 64,
        figures=figures,
    )
