"""`rapport judge board` on a site: from the runs and re-scores of the archive to what everyone may read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from leaderboard.board.judges import JudgeBoard, build_judge_board
from leaderboard.cli.main import app
from leaderboard.judge_board.desk import JudgeQualities, read_qualities
from leaderboard.open_data import layout as open_layout
from leaderboard.release.release import Release
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.records import Rescore
from leaderboard.store import LocalStore, layout
from leaderboard.store.open import Stores
from leaderboard.submissions.ledger import Ledger
from leaderboard.upkeep.archive_check import check_archive
from tests.losing import let_hold_run_out
from tests.released import NAMES
from tests.rescoring.other_judge import OTHER
from tests.rescoring.rescores import Bench, make_check, settle
from worker.publisher import Publisher
from worker.releasing import Releasing


def rapport(*words: str) -> Result:
    return CliRunner().invoke(app, ["judge", *words], catch_exceptions=False)


@pytest.fixture
def judged(bench: Bench, rescore: Rescore) -> Rescore:
    """A re-score that is finished and that nobody has promoted."""
    return bench.finish(rescore)


@pytest.fixture
def stores(bench: Bench, tmp_path: Path) -> Stores:
    return Stores(bench.store, LocalStore(tmp_path / "results"), LocalStore(tmp_path / "requests"))


def versions(board: JudgeBoard) -> dict[str, int]:
    """How many answers the judges of a board have judged."""
    return {row.judge.id: row.quality.answers for row in board.rows if row.quality}


def test_from_the_command_to_the_public_file_and_back_after_redis_was_lost(
    bench: Bench, judged: Rescore, stores: Stores, tmp_path: Path
) -> None:
    dry = json.loads(rapport("board", "--dry-run", "--json").stdout)
    assert {each["quality"]["judge"]: each["runs"] for each in dry} == {"demo": 3, OTHER: 3}
    assert all(each["quality"]["length"]["unknown_length"] == 0 for each in dry)
    check = make_check(judged).model_copy(update={"prompt_pack": dry[1]["quality"]["prompt_pack"]})
    JudgeChecks(bench.redis).put(check)
    assert not JudgeQualities(bench.redis).all(), "nothing was handed over"

    told = rapport("board").stdout
    assert f"with {OTHER}" in told
    assert set(JudgeQualities(bench.redis).unsaved()) == set(JudgeQualities(bench.redis).all())
    settle(bench.publisher)
    assert not JudgeQualities(bench.redis).unsaved()
    kept = read_qualities(bench.store)
    assert [(each.quality.judge, each.quality.revision) for each in kept] == [
        ("demo", kept[0].quality.revision),
        (OTHER, judged.judge_revision),
    ]
    assert not [each for each in check_archive(bench.store) if layout.JUDGES in each.finding.path]

    release = Release(stores, NAMES, frozenset(), bench.settings.judges)
    releasing = Releasing(bench.store, release, tmp_path / "released")
    while releasing.step():
        pass
    board = build_judge_board(stores.results)
    assert (set(versions(board)), board.problems) == ({"demo", OTHER}, ())
    (row,) = (row for row in board.rows if row.judge.id == OTHER)
    assert row.checks == (check,)
    assert row.is_present

    bench.redis.flushall()
    let_hold_run_out(bench.redis)
    settle(Publisher(bench.redis, Ledger(bench.redis), bench.store, journal_seconds=0, judges=bench.settings.judges))
    assert JudgeQualities(bench.redis).all() == {each.name: each for each in kept}
    assert JudgeChecks(bench.redis).all()


def test_what_is_computed_anew_is_public_without_a_new_board(bench: Bench, stores: Stores, tmp_path: Path) -> None:
    release = Release(stores, NAMES, frozenset(), bench.settings.judges)
    releasing = Releasing(bench.store, release, tmp_path / "released")
    publisher = Publisher(
        bench.redis,
        Ledger(bench.redis),
        bench.store,
        journal_seconds=0,
        stored=releasing.note,
        judges=bench.settings.judges,
    )
    let_hold_run_out(bench.redis)
    settle(publisher)
    while releasing.step():
        pass
    before = stores.results.read(open_layout.BOARD)
    assert versions(build_judge_board(stores.results)) == {}
    rapport("board", "--judge", "demo")
    settle(publisher)
    while releasing.step():
        pass
    assert set(versions(build_judge_board(stores.results))) == {"demo"}
    assert stores.results.read(open_layout.BOARD) == before
    assert stores.results.history(1)[0].paths == (open_layout.JUDGE_QUALITY,)


def test_human_sets_are_those_that_runs_were_asked_of(bench: Bench) -> None:
    found = json.loads(rapport("board", "--dry-run", "--json", "--human", "demo").stdout)
    assert [each["quality"]["judge"] for each in found] == ["demo"], "no verifier has judged a run here"
