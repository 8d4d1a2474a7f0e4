"""What is sent to a chat-completions server, and what is read from its reply."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.engines.base import EndpointSpec, Message, Request, Sampling, request_seed
from evaluator.engines.openai_chat import ChatReply, chat_body, failure_of
from evaluator.engines.openai_facts import pin_dates

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


@pytest.mark.parametrize(
    "written",
    [
        "{0:%d} {0:%B} {0:%Y}",
        "{0.day} {0:%b} {0:%Y}",
        "{0:%A}, {0:%d} {0:%B} {0:%Y}",
        "{0:%B} {0.day}, {0:%Y}",
        "{0:%Y-%m-%d}",
        "{0:%Y-%m-%d} ({0:%A})",
        "{0:%Y-%m-%d}, {0:%a}",
        "{0.month}/{0.day}/{0:%Y}",
        "{0:%d.%m.%Y}",
    ],
)
@given(today=st.dates(datetime.date(2025, 6, 1)), hours=st.integers(-24, 24))
def test_a_prompt_with_todays_date_is_the_same_one_every_day_wherever_the_server_stands(
    written: str, today: datetime.date, hours: int
) -> None:
    there = (datetime.datetime.combine(today, datetime.time(12)) + datetime.timedelta(hours=hours)).date()

    prompt = f"Knowledge: 01 Dec 2023\nToday: {written.format(there)}\n"
    assert pin_dates(prompt, today) == "Knowledge: 01 Dec 2023\nToday: 01 Jan 2025\n"


@given(today=st.dates(datetime.date(2025, 6, 1)), days=st.integers(2, 5000))
def test_other_dates_stay_as_they_are(today: datetime.date, days: int) -> None:
    prompt = f"Today: {today - datetime.timedelta(days):%d %B %Y}, that is {today - datetime.timedelta(days):%Y-%m-%d}"

    assert pin_dates(prompt, today) == prompt
