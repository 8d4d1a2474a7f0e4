"""The board as CSV: what a program reads is what was written, and no cell is a formula."""

from __future__ import annotations

import csv
import io
from typing import Any

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.exports.csv_file import encode_csv
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.columns import columns_of, to_columns
from tests.exports.entries import HOSTILE, columns_of_board, make_card

FORMULAS = ("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", HOSTILE)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(FORMULAS),
    st.text("=+-@'\"\t\r\n,; a0é", max_size=12),
)


def a_row() -> OpenScorecard:
    return columns_of_board(make_card())[0]


def read(content: bytes) -> list[dict[str, str]]:
    """Reads as the standard library does."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True))


def undone(cell: str) -> str:
    return cell.removeprefix("'")


@given(TEXTS, TEXTS)
def test_any_text_comes_back_and_begins_like_no_formula(model: str, hardware: str) -> None:
    row = a_row().model_copy(update={"model": model, "hardware": hardware})
    (found,) = read(encode_csv([row]))
    assert (undone(found["model"]), undone(found["hardware"])) == (model, hardware)
    for cell in (found["model"], found["hardware"]):
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@given(TEXTS)
def test_pandas_reads_the_same_texts(text: str) -> None:
    row = a_row().model_copy(update={"model": text})
    frame = pandas.read_csv(io.BytesIO(encode_csv([row])), keep_default_na=False, na_values=[""], dtype={"model": str})
    read_as = frame["model"][0]
    assert undone("" if pandas.isna(read_as) else read_as) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53))
def test_a_number_stays_the_same_number_negative_or_not(value: float, count: int) -> None:
    row = a_row()
    row = row.model_copy(update={"total": row.total.model_copy(update={"value": value}), "judged": count})
    content = encode_csv([row])
    assert f",{value!r},".encode() in content, "bare, without a quote or an apostrophe"
    frame = pandas.read_csv(io.BytesIO(content), float_precision="round_trip")
    assert (frame["total"][0], frame["judged"][0]) == (value, count)


def test_every_column_of_every_row_comes_back_through_pandas_with_its_type() -> None:
    rows = columns_of_board(make_card("org/one", 51.5), make_card("org/two", None), make_card("local/three", 12.0))
    frame = pandas.read_csv(
        io.BytesIO(encode_csv(rows)),
        keep_default_na=False,
        na_values=[""],
        dtype={name: str for name, kind in columns_of(OpenScorecard).__annotations__.items() if "str" in str(kind)},
    )
    assert list(frame.columns) == list(columns_of(OpenScorecard).model_fields)
    for row, line in zip(rows, frame.to_dict("records"), strict=True):
        for name, value in to_columns(row).model_dump(mode="json").items():
            assert same(line[name], value), name


def same(read_as: Any, value: Any) -> bool:
    return pandas.isna(read_as) if value in (None, "") else bool(read_as == value)


def test_what_is_missing_is_an_empty_cell_and_never_0() -> None:
    card = make_card(total=None, unranked_because=("incomplete", "=cmd()"))
    (row,) = read(encode_csv(columns_of_board(card)))
    for name in ("rank", "rank_low", "total", "total_low", "total_high", "total_users", "persona_score_low", "lc"):
        assert row[name] == "", name
    assert row["unranked_because"] == "incomplete; =cmd()"
    assert row["total_judged"] == str(card.result.total.judged) != ""


def test_lines_end_as_the_rfc_says_and_there_is_a_header_without_rows() -> None:
    content = encode_csv([])
    assert content.count(b"\r\n") == 1
    assert content.endswith(b"\r\n")
    assert content.decode().startswith('"schema_version","rank","rank_low","rank_high","model","total","total_low"')


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_an_ordinary_text_with_an_apostrophe(formula: str) -> None:
    row = a_row().model_copy(update={"submitter": formula})
    quoted = formula.replace('"', '""')
    assert f'"\'{quoted}"'.encode() in encode_csv([row])
