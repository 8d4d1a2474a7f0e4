"""Where a judge runs: a server of its own, the one of all, or here; a judge of a server is never left without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from evaluator.errors import Cause, RapportError
from evaluator.human.people import People
from evaluator.judges.canaries import JudgeCheck
from evaluator.judges.spec import load_judge
from leaderboard.judge_servers import refuse_servers_of_nobody
from leaderboard.records import Lane
from leaderboard.settings import JudgeServer, Settings
from tests.plain_server import plain_server
from tests.sound_judge import made_up
from tests.worker.test_judge_check import rule
from worker.engines import judge_endpoint
from worker.local.cli import run

TEMPLATE, OWN = load_judge("openai-compatible"), load_judge("demo")
ANY = {"judge_url": "http://any/v1", "judge_name": "any", "judge_key_variable": "ANY", "judge_context": 1000}
MINE = JudgeServer(judge="openai-compatible", url="http://mine/v1", key_variable="MINE_KEY", flavour="plain", context=9)


def test_a_judges_own_server_goes_before_the_one_of_all():
    settings = Settings(judge_servers=(MINE,), **ANY)
    mine, other = judge_endpoint(settings, TEMPLATE), judge_endpoint(settings, OWN)
    assert mine is not None
    assert other is not None
    told = (mine.base_url, mine.model, mine.key_variable, mine.flavour, mine.context_length)
    assert told == ("http://mine/v1", TEMPLATE.model, "MINE_KEY", "plain", 9)
    told = (other.base_url, other.model, other.key_variable, other.flavour, other.context_length)
    assert told == ("http://any/v1", "any", "ANY", "vllm", 1000)


def test_the_server_of_all_is_that_of_a_judge_without_its_own():
    found = judge_endpoint(Settings(**ANY), TEMPLATE)
    assert found is not None
    assert found.base_url == "http://any/v1"
    assert judge_endpoint(Settings(), OWN) is None
    assert judge_endpoint(Settings(**ANY), People()) is None


def test_a_judge_of_a_server_without_one_is_refused_with_a_remedy_where_it_would_be_asked():
    with pytest.raises(RapportError, match="runs on a server, and none is named") as refused:
        judge_endpoint(Settings(), TEMPLATE)
    assert refused.value.cause is Cause.JUDGE_ERROR
    assert "RAPPORT_JUDGE_SERVERS" in refused.value.remedy
    assert judge_endpoint(Settings(lanes=(Lane.GENERATE,)), TEMPLATE) is None, "such a worker never asks it"


def test_a_server_of_a_judge_that_there_is_not_is_a_slip_of_the_pen():
    slip = MINE.model_copy(update={"judge": "openai-compatibel"})
    settings = Settings(judge_servers=(slip,))
    for refuse in (refuse_servers_of_nobody, lambda settings: judge_endpoint(settings, OWN)):
        with pytest.raises(RapportError, match="names the judge openai-compatibel, and there is none") as refused:
            refuse(settings)
        assert refused.value.cause is Cause.INFRASTRUCTURE, "what was about to be judged is tried again"
    refuse_servers_of_nobody(settings.model_copy(update={"lanes": (Lane.GENERATE,)}))
    assert judge_endpoint(settings.model_copy(update={"judge_servers": (slip, MINE)}), TEMPLATE) is not None


@pytest.mark.parametrize("command", [["-m", "worker", "work"], ["-m", "leaderboard.cli", "demo", "--once"]])
def test_a_worker_and_a_demo_refuse_to_start_with_a_server_of_nobody(
    tmp_path: Path, redis_url: str, command: list[str]
):
    server = '[{"judge": "nobody", "url": "http://127.0.0.1:9/v1"}]'
    own = {"RAPPORT_JUDGE_SERVERS": server, "RAPPORT_DATA": str(tmp_path), "RAPPORT_REDIS_URL": redis_url}
    ended = subprocess.run([sys.executable, *command], env={**os.environ, **own}, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "names the judge nobody, and there is none" in ended.stderr


def hosted(folder: Path) -> Path:
    """Writes a judge of one's own, as the documentation says: the template's directory with another model."""
    told = TEMPLATE.model_dump(mode="json") | {"id": "mine", "model": "gpt-x", "revision": "2026-01-01"}
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "judge.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return folder


def test_a_judge_of_ones_own_behind_its_server_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RAPPORT_JUDGES", str(hosted(tmp_path / "judges")))
    made_up(10)
    assert run(["judge", "check", "mine"]) == 1
    assert "judge_error: The judge mine runs on a server" in capsys.readouterr().err
    assert not (tmp_path / "data").exists(), "nothing was begun"
    with plain_server(rule) as server:
        there = {"judge": "mine", "url": server.url, "flavour": "plain", "context": 100_000}
        monkeypatch.setenv("RAPPORT_JUDGE_SERVERS", json.dumps([there]))
        run(["judge", "check", "mine", "--data", str(made_up(3)[0]), "--json"])
    check = JudgeCheck.model_validate_json(capsys.readouterr().out)
    assert (check.judge, check.judge_revision, check.missing) == ("mine", "2026-01-01", 0)
    assert check.verdicts > 0
