"""The page for Prometheus: figures of all roles on a port of its own, whatever becomes of Redis."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.connection import connect, web_client
from leaderboard.fleet import Fleet
from leaderboard.people import Person
from leaderboard.records import Failure, Lane, State
from leaderboard.settings import Settings
from leaderboard.store.base import BadPath, StoreError, Write
from leaderboard.store.local import LocalStore
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from leaderboard.web import create_app
from tests.builders import make_plan, make_report, make_submission, rows_of
from tests.e2e.site import free_port
from tests.private_redis import redis_answers, redis_command
from tests.waiting import until
from tests.worker.fleet import make_worker
from worker import publishing
from worker.commits import Commits
from worker.handover import Handover
from worker.lease import Leases
from worker.metrics import METRICS, Sample, families
from worker.metrics_page import metrics_served
from worker.outbox import Outbox
from worker.outcomes import Outcomes
from worker.readings import Readings
from worker.reaper import Reaper

ROOT = Path(__file__).parents[2]
DOCUMENTED = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
ALERTS = yaml.safe_load((ROOT / "docs" / "alerts.yaml").read_text(encoding="utf-8"))
Figures = dict[tuple[str, tuple[str, ...]], float]
FAILURE = Failure(cause=Cause.TOO_LARGE, message="It is too large.", remedy="Take a smaller one.")


@pytest.fixture
def commits(store) -> Commits:
    return Commits(store)


@pytest.fixture
def read(redis_url: str, redis: Redis, commits: Commits):
    """Reads all figures, as a publisher would from its first scrape on."""
    readings = Readings(web_client(redis_url), {"archive": commits})
    return lambda: figures(readings.read())


def figures(samples: list[Sample]) -> Figures:
    found = {(sample.name.removeprefix("rapport_"), sample.labels): sample.value for sample in samples}
    assert len(found) == len(samples), "no sample is told twice"
    return found


def scraped(port: int) -> Figures:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).raise_for_status().text
    return {
        (sample.name.removeprefix("rapport_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def queued(ledger: Ledger, number: int = 0) -> str:
    """A run that waits."""
    submission = make_submission(number)
    ledger.create(submission)
    (run_id,) = submission.run_ids()
    ledger.move(run_id, State.CHECKING, State.QUEUED, "alice")
    return run_id


def answer_a_shard(redis: Redis, leases: Leases, run_id: str) -> None:
    """Hands in the answers of one shard and keeps its lease."""
    plan = Ledger(redis).put_plan(make_plan(run_id))
    lease = leases.claim(plan, "gpu-1", (Lane.GENERATE,))
    assert lease
    handover = Handover(leases, lease, Outbox(redis))
    handover.generations(rows_of(plan, next(each for each in plan.shards if each.id == lease.shard_id)).generations)
    handover.finish(make_report(lease.lane))


def test_an_empty_site_has_every_figure_but_those_of_what_was_never_done(read) -> None:
    found = read()
    never = {"store_seconds_since_commit", "workers", "waiting_runs"}
    assert {f"rapport_{name}" for name, _ in found} == {m.name for m in METRICS} - {f"rapport_{name}" for name in never}
    assert found["redis_up", ()] == found["accepting", ()] == 1
    assert found["reaper_up", ()] == found["redis_append_only", ()] == 0
    assert found["submissions_refused_total", ("quota",)] == 0
    assert all(value == 1 for (name, _), value in found.items() if name == "readable")


def test_the_queue_is_told_by_state_and_by_lane(read, redis, ledger, leases) -> None:
    run_id, _ = queued(ledger, 0), queued(ledger, 1)
    answer_a_shard(redis, leases, run_id)
    ledger.advance(run_id, State.GENERATING, "gpu-1")
    Reaper(redis, 3600).step()
    found = read()
    assert (found["runs", ("queued",)], found["runs", ("generating",)], found["runs", ("judging",)]) == (1, 1, 0)
    assert (found["waiting_runs", ("generate",)], found["waiting_runs", ("judge",)]) == (2, 1)
    assert 0 < found["oldest_waiting_seconds", ()] < 3600
    assert found["reaper_up", ()] == 1


def test_leases_are_open_or_expired(read, redis, ledger) -> None:
    run_id = queued(ledger)
    plan = ledger.put_plan(make_plan(run_id))
    leases = Leases(redis, seconds=600)
    lost, held = leases.claim(plan, "gpu-1"), leases.claim(plan, "gpu-2")
    assert lost
    assert held
    assert (read()["leases_open", ("generate",)], read()["leases_expired", ("generate",)]) == (2, 0)
    redis.pexpire(keys.lease(*lost.task), 0)
    found = read()
    assert (found["leases_open", ("generate",)], found["leases_expired", ("generate",)]) == (1, 1)
    assert (found["leases_open", ("judge",)], found["leases_expired", ("judge",)]) == (0, 0)


def test_workers_are_told_by_kind_and_a_lane_without_one_is_0(read, redis) -> None:
    worker = make_worker("gpu-1", lanes=(Lane.GENERATE,))
    Fleet(redis).announce(worker, 60)
    Fleet(redis).announce(make_worker("gpu-2", lanes=(Lane.GENERATE,), run_id="s-20260101-0a1b2c3d.demo-v1"), 60)
    found = read()
    assert found["workers", (worker.kind.queue, "wait")] == found["workers", (worker.kind.queue, "work")] == 1
    assert (found["lane_workers", ("generate",)], found["lane_workers", ("judge",)]) == (2, 0)


def test_rates_come_from_what_was_handed_in(read, redis, ledger) -> None:
    seconds, _ = redis.time()
    for number in (0, 1):
        run_id = queued(ledger, number)
        redis.lpush(keys.marks(run_id), f"{seconds - 100} 5 50", f"{seconds - 50} 10 400")
    found = read()
    assert found["rows_per_second", ()] == pytest.approx(2 * 10 / 100, rel=0.2)
    assert found["tokens_per_second", ()] == pytest.approx(2 * 400 / 100, rel=0.2)


def test_ends_are_counted_by_cause_and_each_once(read, ledger) -> None:
    run_id, other = queued(ledger, 0), queued(ledger, 1)
    ledger.fail(run_id, "worker", FAILURE)
    assert read()["runs_failed_total", ("too_large",)] == 1
    ledger.move(run_id, State.FAILED, State.QUEUED, "alice")
    ledger.fail(run_id, "worker", FAILURE)
    ledger.fail(other, "worker", FAILURE.model_copy(update={"cause": Cause.TIMEOUT}))
    for _ in range(2):
        found = read()
        assert (found["runs_failed_total", ("too_large",)], found["runs_failed_total", ("timeout",)]) == (2, 1)
        assert (found["runs_ended_total", ("failed",)], found["runs_ended_total", ("published",)]) == (3, 0)
        assert found["submissions_total", ()] == 2


def test_ends_are_counted_anew_after_a_restore_and_not_twice(redis, ledger) -> None:
    ledger.fail(queued(ledger), "worker", FAILURE)
    redis.set(keys.EPOCH, f"{'a' * 16}:1")
    outcomes = Outcomes(redis)
    assert not outcomes.read(lambda: False)
    assert outcomes.read(lambda: True)
    redis.set(keys.EPOCH, f"{'a' * 16}:2")
    assert outcomes.read(lambda: True)
    assert outcomes.failed == {Cause.TOO_LARGE: 1}
    redis.set(keys.EPOCH, f"{'b' * 16}:0")
    assert outcomes.read(lambda: True)
    assert outcomes.failed == {Cause.TOO_LARGE: 1}


def test_an_event_that_cannot_be_read_hides_no_other(redis, ledger, read, caplog) -> None:
    ledger.fail(queued(ledger, 0), "worker", FAILURE)
    broken = queued(ledger, 1).partition(".")[0]
    redis.rpush(keys.events(broken), "{")
    for _ in range(2):
        found = read()
        assert found["runs_failed_total", ("too_large",)] == 1
        assert found["runs", ("queued",)] == 0
    assert [line for line in caplog.messages if "not counted" in line and broken in line] != []
    assert sum("not counted" in line for line in caplog.messages) == 1


def test_refusals_are_counted_by_cause(redis, read, tmp_path) -> None:
    service = SubmissionService(Settings(data=tmp_path, models=tmp_path), redis)
    for name, cause in (("no id at all", Cause.MALFORMED_ID), ("reference/gold", Cause.MALFORMED_ID)):
        with pytest.raises(RapportError) as refused:
            service.submit(name, None, make_submission().declaration, Person("alice"))
        assert refused.value.cause is cause
    found = read()
    assert found["submissions_refused_total", ("malformed_id",)] == 2
    assert found["submissions_total", ()] == 0


def test_what_the_store_does_not_hold_is_told(redis, ledger, leases, read, store, commits) -> None:
    answer_a_shard(redis, leases, queued(ledger))
    assert (read()["unsaved_submissions", ()], read()["outbox_batches", ()]) == (1, 2)
    assert ("store_seconds_since_commit", ("archive",)) not in read()
    store.commit([Write("a", b"1")], "first")
    with pytest.raises(StoreError):
        store.commit([Write("../a", b"1")], "second")
    found = read()
    assert found["store_commits_total", ("archive",)] == found["store_failures_total", ("archive",)] == 1
    assert 0 <= found["store_seconds_since_commit", ("archive",)] < 60
    assert (found["store_stale", ("archive",)], found["store_commit_in_seconds", ("archive",)]) == (0, 0)


def test_a_store_whose_home_is_away_is_stale_and_says_for_how_long(redis_url, redis, tmp_path) -> None:
    from leaderboard.store.hub import HubStore
    from tests.hub_server import Account, LocalHub
    from tests.hub_server.faults import Drop

    with LocalHub(tmp_path / "hub") as hub:
        hub.tokens["hf_writer"] = Account("org", role="write")
        here = HubStore("org/results", tmp_path / "copy", "hf_writer", endpoint=hub.url, fresh_seconds=0)
        here.create()
        here.commit([Write("a", b"1")], "first")
        readings = Readings(web_client(redis_url), {"archive": Commits(here)})
        assert figures(readings.read())["store_stale", ("archive",)] == 0
        hub.faults.add("", Drop(), times=1000)
        assert here.read("a") == b"1"
        found = figures(readings.read())
    assert found["store_stale", ("archive",)] == 1
    assert found["store_stale_seconds", ("archive",)] > 0


def test_the_publisher_serves_it_on_its_own_port_and_ends_with_it(redis, redis_url, tmp_path, ledger) -> None:
    redis.delete(keys.EPOCH)
    port, stopping = free_port(), threading.Event()
    settings = Settings(data=tmp_path, redis_url=redis_url, metrics_port=port, journal_seconds=0.05)
    with ThreadPoolExecutor(1) as pool:
        publisher = pool.submit(publishing.publish, settings, redis, stopping)
        try:
            until(ledger.is_open, what="it is at work")
            ledger.create(make_submission())
            until(lambda: scraped(port)["unsaved_submissions", ()] == 0, what="it is saved")
            found = scraped(port)
            assert found["store_commits_total", ("archive",)] >= 1
            assert found["store_seconds_since_commit", ("archive",)] >= 0
            assert found["redis_up", ()] == 1
        finally:
            stopping.set()
        publisher.result()
    with pytest.raises(httpx.ConnectError):
        scraped(port)


def test_a_port_that_is_taken_is_named_with_a_remedy(redis_url, redis) -> None:
    port = free_port()
    settings = Settings(redis_url=redis_url, metrics_port=port)
    with (
        metrics_served(settings, {}),
        pytest.raises(RapportError, match=f"RAPPORT_METRICS_PORT {port}"),
        metrics_served(settings, {}),
    ):
        pass


@contextlib.contextmanager
def server_of_its_own(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    socket = folder / "r.sock"
    server = subprocess.Popen(redis_command(socket, folder), stdout=subprocess.DEVNULL)
    try:
        until(lambda: redis_answers(socket), what="the server answers")
        yield f"unix://{socket}", server
    finally:
        server.kill()
        server.wait()


def test_while_redis_is_away_or_hangs_the_page_answers_and_says_so(tmp_path, commits) -> None:
    port = free_port()
    with (
        server_of_its_own(tmp_path) as (url, server),
        metrics_served(Settings(redis_url=url, metrics_port=port), {"archive": commits}),
    ):
        connect(url).set(keys.EPOCH, "tests:0")
        assert scraped(port)["redis_up", ()] == scraped(port)["redis_append_only", ()] == 1
        server.send_signal(signal.SIGSTOP)  # It takes connections and never answers.
        hanging = scraped(port)
        server.kill()
        server.wait()
        for found in (hanging, scraped(port)):
            assert found["redis_up", ()] == 0
            assert ("runs", ("queued",)) not in found
            assert found["store_stale", ("archive",)] == 0
            assert all(value == 0 for (name, _), value in found.items() if name == "readable")


def test_no_part_begins_after_its_time(redis_url, redis) -> None:
    moments = iter(range(1000))
    found = figures(Readings(web_client(redis_url), {}, seconds=4, clock=lambda: next(moments)).read())
    assert found["readable", ("server",)] == 1
    assert found["readable", ("lag",)] == 0
    assert found["redis_up", ()] == 1, "slow is not away"


def test_no_label_holds_what_a_stranger_chooses(read, redis, ledger, tmp_path) -> None:
    submission = make_submission().model_copy(update={"model": "canary/model", "submitter": "canary"})
    ledger.create(submission)
    ledger.fail(submission.run_ids()[0], "canary", FAILURE.model_copy(update={"message": "canary"}))
    Fleet(redis).announce(make_worker("canary", run_id=submission.run_ids()[0]), 60)
    redis.hset(keys.REFUSED, "canary", 7)
    labels = {value for _, values in read() for value in values}
    assert "failed" in labels
    assert not any("canary" in value or submission.id in value for value in labels)


def test_the_public_port_has_no_metrics(redis, redis_url, tmp_path) -> None:
    settings = Settings(data=tmp_path, redis_url=redis_url, metrics_port=9464)
    site = TestClient(create_app(settings, redis), base_url="http://127.0.0.1")
    assert "rapport_redis_up" not in site.get("/metrics").text


def test_samples_have_the_labels_of_their_metric() -> None:
    with pytest.raises(ValueError, match="labels"):
        list(families([Sample("rapport_runs", 1)]))
    with pytest.raises(KeyError):
        list(families([Sample("rapport_unheard_of", 1)]))


def test_every_metric_is_documented_with_type_unit_and_labels() -> None:
    rows = re.findall(r"^\| `(rapport_\w+)` \| (\w+) \| ([^|]+) \| ([^|]*)\|", DOCUMENTED, flags=re.MULTILINE)
    told = {name: (kind, unit, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, unit, labels in rows}
    assert told == {metric.name: (metric.kind, metric.unit, metric.labels) for metric in METRICS}
    named = set(re.findall(r"^\| `(\w+)` \| [^|]*\|$", DOCUMENTED, flags=re.MULTILINE))
    assert named == {label for metric in METRICS for label in metric.labels}


def test_every_label_value_of_a_closed_list_is_documented(read) -> None:
    lists = {"state": State, "lane": Lane}
    for label, values in lists.items():
        (line,) = re.findall(rf"^\| `{label}` \| (.*)\|$", DOCUMENTED, flags=re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", line)) == set(values)
    (line,) = re.findall(r"^\| `part` \| (.*)\|$", DOCUMENTED, flags=re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", line)) == {labels[0] for name, labels in read() if name == "readable"}


@pytest.mark.parametrize("rule", ALERTS["groups"][0]["rules"], ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_and_labels_that_exist(rule) -> None:
    known = {metric.name: metric.labels for metric in METRICS}
    asked = re.findall(r"\b(rapport_\w+)(?:\{(\w+)=)?", rule["expr"])
    assert asked or rule["expr"].startswith("up{")
    for name, label in asked:
        assert name in known
        assert not label or label in known[name]
    values = {value for group in re.findall(r'cause=~"([^"]+)"', rule["expr"]) for value in group.split("|")}
    assert values <= {cause.value for cause in Cause}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["remedy"]


def test_a_commit_that_fails_is_passed_on_and_the_store_is_what_it_was(store, commits) -> None:
    with pytest.raises(BadPath):
        store.commit([Write("/a", b"1")], "first")
    assert (commits.made, commits.failed, commits.silence) == (0, 1, None)
    assert isinstance(store, LocalStore)
    assert store.commit([Write("a", b"1")], "second") == store.head()
