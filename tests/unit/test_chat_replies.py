"""What is sent to a chat-completions server, and what is read from its reply."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.engines.base import EndpointSpec, Message, Request, Sampling, request_seed
from evaluator.engines.openai_chat import ChatReply, chat_body, failure_of

SPEC = EndpointSpec(base_url="http://h/v1", model="m", flavour="plain")
SAMPLING = Sampling(max_tokens=8, temperature=1.0)


def request(key: str) -> Request:
    return Request(key, "group", (Message("user", "Hello"),))


def reply(message: dict[str, Any], **usage: Any) -> ChatReply:
    counts = {"prompt_tokens": 10, "completion_tokens": 4, **usage}
    return ChatReply.model_validate({"choices": [{"message": message, "finish_reason": "stop"}], "usage": counts})


@pytest.mark.parametrize("content", [None, ""])
def test_the_words_in_which_a_model_refuses_are_its_answer(content: str | None) -> None:
    refused = reply({"content": content, "refusal": "I must not."})

    assert refused.text == "I must not."
    assert failure_of(refused, SAMPLING, 100) is None


def test_an_answer_stands_before_a_refusal_and_neither_is_an_empty_answer() -> None:
    assert reply({"content": "Ramen.", "refusal": "I must not."}).text == "Ramen."
    assert reply({"content": None}).text == ""


@pytest.mark.parametrize(
    ("usage", "cached"),
    [
        ({}, None),
        ({"prompt_tokens_details": None}, None),
        ({"prompt_tokens_details": {}}, None),
        ({"prompt_tokens_details": {"cached_tokens": None}}, None),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, 0),
        ({"prompt_tokens_details": {"cached_tokens": 7}}, 7),
    ],
)
def test_a_server_that_does_not_tell_its_cached_tokens_is_not_taken_to_have_none(
    usage: dict[str, Any], cached: int | None
) -> None:
    assert reply({"content": "x"}, **usage).cached_tokens == cached


def test_every_request_is_sent_a_seed_of_its_own_and_the_same_one_each_time() -> None:
    seeds = [chat_body(SPEC, request(key), SAMPLING)["seed"] for key in ("q1", "q2", "q1")]

    assert seeds[0] == seeds[2] != seeds[1]


@given(key=st.text(), seed=st.integers(0, 2**40))
def test_a_seed_is_one_that_every_engine_takes_and_follows_key_and_protocol(key: str, seed: int) -> None:
    sampling = SAMPLING.model_copy(update={"seed": seed})
    drawn = request_seed(sampling, request(key))

    assert 0 <= drawn < 2**31
    assert drawn == request_seed(sampling, request(key)._replace(group="other", messages=()))
    others = [
        request_seed(sampling, request(f"{key}x")),
        request_seed(sampling.model_copy(update={"seed": seed + 1}), request(key)),
    ]
    assert drawn not in others
