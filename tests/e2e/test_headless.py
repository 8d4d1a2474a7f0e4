"""`rapport demo --once --json`: from nothing to a published row, also through crashes, and with bad input."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evaluator.hicupid.data import demo_set
from evaluator.protocol import PEOPLE
from leaderboard.board.build import build_board
from leaderboard.board.human import MAIN
from leaderboard.pages.agreement_columns import COLUMNS
from leaderboard.settings import Settings
from leaderboard.store.local import LocalStore
from tests.e2e.site import eventually, running_demo

IN_THE_ROW = {str(task): column.figure for task, column in COLUMNS.items()}
"""The figure of each task that stands in a column of HiCUPID's row."""
PROTOCOLS = ("demo-v1", "human-relevance-demo-v1")
NAMED_FIELDS = {
    *("submission_id", "model", "revision", "engine", "engine_version", "judge", "judge_status", "protocol"),
    *("prompt_pack", "items", "generations", "verdicts", "missing", "persona", "profile", "schedule", "total"),
    *("prefill_efficiency", "stage_seconds", "peak_rss_mb"),
}


def test_a_run_survives_the_loss_of_redis_and_of_the_whole_site_and_publishes_the_real_model(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_PROTOCOLS", json.dumps(PROTOCOLS))
    with running_demo(tmp_path, models, "--once", "--json") as first:
        eventually(lambda: first.stored() or None, "the first rows in the store")
        redis = eventually(lambda: first.find("valkey-server"), "Redis")
        redis.kill()
        before = len(first.stored())
        eventually(lambda: True if len(first.stored()) > before else None, "more rows after Redis came back")
    kept = first.stored()

    with running_demo(tmp_path, models, "--once", "--json") as second:
        output, _ = second.process.communicate()
        assert second.process.returncode == 0, second.log()
        second.descendants()
    row = json.loads(output)

    assert row.keys() >= NAMED_FIELDS
    assert (row["engine"], row["judge_status"]) == ("vllm", "demo")
    assert row["rank"] is None
    assert "demo judge" in row["unranked_because"]
    assert row["users"] >= 4
    assert row["items"] == row["generations"] >= 24
    assert row["missing"] == 0
    assert all(row[kind]["score"]["judged"] > 0 for kind in ("persona", "profile"))
    assert row["schedule"]["judged"] > 0
    assert row["prefill_efficiency"] > 0.5
    assert row["peak_rss_mb"] < 6000
    assert {*kept} <= {*second.stored()}, "a written row was changed or lost"
    rows = [json.loads(line) for line in second.stored()]
    generations, verdicts = ([line for line in rows if name in line] for name in ("input_key", "verdict_key"))
    assert len({line["input_key"] for line in generations}) == len(generations)
    assert len({(line["verdict_key"], line["attempt"]) for line in verdicts}) == len(verdicts)
    generations = [line for line in generations if line["key"]["protocol"] == "demo-v1"]
    assert len(generations) == row["items"]
    assert {line["key"]["question_id"].split("/")[0] for line in generations} == {"test_1", "test_2"}
    assert min(line["prompt_tokens"] for line in generations) >= 1500
    assert second.survivors() == []
    assert_both_suites_are_told_and_public(row, tmp_path / "data", PROTOCOLS)


def test_what_nobody_chose_otherwise_is_run_on_both_suites(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAPPORT_PROTOCOLS")
    arguments = ("--once", "--json", "--model", "local/tiny")
    with running_demo(tmp_path, models, *arguments, engine="deterministic") as demo:
        output, _ = demo.process.communicate()
    assert demo.process.returncode == 0, demo.log()
    assert_both_suites_are_told_and_public(json.loads(output), tmp_path / "data", Settings().protocols)


def assert_both_suites_are_told_and_public(row: dict[str, Any], data: Path, protocols: Sequence[str]) -> None:
    """What a demo printed is of all protocols and on the public board; of made-up labels nothing ever ranks."""
    agreement = row["agreement"]
    assert sorted([row["protocol"], *(each["protocol"] for each in agreement)]) == sorted(protocols)
    assert row["rank"] is None
    for each in agreement:
        assert (each["submission_id"], each["revision"]) == (row["submission_id"], row["revision"])
        kind = "truth" if "synthetic" in each["protocol"] else "simulated"
        assert each["label_kind"] == kind
        assert f"protocol {each['protocol']}" in each["unranked_because"]
        assert kind == "truth" or "simulated labels" in each["unranked_because"]
        if each["judge"] == PEOPLE:
            assert each["items"] >= 10
            assert each["answered_share"] == 1, "both engines say one of the words that a pattern allows"
        assert all((figure["low"] is None) == bool(figure["why_no_interval"]) for figure in each["figures"])
        told = {figure["name"]: figure["value"] for figure in each["figures"]}
        assert any(told.get(name) is not None for name in MAIN[each["task"]])
        if kind == "simulated" and (shown := IN_THE_ROW.get(each["task"])):
            (figure,) = [figure for figure in each["figures"] if figure["name"] == shown]
            assert figure["value"] is not None or figure["why_no_interval"], "a column is filled, or says why not"
    board = build_board(LocalStore(data / "results"))
    assert [each.scorecard_id for each in board.rows] == [row["scorecard_id"]]
    assert {card.id for card in board.human} == {each["scorecard_id"] for each in agreement}
    assert all(card.unranked_because for card in board.human)


def test_a_model_that_is_not_there_is_refused_in_one_clear_sentence(tmp_path: Path, models: Path) -> None:
    with running_demo(tmp_path, models, "--once", "--json", "--model", "local/no-such-model") as demo:
        output, _ = demo.process.communicate()

    assert demo.process.returncode == 1
    assert output == b""
    last = demo.log().strip().splitlines()[-1]
    assert last.startswith("rapport: not_found: ")
    assert "no-such-model" in last
    assert "Traceback" not in demo.log()


def test_a_model_that_vllm_cannot_load_fails_with_its_cause(tmp_path: Path, models: Path) -> None:
    with running_demo(tmp_path, models, "--once", "--model", "local/broken") as demo:
        demo.process.communicate()

    assert demo.process.returncode == 1
    assert demo.log().strip().splitlines()[-1].startswith("rapport: load_error: ")


def test_a_data_set_that_lacks_a_column_fails_the_run_naming_the_column(tmp_path: Path, models: Path) -> None:
    folder = tmp_path / "data-set"
    shutil.copytree(demo_set(), folder)
    card = folder / "README.md"
    card.write_text(card.read_text(encoding="utf-8").replace("personalized_answer", "renamed"), encoding="utf-8")
    for path in folder.glob("qa/*"):
        path.write_text(path.read_text(encoding="utf-8").replace("personalized_answer", "renamed"), encoding="utf-8")

    with running_demo(tmp_path, models, "--once", "--model", "local/tiny", data_set=str(folder)) as demo:
        demo.process.communicate()

    assert demo.process.returncode == 1
    last = demo.log().strip().splitlines()[-1]
    assert last.startswith("rapport: data_error: ")
    assert "'personalized_answer'" in last
