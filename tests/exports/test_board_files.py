"""The board as Parquet and JSON."""

from __future__ import annotations

import io
import json

import pandas
import pyarrow.parquet as pq

from leaderboard.exports.formats import BOARD_FORMATS
from leaderboard.exports.json_file import ExportedBoard, ExportedScorecard, encode_board_json, encode_scorecard
from leaderboard.open_data.board import OpenScorecard
from leaderboard.open_data.columns import columns_of
from leaderboard.open_data.files import decode_board
from tests.exports.entries import EDITION, columns_of_board, make_card, make_entry

ROWS = columns_of_board(make_card("org/one", 51.5), make_card("org/two", None), make_card("local/three", 12.0))


def test_parquet_gives_back_every_row_and_has_a_typed_column_for_each_part() -> None:
    content = BOARD_FORMATS["board.parquet"].encode(ROWS, EDITION)
    assert decode_board(content, "board.parquet") == list(ROWS)
    schema = pq.read_schema(io.BytesIO(content))
    assert schema.names == list(columns_of(OpenScorecard).model_fields)
    assert [str(schema.field(name).type) for name in ("model", "total", "total_judged")] == [
        "string",
        "double",
        "int64",
    ]
    frame = pandas.read_parquet(io.BytesIO(content))
    assert frame["total"].isna().tolist() == [row.total.value is None for row in ROWS]


def test_the_board_as_json_names_its_state_and_keeps_each_figure_with_its_interval() -> None:
    edition = EDITION._replace(problems=("1 file could not be read.",))
    content = encode_board_json(ROWS, edition)
    assert ExportedBoard.model_validate_json(content).rows == tuple(ROWS)
    found = json.loads(content)
    assert (found["revision"], found["problems"]) == (edition.revision, ["1 file could not be read."])
    first = next(row for row in found["rows"] if row["model"] == "org/one")["total"]
    assert (first["value"], first["low"], first["high"], first["users"]) == (51.5, 48.5, 54.5, 12)
    assert next(row for row in found["rows"] if row["model"] == "org/two")["total"]["value"] is None


def test_a_whole_scorecard_comes_back_with_its_place_and_its_reasons() -> None:
    entry = make_entry(make_card(unranked_because=("built-in prompts",), judge_status="demo"))
    found = ExportedScorecard.model_validate_json(encode_scorecard(entry, EDITION))
    assert found.scorecard == entry.card
    assert found.rank is None
    assert found.unranked_because == ("built-in prompts",)
    assert found.desiderata == entry.row.desiderata


def test_what_looks_like_a_secret_is_in_no_file() -> None:
    canary = "hf_" + "abcdefghijklmnopqrstuv"
    card = make_card(hardware=f"gpu {canary}", engine_flags=(("token", canary),))
    for encode in (form.encode for form in BOARD_FORMATS.values()):
        content = encode(columns_of_board(card), EDITION)
        assert canary.encode() not in content
        assert b"org/model" in content or content.startswith(b"@misc")
    assert canary.encode() not in encode_scorecard(make_entry(card), EDITION)
