"""What networks and servers do wrong costs no answer and doubles none; what cannot be mended says so."""

from __future__ import annotations

import logging
import threading

import pytest

from evaluator.engines.base import Message, Request
from evaluator.engines.openai_client import THREAD
from evaluator.errors import Cause, RapportError
from tests.engines.endpoint.conftest import GREEDY, Connect, questions, texts
from tests.engines.endpoint.proxy import CHAT, Answer, Asked, Drop, Edit, Fault, Hang, Proxy
from tests.engines.endpoint.server import KEY, free_port
from tests.waiting import until

SOON = {"Retry-After": "0.05"}


@pytest.mark.parametrize(
    "fault",
    [
        Answer(429, {"error": {"message": "slow down"}}, SOON),
        Answer(500, {"error": {"message": "oops"}}, SOON),
        Answer(503, b"<html>no backend</html>", {**SOON, "Content-Type": "text/html"}),
        Drop(),
        Drop(after_bytes=20),
    ],
    ids=["too many requests", "server error", "no backend", "lost before the answer", "lost in the answer"],
)
def test_a_passing_fault_costs_no_answer_and_doubles_none(fault: Fault, connect: Connect, proxy: Proxy) -> None:
    requests = questions(8, "faults")
    with connect(concurrency=4) as engine:
        expected = texts(engine, requests)
        calm = len(proxy.chats())
        proxy.faults = {calm + number: fault for number in (0, 2, 5, 8, 9)}

        assert texts(engine, requests) == expected

    assert calm == 8
    assert len(proxy.chats()) == calm + 8 + 5


def test_a_hanging_request_is_asked_again(connect: Connect, proxy: Proxy) -> None:
    requests = questions(4, "hang")
    with connect(concurrency=2, request_seconds=3) as engine:
        expected = texts(engine, requests)
        hung = len(proxy.chats())
        proxy.faults = {hung: Hang()}

        assert texts(engine, requests) == expected

    assert proxy.chats()[hung].body in [asked.body for asked in proxy.chats()[hung + 1 :]]


def about(word: str, fault: Fault):
    """Faults every chat request whose last message holds a word."""

    def choose(asked: Asked) -> Fault | None:
        messages = (asked.body or {}).get("messages")
        return fault if messages and asked.path.startswith("/v1") and word in messages[-1]["content"] else None

    return choose


@pytest.mark.parametrize(
    "fault", [Hang(), Answer(429, {}, {"Retry-After": "100"})], ids=["hangs", "is to wait for too long"]
)
def test_a_request_that_finds_no_answer_in_its_time_fails_alone(fault: Fault, connect: Connect, proxy: Proxy) -> None:
    answered = Answer(
        200,
        {
            "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 1},
        },
    )
    unlucky = about("day 1?", fault)
    proxy.faults = lambda asked: unlucky(asked) or (answered if asked.path.endswith("completions") else None)

    with connect(request_seconds=1, retries=1) as engine:
        completions = {item.key: item for item in engine.generate(questions(3), GREEDY)}

    assert {key: item.failure for key, item in completions.items()} == {
        "user-q0": None,
        "user-q1": Cause.TIMEOUT,
        "user-q2": None,
    }
    assert (completions["user-q1"].text, completions["user-q1"].finish_reason) == (None, "error")


BROKEN_OFF = Edit(lambda reply: reply["choices"][0].update(finish_reason="abort"))


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Answer(500, {"error": {"message": f"oops, {KEY}"}}), Cause.INFRASTRUCTURE),
        (Answer(502, b"<html>", {"Content-Type": "text/html"}), Cause.INFRASTRUCTURE),
        (Drop(), Cause.INFRASTRUCTURE),
        (BROKEN_OFF, Cause.INFRASTRUCTURE),
        (Answer(200, {"choices": []}), Cause.LOAD_ERROR),
    ],
    ids=["server error", "lost backend", "lost connection", "broken off", "unreadable"],
)
def test_a_prompt_that_a_standing_server_always_fails_at_fails_alone(
    fault: Fault, cause: Cause, connect: Connect, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.faults = about("day 3?", fault)

    with connect(concurrency=2, retries=0) as engine:
        completions = {item.key: item for item in engine.generate(questions(8), GREEDY)}

    assert {key for key, item in completions.items() if item.failure} == {"user-q3"}
    assert len(completions) == 8
    poisoned = completions["user-q3"]
    assert (poisoned.failure, poisoned.text, poisoned.finish_reason) == (cause, None, "error")
    assert "not the prompt of user-q3" in caplog.text
    assert KEY not in caplog.text


def test_a_standing_server_is_known_by_a_tiny_prompt_under_the_same_options(connect: Connect, proxy: Proxy) -> None:
    proxy.faults = about("day 0?", Answer(500, {}))
    sampling = GREEDY.model_copy(update={"pattern": "[a-z ]{3,30}", "watch": ("a",)})

    with connect(retries=0) as engine:
        list(engine.generate(questions(1), sampling))

    asked, tiny, again, tiny_again = (chat.body for chat in proxy.chats())
    assert (asked, tiny) == (again, tiny_again)
    own = ("messages", "seed", "max_tokens")
    assert {name: asked[name] for name in asked if name not in own} == {
        name: tiny[name] for name in tiny if name not in own
    }
    assert (tiny["max_tokens"], len(tiny["messages"])) == (1, 1)


def test_a_server_that_is_started_again_meanwhile_costs_no_answer(connect: Connect, proxy: Proxy) -> None:
    requests = questions(3, "again")
    with connect(concurrency=1, retries=0) as engine:
        expected = texts(engine, requests)
        proxy.faults = {len(proxy.chats()) + 1: Answer(503, {})}

        assert texts(engine, requests) == expected

    assert len(proxy.chats()) == 3 + 3 + 2


def test_a_server_that_answers_nothing_but_a_tiny_prompt_ends_the_run(connect: Connect, proxy: Proxy) -> None:
    proxy.faults = about("What shall I do", Answer(500, {"error": {"message": "too much"}}))

    with connect(concurrency=1, retries=0) as engine, pytest.raises(RapportError, match="too much") as end:
        list(engine.generate(questions(20), GREEDY))

    assert end.value.cause is Cause.INFRASTRUCTURE
    assert len(proxy.chats()) == 4 * 9


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_prompt_that_the_server_refuses_fails_alone_and_its_reason_is_logged(
    status: int, connect: Connect, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.faults = about("day 1?", Answer(status, {"error": {"message": f"not this, said to {KEY}", "param": None}}))

    with connect() as engine:
        completions = {item.key: item for item in engine.generate(questions(3), GREEDY)}

    assert {key: item.failure for key, item in completions.items()} == {
        "user-q0": None,
        "user-q1": Cause.LOAD_ERROR,
        "user-q2": None,
    }
    assert completions["user-q1"].text is None
    assert "not this, said to ***" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        {"message": "too long", "code": "context_length_exceeded", "param": "messages"},
        {"message": "the request exceeds the available context size"},
    ],
)
def test_an_overflow_is_known_by_the_words_of_other_servers_too(
    error: dict[str, str], connect: Connect, proxy: Proxy
) -> None:
    proxy.faults = {0: Answer(400, {"error": error})}

    with connect(flavour="plain") as engine:
        (item,) = engine.generate(questions(1), GREEDY)

    assert item.failure is Cause.CONTEXT_OVERFLOW


@pytest.mark.parametrize(
    ("fault", "cause", "words"),
    [
        (Answer(401, {"error": {"message": f"Incorrect API key {KEY}"}}), Cause.GATED, "refuses the key"),
        (Answer(403, {"error": {"message": "not you"}}), Cause.GATED, "refuses the key"),
        (Answer(404, {"error": {"message": "no such model"}}), Cause.NOT_FOUND, "no such model"),
        (Answer(429, {"error": {"message": "quota"}}, SOON), Cause.INFRASTRUCTURE, "quota"),
        (Answer(500, {"error": {"message": f"dump: {KEY}"}}, SOON), Cause.INFRASTRUCTURE, r"dump: \*\*\*"),
        (Answer(400, {"error": {"message": "no seed here", "param": "seed"}}), Cause.LOAD_ERROR, "no seed here"),
        (Answer(200, {"hello": "world"}), Cause.LOAD_ERROR, "something else"),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), Cause.LOAD_ERROR, "something else"),
        (Drop(), Cause.INFRASTRUCTURE, "cannot be reached"),
    ],
)
def test_what_fails_every_request_ends_the_run_with_its_cause_and_without_the_key(
    fault: Fault, cause: Cause, words: str, connect: Connect, proxy: Proxy
) -> None:
    proxy.faults = lambda asked: fault if asked.path == "/v1/chat/completions" else None

    with connect(retries=1) as engine, pytest.raises(RapportError, match=words) as end:
        list(engine.generate(questions(4), GREEDY))

    assert end.value.cause is cause
    assert end.value.remedy
    assert KEY not in str(end.value)


def test_answers_that_came_before_the_end_of_a_run_are_handed_over(connect: Connect, proxy: Proxy) -> None:
    proxy.faults = {2: Answer(401, {})}

    with connect(concurrency=1) as engine:
        completions = engine.generate(questions(4), GREEDY)
        got = [next(completions).key, next(completions).key]
        with pytest.raises(RapportError):
            next(completions)

    assert got == ["user-q0", "user-q1"]
    assert len(proxy.chats()) == 3


def test_a_server_that_is_not_there_is_unreachable(connect: Connect) -> None:
    with pytest.raises(RapportError, match="cannot be reached") as end:
        connect(base_url=f"http://127.0.0.1:{free_port()}/v1", retries=1)

    assert end.value.cause is Cause.INFRASTRUCTURE


def test_a_server_that_never_says_what_it_is_times_out(connect: Connect, proxy: Proxy) -> None:
    proxy.faults = lambda asked: Hang()

    with pytest.raises(RapportError, match="did not answer in time") as end:
        connect(request_seconds=0.3, retries=0)

    assert end.value.cause is Cause.TIMEOUT


def test_a_model_that_is_not_served_is_not_found_and_what_is_served_is_named(connect: Connect) -> None:
    with pytest.raises(RapportError, match="does not serve huge, only: tiny") as end:
        connect(model="huge")

    assert end.value.cause is Cause.NOT_FOUND


def loops() -> set[threading.Thread]:
    """The threads in which event loops run."""
    return {thread for thread in threading.enumerate() if thread.name == THREAD}


def test_an_iteration_that_stops_early_leaves_nothing_behind(connect: Connect, proxy: Proxy) -> None:
    before = loops()
    proxy.faults = dict.fromkeys(range(1, 40), Hang())
    with connect(concurrency=6) as engine:
        completions = engine.generate(questions(40, "early"), GREEDY)
        next(completions)
        until(lambda: proxy.under_way == 6, what="the other requests hang")
        assert loops() - before

        completions.close()

        assert loops() == before
        until(lambda: len(proxy.given_up) == 6, what="the hanging requests are given up")
        assert len(proxy.chats()) == 7
        proxy.faults = {}
        assert len(texts(engine, questions(2, "after"))) == 2


def test_empty_and_missing_texts_are_answers(connect: Connect, proxy: Proxy) -> None:
    def end_by_length(reply: dict) -> None:
        reply["choices"][0].update(finish_reason="length", message={"content": None, "reasoning": "Well, well"})
        reply["usage"].update(completion_tokens=12, completion_tokens_details={"reasoning_tokens": 10})
        reply["usage"].pop("prompt_tokens_details")

    def say_nothing(reply: dict) -> None:
        reply["choices"][0].update(finish_reason="stop", message={"content": "", "reasoning_content": ""})

    proxy.faults = {0: Edit(end_by_length), 1: Edit(say_nothing)}
    with connect(concurrency=1) as engine:
        cut, silent = engine.generate(questions(2), GREEDY)

    assert (cut.text, cut.thought, cut.thought_tokens, cut.output_tokens) == ("", "Well, well", 10, 2)
    assert (cut.cached_tokens, cut.finish_reason, cut.failure) == (None, "length", None)
    assert (silent.text, silent.thought, silent.failure) == ("", None, None)


def test_an_answer_that_the_server_holds_back_fails_alone_and_a_refusal_is_an_answer(
    connect: Connect, proxy: Proxy
) -> None:
    proxy.faults = {
        0: Edit(lambda reply: reply["choices"][0].update(finish_reason="content_filter")),
        1: Edit(lambda reply: reply["choices"][0].update(message={"content": None, "refusal": "I must not"})),
    }
    with connect(concurrency=1) as engine:
        held_back, refused, answered = engine.generate(questions(3), GREEDY)

    assert [item.failure for item in (held_back, refused, answered)] == [Cause.LOAD_ERROR, None, None]
    assert (held_back.text, refused.text) == (None, "I must not")


def test_a_server_that_breaks_every_answer_off_ends_the_run(connect: Connect, proxy: Proxy) -> None:
    proxy.faults = lambda asked: BROKEN_OFF if asked.path == CHAT else None

    with connect() as engine, pytest.raises(RapportError, match="'abort'") as end:
        list(engine.generate(questions(1), GREEDY))

    assert end.value.cause is Cause.INFRASTRUCTURE


def test_a_server_that_hides_version_and_tokenizer_behind_a_balancer_still_answers(
    connect: Connect, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = Answer(404, {"detail": "Not Found"})
    proxy.faults = lambda asked: None if asked.path.startswith("/v1") else hidden
    long = Request("long", "long", (Message("user", "word " * 1000),))

    with caplog.at_level(logging.WARNING), connect() as engine:
        overflowed, answered = sorted(engine.generate([long, *questions(1)], GREEDY), key=lambda item: item.key)
        with pytest.raises(RapportError, match="does not count"):
            engine.count_tokens([long.messages])

    assert (engine.info.version, engine.info.chat_template_hash) == ("unknown", "remote-unknown")
    assert dict(engine.info.chat_template_arguments)["date"] == "unknown"
    assert "does not tell its version" in caplog.text
    assert (overflowed.failure, overflowed.prompt_tokens) == (Cause.CONTEXT_OVERFLOW, 0)
    assert answered.failure is None
