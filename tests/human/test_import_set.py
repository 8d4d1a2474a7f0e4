"""A data set in our own layout, from a folder or the Hub, copied or merged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.human.data import demo_set
from evaluator.human.importers.sources import ImportOptions, import_source
from tests.hub_server import Client, LocalHub
from tests.hub_server.fixtures import CANARY
from tests.human.sources import ToolSource, alpsbench_record, bytes_of, rows_of, write_rows


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "labels"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A data set of people's labels."""
    tool = ToolSource(tmp_path / "tool")
    import_source("tool", str(tool.answers), tmp_path / "source", tool.options())
    return tmp_path / "source"


def test_a_copy_is_the_same_to_the_byte(source: Path, target: Path) -> None:
    import_source("set", str(source), target)
    assert bytes_of(target) == bytes_of(source)


def test_the_demo_set_can_be_copied_and_says_still_that_it_is_simulated(target: Path) -> None:
    import_source("set", str(demo_set()), target)
    assert bytes_of(target) == bytes_of(demo_set())


def test_a_merge_keeps_both_and_is_repeated_without_a_change(source: Path, tmp_path: Path, target: Path) -> None:
    alpsbench = write_rows(tmp_path / "r.jsonl", [alpsbench_record()])
    import_source("alpsbench", str(alpsbench), target)
    card = (target / "README.md").read_text()

    report = import_source("set", str(source), target)

    merged = bytes_of(target)
    assert len(rows_of(target, "attributes")) == 3 + 5
    assert report.new_annotators == 3
    assert "license: odc-by" in card
    assert "license: odc-by" in (target / "README.md").read_text()
    assert not import_source("set", str(source), target).changed
    assert not import_source("alpsbench", str(alpsbench), target).changed
    assert bytes_of(target) == merged


def test_a_set_without_a_table_of_annotators_gets_one_from_its_labels(source: Path, target: Path) -> None:
    listed = (source / "annotators/part-0000.jsonl").read_bytes()
    (source / "annotators/part-0000.jsonl").unlink()
    import_source("set", str(source), target)
    assert (target / "annotators/part-0000.jsonl").read_bytes().splitlines(keepends=True) == sorted(
        listed.splitlines(keepends=True)
    )
    assert import_source("set", str(target), source).changed
    assert not import_source("set", str(target), source).changed


def test_an_annotator_of_another_kind_is_not_taken_for_the_same(source: Path, target: Path) -> None:
    import_source("set", str(source), target)
    for table in ("annotators", "attribute_labels", "relevance_labels", "response_ratings"):
        path = source / table / "part-0000.jsonl"
        path.write_text(path.read_text().replace('"person"', '"consensus"'))
    before = bytes_of(target)
    report = import_source("set", str(source), target)
    assert bytes_of(target) == before
    assert {each.reason.value for each in report.not_placed} == {"conflict", "mismatch"}


def test_simulated_labels_never_come_to_stand_beside_peoples(source: Path) -> None:
    before = bytes_of(source)
    with pytest.raises(RapportError, match="Nothing was written"):
        import_source("set", str(demo_set()), source)
    assert bytes_of(source) == before


def test_a_broken_data_set_is_refused_whole(source: Path, target: Path) -> None:
    with (source / "attribute_labels/part-0000.jsonl").open("a") as file:
        file.write(json.dumps({"attribute_id": "gone", "annotator_id": "a", "label": "accepted"}) + "\n")
    with pytest.raises(RapportError) as refused:
        import_source("set", str(source), target)
    assert refused.value.cause == Cause.DATA_ERROR
    assert not target.exists()


def test_the_hub_is_read_at_its_commit(hub: LocalHub, client: Client, source: Path, target: Path) -> None:
    sha = hub.repositories.commit_folder("dataset", "org/labels", source)
    hub.repositories.commit("dataset", "org/labels", {"attributes/part-0000.jsonl": "no rows"})

    assert client.run(import_source, "set", "org/labels", target).failure.cause == Cause.DATA_ERROR
    options = ImportOptions(revision=sha)
    answer = client.run(import_source, "set", "org/labels", target, options)

    assert answer.value.revision == sha
    assert bytes_of(target) == bytes_of(source)
    assert CANARY not in repr(answer)
