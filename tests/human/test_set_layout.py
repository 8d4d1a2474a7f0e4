"""The layout of the files: every field of a record is a column, with its type and its meaning."""

from pathlib import Path

import pytest
from datasets import load_dataset

from evaluator.human.layout import KEYS, KINDS, LABELS, HumanTables, columns_of, features_of
from evaluator.human.records import Conversation, Row
from evaluator.human.writing import encode_human_set
from tests.human.sets import ABOUT, honest, typed


def test_every_table_has_a_record_and_a_key() -> None:
    assert tuple(KINDS) == tuple(KEYS) == HumanTables._fields
    assert LABELS == ("attribute_labels", "relevance_labels", "response_ratings")
    for table, key in KEYS.items():
        assert set(key) <= KINDS[table].model_fields.keys()


@pytest.mark.parametrize("table", KINDS)
def test_every_field_is_a_column_with_a_meaning(table: str) -> None:
    fields = KINDS[table].model_fields
    assert list(columns_of(KINDS[table])) == list(fields)
    assert [name for name, field in fields.items() if not field.description] == []


def test_a_new_field_becomes_a_column_by_itself(tmp_path: Path) -> None:
    class Longer(Conversation):
        mood: float | None = None

    assert features_of(Longer) == [*features_of(Conversation), {"name": "mood", "dtype": "float64"}]


def test_a_field_that_no_column_can_hold_is_refused() -> None:
    class Either(Row):
        value: int | str

    with pytest.raises(TypeError, match="has no column"):
        columns_of(Either)


@pytest.mark.parametrize("table", KINDS)
def test_datasets_reads_the_columns_as_they_were_derived(tmp_path: Path, table: str) -> None:
    for name, content in encode_human_set(typed(honest()), ABOUT).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    rows = load_dataset(str(tmp_path), table, split="train", cache_dir=str(tmp_path / ".cache"))
    assert rows.column_names == list(KINDS[table].model_fields)
    features = {name: str(feature) for name, feature in rows.features.items()}
    assert {name for name, told in features.items() if "timestamp[us, tz=UTC]" in told} == {
        name for name in features if name in ("started_at", "labelled_at")
    }


def test_the_card_names_every_table_and_column_and_all_terms() -> None:
    card = encode_human_set(typed(honest()), ABOUT)["README.md"].decode()
    for table, kind in KINDS.items():
        assert f"### {table}\n" in card
        for name, field in kind.model_fields.items():
            assert f"| `{name}` | {columns_of(kind)[name].told} | {field.description}" in card
    assert "| licence | apache-2.0 |" in card
    assert "| visibility | private |" in card
    assert "| redistributable | no |" in card
    assert "| personal data | personal |" in card
    assert "| labels | 24 given by single people |" in card
    assert "Invented for a test." in card
    assert "simulated" not in card.partition("## Tables")[0]


def test_no_text_of_a_card_leaves_its_place() -> None:
    about = ABOUT.model_copy(update={"title": "A: | title\n# --- x", "licence": "mit | x", "source": "one\n---\ntwo"})
    card = encode_human_set(HumanTables(), about)["README.md"].decode()
    assert "| licence | mit \\| x |" in card
    assert "\n# A: | title # --- x\n" in card
