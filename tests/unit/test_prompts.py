"""Prompts: named by their words alone, filled in one pass, checked before use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evaluator.engines.base import Message
from evaluator.hicupid.contexts import history_messages, prompt_messages
from evaluator.hicupid.prompts import PLACEHOLDERS, PromptPack, builtin_pack, fill
from evaluator.hicupid.questions import Dialogue, History, QuestionType, Turn
from evaluator.judges.prompt import judge_messages
from evaluator.protocol import load_protocol
from evaluator.records import SlotOrder
from tests.builders import PERSONA, PROFILE, SCHEDULE, make_question


def pack(**changes) -> PromptPack:
    return PromptPack.model_validate(builtin_pack().model_dump() | changes)


def with_judge_prompt(type_: QuestionType, text: str) -> PromptPack:
    return pack(evaluation={**builtin_pack().evaluation, type_: (Message("user", text),)})


def test_a_pack_is_named_by_its_prompts_and_not_by_its_standing():
    assert pack(status="official").id == pack(status="builtin").id


def test_the_order_of_styles_does_not_show_in_a_packs_name():
    turned = dict(reversed(builtin_pack().inference.items()))
    assert list(turned) != list(builtin_pack().inference)
    assert pack(inference=turned).id == builtin_pack().id


def test_a_changed_instruction_renames_the_pack_for_generations_and_not_for_verdicts():
    changed = pack(inference={**builtin_pack().inference, "zero/system": (Message("system", "Be kind."),)})
    assert changed.id != builtin_pack().id
    assert changed.inference_id != builtin_pack().inference_id
    assert changed.evaluation_id == builtin_pack().evaluation_id


def test_a_changed_judge_prompt_renames_the_pack_for_verdicts_and_not_for_generations():
    changed = with_judge_prompt(SCHEDULE, "{datetime} {event} {question} {answer}")
    assert changed.id != builtin_pack().id
    assert changed.inference_id == builtin_pack().inference_id
    assert changed.evaluation_id != builtin_pack().evaluation_id


def test_a_changed_role_renames_the_pack():
    (only,) = builtin_pack().inference["zero/system"]
    changed = pack(inference={**builtin_pack().inference, "zero/system": (Message("user", only.content),)})
    assert changed.id != builtin_pack().id


@pytest.mark.parametrize("type_", QuestionType)
def test_a_judge_prompt_that_lacks_a_placeholder_is_refused(type_):
    lacking = " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS[type_])[1:])
    with pytest.raises(ValidationError, match=f"the {type_} prompt has the placeholders"):
        with_judge_prompt(type_, lacking)


@pytest.mark.parametrize("type_", QuestionType)
def test_a_judge_prompt_with_an_unknown_placeholder_is_refused(type_):
    known = " ".join(f"{{{name}}}" for name in PLACEHOLDERS[type_])
    with pytest.raises(ValidationError, match="gold_label"):
        with_judge_prompt(type_, known + " {gold_label}")


def test_braces_and_names_of_placeholders_inside_an_answer_stay_as_they_are():
    question = make_question(question="Is {answer_a} code?")
    answer = "{answer_b} {entity} {} {{x}} {unknown} {0} %s \\1 \\g<0>"
    (message,) = judge_messages(question, answer, SlotOrder.ANSWER_FIRST, builtin_pack())
    assert f"Answer A: {answer}\nAnswer B: The ramen you love." in message.content
    assert "Question: Is {answer_a} code?" in message.content
    assert "The user enjoys ramen." in message.content


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(), min_size=3))
def test_values_are_put_in_as_they_are(values):
    (message,) = fill((Message("user", "<{a}|{b}|{c}|{a}>"),), values)
    assert message.content == f"<{values['a']}|{values['b']}|{values['c']}|{values['a']}>"


def test_a_placeholder_without_a_value_is_an_error_and_never_left_standing():
    with pytest.raises(KeyError, match="entity"):
        fill((Message("user", "{question} {entity}"),), {"question": "?"})


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (SlotOrder.ANSWER_FIRST, "Answer A: Soup.\nAnswer B: The ramen you love."),
        (SlotOrder.GOLD_FIRST, "Answer A: The ramen you love.\nAnswer B: Soup."),
    ],
)
def test_the_slot_order_says_which_answer_stands_first(order, expected):
    (message,) = judge_messages(make_question(), "Soup.", order, builtin_pack())
    assert expected in message.content


def test_the_judge_of_a_profile_question_sees_all_five_facts():
    (message,) = judge_messages(make_question(type_=PROFILE), "Soup.", SlotOrder.GOLD_FIRST, builtin_pack())
    for fact in ("31", "woman", "calm", "baker", "middle", "enjoys ramen"):
        assert fact in message.content


def test_the_judge_of_a_schedule_question_never_sees_the_gold_answer():
    question = make_question(type_=SCHEDULE)
    (message,) = judge_messages(question, "Mind the dentist.", SlotOrder.SINGLE, builtin_pack())
    assert "Dentist, 3 PM on May 4, 2026." in message.content
    assert "Mind the dentist." in message.content
    assert question.gold not in message.content


HISTORY = History(
    user_id=1,
    dialogues=(
        Dialogue(dialogue_id=1, type=PERSONA, turns=(Turn(user="1?", assistant="1."), Turn(user="2?", assistant="2."))),
        Dialogue(dialogue_id=2, type=SCHEDULE, turns=(Turn(user="3?", assistant="3."),)),
    ),
)


def test_a_history_becomes_alternating_messages_in_time_order():
    assert history_messages(HISTORY) == (
        Message("user", "1?"),
        Message("assistant", "1."),
        Message("user", "2?"),
        Message("assistant", "2."),
        Message("user", "3?"),
        Message("assistant", "3."),
    )


@pytest.mark.parametrize(
    ("style", "roles"),
    [
        ("zero/system", ["system", "user", "assistant", "user", "assistant", "user", "assistant", "user"]),
        ("zero/user", ["user", "assistant", "user", "assistant", "user", "assistant", "user", "assistant", "user"]),
    ],
)
def test_the_instruction_stands_where_its_style_says(style, roles):
    protocol = load_protocol("demo-v1").model_copy(update={"prompt_style": style})
    instruction = builtin_pack().inference[style]
    messages = prompt_messages(history_messages(HISTORY), make_question(), protocol, builtin_pack())
    place = 0 if style == "zero/system" else 6
    assert [message.role for message in messages] == roles
    assert messages[place : place + len(instruction)] == instruction
    assert messages[-1] == Message("user", "What shall I eat tonight?")
