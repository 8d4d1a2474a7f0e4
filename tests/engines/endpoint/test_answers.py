"""A model behind a real server answers as the engines do that run it themselves."""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Callable

import pytest

from evaluator.engines.base import Message, Request, Sampling
from evaluator.engines.process import EngineProcess
from evaluator.errors import Cause, RapportError
from tests.engines.endpoint.conftest import GREEDY, Connect, questions, texts
from tests.engines.endpoint.proxy import Answer, Asked, Edit, Fault, Meet, Proxy
from tests.engines.endpoint.server import SERVED
from tests.engines.judging import VERDICT, judged
from tests.tiny_model import make_tokenizer


def without_unfinished_end(text: str | None) -> str:
    return (text or "").rstrip("\N{REPLACEMENT CHARACTER}")


def test_greedy_answers_are_those_of_transformers_whatever_the_models_repository_wishes(
    connect: Connect, transformers_engine: EngineProcess
) -> None:
    with connect() as engine:
        remote = {item.key: item for item in engine.generate(questions(6), GREEDY)}
    local = {item.key: item for item in transformers_engine.generate(questions(6), GREEDY)}

    assert remote.keys() == local.keys()
    for key, item in remote.items():
        assert without_unfinished_end(item.text) == without_unfinished_end(local[key].text)
        assert item.prompt_hash == local[key].prompt_hash
        assert item.prompt_tokens == local[key].prompt_tokens
        assert item.output_tokens == local[key].output_tokens
        assert item.finish_reason == local[key].finish_reason
    assert any(item.text for item in remote.values())


def test_forced_answers_and_their_probabilities_are_those_of_transformers(
    connect: Connect, transformers_engine: EngineProcess
) -> None:
    with connect() as engine:
        remote = {item.key: item for item in engine.generate(judged(4), VERDICT)}
    local = {item.key: item for item in transformers_engine.generate(judged(4), VERDICT)}

    assert all(re.fullmatch(VERDICT.pattern or "", item.text or "") for item in remote.values())
    assert {key: item.text for key, item in remote.items()} == {key: item.text for key, item in local.items()}
    assert any(item.word_probabilities for item in remote.values())
    for key, item in remote.items():
        assert dict(item.word_probabilities) == pytest.approx(dict(local[key].word_probabilities), abs=1e-3)


def test_questions_of_one_user_share_the_history_in_the_servers_cache(connect: Connect) -> None:
    with connect(concurrency=1) as engine:
        completions = list(engine.generate(questions(4, "shared"), GREEDY))

    assert completions[0].shared_tokens == 0
    for item in completions[1:]:
        assert 0.9 * item.prompt_tokens < item.shared_tokens < item.prompt_tokens
        assert 0.8 * item.shared_tokens < item.cached_tokens <= item.prompt_tokens


def test_prompts_that_were_answered_before_are_earlier_ones_and_are_not_asked_again(
    connect: Connect, proxy: Proxy
) -> None:
    requests = questions(4, "resumed")
    with connect(concurrency=1) as engine:
        whole = {item.key: item.shared_tokens for item in engine.generate(requests, GREEDY)}
    asked = len(proxy.chats())
    with connect(concurrency=1) as engine:
        rest = {item.key: item.shared_tokens for item in engine.generate(requests[2:], GREEDY, requests[:2])}

    assert len(proxy.chats()) == asked + 2
    assert rest == {key: whole[key] for key in rest}
    assert min(rest.values()) > 0


def test_what_prompts_share_is_unknown_where_an_earlier_one_is_not_told(connect: Connect, proxy: Proxy) -> None:
    requests, other = questions(2, "untold"), questions(1, "told")
    with connect() as engine:
        proxy.faults = lambda asked: Answer(404, {"detail": "Not Found"}) if asked.path == "/tokenize" else None
        completions = {item.key: item for item in engine.generate([requests[1], *other], GREEDY, requests[:1])}

    assert (completions["untold-q1"].shared_tokens, completions["told-q0"].shared_tokens) == (None, 0)


def test_an_earlier_prompt_that_the_server_refuses_was_never_computed(connect: Connect, proxy: Proxy) -> None:
    first, second = questions(2, "refused")
    with connect() as engine:
        proxy.faults = lambda asked: Answer(400, {"error": {"message": "no"}}) if asked.path == "/tokenize" else None
        (item,) = engine.generate([second], GREEDY, [first])

    assert (item.failure, item.shared_tokens) == (None, 0)


def test_the_seed_alone_decides_what_is_drawn(connect: Connect) -> None:
    def draw(seed: int) -> dict[str, str | None]:
        return texts(engine, questions(2, "seed"), Sampling(max_tokens=24, temperature=1.0, seed=seed))

    with connect() as engine:
        assert draw(7) == draw(7) != draw(8)


def test_equal_prompts_of_other_keys_are_drawn_apart(connect: Connect) -> None:
    drawn = Sampling(max_tokens=24, temperature=1.0)
    asked = [Request(key, "same", (Message("user", "Say something."),)) for key in ("one", "two", "three")]

    with connect() as engine:
        assert len(set(texts(engine, asked, drawn).values())) == 3


def test_top_k_reaches_the_server(connect: Connect) -> None:
    with connect() as engine:
        drawn = texts(engine, questions(3, "top"), Sampling(max_tokens=12, temperature=2.0, top_k=1))
        greedy = texts(engine, questions(3, "top"))

    assert drawn == greedy


def test_the_end_can_be_ignored(connect: Connect) -> None:
    with connect() as engine:
        (item,) = engine.generate(questions(1, "end"), Sampling(max_tokens=300, ignore_end=True))

    assert (item.output_tokens, item.finish_reason) == (300, "length")


def test_a_prompt_longer_than_the_context_fails_alone_and_tells_its_length(connect: Connect) -> None:
    long = Request("long", "long", (Message("user", "word " * 1000),))
    short = Request("short", "short", (Message("user", "word"),))

    with connect() as engine:
        completions = {item.key: item for item in engine.generate([long, short], GREEDY)}
        (counted,) = engine.count_tokens([long.messages])

    assert completions["long"].failure is Cause.CONTEXT_OVERFLOW
    assert completions["long"].text is None
    assert completions["long"].finish_reason == "error"
    assert completions["long"].prompt_tokens == counted > 5000
    assert completions["short"].failure is None


def test_a_prompt_that_leaves_no_room_for_its_answer_is_not_cut_short(connect: Connect) -> None:
    """The server would answer with the few tokens that are left."""
    with connect() as engine:
        frame = engine.count_tokens([(Message("user", ""),)])[0]
        fits, full = (Request(f"{room}", "room", (Message("user", "x" * (2048 - frame - room)),)) for room in (12, 11))
        completions = {item.key: item.failure for item in engine.generate([fits, full], GREEDY)}

    assert completions == {"12": None, "11": Cause.CONTEXT_OVERFLOW}


def test_prompts_are_counted_in_their_order(connect: Connect) -> None:
    conversations = [(Message("user", "x" * length),) for length in (50, 3, 700, 1)]

    with connect() as engine:
        counts = engine.count_tokens(conversations)

    assert [count - counts[-1] for count in counts] == [49, 2, 699, 0]


def test_provenance_is_what_the_server_tells(connect: Connect) -> None:
    with connect(dtype="float32") as engine:
        info = engine.info
    with connect() as again:
        assert again.info.chat_template_hash == info.chat_template_hash

    assert info.engine == "openai"
    assert re.match(r"\d+\.\d+", info.version)
    assert (info.dtype, info.hardware, info.context_length, info.kv_cache_tokens) == ("float32", "remote", 2048, None)
    assert re.fullmatch(r"remote-[0-9a-f]{64}", info.chat_template_hash)
    assert dict(info.chat_template_arguments) == {
        "date_string": "01 Jan 2025",
        "system_role": "native",
    }


def dated(day: datetime.date) -> Callable[[Asked], Fault | None]:
    """Begins what the server tokenizes with a date, as a template does that asks for today's."""
    date = make_tokenizer().encode(f"{day:%A, %d %B %Y} ", add_special_tokens=False)

    def begin(reply: dict) -> None:
        reply["tokens"] = [*date, *reply["tokens"]]

    return lambda asked: Edit(begin) if asked.path == "/tokenize" else None


def test_a_template_that_uses_todays_date_keeps_its_hash_and_the_date_is_told_not_to_be_pinned(
    connect: Connect, proxy: Proxy
) -> None:
    today = datetime.datetime.now(datetime.UTC).date()

    def info_on(day: datetime.date) -> tuple[str, str | None]:
        proxy.faults = dated(day)
        with connect() as engine:
            return engine.info.chat_template_hash, dict(engine.info.chat_template_arguments).get("date")

    now, tomorrow, fixed = map(info_on, (today, today + datetime.timedelta(1), today - datetime.timedelta(100)))

    assert now == tomorrow
    assert now[1] == "not pinned"
    assert (fixed[0] != now[0], fixed[1]) == (True, None)


def test_whether_a_prompt_holds_todays_date_is_unknown_where_its_text_is_not_shown(
    connect: Connect, proxy: Proxy
) -> None:
    with connect() as engine:
        shown = engine.info
    proxy.faults = lambda asked: Answer(404, {"detail": "Not Found"}) if asked.path == "/detokenize" else None
    with connect() as engine:
        hidden = engine.info

    assert hidden.chat_template_hash == shown.chat_template_hash
    assert dict(hidden.chat_template_arguments) == {**dict(shown.chat_template_arguments), "date": "unknown"}


def test_templates_are_told_the_pinned_date_and_not_to_think(connect: Connect, proxy: Proxy) -> None:
    with connect() as engine:
        list(engine.generate(questions(1), GREEDY))
        engine.count_tokens([questions(1)[0].messages])

    told = [asked.body["chat_template_kwargs"] for asked in proxy.asked if "messages" in (asked.body or {})]
    assert told
    assert all(item == {"date_string": "01 Jan 2025", "enable_thinking": False, "thinking": False} for item in told)


def test_a_template_that_refuses_system_messages_gets_their_text_in_the_next_question(
    connect: Connect, proxy: Proxy
) -> None:
    def refuse_system(asked: Asked) -> Answer | None:
        roles = [message["role"] for message in (asked.body or {}).get("messages", ())]
        return Answer(400, {"error": {"message": "no such role", "param": None}}) if "system" in roles else None

    proxy.faults = refuse_system
    with connect() as engine:
        (item,) = engine.generate([Request("q", "q", (Message("system", "Be kind."), Message("user", "x")))], GREEDY)

    assert item.failure is None
    assert proxy.chats()[-1].body["messages"] == [{"role": "user", "content": "Be kind.\n\nx"}]
    assert dict(engine.info.chat_template_arguments)["system_role"] == "first_user"


def test_as_many_requests_as_allowed_are_under_way_and_no_more(connect: Connect, proxy: Proxy) -> None:
    meeting = Meet(threading.Barrier(3))
    proxy.faults = dict.fromkeys(range(12), meeting)

    with connect(concurrency=3) as engine:
        texts(engine, questions(12, "many"))

    assert proxy.highest == 3


def test_requests_are_begun_in_their_order(connect: Connect, proxy: Proxy) -> None:
    requests = questions(5, "order")

    with connect(concurrency=1) as engine:
        texts(engine, requests)

    assert [asked.body["messages"][-1]["content"] for asked in proxy.chats()] == [
        request.messages[-1].content for request in requests
    ]


def test_a_plain_server_is_sent_only_what_every_server_knows(connect: Connect, proxy: Proxy) -> None:
    with connect(flavour="plain", context_length=2048) as engine:
        (item,) = engine.generate(questions(1, "plain"), GREEDY.model_copy(update={"watch": ("A",)}))
        info = engine.info

    standard = {"model", "messages", "temperature", "top_p", "seed", "max_tokens", "logprobs", "top_logprobs"}
    assert proxy.chats()[0].body.keys() == standard
    assert {asked.path for asked in proxy.asked} == {"/v1/models", "/v1/chat/completions"}
    assert (item.failure, item.shared_tokens, len(item.prompt_hash)) == (None, None, 64)
    assert (info.version, info.chat_template_hash, info.chat_template_arguments) == ("unknown", "remote-unknown", ())


def test_prompts_of_one_call_are_each_decoded_as_their_group(connect: Connect) -> None:
    with connect() as engine:
        done = {
            item.key: item.text
            for item in engine.generate([*judged(2), *questions(2)], {"judge": VERDICT, "user": GREEDY})
        }
        apart = [*engine.generate(judged(2), VERDICT), *engine.generate(questions(2), GREEDY)]

    assert done == {item.key: item.text for item in apart}
    assert all(re.fullmatch(VERDICT.pattern or "", done[each.key] or "") for each in judged(2))


def test_what_a_server_cannot_follow_for_one_group_is_refused_before_anything_is_asked(
    connect: Connect, proxy: Proxy
) -> None:
    with connect(flavour="plain") as engine, pytest.raises(RapportError, match="pattern"):
        list(engine.generate([*questions(2), *judged(1)], {"judge": VERDICT, "user": GREEDY}))

    assert proxy.chats() == []


@pytest.mark.parametrize(
    ("flavour", "wish", "named"),
    [
        ("plain", {"pattern": "A|B"}, "pattern"),
        ("plain", {"top_k": 5}, "top_k"),
        ("plain", {"ignore_end": True}, "end token"),
        ("plain", {"thought_tokens": 100}, "thoughts"),
        ("vllm", {"thought_tokens": 100}, "thoughts"),
    ],
)
def test_what_a_server_cannot_follow_is_refused_before_anything_is_asked(
    flavour: str, wish: dict[str, object], named: str, connect: Connect, proxy: Proxy
) -> None:
    with connect(flavour=flavour) as engine, pytest.raises(RapportError, match=named) as refusal:
        list(engine.generate(questions(2), Sampling(max_tokens=8, **wish)))

    assert refusal.value.cause is Cause.LOAD_ERROR
    assert proxy.chats() == []


def test_a_plain_server_counts_no_tokens(connect: Connect) -> None:
    with connect(flavour="plain") as engine, pytest.raises(RapportError, match="does not count") as refusal:
        engine.count_tokens([questions(1)[0].messages])

    assert refusal.value.cause is Cause.LOAD_ERROR


def test_a_context_length_is_declared_or_told_and_never_both_ways(connect: Connect, proxy: Proxy) -> None:
    with pytest.raises(RapportError, match="declared with a context of 4096 tokens, but served with 2048"):
        connect(context_length=4096)
    proxy.faults = lambda asked: Answer(200, {"data": [{"id": SERVED}]}) if asked.path == "/v1/models" else None
    with pytest.raises(RapportError, match="does not tell how long"):
        connect()
    assert connect(context_length=1024).info.context_length == 1024


def test_a_server_that_lets_the_models_repository_cut_answers_is_found_out(connect: Connect, proxy: Proxy) -> None:
    def cut(reply: dict) -> None:
        reply["choices"][0]["finish_reason"] = "length"
        reply["usage"]["completion_tokens"] = 2

    proxy.faults = {0: Edit(cut)}
    with connect() as engine, pytest.raises(RapportError, match="after 2 of 12 allowed") as found:
        list(engine.generate(questions(1), GREEDY))

    assert found.value.cause is Cause.LOAD_ERROR


def test_a_server_that_ignores_the_pattern_is_found_out(connect: Connect, proxy: Proxy) -> None:
    proxy.faults = {0: Edit(lambda reply: reply["choices"][0]["message"].update(content="Both are fine."))}

    with connect() as engine, pytest.raises(RapportError, match="forced pattern") as found:
        list(engine.generate(judged(1), VERDICT))

    assert found.value.cause is Cause.LOAD_ERROR
