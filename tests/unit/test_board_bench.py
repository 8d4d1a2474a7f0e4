"""The benchmark of board building, run small: that its files are real ones and its figures are there."""

from __future__ import annotations

import pytest

from benchmarks.board import measure
from benchmarks.board_models import JUDGE, QUESTIONS, make_template, name_of, run_of, write_model
from evaluator.records import Defect
from leaderboard.open_data import layout
from leaderboard.open_data.files import encode_generations
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.store.parquet import decode_parquet

USERS = 10


def test_a_small_benchmark_tells_every_figure_by_size(tmp_path):
    found = measure((4, 12), USERS, 11, tmp_path)
    for name in (
        "models",
        "verdict_rows",
        "verdicts_per_model",
        "full_seconds",
        "full_peak_rss_mb",
        "incremental_seconds",
        "incremental_bytes_read",
        "ranking_seconds",
    ):
        assert set(found[name]) == {"4", "12"}
        assert all(found[name].values()), name
    assert found["incremental_same_as_full"] == {"4": True, "12": True}
    assert found["growth_full"] > 0
    assert found["growth_incremental"] > 0
    assert 0.97 * 70 * USERS < found["verdicts_per_model"]["12"] <= 70 * USERS
    assert found["verdict_rows"]["12"] > 2.8 * found["verdict_rows"]["4"]
    read, kept = found["incremental_bytes_read"], found["kept_sums_bytes"]
    assert read["12"] <= read["4"] + kept["12"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    assert write_model(folder, make_template(USERS), 7) > 0
    return (
        folder / layout.generations_path(name_of(7), run_of(7)),
        folder / layout.verdicts_path(JUDGE, name_of(7), run_of(7)),
    )


def read(path, kind):
    """Reads a file as everyone does."""
    return decode_parquet(path.read_bytes(), kind, path.name)


def test_the_real_readers_accept_what_it_writes(files):
    answers = read(files[0], OpenGeneration)
    words = read(files[1], OpenVerdict)
    assert len(answers) == USERS * sum(QUESTIONS.values())
    assert {row.model for row in answers} == {row.model for row in words} == {name_of(7)}
    assert {row.content_hash for row in words} < {row.content_hash for row in answers}
    broken = {row.question_id for row in answers if row.defect is Defect.REPETITION}
    assert broken
    assert broken.isdisjoint(row.question_id for row in words)
    assert any(row.outcome is None for row in words)


def test_its_rows_are_in_the_order_of_real_files(files):
    answers = read(files[0], OpenGeneration)
    assert decode_parquet(encode_generations(answers), OpenGeneration, "again") == answers
