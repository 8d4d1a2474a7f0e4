"""AlpsBench, task 1: what is concluded of it, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.human.check import check_folder
from evaluator.human.findings import Severity
from evaluator.human.importers.alpsbench import ANNOTATOR, HUB_DATA_SET
from evaluator.human.importers.report import ImportReport
from evaluator.human.importers.sources import ImportOptions, import_source
from tests.hub_server import Client, LocalHub
from tests.human.sources import alpsbench_memory, alpsbench_record, bytes_of, rows_of, write_rows


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "labels"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "alpsbench" / "task1_dataset.jsonl", [alpsbench_record()])


def brought(source: Path | str, target: Path) -> ImportReport:
    return import_source("alpsbench", str(source), target)


def remarked(report: ImportReport) -> dict[str, int]:
    return {each.remark.value: each.count for each in report.remarks}


def texts_of(target: Path) -> dict[str, str]:
    return {row["attribute_id"]: row["text"] for row in rows_of(target, "attributes")}


def test_verified_memories_are_accepted_by_one_consensus(source, target):
    brought(source, target)

    labels = rows_of(target, "attribute_labels")
    assert sorted(texts_of(target)[row["attribute_id"]] for row in labels) == [
        "Dislikes rain",
        "Keeps bees",
        "Wants to move again",
    ]
    assert {(row["label"], row["kind"], row["annotator_id"]) for row in labels} == {
        ("accepted", "consensus", ANNOTATOR)
    }


def test_candidates_that_were_not_kept_are_attributes_without_a_label(source, target):
    report = brought(source, target)

    labelled = {row["attribute_id"] for row in rows_of(target, "attribute_labels")}
    assert sorted(text for name, text in texts_of(target).items() if name not in labelled) == [
        "Hates all weather",
        "Is a meteorologist",
    ]
    assert remarked(report) == {"candidate_reworded": 1, "candidate_absent": 1}
    assert report.not_placed == ()


def test_a_candidate_that_was_kept_word_for_word_is_the_verified_memory(source, target):
    brought(source, target)
    kept = [row for row in rows_of(target, "attributes") if row["text"] == "Keeps bees"]
    assert [row["confidence"] for row in kept] == [0.9]


def test_evidence_is_the_turn_that_is_meant(source, target):
    brought(source, target)

    (conversation,) = rows_of(target, "conversations")
    evidence = {row["text"]: row["evidence"] for row in rows_of(target, "attributes")}
    name = conversation["conversation_id"]
    assert evidence["Dislikes rain"] == [{"conversation_id": name, "turn": 2}]
    assert evidence["Wants to move again"] == [{"conversation_id": name, "turn": None}]
    assert conversation["turns"][2] == {"role": "user", "text": "Well, but I hate rain."}
    assert conversation["started_at"] == "2026-04-29T02:27:03Z"


def test_the_result_has_no_faults_and_a_second_import_changes_no_byte(source, target):
    brought(source, target)
    before = bytes_of(target)
    again = brought(source, target)
    assert not [finding for finding in check_folder(target) if finding.severity is Severity.ERROR]
    assert (bytes_of(target), again.changed) == (before, False)


def test_unknown_users_are_never_one_and_the_same(tmp_path, target):
    records = [alpsbench_record("sess_1"), alpsbench_record("sess_2"), alpsbench_record("sess_3", user="known")]
    records.append(alpsbench_record("sess_4", user="known"))
    brought(write_rows(tmp_path / "rows.jsonl", records), target)

    users = [row["user_id"] for row in rows_of(target, "conversations")]
    assert len(set(users)) == 3
    assert users[2] == users[3]
    assert b"unknown_user" not in b"".join(bytes_of(target).values())


def test_pairs_of_files_are_joined_by_their_id(tmp_path, target):
    folder = tmp_path / "alpsbench"
    record = alpsbench_record()
    memories = record.pop("memory_items")
    for memory in memories:
        del memory["evidence"]["session_id"]
    del record["memory_stage1_candidates"]
    write_rows(folder / "dataset/dev/task1/model_input.jsonl", [{"benchmark_id": "b1", "input": record}])
    gold = {"benchmark_id": "b1", "gold": {"memory_items": memories}}
    write_rows(folder / "dataset/dev/task1/reference_output.jsonl", [gold])
    other = {"benchmark_id": "b2", "input": alpsbench_record("sess_2") | {"memory_items": None}}
    write_rows(folder / "dataset/test/task1/model_input.jsonl", [other])
    write_rows(folder / "dataset/dev/task2/model_input.jsonl", [{"of": "another task"}])

    report = brought(folder, target)

    assert len(rows_of(target, "attribute_labels")) == 3
    assert [len(row["evidence"]) for row in rows_of(target, "attributes")] == [1, 1, 1]
    assert remarked(report) == {"no_gold": 1}
    assert report.not_placed == ()


@pytest.mark.parametrize("evidence", [{"session_id": "sess_9"}, {"session_id": "sess_1", "utterance_index": 40}])
def test_evidence_outside_the_sessions_is_dropped_and_told(tmp_path, target, evidence):
    record = alpsbench_record()
    record["memory_items"][0]["evidence"] = evidence
    report = brought(write_rows(tmp_path / "rows.jsonl", [record]), target)
    assert remarked(report)["evidence_dropped"] == remarked(report)["no_evidence"] == 1
    assert report.not_placed == ()


@pytest.mark.parametrize(
    ("change", "reason", "table"),
    [
        ({"sessions": []}, "invalid", ""),
        ({"sessions": "none"}, "invalid", ""),
        ({"memory_items": {"m1": 1}}, "invalid", "attributes"),
        ({"memory_items": [{"memory_id": "m1"}]}, "invalid", "attributes"),
        ({"memory_items": [alpsbench_memory("m1", "  ", "sess_1", 0)]}, "invalid", "attributes"),
        ({"memory_items": [alpsbench_memory("m1", "Sings", "sess_1", 0, confidence=3)]}, "invalid", "attributes"),
        ({"memory_stage1_candidates": [7]}, "invalid", "attributes"),
    ],
)
def test_what_is_broken_is_told_with_its_place_and_the_rest_is_placed(tmp_path, target, change, reason, table):
    path = write_rows(tmp_path / "rows.jsonl", [alpsbench_record("sess_0"), alpsbench_record() | change])
    report = brought(path, target)

    places = {(each.reason.value, each.table): each.places for each in report.not_placed}
    assert all(place.startswith("rows.jsonl:2") for place in places[reason, table])
    assert len(rows_of(target, "attribute_labels")) >= 3


def test_two_golds_of_one_id_that_differ_are_told(tmp_path, target):
    rows = [{"benchmark_id": "b", "gold": {"memory_items": memories}} for memories in ([], [{"value": "Sings"}])]
    report = brought(write_rows(tmp_path / "rows.jsonl", [*rows, {"gold": 3}]), target)
    assert {each.reason.value: each.places for each in report.not_placed} == {
        "conflict": ("rows.jsonl:2",),
        "invalid": ("rows.jsonl:3",),
    }
    assert not target.exists()


def test_a_folder_without_rows_is_refused(tmp_path, target):
    with pytest.raises(RapportError) as refused:
        brought(tmp_path, target)
    assert refused.value.cause == Cause.NOT_FOUND


def test_the_hub_is_read_at_a_commit_and_only_task_1_of_it(
    hub: LocalHub, client: Client, tmp_path: Path, target: Path
) -> None:
    folder = tmp_path / "repository"
    write_rows(folder / "dataset/dev/task1/rows.jsonl", [alpsbench_record("sess_1")])
    write_rows(folder / "dataset/dev/task2/rows.jsonl", [{"of": "another task"}])
    (folder / "load.py").write_text("raise SystemExit(9)")
    sha = hub.repositories.commit_folder("dataset", HUB_DATA_SET, folder)
    write_rows(folder / "dataset/dev/task1/rows.jsonl", [alpsbench_record("sess_1"), alpsbench_record("sess_2")])
    hub.repositories.commit_folder("dataset", HUB_DATA_SET, folder)

    options = ImportOptions(revision=sha)
    report = client.run(import_source, "alpsbench", HUB_DATA_SET, target, options).value

    assert report.revision == sha
    assert len(rows_of(target, "conversations")) == 1
    assert hub.files_sent() == {"dataset/dev/task1/rows.jsonl"}


def test_a_hub_without_the_data_set_is_told(hub: LocalHub, client: Client, target: Path) -> None:
    assert client.run(import_source, "alpsbench", HUB_DATA_SET, target).failure.cause == Cause.NOT_FOUND
