"""While workers judge for a re-score the archive is sound, and what is taken down meanwhile does not come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.records import Generation
from leaderboard.records import submission_of
from leaderboard.release.derive import all_submissions
from leaderboard.release.release import Release
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.records import Rescore, RescoreStatus, judging_id
from leaderboard.results import Scorecard
from leaderboard.scorecards import scorecard_id
from leaderboard.store import LocalStore, layout
from leaderboard.store.open import Stores
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions.ledger import Ledger
from leaderboard.upkeep.check import check_stores
from leaderboard.upkeep.findings import Finding
from leaderboard.upkeep.migrate import migrations
from leaderboard.upkeep.records import TakedownKind
from leaderboard.upkeep.takedown import Site, take_down
from tests.losing import let_hold_run_out
from tests.rescoring.conftest import bench, publisher, settings
from tests.rescoring.rescores import CAROL, Bench, make_check, settle
from tests.upkeep.sites import NAMES
from tests.upkeep.test_takedown import order
from worker.jobs import evaluate
from worker.publisher import Publisher

__all__ = ["bench", "publisher", "settings"]


@pytest.fixture
def stores(bench: Bench, tmp_path: Path) -> Stores:
    return Stores(bench.store, LocalStore(tmp_path / "results"), LocalStore(tmp_path / "requests"))


def findings(bench: Bench, stores: Stores) -> list[Finding]:
    """What is wrong once everything is released."""
    release = Release(stores, NAMES, frozenset(), bench.settings.judges)
    assert release.bring(all_submissions(stores.archive)) == frozenset()
    release.describe()
    release.rank()
    return list(check_stores(stores, NAMES, frozenset(), judges=bench.settings.judges))


def with_new_publisher(bench: Bench) -> Bench:
    """The site with the publisher that is started after one that was stopped."""
    let_hold_run_out(bench.redis)
    again = Publisher(bench.redis, Ledger(bench.redis), bench.store, journal_seconds=0, judges=bench.settings.judges)
    return bench._replace(publisher=again)


def taken_down(bench: Bench, stores: Stores, kind: TakedownKind, name: str) -> Bench:
    site = Site(stores, NAMES, frozenset(), bench.redis, bench.settings.judges)
    take_down(site, order(kind, name))
    return with_new_publisher(bench)


def half_judged(bench: Bench) -> Rescore:
    """A re-score that has judged everything, of which the publisher has stored but the first scorecards."""
    rescore = bench.begin()
    evaluate(rescore.work_id)
    bench.publisher.step()
    return bench.desk.get(rescore.id)


def answer_of(bench: Bench, run_id: str) -> Generation:
    rows = StoredRun(bench.store, run_id).rows()
    judged = {row.key.content_hash for row in rows.verdicts}
    return next(row for row in rows.generations if row.content_hash in judged)


def test_the_archive_is_sound_at_every_step_of_a_re_score(bench: Bench, stores: Stores) -> None:
    rescore = bench.begin()
    assert findings(bench, stores) == []
    evaluate(rescore.work_id)
    bench.publisher.step()
    assert findings(bench, stores) == []
    bench.service.discard(rescore.id, CAROL, "Another look.")
    bench.finish(rescore)
    assert findings(bench, stores) == []
    again = bench.begin()
    JudgeChecks(bench.redis).put(make_check(again))
    assert bench.finish(again).status is RescoreStatus.COMPLETED
    assert findings(bench, stores) == []
    bench.service.promote(again.id, CAROL, "It agrees better with people.")
    bench.publisher.step()
    assert findings(bench, stores) == []
    bench.finish(again)
    assert findings(bench, stores) == []
    assert len(bench.store.list(layout.JUDGES)) == 1
    assert list(migrations(bench.store)) == []


def test_an_answer_that_is_taken_down_while_it_is_judged_does_not_come_back(bench: Bench, stores: Stores) -> None:
    rescore = bench.begin()
    evaluate(rescore.work_id)
    row = answer_of(bench, bench.runs[0])
    assert row.content_hash is not None
    assert row.answer is not None
    after = taken_down(bench, stores, TakedownKind.ANSWER, row.content_hash)
    name = judging_id(rescore.id, bench.runs[0])
    assert name not in bench.desk.judgings(rescore.id)
    settle(after.publisher)
    assert bench.desk.judgings(rescore.id) == [name]
    done = after.finish(rescore)
    assert (done.status, dict(done.failed)) == (RescoreStatus.COMPLETED, {})
    path = layout.rescored_card_path(rescore.id, scorecard_id(bench.runs[0], rescore.judge))
    result = read_record(bench.store.read(path), Scorecard, path).result
    assert result.judged == result.items - 1, "what nobody can read any more is missing, and counted"
    held = [*StoredRun(bench.store, name).rows().verdicts, *StoredRun(bench.store, bench.runs[0]).rows().generations]
    assert row.answer not in "".join(each.model_dump_json() for each in held)
    assert findings(after, stores) == []


def test_a_submission_that_is_taken_down_while_it_is_judged_ends_the_re_score_without_it(
    bench: Bench, stores: Stores
) -> None:
    rescore = half_judged(bench)
    gone = submission_of(bench.runs[0])
    after = taken_down(bench, stores, TakedownKind.SUBMISSION, gone)
    done = after.finish(rescore)
    assert (done.status, list(done.failed)) == (RescoreStatus.COMPLETED, [bench.runs[0]])
    left = {path for path in bench.store.list() if gone in path}
    assert left == {layout.submission_path(gone), layout.tombstone_path(gone)}
    assert findings(after, stores) == []
    after.service.resume(rescore.id, CAROL)
    assert after.finish(rescore).status is RescoreStatus.COMPLETED
    assert {path for path in bench.store.list() if gone in path} == left
