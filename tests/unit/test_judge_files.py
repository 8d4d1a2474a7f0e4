"""A judge's file says where it runs, in which orders it is asked and how it is read; a folder may hold further ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import JudgedItem
from evaluator.human.judged.items import comparison_items, uplift_items
from evaluator.judges.canaries import Canary, CanaryVerdict, canary_figures
from evaluator.judges.parse import PARSERS
from evaluator.judges.prompt import slot_orders
from evaluator.judges.rater import load_rater, orders_of
from evaluator.judges.spec import SLOTS, JudgeSpec, judge_ids, load_judge
from evaluator.protocol import load_protocol
from evaluator.records import Outcome, SlotOrder
from tests.builders import BOTH_ORDERS, SCHEDULE, make_generation, make_item, make_question
from tests.human.written import demo_data

DEMO = load_judge("demo")
ONE_ORDER = load_protocol("demo-v1").model_copy(update={"orders": "one"})


def written(folder: Path, name: str, **changes: Any) -> Path:
    """Writes a judge's directory as somebody would who copies the one of the demo judge."""
    (folder / name).mkdir(parents=True)
    told = DEMO.model_dump(mode="json") | {"id": name} | changes
    (folder / name / "judge.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return folder


def changed(judge_id: str, **changes: Any) -> JudgeSpec:
    return JudgeSpec.model_validate(load_judge(judge_id).model_dump() | changes)


@pytest.mark.parametrize("field", ["engine", "orders", "parser"])
@pytest.mark.parametrize("judge_id", judge_ids())
def test_nothing_of_these_is_left_to_the_code(judge_id, field):
    told = load_judge(judge_id).model_dump()
    del told[field]
    with pytest.raises(ValidationError, match=field):
        JudgeSpec.model_validate(told)


@pytest.mark.parametrize(
    ("judge_id", "changes", "fault"),
    [
        ("demo", {"orders": "drawn"}, "asked in orders both or answer_first or gold_first, not drawn"),
        ("demo-rating", {"orders": "both"}, "asked in orders drawn"),
        ("demo-verifier", {"orders": "both"}, "asked in orders single, not both"),
        ("demo", {"orders": "sideways"}, "orders"),
        ("demo", {"parser": "word-v1"}, "parser word-v1 does not read judges of kind pairwise"),
        ("demo-verifier", {"parser": "hicupid-v1"}, "parser hicupid-v1 does not read judges of kind verifier"),
        ("demo", {"parser": "hicupid-v0"}, "parser"),
        ("demo", {"engine": "vllm"}, "engine"),
        ("hicupid-llama-3.2-3b", {"orders": "answer_first"}, "an official judge that compares is asked in both orders"),
        ("openai-compatible", {"model": "gpt-x"}, "gpt-x is on no Hub, so its revision must be said"),
    ],
)
def test_what_does_not_fit_a_judge_is_refused(judge_id, changes, fault):
    with pytest.raises(ValidationError, match=fault):
        changed(judge_id, **changes)


def test_a_hosted_model_is_a_judge_once_its_state_has_a_name():
    assert changed("openai-compatible", model="gpt-x", revision="2026-01-01").revision == "2026-01-01"


def test_a_change_of_any_of_these_is_another_judge():
    hosted = {"engine": "server"}
    for judge_id, other in (
        ("demo", {"orders": "answer_first"}),
        ("demo", hosted),
        ("demo-rating", {"orders": "gold_first"}),
    ):
        assert changed(judge_id, **other).digest() != load_judge(judge_id).digest()
    assert changed("demo", engine="server").digest() != changed("demo", orders="gold_first").digest()


def test_the_parser_that_a_file_names_is_the_one_that_reads(monkeypatch):
    monkeypatch.setattr(
        "evaluator.judges.spec.PARSERS", {"hicupid-v1": PARSERS["hicupid-v1"]._replace(read=lambda *_: "B")}
    )
    assert DEMO.read("Better Response: A") == "B"
    assert load_judge("demo-verifier").line().words == ("accepted", "uncertain", "rejected")


@pytest.mark.parametrize(("orders", "slot"), [("answer_first", 0), ("gold_first", 1)])
def test_a_judge_of_one_order_is_asked_in_it_whatever_the_protocol_draws(orders, slot):
    for number in range(20):
        question = make_question(f"test_1/{number}")
        for protocol in (load_protocol("demo-v1"), ONE_ORDER):
            assert slot_orders(question, protocol, orders) == (BOTH_ORDERS[slot],)
    assert slot_orders(make_question(type_=SCHEDULE), ONE_ORDER, orders) == (SlotOrder.SINGLE,)


def test_pairs_of_people_are_asked_in_the_judges_orders_too():
    def orders(found):
        return {item.orders for item in found if item.orders}

    data = demo_data()
    assert orders(comparison_items(data, None)) == {BOTH_ORDERS}
    assert orders(comparison_items(data, None, "gold_first")) == {(SlotOrder.GOLD_FIRST,)}
    drawn = {order for found in orders(uplift_items(data, 42, None)) for order in found}
    fixed = {order for found in orders(uplift_items(data, 42, None, "answer_first")) for order in found}
    assert (drawn, fixed) == (set(BOTH_ORDERS), {SlotOrder.ANSWER_FIRST})


@pytest.mark.parametrize("orders", ["both", "answer_first"])
def test_of_one_order_there_is_no_consistency_not_a_perfect_one(orders):
    slots = SLOTS[orders]
    entries = []
    for number in range(20):
        item = make_item(f"test_2/{number}", user_id=number, orders=slots)
        entries.append((item, (Outcome.LOSS,) * len(slots)))

    judged = {Canary.NEGATED: [JudgedItem(item, make_generation(), said, ()) for item, said in entries]}
    (last,) = [figure for figure in canary_figures(judged) if figure.figure == "consistency"]
    if orders == "both":
        assert (last.rate.value, last.verdict) == (100, CanaryVerdict.WITHIN)
    else:
        assert (last.rate.value, last.rate.items, last.verdict) == (None, 0, CanaryVerdict.UNREAD)


def test_a_judge_of_a_folder_stands_beside_those_that_ship(tmp_path):
    folder = written(tmp_path, "mine", engine="server", patterns=None)
    assert set(judge_ids(folder)) - set(judge_ids()) == {"mine"}
    assert load_judge("mine", folder).engine == "server"
    assert load_judge("demo", folder) is load_judge("demo")
    assert orders_of(load_rater("mine", folder)) == "both"
    with pytest.raises(RapportError, match="no judge 'mine'"):
        load_judge("mine")


def test_a_file_that_changes_is_read_anew(tmp_path):
    before = load_judge("mine", written(tmp_path, "mine"))
    (tmp_path / "mine" / "judge.yaml").write_text(yaml.safe_dump(before.model_dump(mode="json") | {"title": "Other."}))
    assert load_judge("mine", tmp_path).digest() != before.digest()


@pytest.mark.parametrize("name", ["demo", "people"])
def test_no_judge_takes_the_name_of_one_that_ships(tmp_path, name):
    folder = written(tmp_path, name)
    for call in (judge_ids, lambda outside: load_judge("hicupid-llama-3.2-3b", outside)):
        with pytest.raises(RapportError, match=f"a judge {name}, which is the name of one that ships") as refused:
            call(folder)
        assert refused.value.cause is Cause.DATA_ERROR


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RapportError, match="is not there"):
        judge_ids(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id: [", "is broken"),
        ("just words", "is broken"),
        (yaml.safe_dump(DEMO.model_dump(mode="json")), "it calls itself demo"),
        (yaml.safe_dump(DEMO.model_dump(mode="json") | {"orders": "single"}), "asked in orders"),
        ("\x00", "is broken"),
    ],
)
def test_a_broken_file_is_told_by_its_fault(tmp_path, text, fault):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "judge.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RapportError, match=fault) as refused:
        load_judge("mine", tmp_path)
    assert refused.value.cause is Cause.DATA_ERROR
