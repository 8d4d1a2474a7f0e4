"""The file for a model's repository, read by the library that reads such files on the Hub."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from huggingface_hub import parse_eval_result_entries
from huggingface_hub.constants import EVAL_RESULTS_FOLDER

from evaluator.errors import Cause, RapportError
from leaderboard.exports.entry import Edition
from leaderboard.exports.eval_results import encode_eval_results, why_not_offered
from tests.exports.entries import EDITION, HUB_DATA, make_card, make_entry

ALLOWED = {"dataset", "value", "verifyToken", "date", "source", "notes"}
REQUIRED = {"dataset", "value"}


def entries_of(card: Any = None, edition: Edition = EDITION) -> list[dict[str, Any]]:
    """Reads the file, and holds it to the rules that the Hub has published."""
    found = yaml.safe_load(encode_eval_results(make_entry(card), edition))
    for each in found:
        assert REQUIRED <= each.keys() <= ALLOWED
        assert each["dataset"].keys() <= {"id", "task_id", "revision"}
        assert isinstance(each["date"], str), "a date is quoted"
        assert isinstance(each["notes"], str)
        assert "source" not in each or each["source"]["url"].startswith("https://")
    return found


def test_the_library_reads_what_was_written() -> None:
    found = parse_eval_result_entries(entries_of())
    assert EVAL_RESULTS_FOLDER == ".eval_results"
    total = found[0]
    assert (total.dataset_id, total.dataset_revision) == ("12kimih/HiCUPID", "d" * 40)
    assert (total.task_id, total.value) == ("demo-v1_demo_total", 48.25)
    assert total.source_url == f"https://rapport.example/submission?id={make_entry().card.submission_id}"
    assert total.verify_token is None
    assert [entry.task_id.rpartition("_")[2] for entry in found] == ["total", "persona", "profile", "schedule"]


def test_notes_hold_interval_coverage_judge_and_standing() -> None:
    notes = entries_of(make_card(unranked_because=("built-in prompts",), **HUB_DATA))[0]["notes"]
    for part in (
        "points, 0 to 87.5",
        "95 % interval 45.25 to 51.25, 12 users",
        "3 of 3 items judged",
        "worst case 48.25",
        "judge demo at r1 (official)",
        f"model revision {'a' * 40}",
        "not ranked: built-in prompts",
    ):
        assert part in notes
    assert "no interval: fewer than ten users" in entries_of()[1]["notes"]


def test_what_is_missing_has_no_entry() -> None:
    names = [each["dataset"]["task_id"] for each in entries_of(make_card(total=None, **HUB_DATA))]
    assert "demo-v1_demo_total" not in names
    assert "demo-v1_demo_schedule" in names


def test_a_total_of_0_is_there() -> None:
    first = entries_of(make_card(total=0.0, **HUB_DATA))[0]
    assert first["value"] == 0.0
    assert "worst case 0.00" in first["notes"]


def test_without_an_address_there_is_no_source() -> None:
    assert all("source" not in each for each in entries_of(edition=Edition("r")))


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (make_card("local/model", **HUB_DATA), "has no repository on the Hub"),
        (make_card("reference/gold", **HUB_DATA), "has no repository on the Hub"),
        (make_card(), "come from demo"),
        (make_card(data_source="data/set", data_sha="d" * 64), "come from data/set"),
    ],
)
def test_what_has_no_place_on_the_hub_gets_no_file(card, reason) -> None:
    assert reason in why_not_offered(card)
    with pytest.raises(RapportError, match=reason) as refused:
        encode_eval_results(make_entry(card), EDITION)
    assert refused.value.cause is Cause.NOT_FOUND


@pytest.mark.parametrize("odd", ["a: b", "- x", "# no comment", "!!python/object:os.system", "'", '"', "é\u2028", "{"])
def test_odd_texts_stay_texts(odd: str) -> None:
    assert odd.replace("\u2028", "") in entries_of(make_card(judge_revision=odd, **HUB_DATA))[0]["notes"].replace(
        "\u2028", ""
    )
