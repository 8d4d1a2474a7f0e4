"""Of several rows on one thing one counts: by what the run was made on and by attempt, never by what it says."""

import pytest

from evaluator.errors import Cause
from evaluator.hicupid.outcomes import MadeOn
from evaluator.hicupid.scoring import score
from evaluator.records import SlotOrder
from tests.builders import (
    BOTH_ORDERS,
    LOSS,
    TIE,
    WIN,
    answered,
    make_generation,
    make_input_key,
    make_item,
    make_verdict,
    make_verdict_key,
)
from tests.unit.scored import result_of


def test_two_answers_under_one_input_key_are_a_clash_and_one_of_them_counts():
    entry = answered(make_item("test_1/1"), WIN, WIN)
    (answer,) = entry.generations
    other = make_generation(answer.key, "Another answer.")
    losses = [make_verdict(other, LOSS, order) for order in BOTH_ORDERS]
    result = result_of(entry._replace(generations=(answer, other), verdicts=(*entry.verdicts, *losses)))
    assert result.clashes == 1
    assert (result.generations, result.verdicts, result.persona.score.judged) == (1, 2, 1)
    counts = max(answer, other, key=lambda row: row.content_hash)
    assert result.persona.score.value == (100 if counts is answer else 0)


def on(engine: str, dtype: str = "float32") -> MadeOn:
    """A run of which both sides ran so."""
    return MadeOn(engine, dtype, engine, dtype)


@pytest.mark.parametrize("changes", [{"engine": "transformers"}, {"dtype": "bfloat16"}])
def test_of_answers_by_two_engines_the_one_that_the_run_was_made_on_counts(changes):
    entry = answered(make_item("test_1/1"), WIN, WIN)
    key = entry.generations[0].key.model_copy(update=changes)
    other = make_generation(key, "Another answer.")
    both = entry._replace(
        generations=(*entry.generations, other),
        verdicts=(*entry.verdicts, *(make_verdict(other, LOSS, order) for order in BOTH_ORDERS)),
    )
    assert result_of(both, made_on=on("vllm")).persona.score.value == 100
    assert result_of(both, made_on=on(key.engine, key.dtype)).persona.score.value == 0
    assert result_of(both, made_on=on("vllm")).clashes == 1
    assert result_of(both, made_on=on("openai")).generations == 1, "an answer of another engine is better than none"


@pytest.mark.parametrize("changes", [{"engine": "transformers"}, {"dtype": "bfloat16"}])
@pytest.mark.parametrize(("ours", "theirs"), [(WIN, LOSS), (LOSS, WIN), (TIE, WIN), (None, WIN)])
def test_of_verdicts_by_two_engines_the_one_that_the_run_was_made_on_counts_whatever_it_says(ours, theirs, changes):
    entry = answered(make_item("test_1/1", orders=(SlotOrder.ANSWER_FIRST,)))
    (answer,) = entry.generations
    key = make_verdict_key(answer, **changes)
    rows = (make_verdict(answer, ours), make_verdict(answer, theirs, key=key, attempt=2))
    both = entry._replace(verdicts=rows)
    assert result_of(both, made_on=on("vllm")) == result_of(entry._replace(verdicts=rows[:1])).model_copy(
        update={"clashes": int(ours is not None)}
    )
    there = result_of(both, made_on=on(key.engine, key.dtype))
    assert there.persona == result_of(entry._replace(verdicts=rows[1:])).persona


def test_between_two_verdicts_under_one_key_none_is_preferred_for_what_it_says():
    entries = []
    for number in range(40):
        entry = answered(make_item(f"test_1/{number}", orders=(SlotOrder.ANSWER_FIRST,)))
        (answer,) = entry.generations
        entries.append(entry._replace(verdicts=tuple(make_verdict(answer, outcome) for outcome in (WIN, TIE, LOSS))))
    result = result_of(*entries)
    assert result.clashes == 80
    for rate in (result.persona.win, result.persona.tie, result.persona.loss):
        assert 10 < rate.value < 60


@pytest.mark.parametrize(
    "changes", [{}, {"seconds": 9.0}, {"answer": None, "failure": Cause.TIMEOUT}], ids=["the same", "slower", "failed"]
)
def test_another_row_with_the_same_answer_or_none_is_no_clash_and_the_answer_counts(changes):
    entry = answered(make_item("test_1/1"), WIN, WIN)
    (answer,) = entry.generations
    second = make_generation(answer.key, **({"answer": answer.answer} | changes))
    for rows in ((answer, second), (second, answer)):
        result = result_of(entry._replace(generations=rows))
        assert (result.clashes, result.generations, result.persona.score.value) == (0, 1, 100)


def test_of_several_attempts_at_a_question_the_last_counts():
    item = make_item("test_1/1")
    failed = make_generation(make_input_key("test_1/1"), None, failure=Cause.TIMEOUT, attempt=1)
    second = answered(item, WIN, WIN, attempt=2)
    result = score([item], [*second.generations, failed], second.verdicts)
    assert (result.generations, result.failures, result.persona.score.value) == (1, (), 100)


def test_of_several_attempts_at_a_verdict_the_last_readable_counts():
    entry = answered(make_item("test_1/1"))
    (answer,) = entry.generations
    attempts = [
        make_verdict(answer, outcome, order, attempt=number)
        for number, outcome in [(2, WIN), (1, LOSS), (3, None)]
        for order in BOTH_ORDERS
    ]
    assert result_of(entry._replace(verdicts=tuple(attempts))).persona.score.value == 100


def test_verdicts_on_another_answer_to_the_same_question_do_not_count():
    entry = answered(make_item("test_1/1"), LOSS, LOSS)
    replaced = make_generation(entry.generations[0].key, "Another answer.", attempt=2)
    result = score([entry.item], [*entry.generations, replaced], entry.verdicts)
    assert (result.generations, result.verdicts, result.missing) == (1, 0, 2)


def test_an_answer_given_to_two_questions_is_judged_for_each():
    items = [make_item("test_1/1"), make_item("test_1/2")]
    answers = [make_generation(make_input_key(item.question_id), "Same.") for item in items]
    result = score(items, answers, [make_verdict(answers[0], WIN, order) for order in BOTH_ORDERS])
    assert (result.verdicts, result.persona.score.judged) == (2, 1)


def test_rows_of_questions_that_were_not_asked_do_not_count():
    asked, other = answered(make_item("test_1/1"), TIE, TIE), answered(make_item("test_1/2"), WIN, WIN)
    more = asked._replace(
        generations=(*asked.generations, *other.generations), verdicts=(*asked.verdicts, *other.verdicts)
    )
    assert result_of(more) == result_of(asked)
