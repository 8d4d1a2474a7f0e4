"""Judging: answers in, verdicts out, each content once a slot order, and an unread verdict asked for once more."""

from __future__ import annotations

import pytest

from evaluator.engines.base import Sampling
from evaluator.errors import Cause
from evaluator.hicupid.scoring import score
from evaluator.judge import MOST_ATTEMPTS, judge, settled
from evaluator.models import PinnedModel
from evaluator.records import Outcome, SlotOrder
from evaluator.setup import items
from tests.builders import PERSONA, PROFILE, SCHEDULE, make_generation, make_verdict
from tests.scripted import ScriptedEngine, answers, judging, users_in


def verdicts_on(setup, users, generations, engine, known=()) -> list:
    return list(judge(setup, users, generations, engine, known))


def decodings(setup, attempt: int) -> dict[str, Sampling]:
    types = (PERSONA, PROFILE, SCHEDULE)
    return {f"judge/{type_}": setup.judge.sampling_for(type_, attempt) for type_ in types}


def test_every_answer_is_judged_in_every_order(setup, user):
    verdicts = verdicts_on(setup, [user], answers(setup, [user]), ScriptedEngine(judging))
    asked = {
        (item.question_id, order)
        for item in items(setup)
        if (item.split, item.user_id) == user
        for order in item.orders
    }
    assert {(row.key.question_id, row.key.slot_order) for row in verdicts} == asked
    assert len(verdicts) == len(asked)
    assert {row.outcome for row in verdicts} == {Outcome.TIE, Outcome.SATISFIED}


def test_a_judge_that_always_says_a_wins_in_one_order_and_loses_in_the_other(setup, user):
    by_order: dict[SlotOrder, set] = {}
    engine = ScriptedEngine(lambda _: "Better Response: A")
    for row in verdicts_on(setup, [user], answers(setup, [user]), engine):
        by_order.setdefault(row.key.slot_order, set()).add(row.outcome)
    assert by_order == {
        SlotOrder.ANSWER_FIRST: {Outcome.WIN},
        SlotOrder.GOLD_FIRST: {Outcome.LOSS},
        SlotOrder.SINGLE: {None},
    }


@pytest.mark.parametrize(
    ("says", "share", "preferences"),
    [
        pytest.param("Better Response: A", 100, 32, id="always A"),
        pytest.param("Better Response: B", 0, 32, id="always B"),
        pytest.param("The first answer is better.", None, 0, id="prose"),
    ],
)
def test_a_judge_without_a_verdict_of_its_own_shows_in_the_result(setup, says, share, preferences):
    everybody = users_in(setup)
    generations = answers(setup, everybody)
    verdicts = verdicts_on(setup, everybody, generations, ScriptedEngine(lambda _: says))
    slot_a = score(items(setup), generations, verdicts).slot_a_share
    assert (slot_a.value, slot_a.judged, slot_a.items) == (share, preferences, 32)


def test_a_verdict_names_what_the_judge_ran_on(setup, user):
    engine = ScriptedEngine(judging, dtype="bfloat16", chat_template_arguments=(("date_string", "01 Jan 2025"),))
    row = verdicts_on(setup, [user], answers(setup, [user]), engine)[0]
    assert (row.key.engine, row.key.dtype) == ("scripted", "bfloat16")
    assert (row.key.chat_template_hash, row.key.chat_template_arguments) == (
        "t" * 64,
        (("date_string", "01 Jan 2025"),),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"engine": "vllm"},
        {"dtype": "bfloat16"},
        {"chat_template_hash": "u" * 64},
        {"chat_template_arguments": (("date_string", "02 Jan 2025"),)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_verdict_of_a_judge_that_runs_in_another_way_settles_nothing(setup, user, changes):
    generations = answers(setup, [user])
    known = verdicts_on(setup, [user], generations, ScriptedEngine(judging))
    again = verdicts_on(setup, [user], generations, ScriptedEngine(judging, **changes), known)
    assert len(again) == len(known)
    assert not {row.verdict_key for row in again} & {row.verdict_key for row in known}


@pytest.mark.parametrize("changes", [{"version": "2"}, {"hardware": "gpu"}, {"load_seconds": 9.0}])
def test_a_verdict_holds_on_other_hardware_and_under_another_version(setup, user, changes):
    generations = answers(setup, [user])
    known = verdicts_on(setup, [user], generations, ScriptedEngine(judging))
    assert verdicts_on(setup, [user], generations, ScriptedEngine(judging, **changes), known) == []


def test_all_types_are_asked_in_one_call_and_each_in_its_own_decoding(setup, user):
    engine = ScriptedEngine(judging)
    verdicts_on(setup, [user], answers(setup, [user]), engine)
    (call,) = engine.calls
    assert call.sampling == decodings(setup, attempt=1)
    groups = [request.group for request in call.requests]
    assert set(groups) == set(call.sampling)
    assert groups == sorted(groups), "those of a group one after the other"


def test_what_is_judged_is_not_judged_again(setup, user):
    generations = answers(setup, [user])
    known = verdicts_on(setup, [user], generations, ScriptedEngine(judging))
    engine = ScriptedEngine(judging)
    assert verdicts_on(setup, [user], generations, engine, known) == []
    assert engine.asked == []


def test_equal_answers_to_a_question_are_judged_once_whoever_gave_them(setup, user):
    other = setup._replace(model=PinnedModel("org/other", "b" * 40))
    twice = [*answers(setup, [user]), *answers(other, [user])]
    once = verdicts_on(setup, [user], answers(setup, [user]), ScriptedEngine(judging))
    assert len(verdicts_on(setup, [user], twice, ScriptedEngine(judging))) == len(once)


def test_answers_of_users_outside_the_wave_are_left_alone(setup, user):
    engine = ScriptedEngine(judging)
    everybody = answers(setup, users_in(setup))
    judged = {row.key.question_id for row in verdicts_on(setup, [user], everybody, engine)}
    assert judged == {row.key.question_id for row in answers(setup, [user])}


@pytest.mark.parametrize("said", [None, "", "<|im_end|> I like tea."])
def test_an_item_without_a_sound_answer_is_not_judged(setup, user, said):
    engine = ScriptedEngine(judging)
    assert verdicts_on(setup, [user], answers(setup, [user], lambda _: said), engine) == []
    assert engine.asked == []


def test_an_unread_verdict_is_asked_for_once_more_in_another_way_and_then_missing(setup, user):
    generations = answers(setup, [user])
    engine = ScriptedEngine(lambda _: "Hard to say.")
    rows = verdicts_on(setup, [user], generations, engine)
    assert {row.outcome for row in rows} == {row.word for row in rows} == {None}
    by_key: dict[str, list[int]] = {}
    for row in rows:
        by_key.setdefault(row.verdict_key, []).append(row.attempt)
    assert list(by_key.values()) == [[1, 2]] * len(by_key)
    first, second = (call.sampling for call in engine.calls)
    assert (first, second) == (decodings(setup, attempt=1), decodings(setup, attempt=2))
    assert all(
        (first[type_].temperature, first[type_].seed) != (each.temperature, each.seed) for type_, each in second.items()
    )
    assert verdicts_on(setup, [user], generations, engine, rows) == []


def test_only_what_could_not_be_read_is_asked_for_again(setup, user):
    generations = answers(setup, [user])
    shy = ScriptedEngine(lambda request: "Hm." if request.group == "judge/schedule" else "Better Response: Tie")
    rows = verdicts_on(setup, [user], generations, shy)
    assert {row.key.slot_order for row in rows if row.attempt == 2} == {SlotOrder.SINGLE}


def test_whoever_takes_over_after_a_first_attempt_makes_the_second(setup, user):
    generations = answers(setup, [user])
    first = [
        row for row in verdicts_on(setup, [user], generations, ScriptedEngine(lambda _: "Hm.")) if row.attempt == 1
    ]
    again = verdicts_on(setup, [user], generations, ScriptedEngine(judging), first)
    assert {row.attempt for row in again} == {2}
    assert {row.verdict_key for row in again} == {row.verdict_key for row in first}


def test_a_prompt_that_is_too_long_for_the_judge_is_not_tried_twice(setup, user):
    rows = verdicts_on(setup, [user], answers(setup, [user]), ScriptedEngine(lambda _: None))
    assert {(row.failure, row.attempt, row.outcome) for row in rows} == {(Cause.CONTEXT_OVERFLOW, 1, None)}


def test_a_verdict_is_settled_by_a_word_by_a_lasting_failure_or_by_the_last_attempt():
    generation = make_generation()
    assert settled(make_verdict(generation, Outcome.TIE))
    assert settled(make_verdict(generation, None, failure=Cause.CONTEXT_OVERFLOW))
    assert settled(make_verdict(generation, None, attempt=MOST_ATTEMPTS))
    assert not settled(make_verdict(generation, None))
    assert not settled(make_verdict(generation, None, failure=Cause.TIMEOUT))


def test_a_whole_run_of_answers_as_good_as_gold_scores_fifty(setup):
    everybody = users_in(setup)
    generations = answers(setup, everybody)
    verdicts = verdicts_on(setup, everybody, generations, ScriptedEngine(judging))
    result = score(items(setup), generations, verdicts)
    assert (result.total.value, result.missing, result.generations) == (50, 0, 24)
    assert result.position_consistency.value == 100
