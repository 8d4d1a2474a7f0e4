"""A re-score under real kills: it comes to its end, every verdict once, and the board knows nothing of it before."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from evaluator.records import Verdict
from leaderboard.connection import text
from leaderboard.records import State
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import Rescore, RescoreStatus, judging_id
from leaderboard.rescoring.service import RescoreService
from leaderboard.scorecards import scorecard_id
from leaderboard.store import layout
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.service import THE_MAINTAINER
from tests.faults.conftest import OpenSite
from tests.faults.injections import jobs
from tests.faults.processes import send
from tests.faults.site import PATIENCE, Plan, Site
from tests.faults.test_single import comes_to, submitted
from tests.rescoring.other_judge import OTHER
from tests.waiting import until

MODELS = ("first", "second", "third")


def verdicts_here(site: Site, rescore: Rescore) -> int:
    """How many verdicts of open judgings Redis has taken in."""
    names = map(text, site.redis.smembers(keys.judgings(rescore.id)))
    return sum(int(site.redis.hget(keys.progress(name), "verdicts") or 0) for name in names)


def kill_worker(site: Site) -> None:
    send(site.workers[0].pid, signal.SIGKILL)


def kill_jobs(site: Site) -> None:
    for pid in jobs(site):
        send(pid, signal.SIGKILL)


def kill_publisher(site: Site) -> None:
    send(site.role("publisher").pid, signal.SIGKILL)


def kill_redis(site: Site) -> None:
    with site.role("redis").killed():
        pass


@pytest.mark.parametrize("faults", [(kill_worker, kill_jobs), (kill_publisher, kill_redis, kill_jobs)])
def test_a_re_score_comes_to_its_end_whoever_is_killed(
    open_site: OpenSite, faults: tuple[Callable[[Site], None], ...]
) -> None:
    site = open_site(Plan(other_judge=True))
    runs = [submitted(site, name) for name in MODELS]
    for run_id in runs:
        comes_to(site, run_id, State.PUBLISHED)
    before = site.store.list(layout.SCORECARDS)
    rescore = RescoreService(site.settings, site.redis).start(OTHER, runs, THE_MAINTAINER)
    for fault in faults:
        until(lambda: verdicts_here(site, rescore) or ended(site, rescore), what="it is judged", within=PATIENCE)
        fault(site)
        time.sleep(0.5)
    until(lambda: ended(site, rescore), what="all of it is judged", within=PATIENCE)
    done = RescoreDesk(site.redis).get(rescore.id)
    assert (done.status, done.failed) == (RescoreStatus.COMPLETED, {})
    assert site.store.list(layout.SCORECARDS) == before, "nothing of it is on the board"
    for run_id in runs:
        rows = StoredRun(site.store, judging_id(rescore.id, run_id)).rows().verdicts
        assert len({row.verdict_key for row in rows}) == len(rows)
        own = StoredRun(site.store, run_id).rows().verdicts
        assert {about(row) for row in rows} == {about(row) for row in own}
        path = layout.rescored_card_path(rescore.id, scorecard_id(run_id, OTHER))
        assert path in site.store.list(layout.RESCORES)


def about(row: Verdict) -> tuple[str, str, str]:
    return row.key.question_id, row.key.content_hash, row.key.slot_order.value


def ended(site: Site, rescore: Rescore) -> bool:
    return RescoreDesk(site.redis).get(rescore.id).status not in {RescoreStatus.RUNNING}
