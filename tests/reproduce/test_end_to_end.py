"""From an evaluation over its public rows to its reproduction, with an engine that is no model at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.records import Generation, Verdict
from leaderboard.open_data import layout
from leaderboard.open_data.files import encode_generations
from leaderboard.open_data.records import OpenCard, OpenGeneration
from leaderboard.store.base import Write
from leaderboard.store.local import LocalStore
from leaderboard.store.parquet import decode_parquet, encode_parquet
from tests.reproduce.conftest import Site
from tests.reproduce.publishing import publish
from worker.local.folder import Folder, read_lines
from worker.local.reproduce import REPORT

ITEMS = 24


def rewritten(site: Site, store: str, change: Callable[[OpenGeneration], OpenGeneration]) -> None:
    """Publishes the evaluation elsewhere, with other answers' rows."""
    shutil.copytree(site.path / "site", site.path / store)
    results = LocalStore(site.path / store / "results")
    path = layout.generations_path(site.card.model, site.card.run_id)
    rows = [change(row) for row in decode_parquet(results.read(path), OpenGeneration, path)]
    results.commit([Write(path, encode_generations(rows))], "other rows")


def with_card(site: Site, store: str, **changes: object) -> None:
    """Publishes the evaluation elsewhere, with another scorecard."""
    shutil.copytree(site.path / "site", site.path / store)
    results = LocalStore(site.path / store / "results")
    path = layout.scorecards_path(site.card.model)
    (row,) = decode_parquet(results.read(path), OpenCard, path)
    told = site.card.model_copy(update=changes).model_dump_json()
    results.commit([Write(path, encode_parquet([row.model_copy(update={"scorecard": told})], OpenCard))], "another")


@pytest.fixture(scope="module")
def again(site: Site) -> Path:
    """A reproduction of everything."""
    out = site.path / "again"
    ended = site.reproduce("--out", str(out))
    assert ended.code == 0, ended.err
    assert f"{ITEMS} of {ITEMS} items in all that was compared" in ended.out
    return out


def test_what_is_made_again_in_the_same_way_agrees_fully(site: Site, again: Path) -> None:
    found = json.loads((again / REPORT).read_bytes())
    report = found["report"]
    owed = sum(1 for row in report["rows"] for each in row["verdicts"] if each["finding"] == "equal")
    assert (found["changes"], found["scorecard_id"]) == ([], site.card.id)
    for what in ("prompts", "answers"):
        assert (report[what]["agree"], report[what]["compared"], report[what]["missing"]) == (ITEMS, ITEMS, 0)
    assert report["verdicts"]["agree"] == owed == len(read_lines(Folder(again).verdicts, Verdict)) > 0
    assert report["shift"]["mean"]["difference"] == report["shift"]["total"]["difference"] == 0
    assert report["shift"]["total"]["there"] == site.card.result.total.value


def test_the_same_call_goes_on_where_it_stopped_and_asks_nothing_twice(site: Site, again: Path) -> None:
    before = {path.name: path.read_bytes() for path in again.glob("*.jsonl")}
    whole = (again / "generations.jsonl").read_bytes().splitlines(keepends=True)
    (again / "generations.jsonl").write_bytes(b"".join(whole[:10]) + whole[10][:50])
    ended = site.reproduce("--out", str(again))
    assert ended.code == 0, ended.err
    after = {path.name: path.read_bytes() for path in again.glob("*.jsonl")}
    assert after["verdicts.jsonl"] == before["verdicts.jsonl"]
    assert after["generations.jsonl"].startswith(b"".join(whole[:10]))
    assert len(read_lines(Folder(again).generations, Generation)) == ITEMS
    finished = site.reproduce("--out", str(again), "--json")
    assert (finished.code, finished.found["report"]["agreeing"]) == (0, ITEMS)
    assert {path.name: path.read_bytes() for path in again.glob("*.jsonl")} == after


def test_a_few_items_are_spread_over_users_and_types(site: Site) -> None:
    ended = site.reproduce("--limit", "4", "--json")
    assert ended.code == 0, ended.err
    rows = ended.found["report"]["rows"]
    assert len({(row["split"], row["user_id"]) for row in rows}) == len(rows) == 4
    assert len({row["type"] for row in rows}) == 3


def test_only_what_is_asked_for_is_made_again(site: Site) -> None:
    judged, answered = site.reproduce("--judge-only", "--json"), site.reproduce("--no-judge", "--json")
    assert (judged.code, answered.code) == (0, 0), judged.err + answered.err
    first, second = judged.found["report"], answered.found["report"]
    assert (first["answers"]["compared"], first["verdicts"]["missing"]) == (0, 0)
    assert first["verdicts"]["agree"] == first["verdicts"]["compared"] > ITEMS / 2
    assert (second["answers"]["agree"], second["verdicts"]["compared"], second["shift"]) == (ITEMS, 0, None)
    assert answered.found["judge_engine_here"] is None
    assert f"{ITEMS}/{ITEMS} answered" in answered.err
    assert "judged" not in answered.err
    both = site.reproduce("--judge-only", "--no-judge")
    assert (both.code, "nothing to do" in both.err) == (2, True)


def test_a_withheld_answer_is_compared_by_its_hash_and_cannot_be_judged_again(site: Site) -> None:
    publish(site.evaluation, site.path / "withheld", consent=False)
    ended = site.reproduce("--json", store="withheld")
    assert (ended.code, ended.found["report"]["answers"]["agree"]) == (0, ITEMS), ended.err
    judged = site.reproduce("--judge-only", store="withheld")
    assert (judged.code, judged.out) == (1, "")
    assert "None of the answers is public" in judged.err


def test_an_answer_that_differs_is_named_with_its_place_and_ends_with_1(site: Site) -> None:
    told = read_lines(Folder(site.evaluation).generations, Generation)[0]

    def otherwise(row: OpenGeneration) -> OpenGeneration:
        changed = {"content_hash": "0" * 64, "answer": f"{row.answer or ''}!"}
        return row.model_copy(update=changed) if row.question_id == told.key.question_id else row

    rewritten(site, "other", otherwise)
    ended = site.reproduce(store="other")
    assert ended.code == 1, ended.err
    assert f"{ITEMS - 1} of {ITEMS} equal" in ended.out
    assert f"{told.key.question_id} (" in ended.out
    assert f"answer differs from character {len(told.answer or '')} on (near-tie: unknown)" in ended.out


def test_a_public_answer_that_does_not_fit_its_hash_is_not_judged(site: Site) -> None:
    rewritten(site, "forged", lambda row: row.model_copy(update={"answer": "Trust me."}))
    ended = site.reproduce("--judge-only", store="forged")
    assert (ended.code, ended.out) == (1, "")
    assert "does not fit its own hashes" in ended.err


@pytest.mark.parametrize(
    ("changes", "said", "remedy"),
    [
        ({"protocol_config": "0" * 64}, "protocol: 0000", "check out the version of Rapport"),
        ({"prompt_pack": "0" * 16}, "prompt pack: 0000", "rapport prompts import"),
        ({"data_sha": "0" * 64}, "data: 0000", "--data"),
        ({"revision": "0" * 64}, "model: 0000", "put the same files there"),
        ({"judge_config": "0" * 64}, "judge configuration: 0000", "--no-judge"),
        ({"judge_revision": "0" * 64}, "judge revision: 0000", "--no-judge"),
    ],
)
def test_what_makes_the_comparison_meaningless_stops_it_before_anything_runs(
    site: Site, changes: dict[str, object], said: str, remedy: str
) -> None:
    (name,) = changes
    with_card(site, name, **changes)
    out = site.path / f"out-{name}"
    ended = site.reproduce("--out", str(out), store=name)
    assert (ended.code, ended.out, out.exists()) == (1, "", False)
    assert said in ended.err
    assert remedy in ended.err


def test_anyway_it_runs_and_names_what_differs(site: Site) -> None:
    with_card(site, "anyway", prompt_pack="0" * 16)
    ended = site.reproduce("--anyway", "--limit", "2", "--json", store="anyway")
    assert ended.code == 0, ended.err
    assert [change["name"] for change in ended.found["changes"]] == ["prompt pack"]


def test_another_engine_version_and_machine_are_named_with_what_they_may_change(site: Site) -> None:
    with_card(site, "elsewhere", engine_version="0", hardware="NVIDIA H100", judge_dtype="bfloat16")
    ended = site.reproduce("--limit", "3", "--json", store="elsewhere")
    assert ended.code == 0, ended.err
    changes = {change["name"]: change for change in ended.found["changes"]}
    assert set(changes) == {"version", "hardware", "judge dtype"}
    assert all(change["effect"] and not change["stops"] for change in changes.values())
    assert "changed: version: 0 there" in ended.err, "it is told before the first question"


def test_a_folder_of_another_machine_is_only_read_where_the_person_names_it(site: Site) -> None:
    with_card(site, "folder", data_source="/srv/secret/set")
    ended = site.reproduce(store="folder")
    assert (ended.code, ended.out) == (1, "")
    assert "--data" in ended.err
    named = site.reproduce("--data", "demo", "--limit", "1", store="folder")
    assert named.code == 0, named.err


def test_a_model_outside_the_folder_of_models_is_refused(site: Site) -> None:
    with_card(site, "outside", model="local/../../etc")
    ended = site.reproduce(store="outside")
    assert (ended.code, ended.out) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["s-20260101-00000000.demo-v1@demo", "--store", "{site}/site"], "There is no scorecard"),
        (["../../etc/passwd", "--store", "{site}/site"], "There is no scorecard"),
        (["x", "--store", "{site}/nowhere"], "There are no public results"),
        (["x", "--store", "hub://a"], "The Hub can have no data sets"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(site: Site, arguments: list[str], said: str) -> None:
    ended = site.run("reproduce", *[each.format(site=site.path) for each in arguments])
    assert (ended.code, ended.out) == (1, "")
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not (site.path / "nowhere").exists()
