"""Prompts that are decoded differently, handed to an engine in one call, are answered as each decoding by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from evaluator.engines.base import Completion, Engine, Message, Request, Sampling, Samplings
from evaluator.engines.process import EngineProcess
from evaluator.judge import Asked, Reading, ask_judge
from evaluator.records import Verdict
from tests.builders import TERMS, make_generation, make_input_key, make_verdict_key

NAMES = ["vllm_engine", "transformers_engine"]
RUBRIC = Message("system", "Say which of two answers is the better one, and why.")
DECODINGS = {
    "judge/better": Sampling(
        max_tokens=40, pattern=r"Because [a-z ]{3,9}\.\nBetter: (A|B|Tie)", watch=("A", "B", "Tie")
    ),
    "judge/enough": Sampling(max_tokens=20, pattern=r"[a-z]{3} (YES|NO)", watch=("YES", "NO")),
    "judge/prose": Sampling(max_tokens=8),
}


class GroupByGroup:
    """An engine that is asked for one decoding after the other."""

    def __init__(self, engine: Engine) -> None:
        self.info, self._engine = engine.info, engine

    def generate(
        self, requests: Sequence[Request], samplings: Samplings, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        assert isinstance(samplings, Mapping)
        assert samplings.keys() == {request.group for request in requests} == DECODINGS.keys()
        for group, sampling in samplings.items():
            yield from self._engine.generate([each for each in requests if each.group == group], sampling, seen)


def prompts() -> dict[str, Asked]:
    """Returns prompts of every group which nobody can read, so that each is asked twice: greedily, then drawn."""
    found = dict[str, Asked]()
    for group, sampling in DECODINGS.items():
        samplings = sampling, sampling.model_copy(update={"temperature": 1.0, "seed": 43})
        for place in range(3):
            key = make_verdict_key(make_generation(make_input_key(f"{group}/{place}")))
            words = RUBRIC, Message("user", f"Here are two answers, {'and more ' * place}so which one?")
            request = Request(key.digest(), group, words)
            found[request.key] = Asked(key, request, samplings, lambda _: Reading(None, None))
    return found


def said(asked: Mapping[str, Asked], engine: Any) -> dict[tuple[str, int], Verdict]:
    rows = list(ask_judge(asked, engine, (), TERMS))
    assert len(rows) == 2 * len(asked)
    return {(row.verdict_key, row.attempt): row for row in rows}


@pytest.mark.parametrize("name", NAMES)
def test_verdicts_of_one_call_are_those_of_a_call_for_each_decoding(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    asked = prompts()

    together, apart = said(asked, engine), said(asked, GroupByGroup(engine))

    assert together.keys() == apart.keys()
    for key, row in together.items():
        other = apart[key]
        assert (row.completion, row.output_tokens, row.prompt_hash) == (
            other.completion,
            other.output_tokens,
            other.prompt_hash,
        )
        # Sums of another batch are rounded otherwise, in the last digits that are told.
        assert dict(row.word_probabilities) == pytest.approx(dict(other.word_probabilities), abs=2e-6)
    for (name, _), row in together.items():
        sampling = DECODINGS[asked[name].request.group]
        assert sampling.pattern is None or re.fullmatch(sampling.pattern, row.completion)
        assert {word for word, _ in row.word_probabilities} <= set(sampling.watch)
        assert bool(row.word_probabilities) == bool(sampling.watch)
    drawn = [(together[each, 1].completion, together[each, 2].completion) for each in asked]
    assert any(first != second for first, second in drawn), "the second attempt is drawn"


@pytest.mark.parametrize("name", NAMES)
def test_each_group_has_its_own_limit_seed_and_pattern_in_one_call(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    words = Message("user", "Say something.")
    samplings = {
        "brief": Sampling(max_tokens=2),
        "drawn": Sampling(max_tokens=16, temperature=1.0, seed=7),
        "forced": Sampling(max_tokens=8, pattern="(YES|NO)", watch=("YES", "NO")),
    }
    requests = [Request(f"{group}-{place}", group, (words,)) for group in samplings for place in range(2)]

    done = {item.key: item for item in engine.generate(requests, samplings)}

    assert done.keys() == {each.key for each in requests}
    assert {item.output_tokens for key, item in done.items() if key.startswith("brief")} <= {1, 2}
    assert {item.text for key, item in done.items() if key.startswith("forced")} <= {"YES", "NO"}
    assert [key for key, item in sorted(done.items()) if item.word_probabilities] == ["forced-0", "forced-1"]
    assert done["drawn-0"].text != done["drawn-1"].text
    assert max(item.output_tokens for item in done.values()) == 16
    (alone,) = engine.generate(requests[2:3], samplings["drawn"])
    assert alone.text == done["drawn-0"].text


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_overflows_by_the_limit_of_its_own_group(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    words = (Message("user", "Say something."),)
    much = Sampling(max_tokens=engine.info.context_length - 2)
    asked = [Request("fits", "short", words), Request("full", "long", words)]

    done = {item.key: item for item in engine.generate(asked, {"short": Sampling(max_tokens=2), "long": much})}

    assert (done["fits"].failure, done["full"].failure) == (None, "context_overflow")
