"""Records as Parquet: what is written reads back, equal rows are equal files, and what is wrong is named."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import Item
from evaluator.records import Generation, Record, Terms, Verdict
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.columns import columns_of
from leaderboard.open_data.configs import REQUESTS, RESULTS
from leaderboard.records import ShardReport
from leaderboard.scorecards import UserScores
from leaderboard.store.parquet import decode_parquet, encode_parquet, schema_of
from tests.builders import TERMS, make_generation, make_report, make_verdict
from tests.store.drawn import records

STORED: tuple[type[Record], ...] = (
    *(Generation, Verdict, ShardReport, Item, UserScores, Terms),
    *(config.kind for config in (*RESULTS, *REQUESTS) if config.kind is not OpenScorecard),
    columns_of(OpenScorecard),
)


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
@settings(max_examples=12)
@given(data=st.data())
def test_what_is_written_reads_back_as_equal_records(kind: type[Record], data: st.DataObject) -> None:
    rows = data.draw(st.lists(records(kind), max_size=3))
    content = encode_parquet(rows, kind)

    assert decode_parquet(content, kind, "rows.parquet") == rows
    assert encode_parquet([row.model_copy(deep=True) for row in rows], kind) == content


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.__name__)
def test_every_field_has_its_column_and_what_may_not_miss_says_so(kind: type[Record]) -> None:
    schema = pq.read_schema(io.BytesIO(encode_parquet([], kind)))

    assert schema.names == list(kind.model_fields)
    assert schema == schema_of(kind)
    for name, field in kind.model_fields.items():
        assert schema.field(name).nullable == takes_none(field.annotation), name


def takes_none(annotation: Any) -> bool:
    try:
        TypeAdapter(annotation).validate_python(None)
    except ValidationError:
        return False
    return True


def test_a_file_without_rows_has_no_group_that_a_reader_would_stumble_over() -> None:
    file = pq.ParquetFile(io.BytesIO(encode_parquet([], Terms)))

    assert (file.metadata.num_rows, file.metadata.num_row_groups) == (0, 0)


def test_many_rows_are_parted_into_groups() -> None:
    content = encode_parquet([TERMS] * 20_000, Terms)

    assert pq.ParquetFile(io.BytesIO(content)).metadata.num_row_groups == 2
    assert decode_parquet(content, Terms, "terms.parquet") == [TERMS] * 20_000


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no file at all" * 10])
def test_what_is_no_parquet_is_named(content: bytes) -> None:
    with pytest.raises(RapportError, match=r"runs/x\.parquet is no readable Parquet file") as raised:
        decode_parquet(content, Terms, "runs/x.parquet")
    assert raised.value.cause is Cause.DATA_ERROR


@settings(max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_short_is_named(share: float) -> None:
    whole = encode_parquet([make_generation()], Generation)

    with pytest.raises(RapportError, match=r"runs/x\.parquet"):
        decode_parquet(whole[: int(len(whole) * share)], Generation, "runs/x.parquet")


@settings(max_examples=150)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_damaged_file_is_named_or_its_damage_is_harmless(place: float, bit: int) -> None:
    whole = bytearray(encode_parquet([make_report()], ShardReport))
    whole[int(len(whole) * place)] ^= 1 << bit

    try:
        harmless = decode_parquet(bytes(whole), ShardReport, "runs/x.parquet") == [make_report()]
    except RapportError as error:
        harmless = error.cause is Cause.DATA_ERROR and "runs/x.parquet" in error.message
    assert harmless


def test_a_value_that_was_changed_on_the_disk_is_noticed() -> None:
    whole = bytearray(encode_parquet([make_report(worker="gpu-of-ours-17")], ShardReport))
    place = whole.index(b"gpu-of-ours-17")
    whole[place] ^= 1

    with pytest.raises(RapportError, match=r"runs/x\.parquet is no readable Parquet file"):
        decode_parquet(bytes(whole), ShardReport, "runs/x.parquet")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([5]),
        pa.array([None], pa.list_(pa.int64())),
        pa.array([[5]]),
        pa.array([["load"]]),
        pa.array([[{"stage": "load", "seconds": 1.0}]]),
        pa.array([{"name": "load", "value": 1.0}]),
    ],
    ids=str,
)
def test_a_foreign_file_is_named_whatever_its_columns_hold(column: pa.Array) -> None:
    table = pq.read_table(io.BytesIO(encode_parquet([make_report()], ShardReport)))
    place = table.schema.get_field_index("stage_seconds")
    buffer = io.BytesIO()
    pq.write_table(table.set_column(place, "stage_seconds", column), buffer)

    with pytest.raises(RapportError, match=r"Row 1 of x\.parquet is no ShardReport"):
        decode_parquet(buffer.getvalue(), ShardReport, "x.parquet")


def test_records_of_another_kind_are_named_with_their_row() -> None:
    verdict = make_verdict(make_generation(), None)
    content = encode_parquet([verdict], Verdict)

    with pytest.raises(RapportError, match=r"Row 1 of runs/x\.parquet is no Generation") as raised:
        decode_parquet(content, Generation, "runs/x.parquet")
    assert raised.value.cause is Cause.DATA_ERROR


def test_a_row_that_contradicts_itself_is_named_by_its_number() -> None:
    good = make_generation()
    table = pq.read_table(io.BytesIO(encode_parquet([good, good], Generation)))
    bad = table.to_pylist()
    bad[1]["answer"] = "Another answer than the one that was hashed."
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(bad, schema=table.schema), buffer)

    with pytest.raises(RapportError, match=r"Row 2 of x\.parquet is no Generation: .*content_hash"):
        decode_parquet(buffer.getvalue(), Generation, "x.parquet")


def test_a_record_of_a_version_to_come_is_named() -> None:
    table = pq.read_table(io.BytesIO(encode_parquet([make_report()], ShardReport)))
    later = table.to_pylist()
    later[0]["schema_version"] = 2
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(later, schema=table.schema), buffer)

    with pytest.raises(
        RapportError, match=r"Row 1 of x\.parquet was written by a newer Rapport: version 2 of a ShardReport"
    ):
        decode_parquet(buffer.getvalue(), ShardReport, "x.parquet")
