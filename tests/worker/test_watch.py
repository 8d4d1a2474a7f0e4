"""What looks after a job: it ends what was called off, in order or without."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from evaluator.errors import Cause
from leaderboard.records import Failure, State
from leaderboard.submissions import keys
from tests.waiting import until
from worker.tasks import board_of
from worker.watch import last_lines

ROOT = Path(__file__).parents[2]
FAILURE = Failure(cause=Cause.TIMEOUT, message="Slow.", remedy="Wait.")

JOB = textwrap.dedent("""
    import signal, subprocess, sys, threading
    from pathlib import Path
    from leaderboard.connection import connect
    from leaderboard.submissions.ledger import Ledger
    from worker.lease import Leases
    from worker.watch import Watch

    url, run_id, listens = sys.argv[1:]
    redis = connect(url)
    leases = Leases(redis, 600)
    if listens == "no":
        signal.signal(signal.SIGTERM, lambda *_: threading.Event().wait(600))
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    with Watch(redis, leases, run_id, Path("engine")) as watch:
        watch.lease = leases.claim(Ledger(redis).plan(run_id), "gpu-1")
        engine = subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"],
                                  stdout=subprocess.PIPE, start_new_session=True)
        engine.stdout.readline()
        print(engine.pid, flush=True)
        try:
            threading.Event().wait(600)
        finally:
            leases.release(watch.lease, forgive=True)
""")


@pytest.fixture
def start(redis_url, plan, tmp_path):
    """Starts a job that holds a lease and an engine; returns it with the engine's process id."""
    started = []

    def start_job(listens: str) -> tuple[subprocess.Popen[str], int]:
        job = subprocess.Popen(
            [sys.executable, "-c", JOB, redis_url, plan.run_id, listens],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(job)
        return job, int(job.stdout.readline())

    yield start_job
    for job in started:
        job.kill()
        job.wait()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def held(redis, plan) -> int:
    return len(board_of(redis, plan).held)


@pytest.mark.parametrize("end", [State.FAILED, State.CANCELLED])
@pytest.mark.parametrize(("listens", "code"), [("yes", 1), ("no", -signal.SIGKILL)])
def test_a_job_whose_run_has_ended_is_ended_with_its_engines_and_gives_its_lease_back(
    redis, ledger, plan, start, listens, code, end
):
    job, engine = start(listens)
    assert held(redis, plan) == 1
    ledger.move(plan.run_id, State.QUEUED, end, "someone", FAILURE)
    until(lambda: gone(engine), what="the engine is ended", within=5)
    assert job.wait(10) == code
    assert held(redis, plan) == 0


def test_a_job_whose_run_goes_on_is_left_alone_also_while_redis_knows_nothing_of_it(redis, ledger, plan, start):
    job, engine = start("yes")
    looks = redis.info("commandstats")["cmdstat_get"]["calls"]
    kept = redis.get(keys.state(plan.run_id))
    redis.delete(keys.state(plan.run_id))
    until(lambda: redis.info("commandstats")["cmdstat_get"]["calls"] > looks + 2, what="it has looked again")
    redis.set(keys.state(plan.run_id), kept)
    assert job.poll() is None
    assert not gone(engine)


def test_last_lines_are_those_of_all_engines_of_the_run_and_of_no_other(tmp_path):
    for number, name in enumerate(["run.log", "run-judge.log", "other.log"]):
        (tmp_path / name).write_text(f"{name} said\n")
        os.utime(tmp_path / name, (number, number))
    assert last_lines(tmp_path / "run") == ("run.log said", "run-judge.log said")
    assert last_lines(tmp_path / "missing") == ()
