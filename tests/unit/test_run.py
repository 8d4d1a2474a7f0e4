"""Asking and judging one user after the other, over the shipped demo set and an engine that says what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from evaluator.engines.base import Completion, EngineInfo, Request, Sampling
from evaluator.errors import Cause
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.prompts import builtin_pack
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import score
from evaluator.hicupid.selection import UserItems, select_questions, select_users
from evaluator.judges.spec import load_judge
from evaluator.models import PinnedModel
from evaluator.protocol import load_protocol
from evaluator.records import Outcome, SlotOrder
from evaluator.run import RunSetup, generate, items, judge
from tests.builders import TERMS

INFO = EngineInfo(
    engine="scripted",
    version="1",
    dtype="float32",
    flags=(),
    hardware="cpu",
    context_length=32768,
    chat_template_hash="t" * 64,
    chat_template_arguments=(),
    load_seconds=0.0,
)


class ScriptedEngine:
    """Answers each request with what a function returns for it; None is a prompt that is too long."""

    info = INFO

    def __init__(self, say: Callable[[Request], str | None]) -> None:
        self.say = say
        self.asked: list[Request] = []

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[Completion]:
        for request in reversed(requests):  # Completions come in any order.
            self.asked.append(request)
            text = self.say(request)
            yield Completion(
                key=request.key,
                text=text,
                failure=Cause.CONTEXT_OVERFLOW if text is None else None,
                prompt_hash="p" * 64,
                prompt_tokens=10,
                cached_tokens=0,
                shared_tokens=0,
                output_tokens=3,
                finish_reason="error" if text is None else "stop",
                seconds=0.01,
            )

    def peak_rss_mb(self) -> float:
        return 1.0

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> ScriptedEngine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunSetup]:
    """A run of `org/model` on the demo protocol."""
    import datasets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield RunSetup(
            model=PinnedModel("org/model", "a" * 40),
            data=HicupidData.open(str(demo_set())),
            protocol=load_protocol("demo-v1"),
            pack=builtin_pack(),
            judge=load_judge("demo"),
            judge_revision="r1",
            terms=TERMS,
        )


@pytest.fixture
def user(setup: RunSetup) -> UserItems:
    return next(select_users(setup.data, setup.protocol))


def judging(request: Request) -> str:
    """A judge that finds the answer no better than gold, and every warning good enough."""
    return "Satisfaction: YES" if request.group == "judge/schedule" else "Better Response: Tie"


def hello(request: Request) -> str:
    return f"  Answer to {request.key}.\n"


def test_a_protocol_asks_so_many_users_a_split_and_so_many_questions_a_type(setup):
    asked = list(items(setup))
    assert len({(item.split, item.user_id) for item in asked}) == 4
    by_type = {type_: sum(1 for item in asked if item.type is type_) for type_ in QuestionType}
    assert by_type == {QuestionType.PERSONA: 12, QuestionType.PROFILE: 4, QuestionType.SCHEDULE: 8}


def test_every_question_of_a_user_is_asked_after_the_same_history(setup, user):
    engine = ScriptedEngine(hello)
    rows = list(generate(setup, user, engine, done=()))
    questions = select_questions(setup.data, setup.protocol, user)
    assert {row.key.question_id for row in rows} == {question.question_id for question in questions}
    assert {request.messages[:-1] for request in engine.asked} == {engine.asked[0].messages[:-1]}
    assert {request.group for request in engine.asked} == {f"{user.split}/{user.user_id}"}
    assert len(engine.asked[0].messages) > 40


def test_an_answer_is_kept_without_the_space_around_it_and_under_all_its_conditions(setup, user):
    row = next(generate(setup, user, ScriptedEngine(hello), done=()))
    assert row.answer == f"Answer to {row.key.question_id}."
    key = row.key
    assert (key.model, key.model_sha, key.protocol, key.data_sha) == ("org/model", "a" * 40, "demo-v1", setup.data.sha)
    assert (key.engine, key.chat_template_hash, key.prompt_pack) == ("scripted", "t" * 64, setup.pack.inference_id)


def test_what_is_done_is_not_asked_again(setup, user):
    done = {row.input_key for row in generate(setup, user, ScriptedEngine(hello), done=())}
    one = done.pop()
    engine = ScriptedEngine(hello)
    assert [row.input_key for row in generate(setup, user, engine, done)] == [one]
    assert list(generate(setup, user, engine, {*done, one})) == []
    assert len(engine.asked) == 1


def test_a_question_that_does_not_fit_is_a_row_with_its_cause_and_stops_no_other(setup, user):
    too_long = select_questions(setup.data, setup.protocol, user)[0].question_id
    engine = ScriptedEngine(lambda request: None if request.key == too_long else "Fine.")
    rows = {row.key.question_id: row for row in generate(setup, user, engine, done=())}
    assert rows.pop(too_long).failure is Cause.CONTEXT_OVERFLOW
    assert {row.answer for row in rows.values()} == {"Fine."}


def answers(setup: RunSetup, user: UserItems, say: Callable[[Request], Any] = hello) -> list:
    return list(generate(setup, user, ScriptedEngine(say), done=()))


def test_every_answer_is_judged_in_every_order(setup, user):
    verdicts = list(judge(setup, user, answers(setup, user), ScriptedEngine(judging), done=()))
    asked = {
        (item.question_id, order)
        for item in items(setup)
        if (item.split, item.user_id) == user
        for order in item.orders
    }
    assert {(row.key.question_id, row.key.slot_order) for row in verdicts} == asked
    assert {row.outcome for row in verdicts} == {Outcome.TIE, Outcome.SATISFIED}


def test_a_judge_that_always_says_a_wins_in_one_order_and_loses_in_the_other(setup, user):
    engine = ScriptedEngine(lambda _: "Better Response: A")
    by_order: dict[SlotOrder, set] = {}
    for row in judge(setup, user, answers(setup, user), engine, done=()):
        by_order.setdefault(row.key.slot_order, set()).add(row.outcome)
    assert by_order == {
        SlotOrder.ANSWER_FIRST: {Outcome.WIN},
        SlotOrder.GOLD_FIRST: {Outcome.LOSS},
        SlotOrder.SINGLE: {None},
    }


def test_what_is_judged_is_not_judged_again(setup, user):
    generations = answers(setup, user)
    done = {row.verdict_key for row in judge(setup, user, generations, ScriptedEngine(judging), done=())}
    engine = ScriptedEngine(judging)
    assert list(judge(setup, user, generations, engine, done)) == []
    assert engine.asked == []


def test_equal_answers_to_a_question_are_judged_once_whoever_gave_them(setup, user):
    other = setup._replace(model=PinnedModel("org/other", "b" * 40))
    twice = [*answers(setup, user), *answers(other, user)]
    engine = ScriptedEngine(judging)
    once = list(judge(setup, user, answers(setup, user), ScriptedEngine(judging), done=()))
    assert len(list(judge(setup, user, twice, engine, done=()))) == len(once)


def test_an_item_without_an_answer_is_not_judged(setup, user):
    engine = ScriptedEngine(judging)
    assert list(judge(setup, user, answers(setup, user, lambda _: None), engine, done=())) == []
    assert engine.asked == []


def test_a_judge_without_a_word_leaves_a_row_with_a_missing_verdict(setup, user):
    engine = ScriptedEngine(lambda request: None if request.group == "judge/schedule" else "Hard to say.")
    rows = list(judge(setup, user, answers(setup, user), engine, done=()))
    assert {row.outcome for row in rows} == {row.word for row in rows} == {None}
    assert {row.completion for row in rows} == {"", "Hard to say."}


def test_a_whole_run_of_answers_as_good_as_gold_scores_fifty(setup):
    generations, verdicts = [], []
    for user in select_users(setup.data, setup.protocol):
        generations += (fresh := answers(setup, user))
        verdicts += judge(setup, user, fresh, ScriptedEngine(judging), done=())
    result = score(items(setup), generations, verdicts)
    assert (result.total.value, result.missing, result.generations) == (50, 0, 24)
    assert result.position_consistency.value == 100
