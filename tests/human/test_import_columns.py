"""Plain tables by a map of their columns: nothing is guessed, and whatever does not fit is told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.human.check import check_folder
from evaluator.human.findings import Problem, Severity
from evaluator.human.importers.column_map import load_column_map
from evaluator.human.importers.events import Reason
from evaluator.human.importers.pseudonyms import VARIABLE
from evaluator.human.importers.report import ImportReport
from evaluator.human.importers.sources import import_source
from evaluator.human.layout import LABELS
from tests.human.sources import bytes_of, rows_of, write_rows
from tests.human.tables import MAP, Tables

VOTES = ("ok", "unsure", "bad")
RELEVANCE = "prompt\tattribute\tworker\trelevant"


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tables:
    monkeypatch.delenv(VARIABLE, raising=False)
    return Tables(tmp_path / "source")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "labels"


def brought(tables: Tables, target: Path, **options: object) -> ImportReport:
    return import_source("columns", str(tables.folder), target, tables.options(**options))


def missed(report: ImportReport) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(each.reason.value, each.table): each.places for each in report.not_placed}


def test_all_tables_are_brought_without_faults(tables, target):
    report = brought(tables, target)

    assert {each.table: (each.read, each.placed) for each in report.tables} == {
        "conversations": (2, 2),
        "attributes": (1, 1),
        "attribute_labels": (2, 2),
        "prompts": (1, 1),
        "relevance_labels": (2, 2),
        "responses": (1, 1),
        "response_ratings": (1, 1),
    }
    assert not [finding for finding in check_folder(target) if finding.severity is Severity.ERROR]
    (attribute,) = rows_of(target, "attributes")
    assert (attribute["text"], attribute["origin"], attribute["confidence"]) == (
        "The user sings, loudly.",
        "our extractor",
        0.5,
    )
    assert attribute["evidence"] == [{"conversation_id": "c1", "turn": None}]


def test_who_labels_is_an_annotator_of_the_data_set(tables, target):
    brought(tables, target)
    named = {row["annotator_id"] for name in LABELS for row in rows_of(target, name)}
    assert {(row["annotator_id"], row["kind"]) for row in rows_of(target, "annotators")} == {
        (name, "person") for name in named
    }


def test_whose_labels_come_later_is_an_annotator_from_then_on(tables, target):
    brought(tables, target)
    before = rows_of(target, "annotators")
    tables.write("relevance.tsv", RELEVANCE, "p1\ta1\tsomebody new\tno")
    assert brought(tables, target).new_annotators == 1
    after = rows_of(target, "annotators")
    assert (after[: len(before)], len(after)) == (before, len(before) + 1)


def test_of_a_source_that_lists_its_annotators_nobody_else_counts(tables, target):
    table = "\nannotators:\n  file: workers.csv\n  columns: {annotator_id: worker, kind: {value: person}}\n"
    tables.map.write_text(MAP + table)
    known = {row["worker"] for row in csv.DictReader((tables.folder / "votes.csv").open())}
    listed, *others = sorted(known)
    assert others
    tables.write("workers.csv", "worker", listed, "somebody who has labelled nothing")
    report = brought(tables, target)
    assert len(rows_of(target, "annotators")) == 2
    lost = [each for each in report.not_placed if each.reason is Reason.UNKNOWN_REFERENCE]
    assert ("attribute_labels", "The data set has no such annotator.") in {(each.table, each.said) for each in lost}
    (kept,) = {row["annotator_id"] for name in LABELS for row in rows_of(target, name)}
    assert kept in {row["annotator_id"] for row in rows_of(target, "annotators")}
    assert not [finding for finding in check_folder(target) if finding.severity is Severity.ERROR]
    assert not brought(tables, target).changed


def test_values_are_ours_by_the_map_even_where_yaml_would_read_no_as_false(tables, target):
    brought(tables, target)
    assert [row["label"] for row in rows_of(target, "attribute_labels")] == ["accepted", "rejected"]
    assert [row["relevant"] for row in rows_of(target, "relevance_labels")] == [True, False]
    assert [row["rating"] for row in rows_of(target, "response_ratings")] == [5]
    assert rows_of(target, "attribute_labels")[0]["labelled_at"] == "2026-05-01T08:00:00Z"


def test_people_become_pseudonyms_that_agree_in_all_tables(tables, target):
    brought(tables, target)

    held = b"".join(bytes_of(target).values())
    assert not [name for name in (b"Alice", b"Bob", b"x.org", b"very sure") if name in held]
    people = [
        rows_of(target, table)[0]["annotator_id"]
        for table in ("attribute_labels", "relevance_labels", "response_ratings")
    ]
    assert len(set(people)) == 1
    assert rows_of(target, "prompts")[0]["user_ids"][0] == rows_of(target, "attributes")[0]["user_id"]


def test_pseudonyms_of_the_source_stay_where_the_map_says_so_and_need_no_salt(tables, target):
    tables.map.write_text(
        "attributes: {file: attributes.jsonl, columns: {attribute_id: i, text: t, evidence: e, origin: o,"
        " user_id: {column: u, pseudonym: no}}}\n"
        "attribute_labels: {file: votes.jsonl, columns: {attribute_id: i, label: l,"
        " annotator_id: {column: w, pseudonym: no}}}\n"
    )
    write_rows(tables.folder / "attributes.jsonl", [{"i": "a", "t": "T.", "e": [], "o": "o", "u": "u1"}])
    write_rows(tables.folder / "votes.jsonl", [{"i": "a", "l": "accepted", "w": "w1"}])

    brought(tables, target, salt_file=None)

    assert rows_of(target, "attributes")[0]["user_id"] == "u1"
    assert rows_of(target, "attribute_labels")[0]["annotator_id"] == "w1"


def test_an_address_is_no_pseudonym_whatever_the_map_says(tables, target):
    tables.map.write_text(MAP.replace("user_id: who", "user_id: {column: who, pseudonym: no}"))
    assert len(missed(brought(tables, target))["invalid", "conversations"]) == 2


def test_people_without_a_salt_are_refused(tables, target):
    with pytest.raises(RapportError, match="openssl rand"):
        brought(tables, target, salt_file=None)
    assert not target.exists()


def test_a_second_import_changes_no_byte(tables, target):
    brought(tables, target)
    before = bytes_of(target)
    again = brought(tables, target)
    assert (bytes_of(target), again.changed, again.new_annotators) == (before, False, 0)


def test_notes_are_kept_on_request(tables, target):
    brought(tables, target, keep_notes=True)
    assert [row["note"] for row in rows_of(target, "attribute_labels")] == ["very sure", None]


def test_a_column_that_nobody_mapped_is_told_once(tables, target):
    tables.write("ratings.csv", "response;attribute;worker;stars;mood", "r1;a1;Alice;5;good", "r1;a1;Bob;4;bad")
    report = brought(tables, target)
    told = {each.remark.value: each.places for each in report.remarks}
    assert told["unmapped_column"] == ("ratings.csv column 'mood'",)


@pytest.mark.parametrize(
    ("name", "header", "row", "reason", "table"),
    [
        ("votes.csv", "id,worker,vote,when,remark,seconds", "a1,Eve,OK,,,", "unknown_value", "attribute_labels"),
        ("votes.csv", "id,worker,vote,when,remark,seconds", "a1,Eve,,,,", "invalid", "attribute_labels"),
        ("votes.csv", "id,worker,vote,when,remark,seconds", "a9,Eve,ok,,,", "unknown_reference", "attribute_labels"),
        ("votes.csv", "id,worker,vote,when,remark,seconds", "a1,,ok,,,", "invalid", "attribute_labels"),
        ("votes.csv", "id,worker,vote,when,remark,seconds", "a1,Eve,ok", "unreadable", "attribute_labels"),
        ("votes.csv", "id,worker,vote,when,remark,seconds", "=1+1,Eve,ok,,,", "invalid", "attribute_labels"),
        ("ratings.csv", "response;attribute;worker;stars", "r1;a1;Eve;6", "invalid", "response_ratings"),
        ("ratings.csv", "response;attribute;worker;stars", "r1;a1;Eve;0", "invalid", "response_ratings"),
        ("ratings.csv", "response;attribute;worker;stars", "r1;a1;Eve;3.5", "unknown_value", "response_ratings"),
        ("ratings.csv", "response;attribute;worker;stars", "r1;a2;Eve;3", "mismatch", "response_ratings"),
        ("ratings.csv", "response;attribute;worker;stars", "r2;a1;Eve;3", "unknown_reference", "response_ratings"),
        ("relevance.tsv", RELEVANCE, "p1\ta1\tEve\tmaybe", "unknown_value", "relevance_labels"),
        ("relevance.tsv", RELEVANCE, "p2\ta1\tEve\tyes", "unknown_reference", "relevance_labels"),
        ("attributes.csv", "id,user,sentence,talks,sure", "../a,u@x.org,T.,c1,", "invalid", "attributes"),
        ("attributes.csv", "id,user,sentence,talks,sure", "a2,u@x.org,T.,c1;c1,", "invalid", "attributes"),
        ("attributes.csv", "id,user,sentence,talks,sure", "a2,u@x.org,T.,,high", "unknown_value", "attributes"),
        ("attributes.csv", "id,user,sentence,talks,sure", "a2,u@x.org,T.,,7", "invalid", "attributes"),
        ("prompts.csv", "id,prompt,users", "p2,Where to?,w@x.org", "unknown_reference", "prompts"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_told_with_its_line(tables, target, name, header, row, reason, table):
    brought(tables, target)
    before = bytes_of(target)
    tables.write(name, header, row)

    report = brought(tables, target)

    assert missed(report)[reason, table] == (f"{name}:2",)
    assert bytes_of(target) == before


@pytest.mark.parametrize(
    ("user", "talks", "left", "said"),
    [
        ("u@x.org", "c9", [], "The data set has no such conversation."),
        ("v@x.org", "c1", [], "The conversation is another user's."),
        ("u@x.org", "c9;c1;c0", ["c1"], "The data set has no such conversation."),
    ],
)
def test_evidence_that_is_not_there_is_dropped_and_told_and_labels_of_its_attribute_are_placed(
    tables, target, user, talks, left, said
):
    tables.write("attributes.csv", "id,user,sentence,talks,sure", "a1,u@x.org,S.,c1,", f"a2,{user},T.,{talks},")
    tables.write("votes.csv", "id,worker,vote,when,remark,seconds", "a2,Alice,ok,,,", "a2,Bob,no,,,")

    report = brought(tables, target)

    assert [each["conversation_id"] for each in rows_of(target, "attributes")[1]["evidence"]] == left
    assert [row["label"] for row in rows_of(target, "attribute_labels")] == ["accepted", "rejected"]
    (dropped,) = [each for each in report.remarks if each.remark == "evidence_dropped"]
    assert (dropped.count, dropped.places, dropped.said) == (1, ("attributes.csv:3",), said)
    assert not report.not_placed
    findings = check_folder(target)
    assert not [finding for finding in findings if finding.severity is Severity.ERROR]
    assert sum(finding.problem is Problem.NO_EVIDENCE for finding in findings) == (not left)
    before = bytes_of(target)
    assert not brought(tables, target).changed
    assert bytes_of(target) == before


def test_evidence_of_a_row_that_is_not_placed_is_not_told_as_dropped(tables, target):
    brought(tables, target)
    tables.write("attributes.csv", "id,user,sentence,talks,sure", "a1,u@x.org,Something else.,c9,")
    report = brought(tables, target)
    assert missed(report) == {("conflict", "attributes"): ("attributes.csv:2",)}
    assert "evidence_dropped" not in {each.remark for each in report.remarks}


def test_a_label_that_contradicts_an_earlier_one_is_told_and_the_earlier_stays(tables, target):
    brought(tables, target)
    before = bytes_of(target)
    tables.write("ratings.csv", "response;attribute;worker;stars", "r1;a1;Alice;1")
    assert missed(brought(tables, target)) == {("conflict", "response_ratings"): ("ratings.csv:2",)}
    assert bytes_of(target) == before


def test_lists_may_be_json(tables, target):
    tables.map.write_text(MAP.replace('{column: talks, split: ";"}', "talks"))
    evidence = json.dumps([{"conversation_id": "c1", "turn": 1}]).replace('"', '""')
    tables.write("attributes.csv", "id,user,sentence,talks,sure", f'a1,u@x.org,T.,"{evidence}",')
    brought(tables, target)
    assert rows_of(target, "attributes")[0]["evidence"] == [{"conversation_id": "c1", "turn": 1}]

    tables.write("attributes.csv", "id,user,sentence,talks,sure", "a2,u@x.org,T.,c1;c2,")
    assert ("unknown_value", "attributes") in missed(brought(tables, target))


def test_simulated_labels_beside_peoples_are_refused_and_nothing_is_written(tables, target):
    brought(tables, target)
    before = bytes_of(target)
    tables.map.write_text(MAP.replace("rating: stars", "rating: stars, kind: {value: simulated}"))
    tables.write("ratings.csv", "response;attribute;worker;stars", "r1;a1;Robot;5")
    with pytest.raises(RapportError, match="Nothing was written"):
        brought(tables, target)
    assert bytes_of(target) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no table"),
        ("- a\n- b\n", "names no table"),
        ("votes: {file: a.csv, columns: {}}", "There is no table 'votes'"),
        ("prompts: {columns: {prompt_id: a, text: b, user_ids: c}}", "prompts.file"),
        ("prompts: {file: a.csv, columns: {prompt_id: a, text: b}}", "says nothing of prompts.user_ids"),
        ("prompts: {file: a.csv, columns: {prompt_id: a, text: b, user_ids: c, age: d}}", "no field 'age'"),
        ("prompts: {file: a.csv, columns: {prompt_id: a, text: {}, user_ids: c}}", "either `column` or `value`"),
        ("prompts: {file: a.csv, columns: {prompt_id: a, text: {column: b, split: x}, user_ids: c}}", "is no list"),
        ("prompts: {file: a.csv, files: b, columns: {prompt_id: a, text: b, user_ids: c}}", "prompts.files"),
        ("prompts: &a {file: a.csv}\nattributes: *a\n", "anchors"),
        ("prompts: [", "not YAML, line 1"),
        ("prompts: !!python/object/apply:os.system [echo]", "prompts"),
        ("a: " + "[" * 1_000, "not YAML"),
        ("a: " + "[" * 90_000, "brackets"),
        ("- " * 40_000, "not YAML"),
        ("# " + "x" * 200_000, "bytes"),
    ],
)
def test_a_map_that_is_none_is_refused_with_its_fault(tmp_path, text, told):
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(RapportError) as refused:
        load_column_map(path)
    assert refused.value.cause == Cause.DATA_ERROR
    assert told in refused.value.message


@pytest.mark.parametrize("name", ["../outside.csv", "/etc/passwd", "link.csv"])
def test_no_file_outside_the_source_is_read(tables, target, name):
    (tables.folder.parent / "outside.csv").write_text("id\n1\n")
    (tables.folder / "link.csv").symlink_to(tables.folder.parent / "outside.csv")
    tables.map.write_text(f"prompts: {{file: {name}, columns: {{prompt_id: a, text: b, user_ids: c}}}}")
    with pytest.raises(RapportError) as refused:
        brought(tables, target)
    assert refused.value.cause == Cause.FORBIDDEN_PATH


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"id,who\n", "no column 'prompt'"),
        (b"", "no header"),
        (b"id,id,prompt,users\n", "no header"),
        (b"id,prompt,\xff\n", "no header"),
        (b'id,prompt,users\np1,"never ends\n', "cannot be read from line"),
        (b'id,prompt,users\np1,"a"b,c\n', "cannot be read from line"),
    ],
)
def test_a_table_that_cannot_be_read_whole_is_refused(tables, target, content, told):
    (tables.folder / "prompts.csv").write_bytes(content)
    with pytest.raises(RapportError, match=told) as refused:
        brought(tables, target)
    assert refused.value.cause == Cause.DATA_ERROR
    assert not target.exists()


def test_a_file_that_is_not_there_is_told(tables, target):
    (tables.folder / "votes.csv").unlink()
    with pytest.raises(RapportError) as refused:
        brought(tables, target)
    assert refused.value.cause == Cause.NOT_FOUND


def test_the_map_in_the_docs_brings_every_label_of_files_that_look_like_it(tables, target):
    text = (Path(__file__).parents[2] / "docs" / "human.md").read_text(encoding="utf-8")
    tables.map.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert set(load_column_map(tables.map)) == {"conversations", "attributes", "attribute_labels"}
    said = [{"role": "user", "text": "I keep bees."}]
    write_rows(tables.folder / "talks.jsonl", [{"talk": name, "user": "u1", "said": said} for name in ("t-1", "t-2")])
    tables.write("attributes.csv", "item;user;sentence;talks", "a1;u1;The user keeps bees.;t-1|t-2", "a2;u1;Lies.;")
    votes = [f"{item},{who},{vote},hm,3" for item in ("a1", "a2") for who, vote in zip("ABC", VOTES, strict=True)]
    tables.write("votes.csv", "item,worker,vote,remark,seconds", *votes)

    report = brought(tables, target)

    assert {each.table: (each.read, each.placed) for each in report.tables} == {
        "conversations": (2, 2),
        "attributes": (2, 2),
        "attribute_labels": (6, 6),
    }
    assert (report.not_placed, [(each.remark, each.count) for each in report.remarks]) == ((), [("note_dropped", 6)])
    assert [row["label"] for row in rows_of(target, "attribute_labels")] == ["accepted", "uncertain", "rejected"] * 2
    assert [len(row["evidence"]) for row in rows_of(target, "attributes")] == [2, 0]
    assert not [finding for finding in check_folder(target) if finding.severity is Severity.ERROR]
