"""Both engines answer the same prompts through the same Protocol, each in a process of its own."""

from __future__ import annotations

import re

import pytest

from evaluator.engines.base import Message, Request, Sampling
from evaluator.engines.process import EngineProcess
from evaluator.errors import Cause, RapportError

HISTORY = tuple(
    message
    for day in range(8)
    for message in (
        Message("user", f"On day {day} I swam in the lake and cooked noodles."),
        Message("assistant", "That sounds like a fine day, noodles after a swim are a treat."),
    )
)
GREEDY = Sampling(max_tokens=12)


def questions(number: int, group: str = "user") -> list[Request]:
    return [
        Request(f"{group}-q{place}", group, (*HISTORY, Message("user", f"What shall I do on day {place}?")))
        for place in range(number)
    ]


def test_every_request_comes_back_once_under_its_own_key(vllm_engine: EngineProcess) -> None:
    completions = list(vllm_engine.generate(questions(5, "once"), GREEDY))

    assert sorted(completion.key for completion in completions) == [f"once-q{place}" for place in range(5)]
    assert all(0 < completion.output_tokens <= 12 for completion in completions)


def test_greedy_answers_are_the_same_on_vllm_and_transformers(
    vllm_engine: EngineProcess, transformers_engine: EngineProcess
) -> None:
    by_vllm = {item.key: item for item in vllm_engine.generate(questions(4), GREEDY)}
    by_transformers = {item.key: item for item in transformers_engine.generate(questions(4), GREEDY)}

    assert {key: item.text for key, item in by_vllm.items()} == {
        key: item.text for key, item in by_transformers.items()
    }
    assert {key: item.prompt_hash for key, item in by_vllm.items()} == {
        key: item.prompt_hash for key, item in by_transformers.items()
    }


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
def test_questions_of_one_user_share_the_history_in_the_cache(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)

    completions = {item.key: item for item in engine.generate(questions(4, f"shared-{name}"), GREEDY)}

    later = [completions[f"shared-{name}-q{place}"] for place in range(1, 4)]
    assert all(item.shared_tokens > 0.9 * item.prompt_tokens for item in later)
    assert all(item.cached_tokens > 0.8 * item.shared_tokens for item in later)
    assert all(item.cached_tokens <= item.prompt_tokens for item in later)


def test_a_forced_pattern_holds_and_its_words_have_probabilities(vllm_engine: EngineProcess) -> None:
    sampling = Sampling(
        max_tokens=60, pattern=r"Because [a-z ]{3,20}\.\nBetter Response: (A|B|Tie)", watch=("A", "B", "Tie")
    )

    (completion,) = vllm_engine.generate([Request("j", "judge", (Message("user", "A or B?"),))], sampling)

    assert completion.text is not None
    assert re.fullmatch(sampling.pattern or "", completion.text)
    assert completion.finish_reason == "stop"
    assert all(word in sampling.watch and 0 <= share <= 1 for word, share in completion.word_probabilities)


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
def test_a_prompt_longer_than_the_context_fails_alone_and_is_never_cut(
    name: str, request: pytest.FixtureRequest
) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    long = Request("long", "long", (Message("user", "word " * 1000),))
    short = Request("short", "short", (Message("user", "word"),))

    completions = {item.key: item for item in engine.generate([long, short], GREEDY)}

    assert completions["long"].failure is Cause.CONTEXT_OVERFLOW
    assert completions["long"].text is None
    assert completions["long"].prompt_tokens > engine.info.context_length
    assert completions["short"].text is not None


def test_no_special_token_stands_twice_at_the_start(vllm_engine: EngineProcess) -> None:
    (one,) = vllm_engine.generate([Request("a", "a", (Message("user", "x"),))], GREEDY)

    assert one.prompt_tokens == len(["<|user|>", "x", "<|end|>", "<|assistant|>"])


def test_provenance_names_engine_version_flags_and_template(vllm_engine: EngineProcess) -> None:
    info = vllm_engine.info

    assert info.engine == "vllm"
    assert re.match(r"\d+\.\d+", info.version)
    assert info.dtype == "float32"
    assert {"batch_invariant", "block_size", "prefix_caching"} <= dict(info.flags).keys()
    assert len(info.chat_template_hash) == 64
    assert info.context_length == 2048


def test_an_engine_tells_its_highest_memory(vllm_engine: EngineProcess) -> None:
    list(vllm_engine.generate(questions(1, "memory"), GREEDY))

    assert 100 < vllm_engine.peak_rss_mb() < 6000


def test_the_fallback_engine_says_that_it_cannot_force_a_pattern(transformers_engine: EngineProcess) -> None:
    sampling = Sampling(max_tokens=5, pattern="[ab]")

    with pytest.raises(RapportError, match="cannot force a pattern") as refusal:
        list(transformers_engine.generate([Request("p", "p", (Message("user", "x"),))], sampling))

    assert refusal.value.cause is Cause.INFRASTRUCTURE
