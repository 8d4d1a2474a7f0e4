"""Both engines answer the same prompts through the same Protocol, each in a process of its own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from evaluator.engines.base import Message, Request, Sampling
from evaluator.engines.process import EngineProcess
from evaluator.engines.transformers import TransformersEngine
from evaluator.errors import Cause
from evaluator.human.stages import rating, relevance, verification
from evaluator.human.stages.extraction import forced_pattern
from evaluator.metrics.efficiency import prefill_efficiency
from tests.builders import make_generation
from tests.engines.conftest import spec_of
from tests.engines.judging import VERDICT, judged
from tests.tiny_model import make_tiny_model

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


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
def test_what_was_answered_before_counts_as_shared_and_is_not_answered_again(
    name: str, request: pytest.FixtureRequest
) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    *before, last = questions(4, f"before-{name}")
    together = {item.key: item for item in engine.generate([*before, last], GREEDY)}

    (alone,) = engine.generate([last], GREEDY)
    (after,) = engine.generate([last], GREEDY, before)

    assert alone.shared_tokens == 0, "an engine knows of no other call"
    assert after.shared_tokens == together[last.key].shared_tokens > 0.9 * after.prompt_tokens


def test_a_history_that_forty_engines_prefill_one_after_the_other_is_prefilled_forty_times(tiny_model: Path) -> None:
    asked, done = questions(40), []
    for place, question in enumerate(asked):
        with TransformersEngine(spec_of(tiny_model, "transformers")) as engine:
            done += engine.generate([question], Sampling(max_tokens=1), asked[:place])

    counts = ("prompt_tokens", "cached_tokens", "shared_tokens")
    rows = [make_generation(**{name: getattr(item, name) for name in counts}) for item in done]
    efficiency = prefill_efficiency(rows)
    assert efficiency is not None
    assert 1 / 40 < efficiency < 1 / 25, "each history once, and the few tokens of each question"


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_forced_pattern_holds_to_its_end(name: str, temperature: float, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    forced = VERDICT.model_copy(update={"temperature": temperature})

    completions = list(engine.generate([*judged(2), *judged(2)], forced))

    assert len(completions) == 4
    assert all(re.fullmatch(VERDICT.pattern or "", item.text or "") for item in completions)
    assert {item.finish_reason for item in completions} == {"stop"}


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
def test_what_the_human_grounded_stages_force_is_said_to_its_end(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    patterns = (verification.PATTERN, relevance.PATTERN, rating.PATTERN, forced_pattern(most=2, longest=40))
    for pattern, tokens in zip(patterns, (8, 8, 8, 180), strict=True):  # As the demo's protocols allow.
        forced = Sampling(max_tokens=tokens, pattern=pattern)
        (said,) = engine.generate(questions(1, pattern), forced)
        assert re.fullmatch(pattern, said.text or ""), pattern


def test_forced_greedy_completions_and_their_probabilities_are_the_same_on_vllm_and_transformers(
    vllm_engine: EngineProcess, transformers_engine: EngineProcess
) -> None:
    by_vllm = {item.key: item for item in vllm_engine.generate(judged(3), VERDICT)}
    by_transformers = {item.key: item for item in transformers_engine.generate(judged(3), VERDICT)}

    assert {key: item.text for key, item in by_vllm.items()} == {
        key: item.text for key, item in by_transformers.items()
    }
    assert any(item.word_probabilities for item in by_vllm.values())
    for key, item in by_vllm.items():
        same = dict(by_transformers[key].word_probabilities)
        assert same == pytest.approx(dict(item.word_probabilities), abs=1e-3)
        assert all(word in VERDICT.watch and 0 <= share <= 1 for word, share in same.items())


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
def test_the_seed_alone_decides_what_is_drawn(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)

    def draw(seed: int) -> str | None:
        (completion,) = engine.generate(questions(1, "seed"), Sampling(max_tokens=24, temperature=1.0, seed=seed))
        return completion.text

    assert draw(7) == draw(7) != draw(8)


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
def test_every_key_is_drawn_by_itself_whatever_else_is_asked(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    drawn = Sampling(max_tokens=24, temperature=1.0)
    asked = [Request(key, "same", (Message("user", "Say something."),)) for key in ("one", "two", "three")]

    together = {item.key: item.text for item in engine.generate(asked, drawn)}
    alone = {item.key: item.text for each in reversed(asked) for item in engine.generate([each], drawn)}

    assert len(set(together.values())) == 3
    assert together == alone


@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_a_context_is_what_the_model_declares_and_at_most_what_is_asked_for(
    engine: str, tiny_model: Path, tmp_path: Path
) -> None:
    with EngineProcess(spec_of(tiny_model, engine, max_model_len=512), tmp_path / "log") as limited:
        flags = dict(limited.info.flags)
        too_long = Request("long", "long", (Message("user", "x" * 600),))
        (completion,) = limited.generate([too_long], GREEDY)

    assert limited.info.context_length == 512
    assert (flags["context_declared"], flags["context_used"]) == ("2048", "512")
    assert completion.failure is Cause.CONTEXT_OVERFLOW


def test_a_context_is_never_longer_than_the_model_declares(tiny_model: Path) -> None:
    with TransformersEngine(spec_of(tiny_model, "transformers", max_model_len=10**6)) as engine:
        assert engine.info.context_length == 2048


def test_the_models_repository_has_no_say_in_how_it_is_sampled(
    tiny_model: Path, tmp_path: Path, transformers_engine: EngineProcess
) -> None:
    opinionated = shutil.copytree(tiny_model, tmp_path / "opinionated")
    config = json.loads((opinionated / "generation_config.json").read_text())
    wishes = {"do_sample": True, "repetition_penalty": 9.0, "max_new_tokens": 2, "temperature": 2.0}
    (opinionated / "generation_config.json").write_text(json.dumps({**config, **wishes}))

    with EngineProcess(spec_of(opinionated, "transformers"), tmp_path / "log") as engine:
        texts = [item.text for item in engine.generate(questions(2), GREEDY)]

    assert texts == [item.text for item in transformers_engine.generate(questions(2), GREEDY)]


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
    flags = dict(info.flags)
    assert {"batch_invariant", "prefix_caching"} <= flags.keys()
    assert (flags["adapter"], flags["block_size"]) == ("none", "32")
    assert int(flags["kv_cache_tokens"]) == info.kv_cache_tokens
    assert info.kv_cache_tokens is not None
    assert info.kv_cache_tokens >= info.context_length
    assert len(info.chat_template_hash) == 64
    assert info.context_length == 2048


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
def test_prompt_tokens_are_counted_as_they_are_asked(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    asked = [*questions(2, f"counted-{name}"), Request("short", "short", (Message("user", "x"),))]

    prompts = {item.key: item.prompt_tokens for item in engine.generate(asked, GREEDY)}

    assert engine.count_tokens([item.messages for item in asked]) == [prompts[item.key] for item in asked]
    assert engine.count_tokens([]) == []


def test_a_window_that_has_moved_on_is_not_mistaken_for_a_cache_of_everything(tmp_path: Path) -> None:
    windowed = spec_of(make_tiny_model(tmp_path / "windowed", context=2048, window=64), "transformers")
    first, second = questions(2, "windowed")
    with TransformersEngine(windowed) as engine, TransformersEngine(windowed) as other:
        after = list(engine.generate([first, second], GREEDY))[1]
        (alone,) = other.generate([second], GREEDY)

    assert after.prompt_tokens > 64
    assert after.text == alone.text


def test_an_engine_tells_its_highest_memory(vllm_engine: EngineProcess) -> None:
    list(vllm_engine.generate(questions(1, "memory"), GREEDY))

    assert 100 < vllm_engine.peak_rss_mb() < 6000
