"""docs/deploy.md: every command line can be typed, every variable is one, and the canary tells what changed."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import uvicorn
from click.testing import Result
from redis import Redis
from typer.main import get_command
from typer.testing import CliRunner

from evaluator.errors import Cause
from evaluator.human.importers.pseudonyms import VARIABLE
from leaderboard.board.build import BoardRow
from leaderboard.cli import canary
from leaderboard.cli.main import app
from leaderboard.records import Failure, Lane, State
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.web import create_app, server_config
from tests.builders import make_plan, make_report, rows_of
from tests.e2e.site import free_port
from tests.waiting import at_once, until
from worker import publishing
from worker.handover import Handover
from worker.lease import Leases
from worker.outbox import Outbox

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def command_lines() -> list[str]:
    """All that is to be typed: whole lines of blocks, and what stands between backticks."""
    blocks = re.findall(r"```\n(.*?)```", TEXT, flags=re.DOTALL)
    typed = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    typed += re.findall(r"`([^`\n]+)`", TEXT)
    return sorted(
        {found[0] for line in typed if (found := re.findall(r"^(?:.* )?(?:rapport|leaderboard\.cli) (\w.*)$", line))}
    )


@pytest.mark.parametrize("line", command_lines())
def test_every_command_can_be_parsed(line: str) -> None:
    words = shlex.split(line)
    context = typer.Context(get_command(app), info_name="rapport")
    command = get_command(app)
    while words and (subcommands := getattr(command, "commands", None)) is not None:
        assert words[0] in subcommands, f"there is no `rapport {line}`"
        command = subcommands[words.pop(0)]
    with typer.Context(command, parent=context, info_name=line) as here:
        command.parse_args(here, words)


def test_the_commands_that_matter_are_all_there() -> None:
    lines = " ".join(command_lines())
    for needed in (
        "store create",
        "store backup",
        "store restore",
        "doctor",
        "canary",
        "worker",
        "publisher",
        "reaper",
    ):
        assert needed in lines


def test_every_variable_is_a_setting() -> None:
    known = {f"RAPPORT_{name.upper()}" for name in Settings.model_fields}
    known |= {Settings.model_fields["webhook_secret_variable"].default, VARIABLE}
    assert set(re.findall(r"RAPPORT_[A-Z_]+", TEXT)) <= known


def test_every_link_leads_somewhere() -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]+\.md)(?:#([\w-]+))?\)", TEXT):
        page = ROOT / "docs" / target
        assert page.is_file()
        heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert not anchor or anchor in {head.lower().replace(" ", "-") for head in heads}


def test_the_images_and_profiles_it_names_are_there() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"--target (\w+)", TEXT)) <= {*re.findall(r" AS (\w+)", dockerfile)}
    for name in re.findall(r"docker/[\w.-]+", TEXT):
        assert (ROOT / name.rstrip(".")).exists()


def test_the_canary_compares_figures_that_a_row_has() -> None:
    assert {*canary.FIGURES, *canary.CONDITIONS} <= {*BoardRow.model_fields}


def test_a_changed_figure_is_told_after_the_conditions_it_may_come_from() -> None:
    before = {"engine_version": "1", "items": 10, "submission_id": "one"}
    assert canary.changes_of(before, {"engine_version": "2", "items": 9, "submission_id": "two"}) == [
        'engine_version: "1" became "2"',
        "items: 10 became 9",
    ]


def test_a_canary_whose_run_fails_says_why(redis, redis_url, tmp_path, monkeypatch) -> None:
    ledger = Ledger(redis)
    failure = Failure(cause=Cause.LOAD_ERROR, message="It has no layers.", remedy="Add one.")

    def run() -> Result:
        return CliRunner().invoke(app, ["canary", "reference/gold", "--url", "http://127.0.0.1:1", "--minutes", "5"])

    def fail() -> None:
        until(ledger.active, what="it is submitted", within=120)
        (run_id,) = ledger.view(ledger.active()[0]).submission.run_ids()
        assert ledger.fail(run_id, "worker", failure)

    for name, value in {"REDIS_URL": redis_url, "DATA": str(tmp_path), "MODELS": str(tmp_path)}.items():
        monkeypatch.setenv(f"RAPPORT_{name}", value)
    result, failed = at_once(run, fail)
    assert failed is None
    assert result.exit_code == 1
    assert "It has no layers." in str(result.exception)
    assert not (tmp_path / "canary.json").exists()


@pytest.fixture
def site(redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A publisher and a page, and settings that lead a command there."""
    redis.delete(keys.EPOCH)
    port, stopping = free_port(), threading.Event()
    settings = Settings(data=tmp_path, models=tmp_path, redis_url=redis_url, journal_seconds=0.05)
    for name in ("data", "models", "redis_url"):
        monkeypatch.setenv(f"RAPPORT_{name.upper()}", str(getattr(settings, name)))
    page = uvicorn.Server(server_config(create_app(settings, redis), host="127.0.0.1", port=port, log_level="error"))
    threads = [
        threading.Thread(target=page.run),
        threading.Thread(target=publishing.publish, args=(settings, redis, stopping)),
    ]
    for thread in threads:
        thread.start()
    try:
        until(lambda: page.started and Ledger(redis).is_open(), what="the site is up")
        yield f"http://127.0.0.1:{port}"
    finally:
        stopping.set()
        page.should_exit = True
        for thread in threads:
            thread.join()


@contextlib.contextmanager
def worker_at(redis: Redis) -> Iterator[None]:
    """Does, in the background, all that the next submission asks for."""

    def work() -> None:
        ledger, leases, outbox = Ledger(redis), Leases(redis, 600), Outbox(redis)
        until(ledger.active, what="something is submitted", within=120)
        (run_id,) = ledger.view(ledger.active()[0]).submission.run_ids()
        ledger.advance(run_id, State.QUEUED, "reaper")
        plan = ledger.put_plan(make_plan(run_id))
        ledger.advance(run_id, State.GENERATING, "gpu-1")
        while lease := leases.claim(plan, "gpu-1"):
            rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == lease.shard_id))
            handover = Handover(leases, lease, outbox)
            if lease.lane is Lane.GENERATE:
                handover.generations(rows.generations)
            else:
                handover.verdicts(rows.verdicts)
            handover.finish(make_report(lease.lane))
            leases.release(lease, forgive=True)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


def test_a_canary_goes_through_the_whole_site_is_compared_and_leaves_the_board(site, redis, tmp_path) -> None:
    ledger = Ledger(redis)

    def fly() -> tuple[int, str]:
        with worker_at(redis):
            result = CliRunner().invoke(app, ["canary", "reference/gold", "--url", site, "--minutes", "2"])
        until(lambda: not ledger.active() and not ledger.unsaved(), what="all of it is saved", within=60)
        return result.exit_code, result.output

    code, said = fly()
    assert (code, "the first canary" in said) == (0, True), said
    assert all(ledger.history(name).withdrawn for name in ledger.newest(10))
    code, said = fly()
    assert (code, "the figures are those of the last canary" in said) == (0, True), said
    kept = json.loads((tmp_path / "canary.json").read_text())
    kept["demo-v1"] |= {"items": 7, "engine_version": "0"}
    (tmp_path / "canary.json").write_text(json.dumps(kept))
    code, said = fly()
    assert code == canary.DIFFERS
    assert "items: 7 became" in said
    assert "engine_version" in said
    assert ledger.count() == 3, "each was really run"
