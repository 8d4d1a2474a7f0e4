"""`rapport evaluate` against a real server: through kills, Ctrl-C and second calls, with every row written once."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.hicupid.scoring import score
from evaluator.identity import canonical_json
from evaluator.judge import settled
from evaluator.judges.spec import load_judge
from evaluator.records import Generation, Verdict
from leaderboard.records import Plan
from leaderboard.results import Scorecard
from tests.conftest import ROOT
from tests.engines.endpoint.proxy import Drop, Hang, Proxy
from tests.engines.endpoint.server import KEY, KEY_VARIABLE, SERVED, VllmServer
from tests.tiny_model import make_tiny_model
from tests.waiting import until
from worker.local.cli import run
from worker.local.compare import compare_folders
from worker.local.folder import Folder, read_kept, read_lines

KILLS = 16
PROTOCOL = """
id: small-test
title: Some questions of each type, for tests.
suite: hicupid
official: false
splits: [test_2]
types: [persona, profile, schedule]
limit: {users_per_split: 3, persona: 8, profile: 2, schedule: 4}
prompt_style: zero/system
context: {mode: full}
sampling: {temperature: 0.0, max_tokens: 12, seed: 42}
orders: both
judge: demo
"""
JOURNALS = ("generations.jsonl", "verdicts.jsonl", "reports.jsonl")
IMPORTED = ("datasets", "openai", "rouge_score.rouge_scorer", "sacrebleu", "worker.local.cli", __name__)
"""What a process that is to be killed finds imported: it is forked from one that has nothing else to do."""


class Site(NamedTuple):
    """A machine with models, a data set and a server that runs them."""

    path: Path
    url: str

    def command(self, out: Path, *options: str, model: str = "local/tiny", url: str = "") -> list[str]:
        """Returns the command that evaluates a model into a folder."""
        server = url or f"{self.url}/v1"
        told = ["--protocol", str(self.path / "small.yaml"), "--data", str(self.path / "set"), "--out", str(out)]
        judge = ["--judge", "demo", "--judge-url", server, "--judge-name", SERVED, "--judge-key", KEY_VARIABLE]
        served = ["--model-url", server, "--model-name", SERVED, "--model-key", KEY_VARIABLE]
        there = [] if model.startswith("reference/") else served
        return [sys.executable, "-m", "worker", "evaluate", model, *told, *judge, *there, *options]

    @property
    def environment(self) -> dict[str, str]:
        """What a command finds in its environment."""
        return {
            KEY_VARIABLE: KEY,
            "RAPPORT_MODELS": str(self.path / "models"),
            "RAPPORT_DATA": str(self.path / "data"),
            "HF_DATASETS_CACHE": str(self.path / "cache"),
        }

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        """Starts a command."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **self.environment}, text=True, **pipes)

    def fork(self, command: list[str], log: Path) -> BaseProcess:
        """Starts a command in a fresh process that need not import anything first."""
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload([*IMPORTED])
        process = processes.Process(target=run_command, args=(command[3:], self.environment, str(log)))
        process.start()
        return process

    def run(self, out: Path, *options: str, **changes: str) -> tuple[int, str, str]:
        """Evaluates; returns exit code, standard output and standard error."""
        return self.finish(self.command(out, *options, **changes))

    def finish(self, command: list[str]) -> tuple[int, str, str]:
        """Runs a command to its end."""
        process = self.start(command)
        out, err = process.communicate()
        return process.returncode, out, err


def run_command(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Does what `python -m worker` does with some arguments."""
    os.environ.update(environment)
    sys.stdout = sys.stderr = open(log, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - Until the process ends.
    sys.exit(run(arguments))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("site")
    make_tiny_model(path / "models" / "tiny", context=32768)
    make_tiny_model(path / "models" / load_judge("demo").model.removeprefix("local/"), context=32768)
    write_demo_set(path / "set", DemoSize(3, 1, 1), 42)
    (path / "small.yaml").write_text(PROTOCOL)
    with VllmServer(path / "models" / "tiny", path / "server.log") as server:
        yield Site(path, server.url)


@pytest.fixture(scope="module")
def gone(site: Site) -> Iterator[Proxy]:
    """The way to the server of `undisturbed`, which is closed once that has ended."""
    with Proxy(int(site.url.rsplit(":", 1)[1])) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def undisturbed(site: Site, gone: Proxy) -> Path:
    """An evaluation that nobody disturbed."""
    out = site.path / "undisturbed"
    code, _, err = site.run(out, url=gone.url)
    assert code == 0, err
    gone.faults = lambda asked: Drop()
    return out


def contents(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() if (out / name).exists() else b"" for name in JOURNALS}


def size(out: Path) -> int:
    """Bytes of all answers and verdicts."""
    return sum(len(contents(out)[name]) for name in JOURNALS[:2])


def whole_lines(content: bytes) -> bytes:
    return content[: content.rfind(b"\n") + 1]


def rows(out: Path) -> tuple[list[Generation], list[Verdict]]:
    folder = Folder(out)
    return read_lines(folder.generations, Generation), read_lines(folder.verdicts, Verdict)


def plan_of(out: Path) -> Plan:
    plan = read_kept(Folder(out).plan, Plan)
    assert plan is not None
    return plan


def result_of(out: Path) -> dict[str, Any]:
    """Returns the result part of a scorecard, as JSON."""
    found: dict[str, Any] = json.loads((out / "scorecard.json").read_bytes())["result"]
    return found


def moments(out: Path, everything: int) -> Iterator[Callable[[], bool]]:
    """Yields when to kill: once at each step of the beginning, then wherever the rows have come to."""
    first = ("evaluation.json", "plan.json", "generations.jsonl", "reports.jsonl")
    for name in first:
        yield (out / name).exists
    for target in sorted(random.Random(20).sample(range(everything * 9 // 10), KILLS - len(first))):
        yield partial(_has_come_to, out, max(target, size(out) + 1))


def _has_come_to(out: Path, target: int) -> bool:
    return size(out) >= target


def _assert_kept(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    for name in JOURNALS:
        assert after[name].startswith(whole_lines(before[name])), f"a written row of {name} was changed or lost"


def _assert_acknowledged(log: Path, out: Path) -> set[tuple[int, int]]:
    """Every answer and verdict that a log says to be there is there; returns all that it says."""
    told = re.findall(r"(\d+)/\d+ answered, (\d+)/\d+ judged", log.read_text() if log.exists() else "")
    acknowledged = {(int(answered), int(judged)) for answered, judged in told}
    answers, verdicts = rows(out)
    for answered, judged in acknowledged:
        assert answered <= len(answers)
        assert judged <= sum(map(settled, verdicts))
    return acknowledged


def test_killed_at_any_moment_it_goes_on_without_losing_changing_or_repeating_a_row(
    site: Site, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    when = moments(out, size(undisturbed))
    for _ in range(KILLS):
        before, moment = contents(out), next(when)
        process = site.fork(site.command(out), tmp_path / "log")
        until(lambda: not process.is_alive() or moment(), what="there is something to kill", within=120)  # noqa: B023
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, (tmp_path / "log").read_text()
        _assert_kept(before, contents(out))
        told = _assert_acknowledged(tmp_path / "log", out)
    assert len(told) > 5, "the log says how far it has come"
    before = contents(out)
    code, _, err = site.run(out)
    assert code == 0, err
    _assert_kept(before, contents(out))

    generations, verdicts = rows(out)
    asked = {item.question_id: item for item in plan_of(out).items}
    assert len({row.input_key for row in generations}) == len(generations) == len(asked)
    assert len({(row.verdict_key, row.attempt) for row in verdicts}) == len(verdicts)
    assert {row.key.question_id for row in generations} == set(asked)

    found = compare_folders(undisturbed, out)
    assert (found.compared, found.only_in_one) == (len(asked), ())
    assert len(found.answers) <= len(asked) // 10, "only near-ties may be answered differently"
    equal = [item for name, item in asked.items() if name not in {*found.answers, *found.verdicts}]
    one, other = (score(equal, *rows(folder)).model_dump() for folder in (undisturbed, out))
    for each in (one, other):
        del each["prefill_efficiency"]  # What the server still has in its cache depends on who asked before.
    assert canonical_json(one) == canonical_json(other)


def test_a_finished_evaluation_is_scored_again_to_the_same_bytes_and_needs_no_engine(
    site: Site, undisturbed: Path, gone: Proxy
) -> None:
    before, scored, asked = contents(undisturbed), canonical_json(result_of(undisturbed)), len(gone.asked)
    code, out, err = site.run(undisturbed, "--json", url=gone.url)
    assert code == 0, err
    assert len(gone.asked) == asked
    card = Scorecard.model_validate_json(out)
    assert canonical_json(card.result.model_dump(mode="json")) == scored == canonical_json(result_of(undisturbed))
    assert contents(undisturbed) == before
    assert {"model behind a server", "judge behind a server", "demo judge"} <= set(card.unranked_because)
    assert json.loads((undisturbed / "user_scores.json").read_bytes())["rows_sha"] == card.rows_sha


def stop_at_the_first_row(site: Site, out: Path, url: str) -> None:
    """Presses Ctrl-C when the first answer is on disk."""
    with site.start(site.command(out, "--limit", "16", url=url)) as process:
        try:
            until(lambda: process.poll() is not None or size(out), what="there is a row", within=120)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err


def test_ctrl_c_ends_with_130_keeps_what_is_there_and_the_next_call_goes_on(site: Site, tmp_path: Path) -> None:
    with Folder(tmp_path / "held").held():
        code, _, err = site.finish(site.command(tmp_path / "held", "--limit", "16"))
    assert (code, "Another process is writing" in err) == (1, True), err
    with Proxy(int(site.url.rsplit(":", 1)[1])) as proxy:
        proxy.faults = dict.fromkeys(range(1, 1000), Hang())  # Else so small a model may be done before we press.
        url, out = proxy.url, tmp_path / "stopped"
        stop_at_the_first_row(site, out, url)
        proxy.faults, kept = {}, contents(out)
        assert len(rows(out)[0]) == 1

        code, _, err = site.run(out, "--limit", "15", url=url)
        assert code == 1
        assert "holds another evaluation: limit differ" in err
        assert contents(out) == kept

        code, shown, err = site.run(out, "--limit", "16", url=url)
    assert code == 0, err
    assert all(contents(out)[name].startswith(content) for name, content in kept.items())
    assert "limited to 16 items" in shown
    assert "answered    16 of 16 items" in shown
    assert shown.splitlines()[-1] == str(out)
    first_users = [item.user_id for item in plan_of(out).items]
    assert first_users == sorted(first_users, key=first_users.index)
    assert len(set(first_users)) == 2, "whole users come first"


def test_a_reference_is_judged_like_a_model_and_never_ranks(site: Site, tmp_path: Path) -> None:
    code, out, err = site.run(tmp_path / "gold", "--limit", "2", "--json", model="reference/gold")
    assert code == 0, err
    card = Scorecard.model_validate_json(out)
    assert (card.engine, card.result.generations, card.result.rouge_l.value) == ("reference", 2, 100)
    assert {"reference", "limited to 2 items", "judge behind a server"} <= set(card.unranked_because)
    assert "model behind a server" not in card.unranked_because
    assert {row.key.engine for row in rows(tmp_path / "gold")[0]} == {"reference"}


def test_the_process_that_asks_never_loads_torch(site: Site, tmp_path: Path) -> None:
    command = site.command(tmp_path / "light", "--limit", "1", model="reference/empty")
    script = (
        "import sys; from worker.local.cli import run; code = run(sys.argv[1:]); "
        "print(code, [name for name in ('torch', 'vllm', 'transformers') if name in sys.modules])"
    )
    code, out, err = site.finish([sys.executable, "-c", script, *command[3:]])
    assert (code, out.splitlines()[-1]) == (0, "0 []"), err


def rapport(*arguments: str, models: Path = ROOT) -> tuple[int, str, str]:
    """Runs `rapport`; returns exit code, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "leaderboard.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "RAPPORT_MODELS": str(models), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_options_are_passed_through_help_among_them() -> None:
    code, out, _ = rapport("evaluate", "--help")
    assert code == 0
    assert "rapport evaluate" in out
    assert "--model-url" in out
    code, out, _ = rapport("compare", "--help")
    assert code == 0
    assert "rapport compare" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["evaluate"], 2, "Missing"),
        (["evaluate", "local/x", "--protocol", "demo-v1", "--nonsense"], 2, "--nonsense"),
        (["evaluate", "local/x", "--protocol", "demo-v1", "--limit", "0"], 2, "--limit"),
        (["evaluate", "reference/gold", "--protocol", "demo-v1", "--model-url", "http://h/v1"], 2, "reference"),
        (["evaluate", "local/x", "--protocol", "demo-v1"], 1, "rapport: not_found: "),
        (["evaluate", "local/x", "--protocol", "nosuch"], 1, "no protocol 'nosuch'"),
        (["evaluate", "local/x", "--protocol", "nosuch.yaml"], 1, "nosuch.yaml cannot be read"),
        (["evaluate", "reference/silver", "--protocol", "demo-v1"], 1, "reference/gold"),
        (["evaluate", "reference/gold", "--protocol", "demo-v1", "--judge-url", "h:8000"], 1, "address"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    tmp_path: Path,
    arguments: list[str],
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAPPORT_MODELS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    assert run(arguments) == code  # What `rapport evaluate` becomes.
    out, err = capsys.readouterr()
    assert out == "", err
    assert said in err
    assert "Traceback" not in err


def test_what_cannot_be_done_ends_the_command_so(tmp_path: Path) -> None:
    code, out, err = rapport("evaluate", "local/x", "--protocol", "nosuch", models=tmp_path)
    assert (code, out) == (1, ""), err
    assert "no protocol 'nosuch'" in err
    assert "Traceback" not in err
