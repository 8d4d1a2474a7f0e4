"""Reports: asked through Redis, worked out by a child of the publisher, and never stuck whoever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from typer.testing import CliRunner

from evaluator.errors import Cause
from leaderboard.cli.main import app
from leaderboard.people import Person
from leaderboard.rescoring.comparison import Comparison
from leaderboard.rescoring.preview_records import Preview
from leaderboard.rescoring.reports import Report, ReportDesk, ReportState
from leaderboard.submissions import keys
from tests.rescoring.other_judge import OTHER
from tests.rescoring.rescores import CAROL, Bench, settle
from tests.waiting import until
from worker import report_child
from worker.hold import Hold
from worker.publisher import Publisher
from worker.reporting import LONGEST_SECONDS, LOOK_SECONDS, Reporter

DAVE = Person("dave", maintainer=True)
DEMO_V1 = "demo-v1"
ROOT = Path(__file__).parents[2]
SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")
"""Stands for a report that takes long; whatever is put behind it does not matter."""


@pytest.fixture
def desk(redis: Redis) -> ReportDesk:
    return ReportDesk(redis)


@pytest.fixture
def hold(publisher: Publisher) -> Iterator[Hold]:
    """Held by the publisher of these tests, for as long as one takes."""
    assert publisher.hold.take(threading.Event())
    with publisher.hold.kept():
        yield publisher.hold


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextlib.contextmanager
def reporting(redis: Redis, hold: Hold, clock: Clock | None = None, **more: tuple[str, ...]) -> Iterator[Reporter]:
    with contextlib.closing(Reporter(redis, hold.name, clock=clock or Clock(), **more)) as reporter:
        yield reporter


def ended(desk: ReportDesk, reporter: Reporter, asked: Report) -> Report:
    """Steps until a report has ended."""

    def has_ended() -> bool:
        reporter.step()
        return not desk.get(asked.id).is_open

    until(has_ended, what="the report has ended", within=120)
    return desk.get(asked.id)


def cli(*words: str) -> str:
    told = CliRunner().invoke(app, ["rescore", *words])
    assert told.exit_code == 0, told.exception
    return told.stdout


def test_a_preview_is_what_the_command_prints(bench: Bench, desk: ReportDesk, hold: Hold) -> None:
    asked = desk.ask_preview(CAROL, OTHER, models=("local/first", "local/second"))
    assert (asked.state, asked.asked_by, asked.progress, asked.result) == (ReportState.WAITING, "carol", "", None)
    with reporting(bench.redis, hold) as reporter:
        found = ended(desk, reporter, asked)
    assert found.state is ReportState.READY, found.failure
    assert found.result is not None
    wanted = cli("--judge", OTHER, "--dry-run", "--json", "--models", "local/first", "--models", "local/second")
    assert Preview.model_validate_json(found.result) == Preview.model_validate_json(wanted)
    assert Preview.model_validate_json(found.result).runs == 2
    assert found.result_characters == len(found.result)
    assert found.started_at is not None
    assert found.ended_at is not None
    assert asked.asked_at <= found.started_at <= found.ended_at
    assert not bench.desk.all(), "a preview changes nothing"


def test_a_comparison_is_what_the_command_prints_and_one_too_large_keeps_fewer_flips(
    bench: Bench, desk: ReportDesk, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    rescore = bench.finish(bench.begin())
    asked = desk.ask_comparison(CAROL, rescore.id)
    with reporting(bench.redis, hold) as reporter:
        found = ended(desk, reporter, asked)
    assert found.state is ReportState.READY, found.failure
    printed = CliRunner().invoke(app, ["rescore", "compare", rescore.id, "--json"])
    assert found.result == printed.stdout
    told_of = printed.stderr.splitlines()
    assert told_of[0] == "reading the verdicts of run 1 of 3 ..."
    assert "ranking 3 runs under the new judge ..." in told_of
    told = Comparison.model_validate_json(found.result or "")
    assert len(told.models) == 3
    assert (told.no_texts_because, found.flips_left_out) == (None, 0)
    shown = [flip for group in told.flips for flip in group.shown]
    assert shown
    assert all(flip.question and flip.gold for flip in shown), "the demo set may be passed on"

    monkeypatch.setattr(report_child, "LARGEST_RESULT", len(printed.stdout) - 1)
    fewer = in_this_process(bench, desk, desk.ask_comparison(CAROL, rescore.id, protocol=DEMO_V1))
    less = Comparison.model_validate_json(fewer.result or "")
    assert fewer.flips_left_out == len(shown) - sum(len(group.shown) for group in less.flips) > 0
    for group, whole in zip(less.flips, told.flips, strict=True):
        assert (group.count, group.shown) == (whole.count, whole.shown[: len(group.shown)])
    assert bench.redis.get(keys.report_progress(fewer.id)) == b"comparing their Totals"
    monkeypatch.setattr(report_child, "LARGEST_RESULT", 100)
    large = in_this_process(bench, desk, desk.ask_preview(CAROL, OTHER))
    assert large.failure is not None
    assert "100 are kept" in large.failure.message
    assert "`rapport rescore` on the publisher's machine" in large.failure.remedy


def in_this_process(bench: Bench, desk: ReportDesk, asked: Report) -> Report:
    """Works a report out here, where its limits can be set."""
    desk.change(asked.id, lambda report: report.model_copy(update={"state": ReportState.RUNNING, "tries": 1}))
    assert report_child.work_out(bench.settings, bench.redis, asked.id, 1)
    return desk.get(asked.id)


def test_a_start_begins_a_re_score_of_who_asked(bench: Bench, desk: ReportDesk, hold: Hold) -> None:
    asked = desk.ask_start(CAROL, OTHER, models=("local/third",), reason=" It reads better. ")
    with reporting(bench.redis, hold) as reporter:
        found = ended(desk, reporter, asked)
    assert found.state is ReportState.READY, found.failure
    begun = bench.desk.get(found.result or "")
    assert (begun.judge, begun.created_by, begun.runs) == (OTHER, "carol", (bench.runs[2],))
    assert (begun.events[0].reason, begun.words) == ("It reads better.", "1 of 3 runs: model local/third")
    settle(bench.publisher)
    assert bench.desk.judgings(begun.id), "it goes on as any other"


def test_a_start_whose_process_was_lost_after_it_had_begun_begins_no_second_one(
    bench: Bench, desk: ReportDesk, hold: Hold
) -> None:
    begun = bench.service.start(OTHER, bench.runs, CAROL)
    asked = desk.ask_start(CAROL, OTHER)
    desk.change(asked.id, lambda report: report.model_copy(update={"tries": 1, "lost": 1}))
    with reporting(bench.redis, hold) as reporter:
        assert ended(desk, reporter, asked).result == begun.id
        other = ended(desk, reporter, desk.ask_start(DAVE, OTHER))
    assert [each.id for each in bench.desk.all()] == [begun.id]
    assert other.state is ReportState.FAILED
    assert begun.id in other.failure.message, "somebody else's is no answer"


def test_what_cannot_be_worked_out_fails_with_its_cause_and_remedy(bench: Bench, desk: ReportDesk, hold: Hold) -> None:
    rescore = bench.begin()
    nobody, unknown = desk.ask_preview(CAROL, "nobody"), desk.ask_start(CAROL, OTHER, models=("org/unknown",))
    early = desk.ask_comparison(CAROL, rescore.id)
    with reporting(bench.redis, hold) as reporter:
        found = [ended(desk, reporter, asked) for asked in (nobody, unknown, early)]
    assert [each.state for each in found] == [ReportState.FAILED] * 3
    causes = [each.failure for each in found if each.failure]
    assert [each.cause for each in causes] == [Cause.NOT_FOUND] * 3
    assert causes[0].message == "There is no judge 'nobody'."
    assert f"demo, {OTHER}" in causes[0].remedy or OTHER in causes[0].remedy
    assert "org/unknown" in causes[1].message
    assert "has been judged by both judges" in causes[2].message


def running(redis: Redis, desk: ReportDesk, reporter: Reporter, asked: Report) -> Report:
    """Steps until a report is in hand."""
    reporter.step()
    found = desk.get(asked.id)
    assert found.state is ReportState.RUNNING
    assert found.pid is not None
    return found


def kill(report: Report) -> None:
    assert report.pid is not None
    os.kill(report.pid, signal.SIGKILL)


def test_a_killed_child_is_followed_by_another_once_and_then_the_report_fails(
    redis: Redis, desk: ReportDesk, hold: Hold
) -> None:
    asked = desk.ask_preview(CAROL, OTHER)
    with reporting(redis, hold, command=SLEEPS) as reporter:
        first = running(redis, desk, reporter, asked)
        desk.tell(asked.id, "3 of 9 runs read")
        assert [each.progress for each in (desk.get(asked.id), *desk.recent())] == ["3 of 9 runs read"] * 2
        kill(first)
        until(lambda: reporter.step() or desk.get(asked.id).tries == 2, what="it is taken up again")
        second = desk.get(asked.id)
        assert (second.lost, second.publisher) == (1, hold.name)
        until(lambda: desk.get(asked.id).pid, what="its process is known")
        kill(desk.get(asked.id))
        failed = ended(desk, reporter, asked)
    assert failed.failure is not None
    assert failed.failure.cause is Cause.INFRASTRUCTURE
    assert "was lost 2 times" in failed.failure.message
    assert "the publisher's log" in failed.failure.remedy
    assert desk.open_ids() == []


def test_one_child_at_a_time_and_the_oldest_report_first(redis: Redis, desk: ReportDesk, hold: Hold) -> None:
    first, second = desk.ask_preview(CAROL, OTHER), desk.ask_preview(CAROL, "demo")
    clock = Clock()
    with reporting(redis, hold, clock, command=SLEEPS) as reporter:
        kept = running(redis, desk, reporter, first)
        clock.now += 10 * LOOK_SECONDS
        reporter.step()
        assert desk.get(second.id).state is ReportState.WAITING
        clock.now = LONGEST_SECONDS
        late = ended(desk, reporter, first)
        assert late.failure is not None
        assert late.failure.cause is Cause.TIMEOUT
        running(redis, desk, reporter, second)
    with pytest.raises(ProcessLookupError):
        kill(kept)
    assert desk.get(second.id).state is ReportState.WAITING, "given back in order"
    assert desk.get(second.id).lost == 0


def test_what_a_publisher_that_died_had_in_hand_is_taken_up_by_the_next_once(
    redis: Redis, desk: ReportDesk, hold: Hold
) -> None:
    asked = desk.ask_preview(CAROL, "nobody")
    gone = {"state": ReportState.RUNNING, "tries": 1, "publisher": "gone", "pid": 1}
    desk.change(asked.id, lambda report: report.model_copy(update=gone))
    with reporting(redis, hold) as reporter:
        found = ended(desk, reporter, asked)
    assert found.failure is not None
    assert (found.failure.cause, found.tries, found.lost) == (Cause.NOT_FOUND, 2, 1)

    again = desk.ask_preview(CAROL, OTHER)
    desk.change(again.id, lambda report: report.model_copy(update=gone | {"tries": 2, "lost": 1}))
    with reporting(redis, hold) as reporter:
        lost = ended(desk, reporter, again)
    assert lost.failure is not None
    assert lost.failure.cause is Cause.INFRASTRUCTURE


def test_a_publisher_that_does_not_hold_redis_takes_nothing(redis: Redis, desk: ReportDesk, hold: Hold) -> None:
    asked = desk.ask_preview(CAROL, OTHER)
    with reporting(redis, Hold(redis), command=SLEEPS) as frozen:
        frozen.step()
        assert desk.get(asked.id) == asked


def test_a_child_that_comes_too_late_changes_nothing(bench: Bench, desk: ReportDesk) -> None:
    asked = desk.ask_start(CAROL, OTHER)
    desk.change(asked.id, lambda report: report.model_copy(update={"state": ReportState.RUNNING, "tries": 2}))
    assert not report_child.work_out(bench.settings, bench.redis, asked.id, 1)
    assert not bench.desk.all()
    assert report_child.work_out(bench.settings, bench.redis, asked.id, 2)
    assert not report_child.work_out(bench.settings, bench.redis, asked.id, 2), "it has ended"
    assert len(bench.desk.all()) == 1


@pytest.fixture
def start(redis_url: str, bench: Bench) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts a publisher as a role of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def start_one() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-m", "worker", "publish"], cwd=ROOT))
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        process.wait()


def test_a_killed_publisher_takes_its_child_along_and_the_next_one_takes_the_report_up(
    bench: Bench, desk: ReportDesk, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    bench.publisher.hold.release()
    asked = desk.ask_preview(CAROL, OTHER)
    first = start()
    until(lambda: desk.get(asked.id).pid, what="it is in hand", within=60)
    found = desk.get(asked.id)
    assert found.pid is not None
    until(lambda: b"leaderboard.processes" not in words_of(found.pid), what="the child is tied to its publisher")
    os.kill(found.pid, signal.SIGSTOP)
    assert desk.get(asked.id).state is ReportState.RUNNING, "it had begun too late to be stopped"
    first.kill()
    first.wait()
    until(lambda: gone(found.pid), what="the child is gone", within=60)
    assert desk.get(asked.id).state is ReportState.RUNNING
    start()
    until(lambda: not desk.get(asked.id).is_open, what="the next publisher has worked it out", within=120)
    done = desk.get(asked.id)
    assert (done.state, done.tries, done.lost) == (ReportState.READY, 2, 1), done.failure
    assert done.publisher != found.publisher


def words_of(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def gone(pid: int | None) -> bool:
    assert pid is not None
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_a_record_that_cannot_be_read_keeps_nobody_waiting(redis: Redis, desk: ReportDesk, hold: Hold) -> None:
    broken, lost, asked = desk.ask_preview(CAROL, "a"), desk.ask_preview(CAROL, "b"), desk.ask_preview(CAROL, "nobody")
    redis.set(keys.report(broken.id), json.dumps({"schema_version": 2}))
    redis.delete(keys.report(lost.id))
    with reporting(redis, hold, command=SLEEPS) as reporter:
        running(redis, desk, reporter, asked)
        assert desk.open_ids() == [asked.id]
        assert desk.ask_preview(CAROL, "a").id != broken.id


def test_nothing_asked_costs_one_round_trip_every_few_seconds(
    redis: Redis, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips, connection = [], redis.connection_pool.connection_class
    send = connection.send_packed_command
    monkeypatch.setattr(
        connection, "send_packed_command", lambda self, *words, **more: trips.append(1) or send(self, *words, **more)
    )
    clock = Clock()
    with reporting(redis, hold, clock) as reporter:
        for _ in range(10):
            reporter.step()
        assert len(trips) == 1
        clock.now += LOOK_SECONDS
        reporter.step()
        assert len(trips) == 2


def test_what_has_ended_may_be_asked_anew(redis: Redis, desk: ReportDesk, hold: Hold) -> None:
    asked = desk.ask_preview(CAROL, "nobody")
    with reporting(redis, hold) as reporter:
        ended(desk, reporter, asked)
    assert desk.ask_preview(CAROL, "nobody").id != asked.id


def test_a_child_stands_back_in_time_and_memory() -> None:
    tried = (
        "import os, pathlib\n"
        "from worker.report_child import MEMORY_BYTES, stand_back\n"
        "before = os.nice(0)\n"
        "stand_back()\n"
        "print(os.nice(0) == min(before + 10, 19), pathlib.Path('/proc/self/oom_score_adj').read_text().strip())\n"
        "try:\n"
        "    bytearray(MEMORY_BYTES)\n"
        "except MemoryError:\n"
        "    print('too much')\n"
    )
    told = subprocess.run([sys.executable, "-c", tried], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split("\n") == ["True 1000", "too much", ""]
