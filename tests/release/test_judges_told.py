"""The board goes on although a judge of the site's own cannot be read."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from evaluator.judges.spec import load_judge
from leaderboard.board.build import build_board
from leaderboard.board.judges import build_judge_board
from leaderboard.open_data import layout
from leaderboard.open_data.judges import OpenJudge
from leaderboard.records import AmendmentKind
from leaderboard.release.release import Release
from leaderboard.rescoring.checks import name_of
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import Store, Write
from leaderboard.store.open import Stores
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from tests.audit.sites import GOOD, MODELS, make_site
from tests.human_sites import amended
from tests.judge_boards import check_of
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


def test_a_judge_that_was_checked_before_the_next_board_is_named_beside_its_canaries(
    stores: Stores, judges: Path
) -> None:
    release = Release(stores, NAMES, frozenset(), judges)
    release.describe()
    release.rank()
    write_judge(judges, "later")
    check = check_of(load_judge("later", judges), "a" * 40)
    path = archive_layout.judge_check_path(name_of(check))
    stores.archive.commit([Write(path, check.model_dump_json().encode())], "checked")
    release.tell_of_judges()
    assert judges_of(stores.results)["later"] == "candidate"
    assert build_judge_board(stores.results).problems == ()
    head = stores.results.head()
    release.tell_of_judges()
    assert stores.results.head() == head


def test_of_a_board_that_is_still_to_follow_no_status_is_told_ahead(stores: Stores, judges: Path) -> None:
    release = Release(stores, NAMES, frozenset(), judges)
    release.describe()
    release.rank()
    release.bring([hide(stores.archive)])
    write_judge(judges, status="retired")
    release.tell_of_judges()
    assert judges_of(stores.results)[OTHER] == "candidate"
    release.rank()
    assert judges_of(stores.results)[OTHER] == "retired"
