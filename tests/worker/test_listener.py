"""A real worker process: announced, invited, called off, told to stop; its engines are processes too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from redis import Redis

from evaluator.engines.deterministic import SPEED_FILE, Speed
from evaluator.errors import Cause
from evaluator.facts import ModelFacts
from evaluator.judges.spec import load_judge
from leaderboard.fleet import Announcement, Fleet
from leaderboard.people import Person
from leaderboard.records import Failure, Lane, State
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.measures import read_log, read_paces
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration, make_submission
from tests.model_folders import make_model_folder
from tests.waiting import until
from tests.worker.fleet import kind_here
from worker.invite import invite
from worker.lease import Leases
from worker.outbox import Outbox
from worker.tasks import board_of, finished

ROOT = Path(__file__).parents[2]
QUICK, STEADY, LOADING = Speed(), Speed(seconds_per_answer=0.3), Speed(load_seconds=600)
CANCELLED = Failure(cause=Cause.CANCELLED, message="Cancelled.", remedy="Submit it again.")


class Site(NamedTuple):
    """A Redis with models on disk, and workers that are started by hand."""

    redis: Redis
    ledger: Ledger
    settings: Settings
    start: Callable[..., subprocess.Popen[bytes]]

    def submit(self, speed: Speed, judge: Speed = QUICK, lanes: tuple[Lane, ...] = tuple(Lane)) -> str:
        """Submits a model that takes its time, and invites to its run; returns the run's id."""
        for name, pace in (("tiny", speed), (load_judge("demo").model.removeprefix("local/"), judge)):
            folder = make_model_folder(self.settings.models, name)
            (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
            (folder / SPEED_FILE).write_text(pace.model_dump_json())
        service = SubmissionService(self.settings, self.redis)
        run_id = service.submit("local/tiny", None, make_declaration(), Person("alice")).runs[0].id
        invite(self.redis, run_id, kind_here(self.settings, lanes), 600)
        return run_id

    def enter_too_large(self) -> str:
        """Enters a run that fits no machine, and invites to it all the same; returns the run's id."""
        submission = make_submission(facts=ModelFacts(weight_bytes=10**18))
        self.ledger.create(submission)
        (run_id,) = submission.run_ids()
        self.ledger.advance(run_id, State.QUEUED, "alice")
        invite(self.redis, run_id, kind_here(self.settings), 600)
        return run_id

    def fleet(self) -> list[Announcement]:
        return Fleet(self.redis).alive()

    def rows(self, run_id: str) -> int:
        progress = self.ledger.progress(run_id)
        return progress.generations + progress.verdicts

    def held(self, run_id: str) -> int:
        """How many tasks of the run are under a lease."""
        plan = self.ledger.plan(run_id)
        assert plan is not None
        return len(board_of(self.redis, plan).held)


@pytest.fixture
def site(redis: Redis, redis_url: str, ledger: Ledger, tmp_path: Path, monkeypatch) -> Iterator[Site]:
    told = {
        "REDIS_URL": redis_url,
        "DATA": str(tmp_path / "data"),
        "MODELS": str(tmp_path / "models"),
        "PACKS": str(tmp_path / "packs"),
        "ENGINE": "deterministic",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"RAPPORT_{name}", value)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    started: list[subprocess.Popen[bytes]] = []

    def start(*lanes: Lane) -> subprocess.Popen[bytes]:
        wanted = {"RAPPORT_LANES": "[" + ",".join(f'"{lane}"' for lane in lanes) + "]"} if lanes else {}
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            command = [sys.executable, "-m", "leaderboard.processes", str(os.getpid()), sys.executable]
            process = subprocess.Popen(
                [*command, "-m", "worker", "work"], cwd=ROOT, env={**os.environ, **wanted}, stdout=log, stderr=log
            )
        started.append(process)
        return process

    yield Site(redis, ledger, Settings(), start)
    for process in started:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.kill()
        process.wait()
        for member in family:
            if member.is_running():
                member.kill()


def engines_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes that hold a model for a worker."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            if "engines.host" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def children_of(process: subprocess.Popen[bytes]) -> int:
    return len(psutil.Process(process.pid).children(recursive=True))


def test_a_worker_says_what_it_is_takes_what_fits_and_leaves_at_once(site):
    process = site.start()
    until(site.fleet, what="the worker announces itself", within=60)
    (said,) = site.fleet()
    assert said.name.endswith(f"-{process.pid}")
    assert (said.lanes, said.engine, said.engine_version, said.run_id) == (tuple(Lane), "deterministic", "1", None)
    assert said.memory_bytes == psutil.virtual_memory().total

    too_large = site.enter_too_large()
    run_id = site.submit(STEADY)
    until(lambda: [each.run_id for each in site.fleet()] == [run_id], what="it says what it works on", within=60)
    assert site.ledger.state(too_large) is State.QUEUED, "it does not fit, so that it was left alone"

    process.terminate()
    until(lambda: not site.fleet(), what="it is forgotten", within=5)
    assert process.wait(60) == 0


def test_workers_of_one_lane_each_bring_a_run_to_its_end_together(site):
    model, judge = site.start(Lane.GENERATE), site.start(Lane.JUDGE)
    until(lambda: len(site.fleet()) == 2, what="both announce themselves", within=60)
    run_id = site.submit(QUICK, lanes=(Lane.GENERATE,))
    until(lambda: site.ledger.plan(run_id), what="the run is planned", within=60)
    plan = site.ledger.plan(run_id)
    until(lambda: finished(site.redis, plan, [Lane.GENERATE]), what="all is generated", within=60)
    assert site.ledger.progress(run_id).verdicts == 0
    invite(site.redis, run_id, kind_here(site.settings, (Lane.JUDGE,)), 600)
    until(lambda: finished(site.redis, plan), what="all is judged", within=60)
    reports = {batch.report.lane: batch.report.worker for batch in Outbox(site.redis).kept(run_id) if batch.report}
    assert len(set(reports.values())) == 2
    assert site.ledger.state(run_id) is State.JUDGING
    for process in (model, judge):
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.parametrize(("speed", "rows"), [(LOADING, 0), (STEADY, 1)], ids=["while loading", "while answering"])
def test_a_run_that_is_cancelled_frees_engine_and_worker_within_ten_seconds(site, speed, rows):
    process = site.start()
    run_id = site.submit(speed)
    until(lambda: engines_of(process) and site.rows(run_id) >= rows, what="the engine is at work", within=60)
    assert site.held(run_id) == 1
    before = site.rows(run_id)

    site.ledger.cancel(run_id, "alice", CANCELLED)
    until(lambda: children_of(process) == 0, what="engine and job are gone", within=10)

    assert site.held(run_id) == 0, "its lease is given back"
    assert site.ledger.state(run_id) is State.CANCELLED
    assert site.rows(run_id) >= before
    until(lambda: [each.run_id for each in site.fleet()] == [None], what="the worker is there for others", within=10)
    assert process.poll() is None


def test_a_run_that_is_cancelled_and_taken_up_again_asks_nothing_twice(site):
    process = site.start()
    run_id = site.submit(STEADY)
    until(lambda: site.rows(run_id) >= 2, what="some answers are there", within=60)
    site.ledger.cancel(run_id, "alice", CANCELLED)
    until(lambda: children_of(process) == 0, what="the job is gone", within=10)
    site.ledger.move(run_id, State.CANCELLED, State.QUEUED, "alice")
    invite(site.redis, run_id, kind_here(site.settings), 600)
    plan = site.ledger.plan(run_id)
    until(lambda: finished(site.redis, plan), what="all is done", within=60)
    rows = [row.input_key for batch in Outbox(site.redis).kept(run_id) for row in batch.generations]
    assert len(set(rows)) == len(rows) == len(plan.items)


def test_a_worker_that_is_told_to_stop_hands_over_and_gives_back_what_it_held(site):
    process = site.start()
    run_id = site.submit(STEADY)
    until(lambda: site.rows(run_id) >= 1 and engines_of(process), what="answers come", within=60)

    process.terminate()

    assert process.wait(30) == 0
    assert site.held(run_id) == 0, "its lease is given back at once"
    assert site.ledger.state(run_id) is State.GENERATING
    assert Leases(site.redis, 30).claim(site.ledger.plan(run_id), "another") is not None
    assert site.fleet() == []


def test_what_engines_write_and_how_fast_they_go_can_be_seen_meanwhile(site):
    site.start()
    run_id = site.submit(STEADY)
    log = site.settings.data / "logs" / f"{run_id}.log"
    until(lambda: log.exists() and site.rows(run_id) >= 1, what="answers come", within=60)
    with log.open("a") as engine:
        engine.write("\nready, with hf_canarycanarycanary\n")
    until(lambda: "ready, with [redacted]" in read_log(site.redis, run_id), what="the log is shown", within=30)
    until(lambda: read_paces(site.redis, [run_id])[run_id], what="the pace is known", within=30)
    pace = read_paces(site.redis, [run_id])[run_id]
    assert pace is not None
    assert (pace.rows_per_second > 0, pace.measurements >= 1) == (True, True)
