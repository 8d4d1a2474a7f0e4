"""The generated site: rows add up to their scorecards, ranks follow the truth, equal arguments give equal files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.site_app import site_settings
from benchmarks.site_models import NEWEST, site_model
from benchmarks.site_store import Site, write_site
from evaluator.human.tasks import Task
from leaderboard.board.build import Board, build_board
from leaderboard.board.figures import result_of
from leaderboard.board.tallies import tally_rows
from leaderboard.open_data import layout
from leaderboard.open_data.changes import changes_in, read_changes
from leaderboard.open_data.files import USER_SCORES, decode_request
from leaderboard.open_data.published import read_published
from leaderboard.open_data.records import OpenUserScore
from leaderboard.open_data.views import history_of
from leaderboard.store.open import Stores, open_stores
from leaderboard.store.parquet import decode_parquet, encode_parquet

MODELS = 60


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Stores]:
    folder = tmp_path_factory.mktemp("site")
    return write_site(folder, MODELS, users=20, detailed=4), open_stores(site_settings(folder))


@pytest.fixture(scope="module")
def board(written: tuple[Site, Stores]) -> Board:
    return build_board(written[1].results)


def test_rows_add_up_to_their_scorecards(written: tuple[Site, Stores], tmp_path: Path) -> None:
    site, stores = written
    there = {path for folder in (layout.GENERATIONS, layout.VERDICTS) for path in stores.results.list(folder)}
    checked = [card for card in site.cards if there.issuperset(layout.row_paths(card.model, card.run_id, card.judge))]
    assert len(checked) >= 10
    assert len({(card.protocol, card.judge) for card in checked}) >= 4
    for card in checked:
        files = [tmp_path / "answers.parquet", tmp_path / "verdicts.parquet"]
        for file, path in zip(files, layout.row_paths(card.model, card.run_id, card.judge), strict=True):
            file.write_bytes(stores.results.read(path))
        (tally,) = tally_rows(files[:1], files[1:])
        assert _flat(result_of(tally).model_dump()) == pytest.approx(_flat(card.result.model_dump())), card.id


def _flat(value: object, at: str = "") -> dict[str, object]:
    """All numbers and words of a record, by where they stand."""
    if isinstance(value, dict):
        return {name: one for key, each in value.items() for name, one in _flat(each, f"{at}.{key}").items()}
    if isinstance(value, list | tuple):
        return {name: one for key, each in enumerate(value) for name, one in _flat(each, f"{at}.{key}").items()}
    return {at: value}


def test_public_files_are_those_of_the_encoders(written: tuple[Site, Stores]) -> None:
    site, stores = written
    published = read_published(stores.results, f"{site.models[0].submission_id}.official-v1@hicupid-llama-3.2-3b")
    kinds = {row.answer_status for row in published.generations}
    assert kinds == {"shown", "withheld", "none"}
    assert {row.defect for row in published.generations} == {None, "repetition"}
    assert None in {row.outcome for row in published.verdicts}
    assert all(row.persona_category and row.sentiment for row in published.generations if row.type == "persona")
    path = stores.results.list(layout.USER_SCORES)[0]
    rows = decode_parquet(stores.results.read(path), OpenUserScore, path)
    assert USER_SCORES.encode(rows) == encode_parquet(rows, OpenUserScore)
    assert len(stores.requests.list(layout.REQUESTS)) > MODELS
    path = layout.request_path(site.models[0].submission_id)
    assert history_of(decode_request(stores.requests.read(path), path)).submission.facts == site.models[0].facts


def test_the_board_has_rows_of_every_kind_and_ranks_follow_the_truth(
    written: tuple[Site, Stores], board: Board
) -> None:
    assert board.problems == ()
    official = [row for row in board.rows if row.protocol == "official-v1" and row.judge_status == "official"]
    ranked = [row for row in official if row.rank]
    truth = {model.submission_id: model.quality for model in written[0].models}
    pairs = [(row.rank, truth[row.submission_id]) for row in ranked if row.submission_id in truth]
    assert np.corrcoef(*np.array(pairs).T)[0, 1] < -0.8
    assert len({row.rank for row in ranked}) > 5
    reasons = {reason for row in board.rows for reason in row.unranked_because}
    assert {"reference", "demo judge", "candidate judge", "incomplete", "flagged by a maintainer"} <= reasons
    assert any(row.rank_under_judge and not row.rank for row in board.rows)
    assert any(row.desiderata.lc for row in official)
    assert any(row.desiderata.generalisation for row in official)
    assert {card.result.task for card in board.human} == {Task.VERIFICATION, Task.RELEVANCE, Task.RATING}
    assert {row.facts is None for row in board.rows} == {True, False}


def test_something_changed_in_the_last_week(written: tuple[Site, Stores]) -> None:
    site, stores = written
    told = changes_in(read_changes(stores.results.read(layout.CHANGES), layout.CHANGES))
    news = {row.model for row in told if row.recorded_at == NEWEST}
    assert {model.name for model in site.models[:5]} <= news
    assert site.models[-1].name not in {
        row.model for row in told if row.recorded_at == NEWEST and row.kind == "entered"
    }


def test_equal_arguments_give_equal_files(tmp_path: Path) -> None:
    for name in "ab":
        write_site(tmp_path / name, 6, users=10, detailed=1, known_order=True)
    one, other = (open_stores(site_settings(tmp_path / name)) for name in "ab")
    for first, second in zip(one, other, strict=True):
        assert first.hashes() == second.hashes()
    assert site_model(3, 6) == site_model(3, 6)
    row = build_board(one.results).rows[0]
    assert row.rank_interval is not None
