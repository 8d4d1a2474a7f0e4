"""What a worker's rows say of how far the run is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from evaluator.ask import ModelAnswers, StageClock
from evaluator.context_mode import Bm25
from evaluator.errors import Cause
from evaluator.hicupid.contexts import make_contexts
from evaluator.records import Defect
from leaderboard.records import State
from tests.builders import make_generation, make_input_key, make_plan, make_verdict
from tests.scripted import ScriptedEngine, hello, judging, make_setup
from worker.engines import Engines
from worker.handover import Handover
from worker.shard import LeasedRows, Work, make_report


def leased(leases, ledger, plan, outbox) -> LeasedRows:
    work = Work(setup=None, plan=plan, settings=None, ledger=ledger, engines=None, outbox=outbox)
    orders = {item.question_id: len(item.orders) for item in plan.items}
    return LeasedRows(work, Handover(leases, leases.claim(plan, "gpu-1"), outbox), orders)


def test_verdicts_that_nobody_will_give_are_not_waited_for(leases, ledger, plan, outbox) -> None:
    rows = leased(leases, ledger, plan, outbox)
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
    rows = leased(leases, ledger, plan, outbox)
    answer = make_generation(make_input_key("test_1/1-persona"))

    rows.verdicts([make_verdict(answer, None, attempt=1)])
    assert ledger.progress(plan.run_id).verdicts == 0

    rows.verdicts([make_verdict(answer, None, attempt=2)])
    assert ledger.progress(plan.run_id).verdicts == 1


def test_the_run_is_being_judged_once_every_answer_is_there(leases, ledger, plan, outbox) -> None:
    rows = leased(leases, ledger, plan, outbox)
    ledger.advance(plan.run_id, State.GENERATING, "gpu-1")
    answers = [make_generation(make_input_key(item.question_id)) for item in plan.items]

    rows.generations(answers[:-1])
    assert ledger.state(plan.run_id) is State.GENERATING

    rows.generations(answers[-1:])
    assert ledger.state(plan.run_id) is State.JUDGING


class Loaded(NamedTuple):
    """Engines that are there already."""

    engines: Engines

    def get(self) -> Engines:
        return self.engines

    def peak_rss_mb(self) -> float:
        return 1.0


def test_a_report_tells_both_engines_and_what_the_contexts_were_made_with(tmp_path: Path) -> None:
    model = ScriptedEngine(hello, engine="vllm", version="2", dtype="bfloat16", hardware="H100")
    judge = ScriptedEngine(judging, engine="transformers", version="3", dtype="float32", hardware="cpu")
    contexts = make_contexts(Bm25(mode="bm25", unit="dialogue", k=5), model)
    source = ModelAnswers(make_setup(tmp_path), model, contexts)

    report = make_report(Loaded(Engines(source, judge)), StageClock(), make_plan("s-20260301-00000001.demo-v1"))

    assert (report.engine, report.engine_version, report.dtype, report.hardware) == ("vllm", "2", "bfloat16", "H100")
    told = (report.judge_engine, report.judge_engine_version, report.judge_dtype, report.judge_hardware)
    assert told == ("transformers", "3", "float32", "cpu")
    assert report.context == contexts.provenance != ()
