"""The verdicts that are said to count are those that figures are made of: all others may be left out."""

from __future__ import annotations

import random

import pytest

from evaluator.human.judged.behind import which_verdicts_count
from evaluator.human.judged.scoring import score_judged
from evaluator.human.results import HumanResult
from evaluator.human.tasks import JudgedTask
from evaluator.records import Outcome, SlotOrder, Verdict
from tests.human_runs import HumanRun
from tests.written_runs import make_written_run


def rekeyed(row: Verdict, outcome: Outcome | None = None, **key: object) -> Verdict:
    """Returns a verdict on something else, or by somebody else."""
    named = row.key.model_copy(update=key)
    said = {} if outcome is None else {"outcome": outcome, "word": outcome.value}
    return Verdict.model_validate({**dict(row), "key": named, "verdict_key": named.digest(), **said})


def with_more(rows: list[Verdict], outcome: Outcome) -> list[Verdict]:
    """Adds what is not counted: another judge, an answer that is not there any more, an attempt before, and doubles."""
    own = [row for row in rows if row.rater_kind == "model" and row.outcome]
    others = [
        own[0].model_copy(update={"attempt": 2}),
        rekeyed(own[1], outcome, rater="somebody"),
        rekeyed(own[1], outcome, content_hash="0" * 64),
        rekeyed(own[1], outcome, question_id="nobody"),
        own[2].model_copy(),
    ]
    every = [*rows, *others]
    random.Random(7).shuffle(every)
    return every


def result(run: HumanRun, verdicts: list[Verdict]) -> HumanResult:
    return score_judged(
        run.plan.labelled,
        run.rows.generations,
        verdicts,
        task=JudgedTask(run.protocol.task),
        judge=run.plan.judge,
        epsilon=run.protocol.epsilon,
    )


@pytest.mark.parametrize("task", list(JudgedTask))
def test_what_does_not_count_can_be_left_out(task: JudgedTask) -> None:
    run = make_written_run(task)
    outcome = next(row.outcome for row in run.rows.verdicts if row.rater_kind == "model" and row.outcome)
    rows = with_more(list(run.rows.verdicts), outcome)
    asked = {"task": task, "judge": run.plan.judge}
    counts = which_verdicts_count(run.plan.labelled, run.rows.generations, rows, **asked)
    left = [row for row, each in zip(rows, counts, strict=True) if each or row.rater_kind == "rule"]
    assert len(rows) - len(left) >= 5
    assert result(run, left) == result(run, list(run.rows.verdicts))
    about = [(row.key.question_id, row.key.content_hash, row.key.slot_order, row.key.rater) for row in left]
    assert len(about) == len(set(about))
    for place, row in enumerate(left):
        if row.rater_kind == "model" and row.outcome:
            fewer = result(run, left[:place] + left[place + 1 :])
            assert fewer.judging != result(run, left).judging, row.key.question_id


def test_nothing_of_rules_counts_that_is_about_another_answer() -> None:
    run = make_written_run(JudgedTask.UPLIFT)
    found = next(row for row in run.rows.verdicts if row.rater_kind == "rule")
    stale = rekeyed(found, content_hash="0" * 64)
    rows = [*run.rows.verdicts, stale]
    counts = which_verdicts_count(
        run.plan.labelled, run.rows.generations, rows, task=JudgedTask.UPLIFT, judge=run.plan.judge
    )
    assert counts[-1] is False
    rules = [each for row, each in zip(rows, counts, strict=True) if row.rater_kind == "rule"]
    assert rules.count(True) == len(rules) - 1
    assert {row.key.slot_order for row in rows if row.rater_kind == "rule"} == {SlotOrder.SINGLE}
