"""Which rows of a run are compared: those that its two scorecards count."""

from __future__ import annotations

from evaluator.records import Defect, SlotOrder
from leaderboard.rescoring.comparing_rows import read_both
from tests.builders import LOSS, NO, WIN, YES, make_generation, make_verdict, make_verdict_key
from tests.unit.test_rescoring_comparison import (
    NEW,
    always,
    answers_to,
    compared,
    items_of,
    run_of,
    verdicts_of,
)


def test_of_two_engines_the_one_of_the_scorecard_counts() -> None:
    items = items_of(users=1)
    run = run_of(1, always(WIN, YES), always(LOSS, NO), items)
    assert run.new
    others = [
        row.model_copy(
            update={
                "key": (key := row.key.model_copy(update={"engine": "transformers"})),
                "verdict_key": key.digest(),
            }
        )
        for row in verdicts_of(NEW, always(WIN, YES), items, run.generations)
    ]
    rows = [*run.new.verdicts, *others]

    def judged_on(engine: str) -> int:
        assert run.new
        card = run.new.card.model_copy(update={"judge_engine": engine})
        return compared(run._replace(new=run.new._replace(card=card, verdicts=rows))).flipped

    assert (judged_on("vllm"), judged_on("transformers")) == (20, 0)


def test_of_two_answers_the_last_one_counts_for_both_judges() -> None:
    items = items_of(users=1)
    run = run_of(1, always(WIN, YES), always(WIN, YES), items)
    assert run.old
    assert run.new
    again = make_generation(run.generations[0].key, "Another answer.", attempt=2)
    key = make_verdict_key(again, SlotOrder.ANSWER_FIRST, rater=NEW)
    said = [*run.new.verdicts, make_verdict(again, LOSS, key=key)]

    found = compared(run._replace(generations=[*run.generations, again], new=run.new._replace(verdicts=said)))

    assert (found.counts.new_alone, found.counts.neither) == (1, 1)
    assert found.counts.old_because == (("not_judged", 2),)
    assert found.flipped == 0


def test_rows_on_an_answer_that_lost_without_a_judge_count_for_nothing() -> None:
    items = items_of(users=1)
    answers = answers_to(items, "org/model-01")
    run = run_of(1, always(WIN, YES), always(LOSS, NO), items, answers)
    assert run.old
    assert run.new
    run = run._replace(generations=[make_generation(row.key, row.answer, defect=Defect.EMPTY) for row in answers])
    assert run.old
    assert run.new

    for read in read_both(run, run.old, run.new):
        assert not any((*read.old, *read.new))
    found = compared(run)
    assert (found.counts.defects, found.counts.compared, found.flipped) == (20, 0, 0)
    assert found.agreement.kappa.value is found.agreement.old_score is found.agreement.shift.estimate is None
