"""`rapport maintain`, where the site's Redis is reached."""

from __future__ import annotations

import json
import sys

import pytest
from redis import Redis

from leaderboard.cli.main import main
from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.records import ActKind


@pytest.fixture
def rapport(monkeypatch: pytest.MonkeyPatch, redis: Redis, redis_url: str, tmp_path, capsys):
    """Runs a command and returns its exit code, output and complaints."""
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path))
    monkeypatch.setenv("RAPPORT_QUOTA_PER_USER", "3")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rapport", "maintain", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_submissions_are_paused_and_resumed_and_the_log_tells_so(rapport, redis):
    assert rapport("log") == (0, "Nothing was done yet.\n", "")
    code, out, _ = rapport("pause", "--reason", "A new judge.\x1b[31m")
    assert code == 0
    assert out.startswith("No submission is accepted since ")
    assert out.endswith(" UTC: A new judge.\\x1b[31m\n"), "nothing steers a terminal"
    assert rapport("resume") == (0, "Submissions are accepted.\n", "")
    told = rapport("log")[1].splitlines()
    assert [line.split()[0] for line in told] == ["2", "1"]
    assert told[0].endswith(" site.resume by maintainer")
    assert told[1].endswith(" site.pause by maintainer: A new judge.\\x1b[31m")
    assert rapport("resume")[2].startswith("rapport: forbidden: Submissions are not paused.")


def test_a_quota_is_set_and_taken_back(rapport, redis):
    assert rapport("quota", "alice", "7", "--reason", "A series.") == (0, "alice has used 0 of 7 submissions.\n", "")
    assert rapport("unquota", "alice", "--reason", "Done.") == (0, "alice has used 0 of 3 submissions.\n", "")
    newest, oldest = MaintainDesk(redis).acts()
    assert (newest.kind, oldest.kind) == (ActKind.QUOTA_UNSET, ActKind.QUOTA_SET)
    assert (
        rapport("log")[1]
        .splitlines()[1]
        .endswith("quota.set alice by maintainer: A series. (7 submissions within 7 days; for all others it is 3.)")
    )
    assert rapport("quota", "a/b", "7", "--reason", "A series.")[2].startswith("rapport: data_error: 'a/b' is no name")
    assert rapport("quota", "alice", "1001", "--reason", "A series.")[0] == 2
    assert rapport("quota", "alice", "7")[0] == 2, "a reason is needed"


def test_the_log_is_read_page_by_page_and_as_json(rapport):
    for number in range(4):
        rapport("quota", f"user-{number}", "5", "--reason", "A series.")
    assert [line.split()[0] for line in rapport("log", "--count", "2")[1].splitlines()] == ["4", "3"]
    assert [line.split()[0] for line in rapport("log", "--before", "3")[1].splitlines()] == ["2", "1"]
    told = json.loads(rapport("log", "--count", "1", "--json")[1])
    assert [(act["sequence"], act["subject"], act["of_one"]) for act in told] == [(4, "user-3", 5)]


def test_without_a_redis_it_says_what_is_missing(rapport, monkeypatch):
    monkeypatch.setenv("RAPPORT_REDIS_URL", "")
    code, _, err = rapport("log")
    assert (code, "RAPPORT_REDIS_URL is not set" in err) == (1, True)
