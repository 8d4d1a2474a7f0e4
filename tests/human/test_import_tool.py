"""The authors' annotation tool: what becomes of its rows, and of those that cannot be placed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.human.check import check_folder
from evaluator.human.findings import Severity
from evaluator.human.importers.pseudonyms import VARIABLE
from evaluator.human.importers.report import ImportReport
from evaluator.human.importers.sources import import_source
from tests.human.sources import ASKED, BEES, RAIN, SECRET, TRAINS, ToolSource, bytes_of, rows_of, write_rows


@pytest.fixture
def tool(tmp_path: Path) -> ToolSource:
    return ToolSource(tmp_path / "tool")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "labels"


@pytest.fixture(autouse=True)
def no_salt_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def brought(tool: ToolSource, target: Path, **options: object) -> ImportReport:
    return import_source("tool", str(tool.answers), target, tool.options(**options))


def missed(report: ImportReport) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(each.reason.value, each.table): each.places for each in report.not_placed}


def remarked(report: ImportReport) -> dict[str, int]:
    return {each.remark.value: each.count for each in report.remarks}


def test_all_three_stages_become_a_data_set_without_faults(tool, target):
    report = brought(tool, target)

    placed = {each.table: each.placed for each in report.tables}
    assert placed == {
        "conversations": 4,
        "attributes": 3,
        "attribute_labels": 6,
        "prompts": 1,
        "relevance_labels": 6,
        "responses": 1,
        "response_ratings": 3,
    }
    assert (report.changed, report.not_placed, report.annotators, report.new_annotators) == (True, (), 3, 3)
    assert not [finding for finding in check_folder(target) if finding.severity is Severity.ERROR]


def test_labels_say_what_the_annotators_said(tool, target):
    brought(tool, target)

    texts = {row["attribute_id"]: row["text"] for row in rows_of(target, "attributes")}
    labels = sorted((texts[row["attribute_id"]], row["label"]) for row in rows_of(target, "attribute_labels"))
    assert labels == [
        *((BEES, label) for label in ("accepted", "accepted", "uncertain")),
        *((TRAINS, label) for label in ("accepted", "accepted", "rejected")),
    ]
    relevant = sorted((texts[row["attribute_id"]], row["relevant"]) for row in rows_of(target, "relevance_labels"))
    assert relevant == [(BEES, False), (BEES, True), (BEES, True), (TRAINS, False), (TRAINS, False), (TRAINS, True)]
    assert sorted(row["rating"] for row in rows_of(target, "response_ratings")) == [2, 3, 5]
    assert {row["kind"] for row in rows_of(target, "attribute_labels")} == {"person"}
    assert rows_of(target, "prompts")[0]["text"] == ASKED


def test_evidence_counts_only_conversations_that_have_turns(tool, target):
    report = brought(tool, target)

    conversations = {row["conversation_id"]: row["turns"][0]["text"] for row in rows_of(target, "conversations")}
    evidence = {
        row["text"]: [(conversations[each["conversation_id"]], each["turn"]) for each in row["evidence"]]
        for row in rows_of(target, "attributes")
    }
    assert evidence == {
        BEES: [("I am user ip-1, part 0.", 0)],
        TRAINS: [("I am user ip-1, part 1.", None)],
        RAIN: [],
    }
    assert remarked(report)["no_evidence"] == 1


def test_a_second_import_changes_no_byte_and_says_so(tool, target):
    brought(tool, target)
    before = bytes_of(target)

    again = brought(tool, target)

    assert bytes_of(target) == before
    assert not again.changed
    assert all(each.placed == each.completed == 0 for each in again.tables)
    assert again.new_annotators == 0


def test_stages_come_together_in_any_order(tool, target, tmp_path):
    brought(tool, target)
    apart = tmp_path / "apart"
    for items in reversed(tool.options().items):
        brought(tool, apart, items=(items,))

    for table in ("conversations", "attributes", "attribute_labels", "relevance_labels", "response_ratings"):
        assert sorted(map(str, rows_of(apart, table))) == sorted(map(str, rows_of(target, table)))


def test_names_and_ids_of_people_are_nowhere_in_the_data_set(tool, target):
    brought(tool, target)

    held = b"".join(bytes_of(target).values()).decode()
    assert not [name for name in ("Alice", "Bob", "5e18") if name in held]
    users = {row["user_id"] for row in rows_of(target, "attributes")}
    assert all(user.startswith("user-") for user in users)


def test_another_salt_makes_other_pseudonyms_and_the_same_one_the_same(tool, target, tmp_path):
    brought(tool, target)
    other = tmp_path / "other-salt"
    other.write_text("quite another salt than the first")
    brought(tool, tmp_path / "second", salt_file=other)
    brought(tool, tmp_path / "third")

    people = [
        {row["annotator_id"] for row in rows_of(folder, "attribute_labels")}
        for folder in (target, tmp_path / "second", tmp_path / "third")
    ]
    assert people[0] == people[2]
    assert not people[0] & people[1]


def test_the_salt_is_never_written_printed_or_logged(tool, target, capfd, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(VARIABLE, SECRET)
    report = brought(tool, target, salt_file=None)

    told = "\n".join((*report.lines(), report.model_dump_json(), caplog.text, *capfd.readouterr()))
    assert SECRET not in told
    assert SECRET.encode() not in b"".join(bytes_of(target).values())


def test_the_salt_may_come_from_the_environment(tool, target, tmp_path, monkeypatch):
    brought(tool, target)
    monkeypatch.setenv(VARIABLE, SECRET)
    brought(tool, tmp_path / "second", salt_file=None)
    assert rows_of(target, "attribute_labels") == rows_of(tmp_path / "second", "attribute_labels")


def test_without_a_salt_nothing_is_imported_and_the_remedy_is_told(tool, target):
    with pytest.raises(RapportError, match="openssl rand") as refused:
        brought(tool, target, salt_file=None)
    assert refused.value.cause == Cause.DATA_ERROR
    assert not target.exists()


@pytest.mark.parametrize("held", ["sesame", "x" * 5000, None])
def test_a_salt_that_is_none_is_refused_without_quoting_it(tool, target, held):
    tool.salt.unlink()
    if held:
        tool.salt.write_text(held)
    with pytest.raises(RapportError) as refused:
        brought(tool, target)
    assert not held or held not in str(refused.value)


def test_a_salt_inside_the_data_set_is_refused(tool, target):
    target.mkdir()
    (target / "salt").write_text(SECRET)
    with pytest.raises(RapportError, match="salt lies in the folder"):
        brought(tool, target, salt_file=target / "salt")


def test_notes_are_dropped_and_told(tool, target):
    report = brought(tool, target)

    assert b"thinks" not in b"".join(bytes_of(target).values())
    assert remarked(report)["note_dropped"] == 6


def test_notes_are_kept_on_request_even_later(tool, target):
    brought(tool, target)
    report = brought(tool, target, keep_notes=True)

    assert {each.table: each.completed for each in report.tables}["attribute_labels"] == 6
    assert "Alice thinks bad" in {row["note"] for row in rows_of(target, "attribute_labels")}
    assert "Bob on the prompt" in {row["note"] for row in rows_of(target, "relevance_labels")}
    assert {row["note"] for row in rows_of(target, "response_ratings")} == {None}


def test_words_on_a_whole_item_have_no_place_and_are_counted(tool, target):
    row = tool.judged("Alice", "ok", "bad", missing_attrs="The user sings.", overall_note="")
    write_rows(tool.answers / "Alice_task4.jsonl", [row])
    report = brought(tool, target, keep_notes=True)

    assert remarked(report)["note_without_place"] == 1
    assert b"sings" not in b"".join(bytes_of(target).values())


def test_a_time_without_a_zone_is_no_moment_unless_the_zone_is_given(tool, target, tmp_path):
    report = brought(tool, target)
    assert remarked(report)["moment_dropped"] == 9
    assert {row["labelled_at"] for row in rows_of(target, "attribute_labels")} == {None}

    zoned = brought(tool, tmp_path / "zoned", time_zone="America/Detroit")
    assert "moment_dropped" not in remarked(zoned)
    assert {row["labelled_at"] for row in rows_of(tmp_path / "zoned", "attribute_labels")} == {"2026-05-02T13:00:00Z"}


def test_an_unknown_time_zone_is_refused(tool, target):
    with pytest.raises(RapportError, match="no time zone"):
        brought(tool, target, time_zone="../etc/passwd")


def _judged(tool: ToolSource, **changes: object) -> dict[str, object]:
    return tool.judged("Alice", "ok", "bad") | changes


@pytest.mark.parametrize(
    ("make", "reason", "count"),
    [
        (lambda tool: _judged(tool, flagged=True), "flagged", 2),
        (lambda tool: _judged(tool, annotator="admin"), "admin", 2),
        (lambda tool: _judged(tool, index=99), "unknown_item", 2),
        (lambda tool: _judged(tool, task="1"), "unknown_item", 1),
        (lambda tool: tool.judged("Alice", "ok"), "mismatch", 1),
        (lambda tool: tool.judged("Alice", "ok", ""), "unanswered", 1),
        (lambda tool: tool.judged("Alice", "ok", None), "unanswered", 1),
        (lambda tool: tool.judged("Alice", "ok", "perhaps"), "unknown_value", 1),
        (lambda tool: _judged(tool, index="0"), "invalid", 1),
        (lambda tool: _judged(tool, attr_judgments=[{"judgment": "ok", "attribute": RAIN}] * 2), "mismatch", 2),
    ],
)
def test_a_verification_that_cannot_be_placed_is_told(
    tool: ToolSource, target: Path, make: Callable[[ToolSource], dict[str, object]], reason: str, count: int
) -> None:
    write_rows(tool.answers / "Alice_task4.jsonl", [make(tool)])
    report = brought(tool, target)

    places = missed(report)[reason, "attribute_labels"]
    assert len(places) == count
    assert all(place.startswith("Alice_task4.jsonl:1") for place in places)
    labels = {each.table: each for each in report.tables}["attribute_labels"]
    assert labels.read == labels.placed + labels.not_placed


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda tool: tool.related("Alice", True, None), "unanswered"),
        (lambda tool: tool.related("Alice", True, True, flagged=True), "flagged"),
        (lambda tool: tool.related("Alice", True, True, user_id="2"), "unknown_item"),
        (lambda tool: tool.related("Alice", True, True, prompt_index=8), "unknown_item"),
        (lambda tool: tool.related("Alice", True, "yes"), "invalid"),
        (
            lambda tool: tool.related("Alice", True, True, relevance_judgments=[{"attribute": RAIN, "relevant": True}]),
            "unknown_reference",
        ),
        (
            lambda tool: tool.related(
                "Alice", True, True, relevance_judgments=[{"attribute": BEES, "rating": "optional"}]
            ),
            "unanswered",
        ),
    ],
)
def test_a_relevance_label_that_cannot_be_placed_is_told(
    tool: ToolSource, target: Path, make: Callable[[ToolSource], dict[str, object]], reason: str
) -> None:
    write_rows(tool.answers / "Alice_task5.jsonl", [make(tool)])
    assert (reason, "relevance_labels") in missed(brought(tool, target))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda tool: tool.rated("Alice", 0), "invalid"),
        (lambda tool: tool.rated("Alice", 6), "invalid"),
        (lambda tool: tool.rated("Alice", True), "invalid"),
        (lambda tool: tool.rated("Alice", "4"), "invalid"),
        (lambda tool: tool.rated("Alice", None), "unanswered"),
        (lambda tool: tool.rated("Alice", 4, TRAINS), "unknown_reference"),
        (lambda tool: tool.rated("Alice", 4, flagged=True), "flagged"),
        (lambda tool: tool.rated("Alice", 4, item_index=5), "unknown_item"),
        (lambda tool: tool.rated("Alice", 4, model_tag="another"), "mismatch"),
        (lambda tool: tool.rated("Alice", 4, prompt_id="ip-1_8"), "mismatch"),
    ],
)
def test_a_rating_that_cannot_be_placed_is_told(
    tool: ToolSource, target: Path, make: Callable[[ToolSource], dict[str, object]], reason: str
) -> None:
    write_rows(tool.answers / "Alice_task6.jsonl", [make(tool)])
    report = brought(tool, target)
    assert (reason, "response_ratings") in missed(report)
    assert len(rows_of(target, "response_ratings")) == 2


def test_an_annotator_who_contradicts_himself_is_told_and_the_first_word_stays(tool, target):
    brought(tool, target)
    before = bytes_of(target)
    write_rows(tool.answers / "Alice_task4.jsonl", [tool.judged("Alice", "bad", "bad")])

    report = brought(tool, target)

    assert missed(report) == {("conflict", "attribute_labels"): ("Alice_task4.jsonl:1 attribute 0",)}
    assert bytes_of(target) == before


def test_an_answer_that_names_nobody_is_whose_its_file_is(tool, target):
    row = tool.judged("Alice", "ok", "bad")
    del row["annotator"], row["task"]
    write_rows(tool.answers / "Alice_task4.jsonl", [row])
    assert brought(tool, target).annotators == 3

    (tool.answers / "Alice_task4.jsonl").rename(tool.answers / "answers.jsonl")
    report = brought(tool, target)
    assert len(missed(report)["invalid", "attribute_labels"]) == 2


def test_items_of_another_round_are_never_taken_for_those_of_a_task(tool, target):
    report = brought(tool, target, items=(("1", tool.users),))
    assert not (target / "attribute_labels/part-0000.jsonl").read_bytes()
    assert ("unknown_item", "attribute_labels") in missed(report)


def test_items_of_two_stages_in_one_file_are_refused(tool, target):
    write_rows(tool.users, [tool.user(0, "ip-1", BEES), tool.prompt(7, "ip-1", BEES)])
    with pytest.raises(RapportError, match="two stages"):
        brought(tool, target)


def test_a_file_that_holds_no_items_is_refused(tool, target):
    with pytest.raises(RapportError, match="no item of the tool"):
        brought(tool, target, items=(("4", tool.evidence),))


def test_a_user_id_of_two_sources_is_never_one_user(tool, target):
    write_rows(tool.users, [tool.user(0, "2", BEES, TRAINS), tool.user(1, "2", RAIN) | {"source": "others"}])
    report = brought(tool, target)
    assert missed(report)["conflict", ""] == ("task4_items.jsonl:2",)


def test_evidence_outside_the_conversations_is_dropped_and_told(tool, target):
    pointers = [{"conv_idx": 9, "turn_idxs": [0]}, {"conv_idx": 0, "turn_idxs": [0, 77]}]
    write_rows(tool.evidence, [{"user_id": "ip-1", "evidence": pointers}])
    report = brought(tool, target)
    assert remarked(report)["evidence_dropped"] == 2
    assert [len(row["evidence"]) for row in rows_of(target, "attributes")] == [0, 1, 0]


def test_a_conversation_with_a_third_speaker_is_told(tool, target):
    user = tool.user(0, "ip-1", BEES, TRAINS)
    user["conversations"][1]["conversation"][0]["role"] = "system"
    write_rows(tool.users, [user])
    report = brought(tool, target)
    assert missed(report)["invalid", "conversations"] == ("task4_items.jsonl:1 conversation 0",)


def test_a_folder_without_answers_is_refused(tool, target, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RapportError, match=r"no \.jsonl file"):
        import_source("tool", str(tmp_path / "empty"), target, tool.options())
