"""A writer whose answers are compared: figures known in advance, defects, missing verdicts, and what is asked again."""

from __future__ import annotations

import pytest

from evaluator.engines.base import Request
from evaluator.errors import Cause
from evaluator.human.items import Part
from evaluator.human.judged.asking import is_owed, judge_written
from evaluator.human.stages.writing import characteristics
from evaluator.human.tasks import JudgedTask
from evaluator.records import Outcome, SlotOrder
from tests.human.written import Written, make_setup, run_written, says, writing
from tests.scripted import ScriptedEngine

PERSONAL = "Just as you like it."
"""What is written for one user."""
PAIRS = 11
"""Of the 12 responses of the demo set one is to a prompt for which people called nothing about its user relevant."""


def fair(request: Request) -> str:
    """A judge that finds the personalised answer better in whatever slot it stands."""
    text = says(request)
    return f"Better Response: {'A' if text.index(PERSONAL) < text.index('As anybody') else 'B'}"


@pytest.fixture(scope="module")
def run() -> Written:
    return run_written(make_setup("comparison"), writing(), fair)


def test_every_pair_of_people_with_a_relevant_attribute_is_written_and_compared_in_both_orders(run):
    data, pairs = run.setup.data, list(run.of(Part.PERSONALISED))
    assert len(pairs) == PAIRS
    assert {item.question_id for item in run.of(Part.GENERIC)} == {item.question_id.split("/")[0] for item in pairs}
    for item in pairs:
        prompt_id, user_id = item.question_id.split("/")
        for name in item.attributes:
            said = [row.relevant for row in data.relevance_labels[prompt_id, name]]
            assert 2 * sum(said) > len(said)
            assert data.attributes[name].user_id == user_id == item.person
    orders = {(row.key.question_id, row.key.slot_order) for row in run.verdicts}
    assert orders == {(item.question_id, order) for item in pairs for order in item.orders}
    assert len(run.verdicts) == 2 * len(pairs)


def test_a_generic_answer_is_written_once_for_all_users_of_a_prompt_and_knows_of_none(run):
    setup = run.setup
    texts: list[str] = []
    run_written(setup, lambda request: texts.append(says(request)) or "An answer.", lambda _: "Better Response: Tie")
    personal = [text for text in texts if setup.wording.headings.attributes in text]
    assert len(texts) - len(personal) == len(list(run.of(Part.GENERIC)))
    assert not any(row.text in text for text in set(texts) - set(personal) for row in setup.data.tables.attributes)


def test_the_judge_reads_prompt_attributes_and_both_answers(run):
    request = run.judge.asked[0]
    item = next(
        item
        for item in run.of(Part.PERSONALISED)
        if any(item.question_id == row.key.question_id for row in run.verdicts if row.verdict_key == request.key)
    )
    data, text = run.setup.data, says(request)
    fact = characteristics([data.attributes[name] for name in item.attributes])
    for shown in (data.prompts[item.question_id.split("/")[0]].text, PERSONAL, "As anybody would.", fact.entity):
        assert shown in text


def test_a_fair_judge_lets_the_better_answer_win_all(run):
    assert (run.value("win"), run.value("tie"), run.value("answered")) == (1, 0, 1)
    judging = run.result.judging
    assert (judging.items, judging.judged, judging.judged_share, judging.verdicts, judging.missing) == (
        PAIRS,
        PAIRS,
        1,
        2 * PAIRS,
        0,
    )
    assert (run.figure("win").labels, run.figure("win").users) == (PAIRS, 6)
    assert run.result.invalid == run.result.failures == judging.figures == ()


@pytest.mark.parametrize(
    ("says", "win", "tie"), [("Better Response: A", 0.5, 0), ("Better Response: Tie", 0, 1)], ids=["always A", "ties"]
)
def test_a_judge_of_slots_and_a_judge_of_ties_show(says, win, tie):
    run = run_written(make_setup("comparison"), writing(), lambda _: says)
    assert (run.value("win"), run.value("tie")) == (win, tie)


def test_an_answer_with_a_defect_is_asked_for_once_more_and_then_loses_unjudged():
    setup = make_setup("comparison")
    lost = next(iter(run_written(setup, writing(), fair).of(Part.PERSONALISED)))
    mine = [setup.data.attributes[name].text for name in lost.attributes]
    prompt = setup.data.prompts[lost.question_id.split("/")[0]].text

    def writes(request: Request) -> str:
        broken = all(text in says(request) for text in (*mine, prompt))
        return "" if broken else writing()(request) or ""

    run = run_written(setup, writes, fair)
    assert [row.key.sample_index for row in run.generations if row.key.question_id == lost.question_id] == [0, 1]
    assert lost.question_id not in {row.key.question_id for row in run.verdicts}
    assert run.value("win") == pytest.approx(1 - 1 / PAIRS, abs=1e-6)
    assert (run.result.judging.defects, run.result.invalid) == ((("empty", 1),), (("empty", 1),))
    assert (run.result.judging.judged, run.result.judging.missing, run.result.retried) == (PAIRS, 0, 1)


def test_a_second_try_that_is_sound_counts():
    tries: set[str] = set()

    def writes(request: Request) -> str:
        text = says(request)
        return (writing()(request) or "") if text in tries else tries.add(text) or "<|im_end|>"

    run = run_written(make_setup("comparison"), writes, fair)
    assert (run.result.retried, run.result.invalid, run.value("win")) == (run.result.items, (), 1)


@pytest.mark.parametrize(
    ("generic", "cause"), [("", "generic_empty"), (None, f"generic_{Cause.CONTEXT_OVERFLOW}")], ids=["empty", "failed"]
)
def test_without_a_generic_answer_nothing_is_won(generic, cause):
    run = run_written(make_setup("comparison"), writing(generic), fair)
    assert (run.value("win"), run.verdicts) == (None, [])
    assert (run.result.judging.judged, dict(run.result.judging.missing_because)) == (0, {cause: 2 * PAIRS})


def test_what_the_judge_does_not_say_is_missing_by_cause_and_asked_for_once_more():
    def shy(request: Request) -> str | None:
        text = says(request)
        first = text.index(PERSONAL) < text.index("As anybody")
        return "I like the first one." if first else None

    run = run_written(make_setup("comparison"), writing(), shy)
    assert dict(run.result.judging.missing_because) == {"unparsed": PAIRS, f"judge_{Cause.CONTEXT_OVERFLOW}": PAIRS}
    assert (run.result.judging.judged, run.value("win")) == (0, None)
    tried = [row.attempt for row in run.verdicts if row.key.slot_order is SlotOrder.ANSWER_FIRST]
    assert sorted(tried) == [1] * PAIRS + [2] * PAIRS


def test_what_is_judged_is_not_judged_again_and_is_no_longer_owed(run):
    engine = ScriptedEngine(fair)
    assert list(judge_written(run.setup, run.items, run.generations, engine, run.verdicts)) == []
    assert engine.asked == []
    owed = (JudgedTask.COMPARISON, run.items, run.generations)
    assert not is_owed(*owed, run.verdicts)
    assert is_owed(*owed, run.verdicts[1:])
    assert is_owed(JudgedTask.COMPARISON, run.items, run.generations[1:], run.verdicts)


def test_a_verdict_hangs_on_both_answers(run):
    other = run_written(run.setup, writing("Otherwise, as anybody would. As anybody"), fair, run.verdicts)
    assert len(other.verdicts) == 2 * PAIRS, "a verdict beside another generic answer is another one"
    assert {row.outcome for row in other.verdicts} == {Outcome.WIN}


def test_the_order_of_rows_and_rows_that_stand_there_twice_change_nothing(run):
    shuffled = run._replace(generations=run.generations[::-1], verdicts=[*run.verdicts[::-1], *run.verdicts])
    assert shuffled.result.model_dump_json() == run.result.model_dump_json()
