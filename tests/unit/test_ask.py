"""The one loop of workers and of `rapport evaluate`: what is known is not asked, what is owed is."""

from __future__ import annotations

import pytest

from evaluator.ask import KnownRows, ModelAnswers, StageClock, ask_users, owed
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.contexts import FullContexts
from evaluator.judge import MOST_ATTEMPTS
from evaluator.models import PinnedModel
from evaluator.records import Defect
from evaluator.references import ReferenceAnswers
from evaluator.setup import items, questions_of, users_of
from tests.builders import TIE, make_generation, make_verdict
from tests.scripted import ScriptedEngine, answers, hello, judging, users_in


class ListSink:
    """Keeps rows in lists."""

    def __init__(self) -> None:
        self.answers: list = []
        self.said: list = []

    def known_rows(self) -> KnownRows:
        return KnownRows({row.input_key: row for row in self.answers}, tuple(self.said))

    def generations(self, rows) -> list:
        fresh = list(rows)
        self.answers += fresh
        return fresh

    def verdicts(self, rows) -> None:
        self.said.extend(rows)


def run(setup, sink, model=None, judge=None, only=None) -> tuple[ScriptedEngine, ScriptedEngine]:
    """Asks everything; returns model and judge as they were left."""
    model, judge = model or ScriptedEngine(hello), judge or ScriptedEngine(judging)
    source = ModelAnswers(setup, model, FullContexts())
    ask_users(setup, only or items(setup), source, judge, sink, StageClock())
    return model, judge


def by_question(rows) -> dict:
    return {row.key.question_id: row for row in rows}


def test_everything_is_asked_and_judged_once(setup):
    sink = ListSink()
    run(setup, sink)
    asked = list(items(setup))
    assert sorted(by_question(sink.answers)) == sorted(item.question_id for item in asked)
    assert len(sink.answers) == len(asked)
    assert len({row.verdict_key for row in sink.said}) == len(sink.said) == sum(len(item.orders) for item in asked)
    assert owed(asked, by_question(sink.answers), sink.said) == []


def test_of_some_items_only_their_users_are_asked(setup, user):
    sink = ListSink()
    run(setup, sink, only=[item for item in items(setup) if (item.split, item.user_id) == user])
    assert set(by_question(sink.answers)) == {question.question_id for question in questions_of(setup, user)}


def test_a_wave_is_judged_before_the_next_one_is_asked(setup):
    order: list[str] = []

    def said(who: str, say):
        def saying(request):
            order.append(who)
            return say(request)

        return saying

    model = ScriptedEngine(said("model", hello), kv_cache_tokens=1)
    run(setup, ListSink(), model, ScriptedEngine(said("judge", judging)))
    turns = [who for place, who in enumerate(order) if place == 0 or order[place - 1] != who]
    assert turns == ["model", "judge"] * len(users_in(setup))


def test_what_is_known_is_neither_asked_nor_measured_again(setup):
    sink = ListSink()
    run(setup, sink)
    counted: list = []
    model = ScriptedEngine(hello)
    model.count_tokens = lambda conversations: counted.append(conversations) or [1]  # type: ignore[method-assign]
    model, judge = run(setup, sink, model)
    assert (model.asked, judge.asked, counted) == ([], [], [])


@pytest.mark.parametrize("lost", ["answers", "said"])
def test_what_was_lost_is_asked_again_and_nothing_else(setup, lost):
    sink = ListSink()
    run(setup, sink)
    rows = getattr(sink, lost)
    gone = rows.pop(len(rows) // 2)
    before = (list(sink.answers), list(sink.said))
    model, judge = run(setup, sink)
    assert len(model.asked) + len(judge.asked) == 1
    assert all(len(call.seen) == len(questions_of(setup, users_in(setup)[0])) - 1 for call in model.calls)
    assert getattr(sink, lost)[-1].key == gone.key
    assert (sink.answers[: len(before[0])], sink.said[: len(before[1])]) == before


def test_an_answer_under_other_conditions_does_not_count(setup):
    sink = ListSink()
    run(setup, sink)
    model, judge = run(setup, sink, ScriptedEngine(hello, dtype="bfloat16"))
    assert len(model.asked) == len(list(items(setup)))
    assert judge.asked == []


def test_a_verdict_under_other_conditions_does_not_count(setup):
    sink = ListSink()
    run(setup, sink)
    before = len(sink.said)
    model, judge = run(setup, sink, judge=ScriptedEngine(judging, dtype="bfloat16"))
    assert model.asked == []
    assert len(judge.asked) == len(sink.said) - before == before


def test_an_item_is_owed_until_its_verdict_in_every_order_is_settled(setup, user):
    first = next(item for item in items(setup) if len(item.orders) == 2)
    answer = by_question(answers(setup, [user]))[first.question_id]
    one, other = (make_verdict(answer, TIE, order) for order in first.orders)
    unread = make_verdict(answer, None, other.key.slot_order)
    on_another_answer = make_verdict(make_generation(answer.key, "Another."), TIE, other.key.slot_order)
    for verdicts in ([], [one], [one, unread], [one, on_another_answer]):
        assert owed([first], {first.question_id: answer}, verdicts) == [first]
    for last in (other, unread.model_copy(update={"attempt": MOST_ATTEMPTS})):
        assert owed([first], {first.question_id: answer}, [one, last]) == []


def test_an_answer_that_cannot_be_judged_owes_no_verdict(setup, user):
    first, second, third = list(items(setup))[:3]
    rows = by_question(answers(setup, [user]))
    rows[first.question_id] = rows[first.question_id].model_copy(update={"defect": Defect.EMPTY})
    failed = {"answer": None, "content_hash": None, "failure": Cause.CONTEXT_OVERFLOW}
    rows[second.question_id] = rows[second.question_id].model_copy(update=failed)
    assert owed([first, second, third], rows, ()) == [third]


def test_what_came_before_an_engine_died_has_reached_the_sink(setup):
    asked = 0

    def dying(request):
        nonlocal asked
        asked += 1
        if asked > 7:
            raise RapportError(Cause.OUT_OF_MEMORY, "Gone.", "Buy more.")
        return hello(request)

    class Keeping(ListSink):
        def generations(self, rows) -> list:
            for row in rows:
                self.answers.append(row)
            return self.answers

    sink = Keeping()
    with pytest.raises(RapportError, match="Gone"):
        run(setup, sink, ScriptedEngine(dying))
    assert len(sink.answers) == 7


@pytest.mark.parametrize(
    ("name", "said"),
    [("gold", lambda question: question.gold), ("general_answer", lambda question: question.general_answer)],
)
def test_references_answer_out_of_the_data_set_and_are_judged_like_a_model(setup, name, said):
    referring = setup._replace(model=PinnedModel(f"reference/{name}", "0" * 64))
    sink, judge = ListSink(), ScriptedEngine(judging)
    ask_users(referring, items(referring), ReferenceAnswers(referring), judge, sink, StageClock())
    texts = {question.question_id: said(question) for user in users_in(setup) for question in questions_of(setup, user)}
    assert {row.key.question_id: row.answer for row in sink.answers} == {
        name: text.strip() for name, text in texts.items()
    }
    assert len(sink.said) == sum(len(item.orders) for item in items(setup))
    assert {(row.key.engine, row.key.model, row.prompt_tokens) for row in sink.answers} == {
        ("reference", f"reference/{name}", 0)
    }


def test_no_answer_at_all_loses_without_a_judge(setup):
    referring = setup._replace(model=PinnedModel("reference/empty", "0" * 64))
    sink, judge = ListSink(), ScriptedEngine(judging)
    ask_users(referring, items(referring), ReferenceAnswers(referring), judge, sink, StageClock())
    assert {row.defect for row in sink.answers} == {Defect.EMPTY}
    assert judge.asked == []


def test_a_reference_that_is_known_is_not_written_again(setup):
    referring = setup._replace(model=PinnedModel("reference/gold", "0" * 64))
    everybody = users_of(items(referring))
    done = {row.input_key: row for row in ReferenceAnswers(referring).answers(everybody, {})}
    missing, _ = done.popitem()
    assert [row.input_key for row in ReferenceAnswers(referring).answers(everybody, done)] == [missing]


def test_the_clock_adds_up_what_each_stage_took(setup):
    clock = StageClock()
    ask_users(
        setup,
        items(setup),
        ModelAnswers(setup, ScriptedEngine(hello), FullContexts()),
        ScriptedEngine(judging),
        ListSink(),
        clock,
    )
    assert [name for name, _ in clock.stages()] == ["generate", "judge"]
