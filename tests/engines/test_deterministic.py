"""The engine without a model: what it says follows from the prompt alone, and judges' patterns are kept."""

import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.engines.base import Engine, EngineSpec, Message, Request, Sampling
from evaluator.engines.child import Crashed
from evaluator.engines.deterministic import SPEED_FILE, DeterministicEngine, said_by_pattern
from evaluator.engines.process import EngineProcess
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.judges.parse import BETTER_RESPONSE, SATISFACTION, parse_word
from evaluator.judges.spec import load_judge

GREEDY = Sampling(max_tokens=48)


def spec(folder: Path, **changes: object) -> EngineSpec:
    return EngineSpec.model_validate({"engine": "deterministic", "model_path": str(folder), "dtype": "auto", **changes})


def request(key: str, text: str) -> Request:
    return Request(key, "user", (Message("user", text),))


def said(engine: Engine, requests: Sequence[Request], sampling: Sampling = GREEDY) -> dict[str, str | None]:
    return {row.key: row.text for row in engine.generate(requests, sampling)}


def test_the_same_prompt_is_answered_alike_whatever_was_asked_before_and_by_whichever_process(tmp_path: Path) -> None:
    first, second = request("a", "What do I like?"), request("b", "Where do I live?")
    together = said(DeterministicEngine(spec(tmp_path)), [first, second])

    assert together["a"] != together["b"]
    assert said(DeterministicEngine(spec(tmp_path)), [second, first]) == together
    with EngineProcess(spec(tmp_path), tmp_path / "log") as process:
        assert said(process, [second]) == {"b": together["b"]}
        assert process.info.engine == "deterministic"


def test_an_engine_that_ends_by_itself_is_told_apart_from_one_that_was_killed(tmp_path: Path) -> None:
    with EngineProcess(spec(tmp_path), tmp_path / "log") as process:
        os.kill(process._process.pid, signal.SIGSEGV)
        with pytest.raises(Crashed, match="ended unexpectedly") as death:
            said(process, [request("a", "What do I like?")])

    assert death.value.cause is Cause.INFRASTRUCTURE, "the first time it may be the machine's fault"


def test_another_model_answers_otherwise(tmp_path: Path) -> None:
    asked = [request("a", "What do I like?")]
    assert said(DeterministicEngine(spec(tmp_path / "one")), asked) != said(
        DeterministicEngine(spec(tmp_path / "other")), asked
    )


def test_a_drawn_answer_follows_from_the_seed_of_its_request(tmp_path: Path) -> None:
    engine, asked = DeterministicEngine(spec(tmp_path)), [request("a", "Hello")]
    drawn = [Sampling(max_tokens=48, temperature=0.3, seed=seed) for seed in range(8)]

    assert len({said(engine, asked, sampling)["a"] for sampling in drawn}) > 1
    assert said(engine, asked, drawn[0]) == said(engine, asked, drawn[0])


@pytest.mark.parametrize("type_", list(QuestionType))
def test_a_judge_with_patterns_gives_every_verdict(tmp_path: Path, type_: QuestionType) -> None:
    engine, line = DeterministicEngine(spec(tmp_path)), BETTER_RESPONSE
    if type_ is QuestionType.SCHEDULE:
        line = SATISFACTION
    sampling = load_judge("demo").sampling_for(type_)
    texts = said(engine, [request(str(number), f"Question {number}") for number in range(60)], sampling)

    assert sampling.pattern is not None
    assert all(re.fullmatch(sampling.pattern, text or "") for text in texts.values())
    assert {parse_word(text or "", line) for text in texts.values()} == set(line.words)


def test_a_prompt_that_does_not_fit_is_told_and_stops_no_other(tmp_path: Path) -> None:
    engine = DeterministicEngine(spec(tmp_path, max_model_len=60))
    rows = {row.key: row for row in engine.generate([request("long", "word " * 60), request("short", "word")], GREEDY)}

    assert (rows["long"].text, rows["long"].failure) == (None, Cause.CONTEXT_OVERFLOW)
    assert rows["short"].text


def test_what_prompts_share_is_counted_in_words(tmp_path: Path) -> None:
    engine = DeterministicEngine(spec(tmp_path))
    first, second = (request(end, f"one two three {end}") for end in ("four", "five"))

    assert [row.shared_tokens for row in engine.generate([first, second], GREEDY)] == [0, 4]
    assert [row.shared_tokens for row in engine.generate([second], GREEDY, seen=[first])] == [4]
    assert engine.count_tokens([first.messages]) == [5]


def test_a_broken_speed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / SPEED_FILE).write_text('{"load_seconds": -1}')
    with pytest.raises(RapportError, match=SPEED_FILE) as caught:
        DeterministicEngine(spec(tmp_path))
    assert caught.value.cause is Cause.LOAD_ERROR


@given(st.lists(st.integers(0, 10**6), min_size=200, max_size=200))
def test_whatever_is_chosen_a_pattern_is_matched(choices: list[int]) -> None:
    pattern = r"(Yes|No), [a-z' ]{3,9}\.\nEnd: ([A-C]|x{2}|y?)"
    row = iter(choices)
    assert re.fullmatch(pattern, said_by_pattern(pattern, lambda count: next(row) % count))


def test_a_pattern_of_other_parts_is_refused() -> None:
    with pytest.raises(RapportError, match="ASSERT"):
        said_by_pattern("(?=a)b", lambda count: 0)
