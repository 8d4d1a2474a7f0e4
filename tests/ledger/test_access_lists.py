"""The access lists of docs/security.md on a real server: each role does all of its work under its own, and no more."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis
from redis.exceptions import NoPermissionError

from evaluator.engines.child import Crashed, Killed
from evaluator.errors import Cause, RapportError
from leaderboard.connection import connect
from leaderboard.fleet import Fleet
from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.records import ActKind
from leaderboard.maintaining.service import Maintenance
from leaderboard.people import Person
from leaderboard.records import AmendmentKind, Failure, Lane, State, now, submission_of
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStep, judging_id
from leaderboard.rescoring.reports import ReportDesk
from leaderboard.rescoring.service import RescoreService
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger, MovedMeanwhile
from leaderboard.submissions.quotas import limits_of
from leaderboard.submissions.service import SubmissionService
from leaderboard.web import create_app
from tests.builders import make_plan, make_report, make_submission, rows_of
from tests.model_folders import make_model_folder
from tests.rescoring.other_judge import OTHER, write_judge
from tests.rescoring.rescores import make_check
from tests.waiting import until
from tests.worker.fleet import announce, make_worker
from worker.announce import name_of
from worker.handover import Handover
from worker.hold import Displaced, Hold
from worker.lease import Leases
from worker.outbox import Outbox
from worker.rooms import Rooms
from worker.troubles import Troubles

KEEPER = Person("keeper", maintainer=True)
ROOT = Path(__file__).parents[2]
ROLES = ("web", "worker", "publisher", "reaper")
PATIENCE = 120.0
ASKED_IN_VAIN = ("rapport-worker", "command", "client|list")
"""RQ would like to know its own address, and does without."""


def access_lists() -> dict[str, list[str]]:
    """The `ACL SETUSER` lines of the page, by role, as they are to be typed."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ACL SETUSER (rapport-\w+) (.*)$", text, flags=re.MULTILINE)
    return {name.removeprefix("rapport-"): shlex.split(rules) for name, rules in lines}


@pytest.fixture
def urls(redis: Redis, redis_url: str) -> Iterator[Mapping[str, str]]:
    """Addresses of an empty server, one a role, each with a user of its own."""
    redis.delete(keys.EPOCH)
    redis.execute_command("ACL", "LOG", "RESET")
    for role, rules in access_lists().items():
        redis.execute_command("ACL", "SETUSER", f"rapport-{role}", *rules)
    socket = redis_url.removeprefix("unix://")
    passwords = {role: f"PASSWORD-OF-THE-{role.upper()}" for role in ROLES}
    yield {role: f"unix://rapport-{role}:{passwords[role]}@{socket}" for role in ROLES}
    for role in ROLES:
        redis.execute_command("ACL", "DELUSER", f"rapport-{role}")


@contextlib.contextmanager
def running(role: str, url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the process of a role; it has to end in order when told to."""
    environment = {
        **os.environ,
        "RAPPORT_REDIS_URL": url,
        "RAPPORT_DATA": str(folder),
        "RAPPORT_JOURNAL_SECONDS": "0.1",
        "HF_HUB_OFFLINE": "1",
    }
    with (folder / f"{role}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker", role], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
        process.terminate()
        assert process.wait(60) == 0, (folder / f"{role}.log").read_text()
    finally:
        process.kill()
        process.wait()


def read_everything(url: str, settings: Settings, submission_id: str) -> None:
    """Opens every page, as visitors do."""
    site = TestClient(create_app(settings, connect(url)), base_url="http://127.0.0.1")
    of_it = [f"/{page}?id={submission_id}" for page in ("submission", "details", "live")]
    for path in ("/", "/rows", "/live?all=1", "/queue", *of_it):
        answer = site.get(path)
        assert answer.status_code == 200, path
        assert "Redis does not answer" not in answer.text, path


def do_all_of_it(redis: Redis, run_id: str) -> None:
    """What a worker does on a run, without an engine."""
    ledger, leases, outbox = Ledger(redis), Leases(redis, 600), Outbox(redis)
    plan = ledger.put_plan(make_plan(run_id))
    assert Troubles(redis).may_try_again(run_id, RapportError(Cause.INFRASTRUCTURE, "The Hub is away.", "Wait."))
    for failure in (Killed, Crashed):
        assert Troubles(redis).may_try_again(run_id, failure(Cause.OUT_OF_MEMORY, "The engine is gone.", "Wait."))
    fleet = [make_worker(name_of(os.getppid())), make_worker("roomy", memory_bytes=10**15)]
    announce(redis, *fleet)
    rooms = Rooms(redis, run_id, ledger.submission(submission_of(run_id)), tuple(Lane))
    assert rooms.left_to_larger(Lane.GENERATE)
    assert Lane.GENERATE not in rooms.lanes()
    assert not rooms.gives_way()
    for each in fleet:
        Fleet(redis).leave(each.name)
    ledger.advance(run_id, State.GENERATING, "gpu-1")
    with pytest.raises(MovedMeanwhile):
        ledger.move(run_id, State.CHECKING, State.QUEUED, "gpu-1")
    while lease := leases.claim(plan, "gpu-1"):
        assert leases.renew(lease)
        rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == lease.shard_id))
        handover = Handover(leases, lease, outbox)
        if lease.lane is Lane.GENERATE:
            handover.generations(rows.generations)
        else:
            outbox.kept(run_id)
            handover.verdicts(rows.verdicts)
        handover.finish(make_report(lease.lane))
        leases.release(lease, forgive=True)


def do_a_re_score(redis: Redis, worker: Redis, run_id: str) -> None:
    """What a worker does about a re-score that goes wrong."""
    at = now()
    rescore = Rescore(
        id="r-20260301-0a1b2c3d",
        judge="demo",
        judge_revision="0" * 40,
        judge_config="0" * 64,
        prompt_pack="builtin",
        prompt_pack_status="builtin",
        runs=(run_id,),
        created_by="carol",
        created_at=at,
        events=(RescoreEvent(sequence=1, step=RescoreStep.STARTED, at=at, actor="carol"),),
    )
    RescoreDesk(redis).enter(rescore)
    desk, failure = RescoreDesk(worker), Failure(cause=Cause.JUDGE_ERROR, message="It is gone.", remedy="Mend it.")
    desk.note(rescore.id, RescoreStep.RUN_FAILED, "gpu-1", run_id=run_id, failure=failure)
    desk.close([judging_id(rescore.id, run_id)], rescore.id)


def test_every_role_does_all_of_its_work_under_its_access_list(redis: Redis, urls: Mapping[str, str], tmp_path: Path):
    settings = Settings(data=tmp_path, allow_local_user=True)
    web, worker = connect(urls["web"]), connect(urls["worker"])
    site = SubmissionService(settings, web)
    first, second = make_submission(0), make_submission(1)
    run, other = first.run_ids()[0], second.run_ids()[0]

    def allowed(holds: Callable[[], object], what: str) -> None:
        """Waits until something holds, or somebody was refused something."""
        until(lambda: holds() or denied(redis), what=what, within=PATIENCE)
        assert denied(redis) == []

    with running("publish", urls["publisher"], tmp_path), running("reap", urls["reaper"], tmp_path):
        allowed(site.ledger.is_open, "the ledger is open")

        site.ledger.create(first, limits_of(settings))
        read_everything(urls["web"], settings, first.id)
        asked = ReportDesk(web).ask_preview(Person("carol", maintainer=True), "nobody")
        allowed(lambda: site.ledger.state(run) is State.QUEUED, "the reaper queues it")
        do_all_of_it(worker, run)
        allowed(lambda: site.ledger.state(run) is State.PUBLISHED, "it is published")

        do_a_re_score(redis, worker, run)
        allowed(lambda: not RescoreDesk(redis).look().unsaved, "the re-score is saved")
        allowed(lambda: not ReportDesk(web).get(asked.id).is_open, "the publisher works the report out")

        with running("work", urls["worker"], tmp_path):
            allowed(lambda: Fleet(web).alive(), "a worker is alive")
            site.ledger.create(second, limits_of(settings))
            allowed(lambda: worked_on(site.ledger, other), "the worker answers the invitation")
            site.cancel(second.id, Person(second.submitter))
        site.quotas(Person(second.submitter))
        assert [each.id for each in ReportDesk(web).recent()] == [asked.id]
        site.dispute(first.id, Person(first.submitter), "One verdict is wrong.")
        site.flag(first.id, KEEPER, "A look at it.")
        Maintenance(settings, web).set_quota(KEEPER, "alice", 5, "A series.")
        site.withdraw(first.id, Person(first.submitter), "It was the wrong model.")
        kinds = [event.kind for event in site.ledger.history(first.id).events if hasattr(event, "kind")]
        assert AmendmentKind.DISPUTED in kinds
        allowed(lambda: not site.ledger.unsaved(), "all of it is saved")
        redis.flushall()
        allowed(lambda: site.ledger.is_open() and site.ledger.count() == 2, "the publisher restores what was lost")
        assert MaintainDesk(web).count() == 2, "the log of maintainers among it"
        read_everything(urls["web"], settings, first.id)
    assert denied(redis) == []


def test_maintainers_do_all_that_they_may_from_the_web_under_its_access_list(
    redis: Redis, urls: Mapping[str, str], tmp_path: Path
) -> None:
    redis.set(keys.EPOCH, "tests:0")
    folders = {"data": tmp_path, "models": tmp_path / "models", "judges": write_judge(tmp_path / "judges")}
    settings, web = Settings(**folders), connect(urls["web"])
    make_model_folder(settings.models, OTHER)
    site, rescoring, maintenance = (
        SubmissionService(settings, web),
        RescoreService(settings, web),
        Maintenance(settings, web),
    )
    published, waiting = make_submission(0), make_submission(1)
    for submission in (published, waiting):
        site.ledger.create(submission)
    run = published.run_ids()[0]
    for state in (State.QUEUED, State.GENERATING, State.JUDGING, State.SCORING, State.PUBLISHING, State.PUBLISHED):
        Ledger(redis).advance(run, state, "worker")
    site.dispute(published.id, KEEPER, "One verdict is wrong.")
    for action in ("answer", "flag", "clear", "hide", "show"):
        getattr(site, action)(published.id, KEEPER, "Looked at.")
    for action in ("lift", "pause", "resume", "cancel"):
        getattr(site, action)(waiting.id, KEEPER)
    site.retry(waiting.id, KEEPER)
    site.correct(waiting.id, KEEPER, waiting.declaration.model_copy(update={"base_model": "org/base"}))
    site.withdraw(waiting.id, KEEPER, "Enough.")
    maintenance.pause_submissions(KEEPER, "A new judge.")
    maintenance.resume_submissions(KEEPER)
    maintenance.set_quota(KEEPER, "alice", 5, "A series.")
    maintenance.set_quota(KEEPER, "alice", None, "The series is done.")
    for end in ("discard", "promote"):
        started = rescoring.start(OTHER, [run], KEEPER)
        rescoring.pause(started.id, KEEPER)
        rescoring.resume(started.id, KEEPER)
        if end == "promote":
            RescoreDesk(redis).note(started.id, RescoreStep.COMPLETED, "publisher")
            JudgeChecks(redis).put(make_check(started))
        getattr(rescoring, end)(started.id, KEEPER, "Enough.")
    assert {act.kind for act in maintenance.desk.acts(count=maintenance.desk.count())} == set(ActKind)
    assert denied(redis) == []


def worked_on(ledger: Ledger, run_id: str) -> bool:
    """Whether a worker has taken the run in hand: it cannot get the model, which it notes as trouble or a failure."""
    redis = ledger._redis
    return bool(redis.exists(keys.trouble(run_id)) or ledger.state(run_id) is State.FAILED)


def denied(redis: Redis) -> list[tuple[str, str, str]]:
    """Who was refused what: user, reason, command or key."""

    def told(entry: Mapping[Any, Any], name: str) -> str:
        value = entry.get(name, entry.get(name.encode()))
        return value.decode() if isinstance(value, bytes) else str(value)

    found = [(told(each, "username"), told(each, "reason"), told(each, "object")) for each in redis.acl_log()]
    return [entry for entry in found if entry != ASKED_IN_VAIN]


FORBIDDEN_TO_ALL = [
    ("GET", "other:key"),
    ("SET", "other:key", "x"),
    ("KEYS", "*"),
    ("FLUSHALL",),
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "dir", "/tmp"),
    ("ACL", "LIST"),
    ("CLIENT", "LIST"),
    ("MONITOR",),
    ("SAVE",),
    ("SHUTDOWN",),
    ("REPLICAOF", "NO", "ONE"),
    ("MODULE", "LIST"),
    ("SUBSCRIBE", "other"),
    ("PUBLISH", "other", "x"),
]
FORBIDDEN = {
    "web": [
        ("RPUSH", "rq:queue:rapport-generate-judge", "x"),
        ("HSET", "rq:job:x", "data", "x"),
        ("XADD", keys.OUTBOX, "*", "run", "x"),
        ("SET", keys.batches("s-1.demo-v1"), "x"),
        ("SET", keys.lease("s-1.demo-v1.0", Lane.JUDGE), "x"),
        ("SET", keys.plan("s-1.demo-v1"), "x"),
        ("SET", keys.ORDER, "x"),
        ("SET", keys.PUBLISHER, "x"),
        ("DEL", keys.ACTS),
        ("LSET", keys.ACTS, "0", "x"),
        ("LTRIM", keys.ACTS, "1", "-1"),
        ("LPUSH", keys.ACTS, "x"),
        ("SET", keys.ACTS, "x"),
        ("DEL", keys.SITE),
        ("DEL", keys.RESCORES),
        ("HDEL", keys.RESCORES, "r-1"),
        ("SREM", keys.RESCORES_UNSAVED, "r-1"),
        ("SET", keys.PROMOTIONS, "x"),
    ],
    "worker": [
        ("RPUSH", keys.ACTS, "x"),
        ("HSET", keys.SITE, "pause", "x"),
        ("SET", keys.submission("s-1"), "x"),
        ("DEL", keys.EPOCH),
        ("SET", keys.PUBLISHER, "x"),
        ("SET", keys.ORDER, "x"),
        ("DEL", keys.SUBMISSIONS),
        ("SREM", keys.UNSAVED, "s-1"),
    ],
    "publisher": [
        ("RPUSH", "rq:queue:rapport-generate-judge", "x"),
        ("HGETALL", "rq:job:x"),
    ],
    "reaper": [
        ("RPUSH", keys.ACTS, "x"),
        ("HSET", keys.SITE, "pause", "x"),
        ("SET", keys.submission("s-1"), "x"),
        ("SET", keys.plan("s-1.demo-v1"), "x"),
        ("HSET", keys.batches("s-1.demo-v1"), "b", "x"),
        ("XADD", keys.OUTBOX, "*", "run", "x"),
        ("DEL", keys.EPOCH),
        ("SET", keys.lease("s-1.demo-v1.0", Lane.JUDGE), "x"),
    ],
}


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_do_what_is_not_its_own(urls: Mapping[str, str], role: str) -> None:
    with connect(urls[role]) as redis:
        for command in (*FORBIDDEN_TO_ALL, *FORBIDDEN[role]):
            with pytest.raises(NoPermissionError):
                redis.execute_command(*command)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_needs_its_own_password(urls: Mapping[str, str], redis_url: str, role: str) -> None:
    socket = redis_url.removeprefix("unix://")
    with pytest.raises(RapportError, match="Redis refuses the name or the password"):
        connect(f"unix://rapport-{role}:wrong@{socket}")


def test_a_second_publisher_is_told_of_the_first_under_its_access_list(redis: Redis, urls: Mapping[str, str]) -> None:
    redis.set(keys.PUBLISHER, "the first")
    with connect(urls["publisher"]) as second, pytest.raises(Displaced):
        Hold(second).take(threading.Event())
