"""Scorecards in the schema of Every Eval Ever, checked against the schema as it was published."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol
from evaluator.results import Gap, Interval
from leaderboard.exports.entry import Entry
from leaderboard.exports.every_eval_ever import SCHEMA_VERSION, eee_log, encode_eee
from tests.builders import make_declaration
from tests.exports.entries import EDITION, HUB_DATA, make_card, make_entry

SCHEMA_FILE = Path(__file__).parent / "schemas" / f"every_eval_ever-{SCHEMA_VERSION}.schema.json"
SCHEMA = json.loads(SCHEMA_FILE.read_bytes())
CARDS = {
    "on the Hub": make_card(**HUB_DATA),
    "demo": make_card("local/model", judge_status="demo", unranked_because=("demo judge",)),
    "a reference": make_card("reference/gold", engine="reference"),
    "without a Total": make_card(total=None),
    "with an adapter": make_card(adapter="org/lora", adapter_revision="b" * 40, **HUB_DATA),
    "hostile": make_card('org/"}<script>\n', submitter="mallory\u2028", hardware="\x00"),
    "of a protocol and judge nobody ships": make_card(protocol="gone-v1", judge="gone", run_id="s-20260301-1.gone-v1"),
    "of the present demo": make_card(
        protocol_config=load_protocol("demo-v1").digest(), judge_config=load_judge("demo").digest()
    ),
}


def logged(entry: Entry) -> dict[str, Any]:
    """Returns what a file holds, read without a number that JSON does not have."""
    return json.loads(encode_eee(entry, EDITION), parse_constant=pytest.fail)


def by_id(log: dict[str, Any]) -> dict[str, Any]:
    return {each["evaluation_result_id"].partition("#")[2]: each for each in log["evaluation_results"]}


def test_the_schema_is_the_published_one_of_the_version_that_files_name() -> None:
    assert SCHEMA["version"] == SCHEMA_VERSION
    sha = hashlib.sha256(SCHEMA_FILE.read_bytes()).hexdigest()
    assert sha == "c9c6195aec8a9dfa0b2aba4924ac1aa8a184c9d8ca97cee778cb531088e39b48"
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_every_scorecard_follows_the_schema(card) -> None:
    log = logged(make_entry(card))
    jsonschema.Draft7Validator(SCHEMA).validate(log)
    assert log["schema_version"] == SCHEMA_VERSION
    assert log["model_info"]["id"] == card.model
    assert log["retrieved_timestamp"].isdigit()


def test_a_file_that_breaks_the_schema_is_found_out() -> None:
    log = eee_log(make_entry(), EDITION)
    log["evaluation_results"][0]["score_details"]["score"] = "48"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(log)


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_every_score_is_a_number_within_its_bounds_and_every_name_is_used_once(card) -> None:
    log = logged(make_entry(card))
    for each in log["evaluation_results"]:
        metric, score = each["metric_config"], each["score_details"]["score"]
        assert math.isfinite(score)
        assert metric["min_score"] <= score <= metric["max_score"]
    assert len(by_id(log)) == len(log["evaluation_results"])


def test_the_total_has_its_interval_its_coverage_and_its_worst_case() -> None:
    total = by_id(logged(make_entry()))["total"]
    details = total["score_details"]
    assert details["score"] == 48.25
    interval = details["uncertainty"]["confidence_interval"]
    assert (interval["lower"], interval["upper"], interval["confidence_level"]) == (45.25, 51.25, 0.95)
    assert "12 users" in interval["method"]
    assert details["uncertainty"]["num_samples"] == 3
    assert details["details"]["judged"] == "3 of 3 items"
    assert details["details"]["worst_case"] == "48.25"
    assert (total["metric_config"]["max_score"], total["metric_config"]["metric_unit"]) == (87.5, "points")


def test_a_figure_without_an_interval_says_so() -> None:
    details = by_id(logged(make_entry()))["schedule"]["score_details"]
    assert details["details"]["interval"] == "missing: fewer than ten users"
    assert "confidence_interval" not in details["uncertainty"]


def test_a_figure_without_a_value_is_named_as_missing_and_is_no_result() -> None:
    log = logged(make_entry(make_card(total=None)))
    assert "total" not in by_id(log)
    missing = json.loads(log["source_metadata"]["additional_details"]["missing_results"])
    assert missing["total"] == "3 of 3 items"


def test_why_a_result_does_not_rank_travels_along() -> None:
    told = logged(make_entry(CARDS["demo"]))["source_metadata"]["additional_details"]
    assert json.loads(told["unranked_because"]) == ["demo judge"]
    assert told["standing"] == "not ranked: demo judge"


def test_losses_are_better_when_lower_and_ties_stand_beside_the_score() -> None:
    results = by_id(logged(make_entry()))
    assert results["persona_loss"]["metric_config"]["lower_is_better"] is True
    assert results["persona_win"]["metric_config"]["lower_is_better"] is False
    tie = json.loads(results["persona_score"]["score_details"]["details"]["tie"])
    assert (tie["value"], tie["judged"], tie["items"]) == (50.0, 1, 1)


def test_a_gap_may_be_negative_and_names_both_sides() -> None:
    entry = make_entry()
    gap = Gap(
        value=-4.5, interval=Interval(low=-6, high=-3, users=20), judged=(30, 40), users=20, between=("one", "other")
    )
    desiderata = entry.row.desiderata.model_copy(update={"generalisation": gap})
    log = logged(entry._replace(row=entry.row.model_copy(update={"desiderata": desiderata})))
    jsonschema.Draft7Validator(SCHEMA).validate(log)
    found = by_id(log)["generalisation"]
    assert found["score_details"]["score"] == -4.5
    assert found["metric_config"]["min_score"] == -87.5
    assert found["score_details"]["details"]["first_judged"] == "30"
    assert found["score_details"]["details"]["second"] == "other"
    assert found["score_details"]["details"]["judged"] == "70 items on both sides"


def test_the_judge_is_named_as_a_model_only_while_its_configuration_is_the_same() -> None:
    def judge_of(card):
        (judge,) = by_id(logged(make_entry(card)))["total"]["metric_config"]["llm_scoring"]["judges"]
        return judge

    present = judge_of(CARDS["of the present demo"])
    assert present["model_info"]["id"] == load_judge("demo").model
    assert present["temperature"] == 0.0
    other = judge_of(CARDS["on the Hub"])
    assert other["model_info"]["id"] == "demo"
    assert "temperature" not in other


def test_sampling_is_told_only_of_the_protocol_that_was_run() -> None:
    present = by_id(logged(make_entry(CARDS["of the present demo"])))["total"]["generation_config"]
    assert present["generation_args"] == {"temperature": 0.0, "top_p": 1.0, "max_tokens": 48, "reasoning": False}
    assert "generation_config" not in by_id(logged(make_entry(CARDS["on the Hub"])))["total"]


def test_only_what_is_on_the_hub_is_called_so() -> None:
    on_hub, demo = (logged(make_entry(CARDS[name])) for name in ("on the Hub", "demo"))
    assert on_hub["model_info"]["additional_details"]["model_availability"] == "open_weights"
    assert by_id(on_hub)["total"]["source_data"]["hf_repo"] == "12kimih/HiCUPID"
    assert demo["model_info"]["additional_details"]["model_availability"] == "unknown"
    assert by_id(demo)["total"]["source_data"]["source_type"] == "other"


def test_equal_scorecards_give_equal_bytes_and_other_ones_do_not() -> None:
    assert encode_eee(make_entry(), EDITION) == encode_eee(make_entry(), EDITION)
    thinking = make_card(declaration=make_declaration(thinking=True), **HUB_DATA)
    other = make_entry(thinking.model_copy(update={"protocol_config": load_protocol("demo-v1").digest()}))
    assert by_id(logged(other))["total"]["generation_config"]["generation_args"]["reasoning"] is True
