"""What a worker's rows say of how far the run is."""

from __future__ import annotations

from evaluator.errors import Cause
from evaluator.records import Defect
from leaderboard.records import State
from tests.builders import make_generation, make_input_key, make_verdict
from worker.handover import Handover
from worker.shard import LeasedRows, Work


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
