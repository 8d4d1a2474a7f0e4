"""A data set says the same from a folder, from the Hub, as JSON lines and as Parquet, to us and to `datasets`."""

from pathlib import Path

import pytest
from datasets import load_dataset

from evaluator.errors import Cause, RapportError
from evaluator.human.data import HumanData, demo_set
from evaluator.human.layout import KINDS, About, HumanTables
from evaluator.human.records import RaterKind
from evaluator.human.writing import write_human_set
from evaluator.records import Terms
from tests.hub_server import Client, LocalHub
from tests.human.sets import ABOUT, as_json, honest, loaded, typed, without_roster, write_parquet, write_raw


def open_all(source: str, revision: str | None = None) -> tuple[str, Terms, dict[str, list[str]]]:
    data = HumanData.open(source, revision)
    return data.sha, data.terms, as_json(data.tables)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_human_set(tmp_path / "set", typed(honest()), ABOUT)
    return tmp_path / "set"


def test_what_was_written_is_read_as_it_was(folder: Path) -> None:
    assert as_json(HumanData.open(str(folder)).tables) == as_json(typed(honest()))


def test_datasets_reads_what_we_read(folder: Path, tmp_path: Path) -> None:
    assert loaded(str(folder), str(tmp_path / "cache")) == as_json(typed(honest()))


def test_datasets_reads_the_demo_set(tmp_path: Path) -> None:
    assert loaded(str(demo_set()), str(tmp_path / "cache")) == as_json(HumanData.open(str(demo_set())).tables)


def test_the_hub_says_what_the_folder_says(hub: LocalHub, client: Client, folder: Path, tmp_path: Path) -> None:
    sha = hub.repositories.commit_folder("dataset", "org/labels", folder)
    from_hub = client.run(open_all, "org/labels").value
    assert from_hub == (sha, *open_all(str(folder))[1:])
    assert client.run(loaded, "org/labels", str(tmp_path / "cache")).value == from_hub[2]


def test_a_revision_stays_what_it_was(hub: LocalHub, client: Client, folder: Path) -> None:
    first = hub.repositories.commit_folder("dataset", "org/labels", folder)
    raw = honest()
    raw["attribute_labels"][0]["label"] = "rejected"
    write_human_set(folder, typed(raw), ABOUT)
    second = hub.repositories.commit_folder("dataset", "org/labels", folder)
    assert client.run(open_all, "org/labels", first).value[2] == as_json(typed(honest()))
    assert client.run(open_all, "org/labels").value[::2] == (second, as_json(typed(raw)))


def test_other_files_of_a_hub_data_set_are_not_fetched(hub: LocalHub, client: Client, folder: Path) -> None:
    (folder / "notes.bin").write_bytes(b"x" * 100)
    (folder / "extra").mkdir()
    (folder / "extra" / "more.jsonl").write_text("{}\n")
    hub.repositories.commit_folder("dataset", "org/labels", folder)
    client.run(open_all, "org/labels")
    fetched = {path.name for path in client.home.rglob("snapshots/*/*")}
    assert fetched == {"README.md", *KINDS}


def test_one_that_is_not_there_is_named(hub: LocalHub, client: Client) -> None:
    failure = client.run(open_all, "org/nothing").failure
    assert failure.cause == Cause.NOT_FOUND
    assert "org/nothing" in failure.message


def test_parquet_in_parts_says_the_same(folder: Path, tmp_path: Path) -> None:
    parquet = write_parquet(tmp_path / "parquet", honest())
    assert as_json(HumanData.open(str(parquet)).tables) == as_json(HumanData.open(str(folder)).tables)
    assert loaded(str(parquet), str(tmp_path / "cache")) == as_json(typed(honest()))


def test_several_parts_are_read_in_the_order_of_their_names(folder: Path, tmp_path: Path) -> None:
    part = folder / "attributes" / "part-0000.jsonl"
    lines = part.read_text().splitlines(keepends=True)
    part.write_text("".join(lines[:1]))
    (folder / "attributes" / "part-0002.jsonl").write_text("".join(lines[2:]))
    (folder / "attributes" / "part-0001.jsonl").write_text(lines[1])
    assert as_json(HumanData.open(str(folder)).tables) == as_json(typed(honest()))
    assert loaded(str(folder), str(tmp_path / "cache")) == as_json(typed(honest()))


def test_a_set_without_a_table_of_annotators_is_read_and_all_its_labels_count(tmp_path: Path) -> None:
    raw = without_roster()
    write_raw(tmp_path / "set", raw)
    assert as_json(HumanData.open(str(tmp_path / "set")).tables) == as_json(typed(raw))
    tables = tuple(raw)
    assert loaded(str(tmp_path / "set"), str(tmp_path / "cache"), tables) == {
        name: as_json(typed(raw))[name] for name in tables
    }


def test_a_set_with_labels_by_a_stranger_is_never_scored_and_says_how_many_there_are(tmp_path: Path) -> None:
    raw = honest()
    for row in raw["attribute_labels"][:3]:
        row["annotator_id"] = f"stranger-{row['annotator_id']}"
    write_raw(tmp_path, raw)
    with pytest.raises(RapportError) as refused:
        HumanData.open(str(tmp_path))
    assert refused.value.cause is Cause.DATA_ERROR
    assert "attribute_labels/part-0000.jsonl:1 (u1-a1 by stranger-ann-1)" in refused.value.message
    assert "It has 2 more errors." in refused.value.message
    assert "rapport human check" in refused.value.remedy


def test_other_annotators_are_no_other_questions(folder: Path) -> None:
    before = HumanData.open(str(folder))
    raw = honest()
    raw["annotators"].append({"annotator_id": "ann-4", "kind": "person"})
    write_human_set(folder, typed(raw), ABOUT)
    after = HumanData.open(str(folder))
    assert after.sha != before.sha
    assert after.shown_sha == before.shown_sha


def test_empty_tables_are_read_and_streamed(tmp_path: Path) -> None:
    write_human_set(tmp_path / "set", HumanTables(), ABOUT)
    assert HumanData.open(str(tmp_path / "set")).tables == HumanTables()
    for table, kind in KINDS.items():
        rows = load_dataset(str(tmp_path / "set"), table, split="train", streaming=True)
        assert list(rows) == []
        assert list(rows.features) == list(kind.model_fields)


def test_columns_with_a_default_may_be_left_out(tmp_path: Path) -> None:
    raw = honest()
    for label in raw["attribute_labels"]:
        for column in ("kind", "labelled_at", "note"):
            del label[column]
    data = HumanData.open(str(write_raw(tmp_path / "set", raw)))
    assert {label.kind for label in data.tables.attribute_labels} == {RaterKind.PERSON}


def test_rows_are_found_by_what_they_are_of(folder: Path) -> None:
    data = HumanData.open(str(folder))
    assert data.user_ids == ("u1", "u2")
    assert [row.conversation_id for row in data.conversations_of["u2"]] == ["u2-c1", "u2-c2"]
    assert [row.attribute_id for row in data.attributes_of["u1"]] == ["u1-a1", "u1-a2"]
    assert data.conversations["u1-c2"].user_id == "u1"
    assert data.attributes["u2-a1"].evidence[0].conversation_id == "u2-c1"
    assert data.prompts["p1"].user_ids == ("u1", "u2")
    assert data.responses["r1"].attribute_ids == ("u1-a1", "u1-a2")
    assert [label.annotator_id for label in data.attribute_labels["u1-a1"]] == ["ann-1", "ann-2", "ann-3"]
    assert [label.relevant for label in data.relevance_labels["p1", "u2-a1"]] == [True, False, False]
    assert [label.rating for label in data.response_ratings["r1", "u1-a2"]] == [4, 4, 4]
    assert ("p1", "u1-a2") not in data.relevance_labels
    assert not data.is_simulated


def test_the_same_files_have_the_same_sha_and_other_files_another(folder: Path, tmp_path: Path) -> None:
    write_human_set(tmp_path / "again", typed(honest()), ABOUT)
    assert HumanData.open(str(tmp_path / "again")).sha == HumanData.open(str(folder)).sha
    raw = honest()
    raw["prompts"][0]["text"] = "Another?"
    write_human_set(tmp_path / "again", typed(raw), ABOUT)
    assert HumanData.open(str(tmp_path / "again")).sha != HumanData.open(str(folder)).sha


def test_terms_are_those_of_the_card(tmp_path: Path) -> None:
    about = About(
        title="Labels",
        licence="odc-by",
        visibility="public",
        redistributable=True,
        personal_data="pseudonymous",
        languages=("en", "zh"),
        text="Two\n\nparagraphs: here.",
    )
    write_human_set(tmp_path / "set", typed(honest()), about)
    data = HumanData.open(str(tmp_path / "set"))
    assert data.about == about
    terms = data.terms
    assert (terms.visibility, terms.licence, terms.redistributable) == ("public", "odc-by", True)
    assert terms.personal_data == "pseudonymous"


def test_what_a_card_does_not_say_is_not_allowed(folder: Path) -> None:
    card = folder / "README.md"
    head, _, rest = card.read_text().partition("rapport:\n")
    card.write_text(head.replace("license: apache-2.0\n", "") + rest[rest.index("configs:") :])
    terms = HumanData.open(str(folder)).terms
    assert (terms.visibility, terms.licence, terms.redistributable) == ("private", None, False)
    assert terms.personal_data == "personal"


def test_a_broken_row_is_named_at_opening(tmp_path: Path) -> None:
    raw = honest()
    raw["response_ratings"][3]["rating"] = 6
    raw["attribute_labels"][1]["attribute_id"] = "u9-a9"
    with pytest.raises(RapportError) as caught:
        HumanData.open(str(write_raw(tmp_path / "set", raw)))
    assert caught.value.cause == Cause.DATA_ERROR
    assert "attribute_labels/part-0000.jsonl:2" in caught.value.message
    assert "1 more error" in caught.value.message


def test_notes_do_not_keep_a_data_set_from_being_opened(tmp_path: Path) -> None:
    raw = honest()
    raw["attributes"][0]["evidence"] = []
    raw["attribute_labels"] = raw["attribute_labels"][2:]
    assert len(HumanData.open(str(write_raw(tmp_path / "set", raw))).tables.attribute_labels) == 10
