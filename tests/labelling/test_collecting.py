"""`rapport human collect`: the labels of a site, ready to be reported on."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import pytest

from evaluator.human.check import check, check_folder
from evaluator.human.data import HumanData, demo_set
from evaluator.human.findings import Severity
from evaluator.human.layout import About
from evaluator.human.reading import read_tables
from evaluator.human.records import Annotator, RaterKind, Rating, Verification
from leaderboard.cli.main import main
from leaderboard.labelling.collecting import ATTENTION, collect
from leaderboard.open_data import files, layout
from leaderboard.open_data.people import OpenAnnotator, OpenLabel
from leaderboard.store.base import Delete, Write
from leaderboard.store.local import LocalStore
from tests.labelling.people import ALICE, BOB
from tests.open_data.rows import make_label

TABLES = read_tables(demo_set()).tables
ATTRIBUTE = TABLES.attributes[0].attribute_id
PAIR = f"{TABLES.relevance_labels[0].prompt_id}/{TABLES.relevance_labels[0].attribute_id}"
RATED = f"{TABLES.responses[0].response_id}/{TABLES.responses[0].attribute_ids[0]}"


def annotator(
    name: str, withdrawn_at: datetime.datetime | None, consent: str | None = "1", **told: int
) -> OpenAnnotator:
    counts = {"labels": 0, "attention_items": 0, "attention_right": 0} | told
    return OpenAnnotator(annotator=name, consent=consent, withdrawn_at=withdrawn_at, **counts)


BOTH = [annotator(ALICE, None), annotator(BOB, None)]


def labels_of(person: str, word: str = "YES") -> list[OpenLabel]:
    of = {"data_set": "demo", "annotator": person}
    return [
        make_label(ATTRIBUTE, stage="verification", word="rejected", **of),
        make_label(PAIR, stage="relevance", word=word, **of),
        make_label(RATED, stage="rating", word=None, number=4.0, **of),
    ]


def test_labels_become_rows_beside_their_items_and_simulated_ones_go() -> None:
    found = collect(TABLES, About(), "demo", [*labels_of(ALICE), *labels_of(BOB, "NO")], BOTH)
    assert (found.labels, found.unknown, found.repeated) == (6, 0, 0)
    assert found.simulated == sum(map(len, (TABLES.attribute_labels, TABLES.relevance_labels, TABLES.response_ratings)))
    assert [row.label for row in found.tables.attribute_labels] == [Verification.REJECTED] * 2
    assert {(row.annotator_id, row.relevant) for row in found.tables.relevance_labels} == {(ALICE, True), (BOB, False)}
    assert {row.rating for row in found.tables.response_ratings} == {Rating.BETTER}
    assert {row.kind for row in found.tables.attribute_labels} == {RaterKind.PERSON}
    assert found.tables.conversations == TABLES.conversations


def test_what_has_no_place_is_counted_and_not_guessed() -> None:
    own = collect(TABLES, About(), "demo", labels_of(ALICE), BOTH).tables
    elsewhere = make_label(ATTRIBUTE, data_set="org/other", stage="verification", word="accepted")
    gone = make_label("user-09-a99", data_set="demo", stage="verification", word="accepted")
    found = collect(own, About(), "demo", [*labels_of(ALICE), *labels_of(BOB), elsewhere, gone], BOTH)
    assert (found.labels, found.unknown, found.repeated, found.simulated) == (3, 1, 3, 0)


def test_labels_of_nobody_whom_the_site_lists_are_counted_and_left_out() -> None:
    gone = annotator(BOB, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), None)
    for listed in ([annotator(ALICE, None)], [annotator(ALICE, None), gone]):
        found = collect(TABLES, About(), "demo", [*labels_of(ALICE), *labels_of(BOB)], listed)
        assert (found.labels, found.strangers) == (3, 3)
        assert found.tables.annotators == (Annotator(annotator_id=ALICE, kind=RaterKind.PERSON),)
        assert [each for each in check(found.tables) if each.severity is Severity.ERROR] == []


def test_without_labels_the_items_are_left() -> None:
    found = collect(TABLES, About(), "demo", [], [])
    assert found.labels == 0
    assert found.tables.attributes == TABLES.attributes
    assert not any(getattr(found.tables, table) for table in ("attribute_labels", "relevance_labels"))


def test_labels_that_the_data_set_has_of_somebody_who_withdrew_since_go() -> None:
    own = collect(TABLES, About(), "demo", [*labels_of(ALICE), *labels_of(BOB)], BOTH).tables
    given = own.attribute_labels[0].labelled_at
    assert given is not None
    later, before = given + datetime.timedelta(hours=1), given - datetime.timedelta(hours=1)
    found = collect(own, About(), "demo", labels_of(BOB), [annotator(ALICE, later, None), annotator(BOB, before)])
    assert (found.withdrawn, found.repeated, found.labels) == (3, 3, 0)
    assert {row.annotator_id for row in found.tables.relevance_labels} == {BOB}
    assert [row.annotator_id for row in found.tables.annotators] == [BOB]
    undated = own._replace(
        attribute_labels=tuple(row.model_copy(update={"labelled_at": None}) for row in own.attribute_labels)
    )
    assert collect(undated, About(), "demo", [], [annotator(BOB, before)]).withdrawn == 1


def test_labels_that_were_given_on_another_state_of_the_data_set_are_counted_and_named() -> None:
    labels = labels_of(ALICE)
    changed = labels[0].model_copy(update={"data_sha": "e" * 40})
    found = collect(TABLES, About(), "demo", [changed, *labels[1:]], BOTH, sha=labels[1].data_sha)
    assert (found.labels, found.other_states) == (3, {"e" * 40: 1})
    assert collect(TABLES, About(), "demo", labels, BOTH, sha=labels[1].data_sha).other_states == {}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The data folder of a site on which two people have labelled."""
    results = LocalStore(tmp_path / "data" / "results")
    rows = [*labels_of(ALICE), *labels_of(BOB)]
    annotators = [
        annotator(name, None, labels=3, attention_items=given, attention_right=right)
        for name, given, right in ((ALICE, 4, 3), (BOB, 0, 0))
    ]
    writes = [
        Write(layout.labels_path("demo", stage), files.encode_labels([row for row in rows if row.stage == stage]))
        for stage in ("verification", "relevance", "rating")
    ]
    results.commit([*writes, Write(layout.ANNOTATORS, files.ANNOTATORS.encode(annotators))], "labels")
    return tmp_path / "data"


def rapport(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["rapport", "human", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_report_covers_the_labels_of_a_site_at_once(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "labels"
    assert rapport(monkeypatch, "collect", "--store", site, "--out", out) == 0
    assert "6 labels of people collected" in capsys.readouterr().out
    assert [finding for finding in check_folder(out) if finding.severity is Severity.ERROR] == []
    data = HumanData.open(str(out))
    assert not data.is_simulated
    assert "labelled" in data.about.title
    assert "simulated labels of it are left out" in data.about.source
    first = (out / ATTENTION).read_bytes()

    assert rapport(monkeypatch, "report", out) == 0
    told = capsys.readouterr().out
    assert ALICE in told
    assert "simulated" not in told
    assert f"| {ALICE} |               4 |     3 | 0.750 |" in told

    assert rapport(monkeypatch, "collect", "--store", site, "--out", out) == 0
    assert (out / ATTENTION).read_bytes() == first


def test_withdrawn_labels_are_gone_from_what_is_collected_again(
    site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "labels"
    assert rapport(monkeypatch, "collect", "--store", site, "--out", out) == 0
    path = layout.labels_path("demo", "relevance")
    rows = [row for row in labels_of(ALICE) if row.stage == "relevance"]
    LocalStore(site / "results").commit([Write(path, files.encode_labels(rows))], "Bob has withdrawn")
    assert rapport(monkeypatch, "collect", "--store", site, "--out", out) == 0
    assert {row.annotator_id for row in read_tables(out).tables.relevance_labels} == {ALICE}


def test_when_the_last_labels_are_withdrawn_the_set_is_written_without_any(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, results = tmp_path / "labels", LocalStore(site / "results")
    assert rapport(monkeypatch, "collect", "--store", site, "--out", out) == 0
    assert "labels given on another state of the data set" in capsys.readouterr().out
    results.commit([Delete(path) for path in results.list(layout.LABELS)], "everybody has withdrawn")
    gone = [annotator(name, datetime.datetime.now(datetime.UTC), None) for name in (ALICE, BOB)]
    results.commit([Write(layout.ANNOTATORS, files.ANNOTATORS.encode(gone))], "tombstones")
    assert rapport(monkeypatch, "collect", "--store", site, "--out", out) == 0
    held = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert ALICE.encode() not in held
    assert BOB.encode() not in held
    assert read_tables(out).tables.attributes == TABLES.attributes


def test_a_site_without_labels_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    LocalStore(tmp_path / "data" / "results").commit([Write("README.md", b"")], "empty")
    assert rapport(monkeypatch, "collect", "--store", tmp_path / "data", "--out", tmp_path / "labels") == 1
    assert "Nobody has labelled demo" in capsys.readouterr().err
    assert not (tmp_path / "labels").exists()
