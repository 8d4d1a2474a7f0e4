"""Protocols and judges are files; whatever ships loads, and a forced verdict always fits."""

import hashlib
from collections import Counter
from importlib.resources import files
from re import _parser as parser  # The only place that tells how long a match can be.

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.judges.parse import BETTER_RESPONSE, SATISFACTION, parse_word
from evaluator.judges.prompt import slot_orders
from evaluator.judges.spec import load_judge
from evaluator.protocol import PEOPLE, load_protocol, protocol_ids
from evaluator.records import SlotOrder
from tests.builders import BOTH_ORDERS, PERSONA, PROFILE, SCHEDULE, make_question

JUDGES = sorted(entry.name for entry in (files("evaluator") / "judges" / "configs").iterdir() if entry.is_dir())
FORCED = [judge for judge in JUDGES if load_judge(judge).sampling_for(PERSONA).pattern]
"""The others write freely."""
ONE_ORDER = load_protocol("demo-v1").model_copy(update={"orders": "one"})


def test_every_shipped_protocol_loads_under_its_own_name_with_a_judge_that_is_there():
    protocols = {name: load_protocol(name) for name in protocol_ids()}
    assert {name: protocol.id for name, protocol in protocols.items()} == {name: name for name in protocols}
    assert {protocol.judge for protocol in protocols.values()} <= {*JUDGES, PEOPLE}


def test_the_demo_protocol_never_ranks():
    assert not load_protocol("demo-v1").official


@pytest.mark.parametrize("load", [load_protocol, load_judge])
@pytest.mark.parametrize("name", ["nosuch", "", "../demo-v1", "demo-v1.yaml"])
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(load, name):
    with pytest.raises(RapportError, match=r"Choose one of: .*\bdemo\b") as caught:
        load(name)
    assert caught.value.cause is Cause.NOT_FOUND


@pytest.mark.parametrize("judge", JUDGES)
def test_every_shipped_judge_loads_under_its_own_name(judge):
    assert load_judge(judge).id == judge


@pytest.mark.parametrize("type_", QuestionType)
@pytest.mark.parametrize("judge", FORCED)
def test_a_forced_verdict_always_fits_into_the_tokens_that_the_judge_may_write(judge, type_):
    sampling = load_judge(judge).sampling_for(type_)
    _, longest = parser.parse(sampling.pattern).getwidth()
    assert longest <= sampling.max_tokens, "a token may hold a single character"


@given(st.data())
@pytest.mark.parametrize(("type_", "line"), [(PERSONA, BETTER_RESPONSE), (SCHEDULE, SATISFACTION)])
@pytest.mark.parametrize("judge", FORCED)
def test_whatever_a_judge_is_forced_to_write_holds_a_verdict(judge, type_, line, data):
    sampling = load_judge(judge).sampling_for(type_)
    assert parse_word(data.draw(st.from_regex(sampling.pattern, fullmatch=True)), line) in line.words


@pytest.mark.parametrize(
    ("type_", "line"), [(PERSONA, BETTER_RESPONSE), (PROFILE, BETTER_RESPONSE), (SCHEDULE, SATISFACTION)]
)
def test_a_judge_watches_the_words_of_its_verdict(type_, line):
    assert load_judge("demo").sampling_for(type_).watch == line.words


def test_the_name_of_a_decoding_changes_with_anything_that_decides_verdicts():
    judge = load_judge("demo")
    warmer = judge.model_copy(update={"sampling": judge.sampling.model_copy(update={"temperature": 0.1})})
    free = judge.model_copy(update={"patterns": None})
    retitled = judge.model_copy(update={"title": "Another title"})
    assert len({spec.decoding(PERSONA) for spec in (judge, warmer, free)}) == 3
    assert retitled.decoding(PERSONA) == judge.decoding(PERSONA)
    assert judge.decoding(PERSONA) == judge.decoding(PROFILE) != judge.decoding(SCHEDULE)


@pytest.mark.parametrize("orders", ["both", "one"])
def test_there_is_nothing_to_order_in_a_schedule_question(orders):
    protocol = ONE_ORDER.model_copy(update={"orders": orders})
    assert slot_orders(make_question(type_=SCHEDULE), protocol) == (SlotOrder.SINGLE,)


@pytest.mark.parametrize("type_", [PERSONA, PROFILE])
def test_a_pair_is_judged_in_both_orders_where_the_protocol_says_so(type_):
    assert slot_orders(make_question(type_=type_), load_protocol("demo-v1")) == BOTH_ORDERS


def test_the_draw_of_one_order_depends_on_question_id_and_seed_alone():
    drawn = slot_orders(make_question("test_1/7"), ONE_ORDER)
    elsewhere = make_question("test_1/7", PROFILE, user_id=99, question="Else?", gold="Else.", evidence=())
    renamed = ONE_ORDER.model_copy(update={"id": "other", "splits": ("test_2",), "limit": None})
    assert slot_orders(elsewhere, renamed) == drawn
    assert drawn == (BOTH_ORDERS[hashlib.sha256(b"42:test_1/7").digest()[0] % 2],)


def test_another_seed_draws_anew():
    sampling = ONE_ORDER.sampling.model_copy(update={"seed": 43})
    reseeded = ONE_ORDER.model_copy(update={"sampling": sampling})
    questions = [make_question(f"test_1/{number}") for number in range(200)]
    same = sum(slot_orders(question, ONE_ORDER) == slot_orders(question, reseeded) for question in questions)
    assert 60 < same < 140


def test_one_order_draws_are_roughly_balanced():
    draws = Counter(slot_orders(make_question(f"test_2/{number}"), ONE_ORDER) for number in range(1000))
    assert set(draws) == {(order,) for order in BOTH_ORDERS}
    assert all(450 < count < 550 for count in draws.values())
