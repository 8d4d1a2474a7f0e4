"""A model that thinks has one budget for its thought and another for its answer, on both engines alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.engines.base import Message, Request, Sampling
from evaluator.engines.process import EngineProcess
from evaluator.engines.transformers import TransformersEngine
from evaluator.errors import Cause, RapportError
from tests.engines.conftest import SOMETIMES_THINKS, spec_of
from tests.tiny_model import MARKERS, OPENING_TEMPLATE, make_tiny_model

BUDGET = 24
THINKING = Sampling(max_tokens=12, thought_tokens=BUDGET)
DIRECT = Sampling(max_tokens=12)
NAMES = ["thinking_vllm", "thinking_transformers"]


def questions(group: str = "thinking") -> list[Request]:
    return [Request(f"q{place}", group, (Message("user", f"Question {place}?"),)) for place in range(6)]


def test_thoughts_and_answers_are_the_same_on_vllm_and_transformers(
    thinking_vllm: EngineProcess, thinking_transformers: EngineProcess
) -> None:
    def told(engine: EngineProcess) -> dict[str, tuple[object, ...]]:
        return {
            item.key: (item.thought, item.thought_tokens, item.text, item.output_tokens, item.finish_reason)
            for item in engine.generate(questions("same"), THINKING)
        }

    by_vllm = told(thinking_vllm)

    assert by_vllm == told(thinking_transformers)
    # Closed by the model, the same, none at all, none at all, left open at its end, cut off at its budget.
    assert [by_vllm[f"q{place}"][1] for place in range(6)] == [21, 7, 0, 0, 6, BUDGET]
    assert {item[4] for item in by_vllm.values()} == {"stop", "length"}


@pytest.mark.parametrize("name", NAMES)
def test_thought_and_answer_have_budgets_of_their_own(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)

    completions = list(engine.generate(questions(f"budgets-{name}"), THINKING))

    assert max(item.output_tokens for item in completions) == 12
    assert max(item.thought_tokens for item in completions) == BUDGET
    for item in completions:
        assert (item.thought is None) == (item.thought_tokens == 0)
        assert item.cached_tokens is not None
        assert 0 <= item.cached_tokens <= item.prompt_tokens
        assert not any(marker in (item.thought or "") + (item.text or "") for marker in MARKERS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("budget", [4, 24])
def test_a_model_that_does_not_think_answers_as_without_a_budget(
    name: str, budget: int, request: pytest.FixtureRequest
) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    asked = [item for item in questions(f"plain-{name}-{budget}") if item.key in ("q2", "q3")]

    within = list(engine.generate(asked, THINKING.model_copy(update={"thought_tokens": budget})))
    alone = {item.key: item for item in engine.generate(asked, Sampling(max_tokens=12, thought_tokens=12))}

    assert {item.thought for item in within} == {None}
    assert {item.finish_reason for item in within} == {"stop", "length"}
    for item in within:
        assert (item.text, item.output_tokens) == (alone[item.key].text, alone[item.key].output_tokens)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_is_not_to_think_is_told_so_in_its_prompt(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    asked = questions()[:1]

    (direct,), (thinking,) = engine.generate(asked, DIRECT), engine.generate(asked, THINKING)

    assert direct.thought is None
    assert direct.prompt_tokens == thinking.prompt_tokens + len(["<think>", "\n", "\n", "</think>", "\n", "\n"])
    assert engine.count_tokens([asked[0].messages]) == [direct.prompt_tokens]


@pytest.mark.parametrize("name", NAMES)
def test_the_end_of_an_answer_can_be_ignored(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    asked = questions(f"endless-{name}")

    for sampling in (THINKING, DIRECT):
        endless = list(engine.generate(asked, sampling.model_copy(update={"ignore_end": True})))
        assert {(item.output_tokens, item.finish_reason) for item in endless} == {(12, "length")}
        assert "stop" in {item.finish_reason for item in engine.generate(asked, sampling)}


@pytest.mark.parametrize("name", NAMES)
def test_a_thought_counts_towards_the_context(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    (asked,) = questions()[:1]
    (completion,) = engine.generate([asked], THINKING)
    room = engine.info.context_length - completion.prompt_tokens - len(["</think>"])

    def fits(sampling: Sampling) -> bool:
        (item,) = engine.generate([asked], sampling)
        return item.failure is not Cause.CONTEXT_OVERFLOW

    assert fits(Sampling(max_tokens=1, thought_tokens=room - 1))
    assert not fits(Sampling(max_tokens=2, thought_tokens=room - 1))


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_that_the_template_refuses_says_so_and_leaves_the_engine_usable(
    name: str, request: pytest.FixtureRequest
) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    good = questions("refused")
    bad = Request("bad", "refused", (Message("user", "one"), Message("user", "two")))

    with pytest.raises(RapportError, match="Roles must alternate, as in user/assistant") as refusal:
        list(engine.generate([*good, bad], THINKING))
    with pytest.raises(RapportError, match="Roles must alternate"):
        engine.count_tokens([bad.messages])

    assert refusal.value.cause is Cause.LOAD_ERROR
    assert len(list(engine.generate(good, THINKING))) == len(good)


@pytest.mark.parametrize("name", NAMES)
def test_some_groups_of_a_call_may_think_and_others_not(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)
    thinking = questions("some")
    direct = [each._replace(key=f"direct-{each.key}", group="others") for each in thinking]
    apart = [*engine.generate(thinking, THINKING), *engine.generate(direct, DIRECT)]

    done = {item.key: item for item in engine.generate([*thinking, *direct], {"some": THINKING, "others": DIRECT})}

    assert {key: (item.thought, item.text) for key, item in done.items()} == {
        item.key: (item.thought, item.text) for item in apart
    }
    assert {key for key, item in done.items() if item.thought} < {each.key for each in thinking}
    assert any(item.thought for item in done.values())


@pytest.mark.parametrize("name", ["vllm_engine", "transformers_engine"])
def test_a_model_without_known_markers_cannot_be_told_to_think(name: str, request: pytest.FixtureRequest) -> None:
    engine: EngineProcess = request.getfixturevalue(name)

    with pytest.raises(RapportError, match="known marker") as refusal:
        list(engine.generate(questions(), THINKING))

    assert refusal.value.cause is Cause.LOAD_ERROR
    assert refusal.value.remedy
    assert len(list(engine.generate(questions(), DIRECT))) == 6


def test_a_thought_that_the_prompt_begins_is_read_like_one_that_the_model_begins(tmp_path: Path) -> None:
    opening = make_tiny_model(
        tmp_path / "opening",
        context=2048,
        chat_template=OPENING_TEMPLATE,
        words=MARKERS,
        instead={"</think>": SOMETIMES_THINKS["</think>"]},
    )
    with TransformersEngine(spec_of(opening, "transformers")) as engine:
        thinking = list(engine.generate(questions(), THINKING))
        direct = list(engine.generate(questions(), DIRECT))

    assert all(item.thought is not None and 0 < item.thought_tokens <= BUDGET for item in thinking)
    assert min(item.thought_tokens for item in thinking) < BUDGET
    # Told not to think, the thought is closed before it begins.
    assert {item.thought for item in direct} == {None}
    assert [item.prompt_tokens for item in direct] == [item.prompt_tokens + 1 for item in thinking]
