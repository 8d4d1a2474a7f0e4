"""Tasks as a worker does them, the engines scripted: what reaches whom, and what it says of how far the run is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from evaluator.ask import AnswerSource, ModelAnswers, StageClock, ask_users
from evaluator.context_mode import Bm25
from evaluator.engines.base import Engine
from evaluator.errors import Cause, RapportError
from evaluator.facts import ModelFacts
from evaluator.hicupid.contexts import FullContexts, make_contexts
from evaluator.models import PinnedModel
from evaluator.records import Defect, Generation, Verdict
from evaluator.references import ReferenceAnswers
from evaluator.setup import HicupidSetup
from leaderboard.records import Lane, Plan, State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.measures import read_costs
from tests.builders import make_generation, make_input_key, make_verdict
from tests.scripted import ScriptedEngine, hello, judging, make_setup
from tests.unit.test_ask import ListSink
from worker import planning
from worker.engines import RunEngines
from worker.handover import Handover
from worker.lease import Leases
from worker.outbox import Outbox
from worker.shard import Work, make_report, mark_progress, run_task
from worker.tasks import finished


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> HicupidSetup:
    return make_setup(tmp_path_factory.mktemp("cache"))


class Loaded(RunEngines):
    """Engines that are there already; the one that is missing must not be asked for."""

    def __init__(self, setup: HicupidSetup, source: AnswerSource | None = None, judge: Engine | None = None) -> None:
        super().__init__(setup, Settings(), Path("engine"))
        self.of_model, self.of_judge = source, judge

    def source(self) -> AnswerSource:
        assert self.of_model is not None, "a worker of the judge's lane loads no model"
        return self.of_model

    def judge(self) -> Engine:
        assert self.of_judge is not None, "a worker of the model's lane loads no judge"
        return self.of_judge

    def peak_rss_mb(self) -> float:
        return 1.0


class Bench(NamedTuple):
    """One run and the machinery around it."""

    plan: Plan
    setup: HicupidSetup
    leases: Leases
    outbox: Outbox
    work: Work

    def do(self, *lanes: Lane, **engines: object) -> int:
        """Does all tasks of some lanes; returns how many they were."""
        work, done = self.work._replace(engines=Loaded(self.setup, **engines)), 0
        while lease := self.leases.claim(self.plan, "gpu-1", lanes):
            run_task(work, self.leases, lease)
            self.leases.release(lease, forgive=True)
            done += 1
        return done

    def generate(self) -> int:
        return self.do(Lane.GENERATE, source=ModelAnswers(self.setup, ScriptedEngine(hello), FullContexts()))

    def rows(self) -> tuple[list[Generation], list[Verdict]]:
        batches = self.outbox.kept(self.plan.run_id)
        return (
            [row for batch in batches for row in batch.generations],
            [row for batch in batches for row in batch.verdicts],
        )


@pytest.fixture
def bench(redis, ledger, leases, outbox, run_id, setup) -> Bench:
    plan = ledger.put_plan(planning.make_plan(run_id, setup))
    return Bench(plan, setup, leases, outbox, Work(setup, plan, Settings(), redis, ledger, None, outbox))


def test_workers_of_one_lane_each_never_load_the_others_engine_and_finish_the_run_together(redis, ledger, bench):
    assert bench.do(Lane.JUDGE) == 0, "nothing has been generated yet"
    assert bench.generate() == len(bench.plan.shards)
    assert not finished(redis, bench.plan)
    assert finished(redis, bench.plan, [Lane.GENERATE])
    assert bench.do(Lane.JUDGE, judge=ScriptedEngine(judging)) == len(bench.plan.shards)
    assert finished(redis, bench.plan)
    assert ledger.state(bench.plan.run_id) is State.JUDGING


def test_two_lanes_come_to_the_same_rows_as_one_loop(bench):
    bench.generate()
    bench.do(Lane.JUDGE, judge=ScriptedEngine(judging))
    whole, source = ListSink(), ModelAnswers(bench.setup, ScriptedEngine(hello), FullContexts())
    ask_users(bench.setup, bench.plan.items, source, ScriptedEngine(judging), whole, StageClock())
    answers, verdicts = bench.rows()
    assert sorted(row.input_key for row in answers) == sorted(row.input_key for row in whole.answers)
    assert sorted((row.verdict_key, row.word) for row in verdicts) == sorted(
        (row.verdict_key, row.word) for row in whole.said
    )


def test_a_shard_is_judged_although_others_are_not_generated_yet(bench, leases):
    lease = leases.claim(bench.plan, "gpu-1", [Lane.GENERATE])
    source = ModelAnswers(bench.setup, ScriptedEngine(hello), FullContexts())
    run_task(bench.work._replace(engines=Loaded(bench.setup, source)), leases, lease)
    assert bench.do(Lane.JUDGE, judge=ScriptedEngine(judging)) == 1
    answers, verdicts = bench.rows()
    assert 0 < len(answers) < len(bench.plan.items)
    assert {row.key.question_id for row in verdicts} == {row.key.question_id for row in answers}


def test_what_was_judged_before_a_judge_was_lost_is_not_asked_again(bench, leases, redis):
    bench.generate()
    said = 0

    def dying(request):
        nonlocal said
        said += 1
        if said > 5:
            raise RapportError(Cause.OUT_OF_MEMORY, "The engine ran out of memory.", "Buy more.")
        return judging(request)

    with pytest.raises(RapportError, match="The judge demo: The engine ran out of memory") as failed:
        bench.do(Lane.JUDGE, judge=ScriptedEngine(dying))
    assert failed.value.cause is Cause.JUDGE_ERROR, "it is not the submitted model's fault"
    redis.delete(*redis.keys("rapport:lease:*"))
    second = ScriptedEngine(judging)
    bench.do(Lane.JUDGE, judge=second)
    _, verdicts = bench.rows()
    assert len({row.verdict_key for row in verdicts}) == len(verdicts)
    assert len(second.asked) == len(verdicts) - 5


def test_a_finished_run_tells_what_it_took_for_those_to_come(redis, bench, submission):
    sized = submission.model_copy(update={"facts": ModelFacts(parameters=64)})
    redis.set(keys.submission(submission.id), sized.model_dump_json())
    bench.generate()
    assert read_costs(redis, "demo-v1") == []
    bench.do(Lane.JUDGE, judge=ScriptedEngine(judging))
    (cost,) = read_costs(redis, "demo-v1")
    assert (cost.run_id, cost.items, cost.parameters) == (bench.plan.run_id, len(bench.plan.items), 64)


@pytest.mark.parametrize("rehearsed", Lane)
def test_a_run_that_no_model_answered_or_judged_tells_nothing_about_models(redis, bench, rehearsed):
    def engine(lane: Lane, say) -> ScriptedEngine:
        return ScriptedEngine(say, engine="deterministic" if lane is rehearsed else "vllm")

    bench.do(Lane.GENERATE, source=ModelAnswers(bench.setup, engine(Lane.GENERATE, hello), FullContexts()))
    bench.do(Lane.JUDGE, judge=engine(Lane.JUDGE, judging))
    assert finished(redis, bench.plan)
    assert read_costs(redis, "demo-v1") == []


def test_a_reference_tells_nothing_about_models(redis, bench):
    gold = bench.setup._replace(model=PinnedModel("reference/gold", "0" * 64))
    referring = bench._replace(setup=gold, work=bench.work._replace(setup=gold))
    referring.do(*Lane, source=ReferenceAnswers(gold), judge=ScriptedEngine(judging))
    assert finished(redis, bench.plan)
    assert read_costs(redis, "demo-v1") == []


def test_the_run_is_being_judged_once_every_shard_is_generated(ledger, plan, redis, do_task, outbox):
    work = Work(setup=None, plan=plan, settings=None, redis=redis, ledger=ledger, engines=None, outbox=outbox)
    do_task(plan, Lane.GENERATE)
    mark_progress(work)
    assert ledger.state(plan.run_id) is State.GENERATING

    do_task(plan, Lane.GENERATE)
    mark_progress(work)
    assert ledger.state(plan.run_id) is State.JUDGING


def leased(leases, plan, outbox) -> Handover:
    orders = {item.question_id: len(item.orders) for item in plan.items}
    return Handover(leases, leases.claim(plan, "gpu-1"), outbox, orders)


def test_verdicts_that_nobody_will_give_are_not_waited_for(leases, ledger, plan, outbox) -> None:
    rows = leased(leases, plan, outbox)
    wanted = ledger.progress(plan.run_id).verdicts_wanted
    judged, empty, failed = (make_input_key(f"test_1/1-{type_}") for type_ in ("persona", "profile", "schedule"))

    rows.generations(
        [
            make_generation(judged),
            make_generation(empty, "", defect=Defect.EMPTY),
            make_generation(failed, None, failure=Cause.CONTEXT_OVERFLOW),
        ]
    )

    assert ledger.progress(plan.run_id).verdicts_wanted == wanted - 2 - 1


def test_a_verdict_that_is_asked_for_once_more_counts_once(leases, ledger, plan, outbox) -> None:
    rows = leased(leases, plan, outbox)
    answer = make_generation(make_input_key("test_1/1-persona"))

    rows.verdicts([make_verdict(answer, None, attempt=1)])
    assert ledger.progress(plan.run_id).verdicts == 0

    rows.verdicts([make_verdict(answer, None, attempt=2)])
    assert ledger.progress(plan.run_id).verdicts == 1


def test_a_report_tells_of_the_engine_of_its_lane_and_what_the_contexts_were_made_with(setup, bench) -> None:
    model = ScriptedEngine(hello, engine="vllm", version="2", dtype="bfloat16", hardware="H100")
    judge = ScriptedEngine(judging, engine="transformers", version="3", dtype="float32", hardware="cpu")
    contexts = make_contexts(Bm25(mode="bm25", unit="dialogue", k=5), model)
    bench.do(Lane.GENERATE, source=ModelAnswers(setup, model, contexts))
    bench.do(Lane.JUDGE, judge=judge)

    reports = [batch.report for batch in bench.outbox.kept(bench.plan.run_id) if batch.report]

    told = {(report.lane, report.engine, report.engine_version, report.dtype, report.hardware) for report in reports}
    assert told == {
        (Lane.GENERATE, "vllm", "2", "bfloat16", "H100"),
        (Lane.JUDGE, "transformers", "3", "float32", "cpu"),
    }
    assert len(reports) == 2 * len(bench.plan.shards)
    assert {report.context for report in reports} == {contexts.provenance, ()}
    assert {(report.lane, tuple(dict(report.stage_seconds))) for report in reports} == {
        (lane, (lane.value, "load")) for lane in Lane
    }


def test_the_highest_memory_of_any_process_is_reported(setup, plan) -> None:
    report = make_report(Lane.JUDGE, ScriptedEngine(judging).info, Loaded(setup), [("judge", 1.0)], plan)
    assert report.peak_rss_mb > 1
