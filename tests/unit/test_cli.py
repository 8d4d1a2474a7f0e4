"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from evaluator.protocol import Reference
from leaderboard.cli import demo as demo_command
from leaderboard.cli.main import main
from leaderboard.records import Relation, State, TrainingData
from leaderboard.store.base import StoreError
from leaderboard.submissions.ledger import Ledger
from tests.model_folders import make_adapter_folder, make_model_folder


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis: Redis, redis_url: str) -> Redis:
    """A running site with one local model, as the environment of a maintainer leads to it."""
    make_model_folder(tmp_path / "models", "tiny")
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RAPPORT_MODELS", str(tmp_path / "models"))
    return redis


def rapport(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs a command; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["rapport", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_submitting_enters_a_model_and_says_under_which_id(monkeypatch, capsys, site):
    assert rapport(monkeypatch, "submit", "local/tiny") == 0

    submission_id, state = capsys.readouterr().out.split()
    view = Ledger(site).view(submission_id)
    assert (view.submission.model, view.submission.submitter) == ("local/tiny", "maintainer")
    assert state == view.state == State.QUEUED
    assert [run.state for run in view.runs] == [State.QUEUED]


def test_what_a_form_asks_is_an_option_each(monkeypatch, capsys, site, tmp_path):
    options = [
        "--relation",
        "owner",
        "--base-model",
        "org/base",
        "--training-data",
        "hicupid-train",
        "--thinking",
        "--no-publish-answers",
        "--adapter",
        make_adapter_folder(tmp_path / "models"),
    ]

    assert rapport(monkeypatch, "submit", "local/tiny", "--json", *options) == 0

    printed = json.loads(capsys.readouterr().out)
    submission = Ledger(site).view(printed["submission_id"]).submission
    assert printed == {
        "submission_id": submission.id,
        "model": "local/tiny",
        "revision": submission.revision,
        "adapter": "local/lora",
        "adapter_revision": submission.adapter_revision,
        "state": "queued",
        "beside": {},
    }
    assert submission.adapter_revision
    declared = submission.declaration
    assert (declared.relation, declared.training_data) == (Relation.OWNER, TrainingData.TRAIN)
    assert (declared.base_model, declared.thinking, declared.publish_answers) == ("org/base", True, False)


def test_the_references_of_every_protocol_are_submitted_by_one_command(monkeypatch, capsys, site):
    for _ in range(2):
        assert rapport(monkeypatch, "references") == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert [line[1:] for line in lines] == [["demo-v1", f"reference/{name}", "queued"] for name in Reference]
    assert Ledger(site).active() == sorted(line[0] for line in lines)


def test_a_model_that_is_known_is_entered_for_a_new_protocol_and_what_is_known_is_printed(monkeypatch, capsys, site):
    assert rapport(monkeypatch, "submit", "local/tiny") == 0
    first, _ = capsys.readouterr().out.split()
    monkeypatch.setenv("RAPPORT_PROTOCOLS", '["demo-v1", "official-v1"]')
    assert rapport(monkeypatch, "submit", "local/tiny") == 0
    entered, known = capsys.readouterr().out.splitlines()
    assert Ledger(site).submission(entered.split()[0]).protocols == ("official-v1",)
    assert known == f"{first} queued, which covers demo-v1 already"
    assert rapport(monkeypatch, "submit", "local/tiny", "--json") == 0
    assert json.loads(capsys.readouterr().out)["beside"] == {"official-v1": entered.split()[0]}


def test_nothing_is_claimed_that_was_not_said(monkeypatch, capsys, site):
    rapport(monkeypatch, "submit", "local/tiny", "--json")

    declared = Ledger(site).view(json.loads(capsys.readouterr().out)["submission_id"]).submission.declaration
    assert (declared.relation, declared.training_data) == (Relation.NONE, TrainingData.UNKNOWN)
    assert (declared.base_model, declared.thinking, declared.publish_answers) == (None, False, True)


def test_a_refused_model_is_one_sentence_with_its_cause_and_a_remedy(monkeypatch, capsys, site):
    assert rapport(monkeypatch, "submit", "local/nothing-here") == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rapport: not_found: ")
    assert len(err.splitlines()) == 1


def test_an_unknown_word_is_wrong_usage(monkeypatch, capsys, site):
    assert rapport(monkeypatch, "submit", "local/tiny", "--relation", "friend") == 2
    assert "friend" in capsys.readouterr().err


def test_without_a_redis_submitting_says_what_to_set(monkeypatch, capsys, site):
    monkeypatch.setenv("RAPPORT_REDIS_URL", "")

    assert rapport(monkeypatch, "submit", "local/tiny") == 1
    assert "RAPPORT_REDIS_URL" in capsys.readouterr().err


def test_a_redis_that_does_not_answer_is_never_named_by_its_address(monkeypatch, capsys, site, tmp_path):
    monkeypatch.setenv("RAPPORT_REDIS_URL", f"unix://:password@{tmp_path}/nobody.sock")
    monkeypatch.setattr("leaderboard.connection._RETRIES", 0)

    assert rapport(monkeypatch, "submit", "local/tiny") == 1

    err = capsys.readouterr().err
    assert "Redis does not answer" in err
    assert "password" not in err
    assert "nobody" not in err


class _Broken(StoreError):
    cause = "the store is not readable"
    remedy = "Mend it."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RedisConnectionError("lost redis://:password@host"), "Redis does not answer (ConnectionError)"),
        (_Broken(), "the store is not readable"),
    ],
)
def test_whatever_breaks_is_one_sentence_and_no_traceback(monkeypatch, capsys, error, said):
    def breaks(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(demo_command, "run_once", breaks)

    assert rapport(monkeypatch, "demo", "--once") == 1

    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
    assert "password" not in err


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str | None]]:
    """The commands that this process would have become, each with the lanes that its environment names."""
    monkeypatch.setenv("RAPPORT_LANES", "")
    commands: list[tuple[list[str], str | None]] = []

    def instead(path: str, command: list[str]) -> None:
        commands.append((command[1:], os.environ.get("RAPPORT_LANES")))
        sys.exit(0)

    monkeypatch.setattr(os, "execv", instead)
    return commands


@pytest.mark.parametrize(
    ("arguments", "role", "lanes"),
    [
        (["worker"], "work", ""),
        (["worker", "--lanes", "judge"], "work", '["judge"]'),
        (["worker", "--lanes", "generate, judge"], "work", '["generate", "judge"]'),
        (["reaper"], "reap", ""),
        (["publisher"], "publish", ""),
    ],
)
def test_each_role_is_a_command_and_a_worker_is_told_its_lanes(monkeypatch, become, arguments, role, lanes):
    assert rapport(monkeypatch, *arguments) == 0
    assert become == [(["-m", "worker", role], lanes)]


def test_a_lane_that_there_is_not_is_wrong_usage(monkeypatch, capsys, become):
    assert rapport(monkeypatch, "worker", "--lanes", "train") == 2
    assert become == []
    assert "'train' is no lane; there are generate and judge" in " ".join(capsys.readouterr().err.split())
