"""`rapport rescore`: from what it would take to the decision, each step by the command."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from evaluator.errors import RapportError
from leaderboard.cli.main import app
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.promotions import read_promotions
from leaderboard.rescoring.records import RescoreStatus
from tests.rescoring.other_judge import OTHER
from tests.rescoring.rescores import Bench, make_check, settle


def rapport(*words: str) -> Result:
    return CliRunner().invoke(app, ["rescore", *words], catch_exceptions=True)


def test_the_whole_way_from_preview_to_promotion(bench: Bench) -> None:
    wanted = json.loads(rapport("--judge", OTHER, "--dry-run", "--json").stdout)
    assert (wanted["judge"], wanted["runs"], wanted["there"]) == (OTHER, 3, 0)
    assert wanted["missing"] > 0
    assert not bench.desk.all(), "a preview changes nothing"

    started = json.loads(rapport("--judge", OTHER, "--reason", "A better judge.", "--json").stdout)
    assert (started["status"], started["words"]) == ("running", "3 of 3 runs")
    settle(bench.publisher)
    assert "0 of 3 runs judged" in rapport("status").stdout
    rapport("pause", started["id"], "--reason", "Night.")
    assert bench.desk.get(started["id"]).status is RescoreStatus.PAUSED
    rapport("resume", started["id"])
    done = bench.finish(bench.desk.get(started["id"]))
    JudgeChecks(bench.redis).put(make_check(done))
    told = rapport("status", done.id).stdout
    assert "completed by publisher: 3 of 3 runs were judged." in told
    assert rapport("promote", done.id, "--reason", "It agrees better with people.").exit_code == 0
    settle(bench.publisher)
    assert read_promotions(bench.store).promotions[0].judge == OTHER

    assert isinstance(rapport("--judge", OTHER).exception, RapportError), "nothing is left to be judged"


def test_models_are_chosen_by_name(bench: Bench) -> None:
    one = json.loads(rapport("--judge", OTHER, "--models", "local/second", "--json").stdout)
    assert one["runs"] == [bench.runs[1]]
    assert one["words"] == "1 of 3 runs: model local/second"
    rapport("discard", one["id"], "--reason", "Only a try.")
    assert bench.desk.get(one["id"]).status is RescoreStatus.DISCARDED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--judge", "nobody"), "There is no judge 'nobody'"),
        (("--judge", OTHER, "--models", "org/unknown"), "org/unknown"),
        (("status", "r-20260301-00000000"), "There is no re-score r-20260301-00000000"),
    ],
)
def test_what_is_not_there_is_named(bench: Bench, words: tuple[str, ...], said: str) -> None:
    assert said in str(rapport(*words).exception)


def test_without_a_judge_or_a_command_the_usage_is_told(bench: Bench) -> None:
    assert rapport().exit_code == 2
