"""Public records: every field says what it is, and none can hold what must not be public."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from leaderboard.open_data.board import OpenGap, OpenRate, OpenScorecard, OpenTotal
from leaderboard.open_data.columns import columns_of, from_columns, to_columns
from leaderboard.open_data.configs import REQUESTS, RESULTS
from leaderboard.open_data.people import OpenLabel
from leaderboard.open_data.records import OpenRecord, OpenWithdrawal
from tests.builders import NOON

KINDS = [*(config.kind for config in (*RESULTS, *REQUESTS)), OpenWithdrawal]
PARTS: list[type[OpenRecord]] = [OpenRate, OpenTotal, OpenGap]


@pytest.mark.parametrize("kind", [*KINDS, *PARTS], ids=lambda kind: kind.__name__)
def test_every_field_is_described_in_a_sentence(kind: type[OpenRecord]) -> None:
    bare = [name for name, field in kind.model_fields.items() if not (field.description or "").endswith(".")]

    assert bare == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_row_names_its_version(kind: type[OpenRecord]) -> None:
    assert "schema_version" in kind.model_fields
    assert "schema_version" in columns_of(kind).model_fields


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_row_has_a_place_for_the_text_of_a_data_set(kind: type[OpenRecord]) -> None:
    forbidden = {"question", "gold", "general_answer", "evidence", "persona", "profile", "prompt", "log", "item"}

    assert forbidden.isdisjoint(columns_of(kind).model_fields)


def test_a_field_without_a_docstring_cannot_become_a_column() -> None:
    class Bare(OpenRecord):
        said: int
        """Something, at least 0."""
        unsaid: int

    class Around(OpenRecord):
        inner: Bare
        """A bare thing."""

    with pytest.raises(ValueError, match=r"Bare\.unsaid has no docstring"):
        columns_of(Bare)
    with pytest.raises(ValueError, match=r"Bare\.unsaid has no docstring"):
        columns_of(Around)


def test_two_columns_of_one_name_are_refused() -> None:
    class Twice(OpenRecord):
        total: OpenTotal
        """A Total."""
        total_low: float
        """Another low."""

    with pytest.raises(ValueError, match="two columns total_low"):
        columns_of(Twice)


def test_a_figure_that_is_missing_altogether_stays_missing() -> None:
    class Row(OpenRecord):
        lc: OpenGap | None
        """A gap."""

    counted = OpenGap(value=None, low=None, high=None, users=3, first="a", first_judged=0, second="b", second_judged=2)
    for row in (Row(lc=None), Row(lc=counted)):
        assert from_columns(to_columns(row), Row) == row
    assert dict(to_columns(Row(lc=None))) == dict.fromkeys(
        ("lc", "lc_low", "lc_high", "lc_users", "lc_first", "lc_first_judged", "lc_second", "lc_second_judged")
    )


def test_the_board_is_flat() -> None:
    columns = columns_of(OpenScorecard).model_fields.values()

    assert all(not isinstance(one.annotation, type) or not issubclass(one.annotation, OpenRecord) for one in columns)
    assert len(columns) > len(OpenScorecard.model_fields)


@pytest.mark.parametrize(("number", "word"), [(None, None), (3.0, "unsure")])
def test_a_label_is_a_number_or_a_word(number: float | None, word: str | None) -> None:
    with pytest.raises(ValidationError, match="a number or a word"):
        OpenLabel(
            data_set="org/set",
            stage="relevance",
            item_id="1",
            annotator="a1",
            number=number,
            word=word,
            data_sha="0" * 40,
            order=None,
            wording="human-v1@0123456789abcdef",
            seconds=2.5,
            consent="2026-01",
            created_at=NOON,
            licence="cc-by-4.0",
        )
