"""What happens to a row that is there already: it takes over what it lacked, and else it stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.human.importers.pseudonyms import VARIABLE, Salt
from evaluator.human.importers.report import ImportReport
from evaluator.human.importers.sources import import_source
from tests.human.sources import BEES, RAIN, TRAINS, ToolSource, bytes_of, rows_of, write_rows
from tests.human.tables import MAP, Tables

ATTRIBUTES = "id,user,sentence,talks,sure"


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tables:
    monkeypatch.delenv(VARIABLE, raising=False)
    return Tables(tmp_path / "source")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "labels"


def brought(tables: Tables, target: Path, **options: object) -> ImportReport:
    return import_source("columns", str(tables.folder), target, tables.options(**options))


def completed(report: ImportReport) -> dict[str, int]:
    return {each.table: each.completed for each in report.tables if each.completed}


def test_users_of_a_prompt_come_together(tables: Tables, target: Path) -> None:
    tables.write("prompts.csv", "id,prompt,users", "p1,What shall I do tonight?,u@x.org")
    brought(tables, target)
    (first,) = rows_of(target, "prompts")[0]["user_ids"]
    tables.write("prompts.csv", "id,prompt,users", "p1,What shall I do tonight?,v@x.org")

    report = brought(tables, target)

    assert completed(report) == {"prompts": 1}
    users = rows_of(target, "prompts")[0]["user_ids"]
    assert (len(users), users[0]) == (2, first)
    assert not brought(tables, target).changed


def test_evidence_comes_together(tables: Tables, target: Path) -> None:
    brought(tables, target)
    tables.map.write_text(MAP.replace('{column: talks, split: ";"}', "talks"))
    evidence = json.dumps([{"conversation_id": "c1", "turn": 1}]).replace('"', '""')
    tables.write("attributes.csv", ATTRIBUTES, f'a1,u@x.org,"The user sings, loudly.","{evidence}",')

    assert completed(brought(tables, target)) == {"attributes": 1}

    assert [each["turn"] for each in rows_of(target, "attributes")[0]["evidence"]] == [None, 1]
    assert not brought(tables, target).changed


def test_an_attribute_may_come_without_evidence_and_get_it_later(tables: Tables, target: Path) -> None:
    tables.write("attributes.csv", ATTRIBUTES, 'a1,u@x.org,"The user sings, loudly.",,')
    brought(tables, target)
    assert (rows_of(target, "attributes")[0]["evidence"], rows_of(target, "attributes")[0]["confidence"]) == ([], None)

    tables.write("attributes.csv", ATTRIBUTES, 'a1,u@x.org,"The user sings, loudly.",c1,0.5')
    brought(tables, target)
    assert rows_of(target, "attributes")[0]["evidence"] == [{"conversation_id": "c1", "turn": None}]
    assert rows_of(target, "attributes")[0]["confidence"] == 0.5


def test_what_a_source_does_not_say_is_kept(tables: Tables, target: Path) -> None:
    brought(tables, target, keep_notes=True)
    before = bytes_of(target)

    report = brought(tables, target)

    assert (report.changed, report.not_placed) == (False, ())
    assert bytes_of(target) == before


def test_a_turn_that_the_conversation_does_not_have_is_told(tables: Tables, target: Path) -> None:
    tables.map.write_text(MAP.replace('{column: talks, split: ";"}', "talks"))
    evidence = json.dumps([{"conversation_id": "c1", "turn": 2}]).replace('"', '""')
    tables.write("attributes.csv", ATTRIBUTES, f'a2,u@x.org,T.,"{evidence}",')
    (dropped,) = [each for each in brought(tables, target).remarks if each.remark == "evidence_dropped"]
    assert (dropped.places, dropped.said) == (("attributes.csv:2",), "The conversation has no such turn.")


def test_notes_that_are_kept_are_not_told_as_dropped(tables: Tables, target: Path) -> None:
    tool = ToolSource(target.parent / "tool")
    report = import_source("tool", str(tool.answers), target, tool.options(keep_notes=True))
    assert "note_dropped" not in {each.remark for each in report.remarks}


def test_one_name_is_not_the_same_person_as_user_and_as_annotator() -> None:
    salt = Salt(b"a salt for this test")
    assert salt.pseudonym("user", "sam").split("-")[1] != salt.pseudonym("annotator", "sam").split("-")[1]


def test_two_items_of_one_number_that_differ_are_told(target: Path) -> None:
    tool = ToolSource(target.parent / "tool")
    write_rows(tool.users, [tool.user(0, "ip-1", BEES, TRAINS), tool.user(0, "2", RAIN)])
    write_rows(tool.prompts, [tool.prompt(7, "ip-1", BEES, TRAINS), tool.prompt(7, "ip-1", BEES)])
    write_rows(tool.responses, [tool.response(), tool.response() | {"model_tag": "another"}, tool.response()])

    report = import_source("tool", str(tool.answers), target, tool.options())

    (fault,) = report.not_placed
    assert fault.reason == "conflict"
    assert fault.places == ("task4_items.jsonl:2", "task5_items.jsonl:2", "task6_items.jsonl:2")
    assert len(rows_of(target, "attribute_labels")) == 6
