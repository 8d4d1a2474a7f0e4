"""Every kind of chat template gives a prompt with all that was said, or says why not."""

from __future__ import annotations

from typing import Any

import pytest

from evaluator.engines.base import Message, Sampling
from evaluator.engines.prompt import PromptRenderer, without_system_role
from evaluator.errors import Cause, RapportError
from tests.tiny_model import (
    BEGIN_TEMPLATE,
    CHAT_TEMPLATE,
    DATED_TEMPLATE,
    DROPPING_TEMPLATE,
    MARKERS,
    OPENING_TEMPLATE,
    REFUSING_TEMPLATE,
    THINKING_TEMPLATE,
    make_tokenizer,
)

SYSTEM, QUESTION, ANSWER = Message("system", "Be kind."), Message("user", "Hello"), Message("assistant", "Hi")


def renderer(chat_template: str | None, **options: Any) -> PromptRenderer:
    return PromptRenderer(make_tokenizer(chat_template=chat_template, **options), "org/model")


def prompt(of: PromptRenderer, *messages: Message, thinking: bool = False) -> str:
    text: str = of.tokenizer.decode(of.render(messages, thinking).token_ids)
    return text


def test_a_system_message_stays_one_where_the_template_knows_the_role() -> None:
    native = renderer(CHAT_TEMPLATE)

    assert prompt(native, SYSTEM, QUESTION) == "<|system|>Be kind.<|end|><|user|>Hello<|end|><|assistant|>"
    assert dict(native.arguments)["system_role"] == "native"
    assert list(native.arguments) == sorted(native.arguments)


@pytest.mark.parametrize("template", [REFUSING_TEMPLATE, DROPPING_TEMPLATE])
def test_a_system_message_moves_into_the_users_where_the_template_refuses_or_drops_it(template: str) -> None:
    moving = renderer(template)

    assert prompt(moving, SYSTEM, QUESTION) == "<|user|>Be kind.\n\nHello<|end|><|assistant|>"
    assert dict(moving.arguments)["system_role"] == "first_user"


def test_every_system_message_moves_into_the_next_user_message() -> None:
    moved = without_system_role([SYSTEM, SYSTEM, QUESTION, ANSWER, SYSTEM, QUESTION])

    assert moved == (
        Message("user", "Be kind.\n\nBe kind.\n\nHello"),
        ANSWER,
        Message("user", "Be kind.\n\nHello"),
    )


def test_a_last_system_message_without_a_question_after_it_is_not_lost() -> None:
    assert without_system_role([QUESTION, ANSWER, SYSTEM])[-1] == Message("user", "Be kind.")


def test_the_date_is_pinned_for_every_template() -> None:
    assert prompt(renderer(DATED_TEMPLATE), QUESTION).startswith("01 January 2025 01 Jan 2025 <|user|>")


def test_a_template_that_cannot_render_a_question_is_a_load_error_with_its_own_words() -> None:
    with pytest.raises(RapportError, match=r"org/model refuses the conversation: No\. Really not\. ") as refusal:
        renderer("{{ raise_exception('No.\n  Really not.') }}")

    assert refusal.value.cause is Cause.LOAD_ERROR


def test_a_template_with_a_mistake_is_a_load_error_and_not_a_traceback() -> None:
    with pytest.raises(RapportError, match="chat template of org/model") as refusal:
        renderer("{% for message in messages %}{{ message.content.no_such_method() }}{% endfor %}")

    assert refusal.value.cause is Cause.LOAD_ERROR


def test_a_base_model_is_refused() -> None:
    with pytest.raises(RapportError) as refusal:
        renderer(None)

    assert refusal.value.cause is Cause.NO_CHAT_TEMPLATE


@pytest.mark.parametrize(("template", "begins"), [(BEGIN_TEMPLATE, 1), (CHAT_TEMPLATE, 0)])
def test_what_the_tokenizer_puts_before_a_text_never_stands_twice(template: str, begins: int) -> None:
    beginning = renderer(template, adds_begin=True)
    begin = beginning.tokenizer.bos_token_id
    assert beginning.tokenizer("x")["input_ids"][0] == begin

    assert beginning.render([QUESTION]).token_ids.count(begin) == begins


def test_a_template_is_told_whether_the_model_is_to_think() -> None:
    thinking = renderer(THINKING_TEMPLATE, words=MARKERS)

    assert prompt(thinking, QUESTION, thinking=True).endswith("<|assistant|>")
    assert prompt(thinking, QUESTION, thinking=False).endswith("<|assistant|><think>\n\n</think>\n\n")
    assert not thinking.render([QUESTION], thinking=True).opened


def test_a_template_that_knows_the_other_name_of_the_switch_is_told_too() -> None:
    other = renderer(CHAT_TEMPLATE + "{% if thinking %}<think>{% else %}</think>{% endif %}")

    assert prompt(other, QUESTION, thinking=True).endswith("<|assistant|><think>")
    assert prompt(other, QUESTION, thinking=False).endswith("<|assistant|></think>")


def test_a_thought_that_the_template_opens_is_known_and_closed_for_a_model_that_is_not_to_think() -> None:
    opening = renderer(OPENING_TEMPLATE, words=MARKERS)

    assert opening.render([QUESTION], thinking=True).opened
    assert not opening.render([QUESTION], thinking=False).opened
    assert prompt(opening, QUESTION, thinking=False).endswith("<|assistant|><think>\n</think>")


def test_a_marker_in_a_question_opens_no_thought() -> None:
    assert not renderer(THINKING_TEMPLATE, words=MARKERS).render([Message("user", "<think>")], thinking=True).opened


def test_thought_end_marker_and_answer_must_fit_after_the_prompt() -> None:
    sampling = Sampling(max_tokens=10, thought_tokens=20)

    assert renderer(THINKING_TEMPLATE, words=MARKERS).room(sampling) == 20 + 1 + 10
    # Without tokens of its own, the marker is spelt out.
    assert renderer(THINKING_TEMPLATE).room(sampling) == 20 + len("</think>") + 10
    assert renderer(CHAT_TEMPLATE).room(Sampling(max_tokens=10)) == 10


def test_a_model_without_known_markers_cannot_be_read() -> None:
    with pytest.raises(RapportError, match="org/model is to think, but neither") as refusal:
        renderer(CHAT_TEMPLATE).room(Sampling(max_tokens=10, thought_tokens=20))

    assert refusal.value.cause is Cause.LOAD_ERROR
