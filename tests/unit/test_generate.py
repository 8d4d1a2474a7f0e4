"""Asking: some users' questions in, a row each out, over the shipped demo set."""

from __future__ import annotations

import pytest

from evaluator.context_mode import GoldEvidence
from evaluator.engines.base import Sampling
from evaluator.errors import Cause
from evaluator.generate import generate, input_key, sampling_of
from evaluator.hicupid.contexts import FullContexts
from evaluator.hicupid.questions import QuestionType
from evaluator.models import PinnedModel
from evaluator.records import Defect
from evaluator.setup import items, questions_of, users_of
from tests.scripted import INFO, ScriptedEngine, answers, hello, users_in


def ask(setup, users, engine, done=()) -> list:
    """Asks what is not done yet."""
    return list(generate(setup, users, engine, FullContexts(), {row.input_key: row for row in done}))


def test_a_protocol_asks_so_many_users_a_split_and_so_many_questions_a_type(setup):
    asked = list(items(setup))
    assert users_of(asked) == users_in(setup)
    assert len(users_in(setup)) == 4
    by_type = {type_: sum(1 for item in asked if item.type is type_) for type_ in QuestionType}
    assert by_type == {QuestionType.PERSONA: 12, QuestionType.PROFILE: 4, QuestionType.SCHEDULE: 8}


def test_a_limited_run_asks_its_questions_and_no_other(setup, user):
    first, second, *_ = (question.question_id for question in questions_of(setup, user))
    limited = setup._replace(only=frozenset({first, second}))
    assert [item.question_id for item in items(limited)] == [first, second]
    rows = ask(limited, users_in(setup), ScriptedEngine(hello))
    assert {row.key.question_id for row in rows} == {first, second}


def test_every_question_of_a_user_is_asked_after_the_same_history(setup, user):
    engine = ScriptedEngine(hello)
    rows = ask(setup, [user], engine)
    assert {row.key.question_id for row in rows} == {question.question_id for question in questions_of(setup, user)}
    assert {request.messages[:-1] for request in engine.asked} == {engine.asked[0].messages[:-1]}
    assert {request.group for request in engine.asked} == {f"{user.split}/{user.user_id}"}
    assert len(engine.asked[0].messages) > 40


def test_users_of_a_wave_are_handed_over_together_and_one_after_the_other(setup):
    engine = ScriptedEngine(hello)
    users = users_in(setup)
    ask(setup, users, engine)
    (call,) = engine.calls
    groups = list(dict.fromkeys(request.group for request in call.requests))
    assert groups == [f"{user.split}/{user.user_id}" for user in users]
    assert [request.group for request in call.requests] == sorted(
        (request.group for request in call.requests), key=groups.index
    )


def test_an_answer_is_kept_without_the_space_around_it_and_under_all_its_conditions(setup, user):
    row = ask(setup, [user], ScriptedEngine(hello))[0]
    assert row.answer is not None
    assert row.answer.startswith("Answer to ")
    assert not row.answer.endswith("\n")
    key = row.key
    assert (key.model, key.model_sha, key.protocol, key.data_sha) == ("org/model", "a" * 40, "demo-v1", setup.data.sha)
    assert (key.engine, key.chat_template_hash, key.prompt_pack) == ("scripted", "t" * 64, setup.pack.inference_id)
    assert (key.adapter, key.adapter_sha) == (None, None)


def test_adapter_and_declared_thinking_are_conditions_of_an_answer(setup):
    plain = input_key(setup, "test_1/1", INFO)
    adapted = input_key(setup._replace(adapter=PinnedModel("org/lora", "b" * 40)), "test_1/1", INFO)
    thinking = input_key(setup._replace(thinking=True), "test_1/1", INFO)
    assert (adapted.adapter, adapted.adapter_sha) == ("org/lora", "b" * 40)
    assert dict(thinking.chat_template_arguments)["enable_thinking"] == "true"
    assert len({plain.digest(), adapted.digest(), thinking.digest()}) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt_style": "zero/system"},
        {"context": GoldEvidence(mode="gold")},
        {"sampling": Sampling(max_tokens=49)},
        {"thought_tokens": 1024},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_wording_of_the_protocol_is_another_condition_under_the_same_id(setup, changes):
    assert setup.protocol.sampling == Sampling(max_tokens=48)
    reworded = setup._replace(protocol=setup.protocol.model_copy(update=changes))
    ours, other = (input_key(each, "test_1/1", INFO) for each in (setup, reworded))
    assert (ours.protocol, ours.conditions) != (other.protocol, other.conditions)
    assert other.model_copy(update={"conditions": ours.conditions}) == ours


@pytest.mark.parametrize("changes", [{"title": "Other."}, {"judge": "other"}, {"orders": "one"}, {"items": 7}])
def test_what_does_not_reach_a_prompt_or_its_answer_is_no_condition_of_it(setup, changes):
    reworded = setup._replace(protocol=setup.protocol.model_copy(update=changes))
    assert input_key(reworded, "test_1/1", INFO) == input_key(setup, "test_1/1", INFO)


def test_what_an_engine_does_not_tell_stays_untold(setup, user):
    class Silent(ScriptedEngine):
        def generate(self, requests, sampling, seen=()):
            for completion in super().generate(requests, sampling, seen):
                yield completion.model_copy(update={"cached_tokens": None, "shared_tokens": None})

    rows = ask(setup, [user], Silent(hello))
    assert {(row.cached_tokens, row.shared_tokens) for row in rows} == {(None, None)}


def test_only_a_model_that_thinks_has_room_for_a_thought(setup):
    assert sampling_of(setup).thought_tokens == 0
    thinking = sampling_of(setup._replace(thinking=True))
    assert thinking.thought_tokens == setup.protocol.thought_tokens > 0
    assert thinking.max_tokens == sampling_of(setup).max_tokens


def test_what_is_done_is_not_asked_again(setup, user):
    *done, one = answers(setup, [user])
    engine = ScriptedEngine(hello)
    assert [row.input_key for row in ask(setup, [user], engine, done)] == [one.input_key]
    assert ask(setup, [user], engine, [*done, one]) == []
    assert len(engine.asked) == 1


def test_the_engine_is_told_which_prompts_of_a_half_asked_user_were_answered_before(setup):
    first, second, third, *_ = users_in(setup)
    before, engine = ScriptedEngine(hello), ScriptedEngine(hello)
    whole, (missing, failed, *there) = ask(setup, [first], before), ask(setup, [second], before)
    failed = failed.model_copy(update={"answer": None, "content_hash": None, "failure": Cause.TIMEOUT})
    ask(setup, [first, second, third], engine, [*whole, failed, *there])
    (call,) = engine.calls
    assert missing.input_key in {request.key for request in call.requests}
    assert {request.key for request in call.seen} == {row.input_key for row in there}
    assert set(call.seen) < set(before.asked), "the very prompts, word for word"


def test_a_question_that_does_not_fit_is_a_row_with_its_cause_and_stops_no_other(setup, user):
    too_long = questions_of(setup, user)[0]
    rows = {
        row.key.question_id: row
        for row in answers(
            setup, [user], lambda request: None if request.messages[-1].content == too_long.question else "Fine."
        )
    }
    failed = rows.pop(too_long.question_id)
    assert failed.failure is Cause.CONTEXT_OVERFLOW
    assert (failed.bleu, failed.rouge_l, failed.defect, failed.evidence_recall) == (None, None, None, None)
    assert {row.answer for row in rows.values()} == {"Fine."}


def test_an_answer_carries_its_defect_and_how_close_its_words_are_to_gold(setup, user):
    gold = {question.question: question.gold for question in questions_of(setup, user)}
    rows = answers(setup, [user], lambda request: gold[request.messages[-1].content])
    assert {(row.bleu, row.rouge_l, row.defect, row.evidence_recall) for row in rows} == {(100.0, 100.0, None, 1.0)}
    assert {row.defect for row in answers(setup, [user], lambda _: "\n")} == {Defect.EMPTY}
