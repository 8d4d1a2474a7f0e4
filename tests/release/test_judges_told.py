"""The board goes on although a judge of the site's own cannot be read."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from leaderboard.board.build import build_board
from leaderboard.open_data import layout
from leaderboard.open_data.judges import OpenJudge
from leaderboard.records import AmendmentKind
from leaderboard.release.release import Release
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Store, Write
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from tests.audit.sites import GOOD, MODELS, make_site
from tests.human_sites import amended
from tests.release.driving import finish
from tests.released import NAMES
from tests.rescoring.other_judge import OTHER, write_judge
from worker.releasing import Releasing


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return make_site(tmp_path, *MODELS)


@pytest.fixture
def judges(tmp_path: Path) -> Path:
    return write_judge(tmp_path / "judges")


def hide(archive: Store) -> str:
    """Lets a maintainer hide the model that ranks first; returns its submission."""
    submission_id = f"s-20260301-{1 + [each.name for each in MODELS].index(GOOD):08x}"
    path = archive_layout.submission_path(submission_id)
    history = amended(read_record(archive.read(path), History, path), AmendmentKind.HIDDEN)
    archive.commit([Write(path, history.model_dump_json().encode())], "hidden")
    return submission_id


def models(results: Store) -> set[str]:
    return {row.model for row in build_board(results).rows}


def judges_of(results: Store) -> dict[str, str]:
    rows = decode_parquet(results.read(layout.JUDGES), OpenJudge, layout.JUDGES)
    return {each.id: each.status for each in rows}


def test_a_judge_that_cannot_be_read_stays_as_it_was_told_and_the_board_follows(
    stores: Stores, judges: Path, caplog: pytest.LogCaptureFixture
) -> None:
    release = Release(stores, NAMES, frozenset(), judges)
    release.describe()
    release.rank()
    assert (release.incomplete, judges_of(stores.results)[OTHER]) == (False, "candidate")
    told = {path: stores.results.read(path) for path in (layout.JUDGES, layout.CARD)}
    (judges / OTHER / "judge.yaml").write_text("id: [")
    release.bring([hide(stores.archive)])
    release.rank()
    release.rank()
    assert release.ranked
    assert release.incomplete, "it is tried again"
    assert GOOD not in models(stores.results)
    assert {path: stores.results.read(path) for path in told} == told
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert OTHER in errors[0]
    write_judge(judges, status="retired")
    release.rank()
    assert not release.incomplete
    assert judges_of(stores.results)[OTHER] == "retired"


def test_a_publisher_that_starts_with_a_judge_that_cannot_be_read_releases_all_the_same(
    stores: Stores, judges: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hide(stores.archive)
    told = {path: stores.results.read(path) for path in (layout.JUDGES, layout.CARD)}
    (judges / OTHER / "judge.yaml").write_text("id: [")
    release = Release(stores, NAMES, frozenset(), judges)
    finish(Releasing(stores.archive, release, tmp_path / ".released", clock=lambda: 0.0))
    assert GOOD not in models(stores.results)
    assert {path: stores.results.read(path) for path in told} == told
    assert "are described as before" in caplog.text
