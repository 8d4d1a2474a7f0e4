"""Whoever can write to Redis must not choose what a worker runs: real RQ jobs, a real worker process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rq import Callback, Queue, Webhook
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from evaluator.errors import Cause
from leaderboard.records import Failure
from leaderboard.settings import Settings
from tests.worker.fleet import kind_here
from worker.invite import JOB, invite, queue
from worker.listener import ListedJob, RefusedJob

ROOT = Path(__file__).parent.parent.parent
KIND = kind_here(Settings())
BURST = """
from leaderboard.connection import connect
from leaderboard.settings import Settings
from worker.listener import RapportWorker
import sys
RapportWorker(Settings(), connect(sys.argv[1])).work(burst=True)
"""


@pytest.fixture
def run_worker(redis_url, tmp_path, monkeypatch):
    """Runs a worker until the queue is empty."""
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))

    def run() -> None:
        command = [sys.executable, "-c", BURST, redis_url]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr

    return run


def fetched(redis, job: Job) -> ListedJob:
    return ListedJob.fetch(job.id, connection=redis, serializer=JSONSerializer)


def test_a_worker_runs_invitations_and_refuses_everything_else(redis, ledger, run_id, run_worker, tmp_path):
    proof = tmp_path / "it-ran"
    (tmp_path / "intruder.py").write_text(f"open({str(proof)!r}, 'w')\n")
    plain: Queue = queue(redis, KIND)
    touch = f"touch {proof}"
    refused = [
        plain.enqueue("os.system", touch),
        plain.enqueue("subprocess.check_call", ["touch", str(proof)]),
        plain.enqueue("worker.jobs.connect", f"unix://{proof}"),
        plain.enqueue("os.system", touch, on_failure=Callback("intruder.called")),
        plain.enqueue("intruder.called"),
        plain.enqueue("builtins.str.upper", run_id),
    ]
    ledger.fail(run_id, "test", Failure(cause=Cause.TIMEOUT, message="Slow.", remedy="Wait."))
    invite(redis, run_id, KIND, seconds=60)
    (listed,) = (job.id for job in plain.jobs if job.func_name == JOB)
    run_worker()
    assert not proof.exists()
    failed = FailedJobRegistry(queue=plain)
    assert sorted(failed.get_job_ids()) == sorted(job.id for job in refused)
    for job in refused:
        assert "RefusedJob: workers do not run" in job.latest_result().exc_string
    assert listed not in failed
    assert len(plain) == 0


@pytest.mark.parametrize("name", ["os.system", "worker.jobs.evaluate.__call__", "worker.jobs._work", "evaluate", ""])
def test_no_name_but_the_listed_one_is_looked_up(redis, name):
    job = fetched(redis, queue(redis, KIND).enqueue(name, "x"))
    with pytest.raises(RefusedJob, match="workers do not run"):
        job.perform()


def test_the_listed_function_is_found(redis):
    from worker.jobs import evaluate

    assert fetched(redis, queue(redis, KIND).enqueue(JOB, "s-1.demo-v1")).func is evaluate


def test_a_method_of_an_object_in_the_job_is_refused(redis):
    job = queue(redis, KIND).enqueue(JOB, "x")
    redis.hset(job.key, "data", JSONSerializer.dumps((JOB, "an instance", ["x"], {})))
    with pytest.raises(RefusedJob):
        _ = fetched(redis, job).func


@pytest.mark.parametrize("name", ["os.system", JOB])
@pytest.mark.parametrize("arguments", [(), ({"run": 1},), (7,), ("s-1.demo-v1",)])
def test_a_worker_says_that_it_works_on_what_an_invitation_names_and_on_nothing_else(redis, name, arguments):
    job = fetched(redis, queue(redis, KIND).enqueue(name, *arguments))
    assert job.run_id == ("s-1.demo-v1" if (name, arguments) == (JOB, ("s-1.demo-v1",)) else None)


def test_a_job_whose_arguments_cannot_be_read_names_no_run(redis):
    job = queue(redis, KIND).enqueue(JOB, "s-1.demo-v1")
    redis.hset(job.key, "data", b"not json")
    assert fetched(redis, job).run_id is None


def test_callbacks_and_webhooks_of_a_job_are_left_alone(redis):
    """RQ would import a callback by its name, and post the outcome to an address, both taken from Redis."""
    job = queue(redis, KIND).enqueue(
        JOB,
        "x",
        on_success=Callback("os.abort"),
        on_failure=Callback("os.abort"),
        on_stopped=Callback("os.abort"),
        webhooks=[Webhook("https://elsewhere.example/", "failed")],
    )
    seen = fetched(redis, job)
    assert (seen.success_callback, seen.failure_callback, seen.stopped_callback) == (None, None, None)
    assert not seen.webhooks
