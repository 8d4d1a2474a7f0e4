"""The command as people call it, in folders and on a Hub, and its page."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from leaderboard.audit.audit import audit
from leaderboard.audit.records import Audit
from leaderboard.cli.main import app, main
from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenVerdict
from leaderboard.store.local import LocalStore
from tests.audit.sites import FAIR, GOOD, JUDGE, POOR, change, change_card, name_of, put
from tests.hub_server import Client, LocalHub
from tests.hub_server.fixtures import hub

__all__ = ["hub"]

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments])


def tamper(results: LocalStore) -> None:
    """What stands on the page: a figure of one scorecard was raised, and a verdict on another one is gone."""
    change_card(results, name_of(FAIR), lambda value: value["result"]["total"].update(value=51.0))
    put(results, layout.verdicts_path(JUDGE, POOR, name_of(POOR).split("@")[0]), None)


def test_an_honest_board_ends_with_0(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call("--store", str(data))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "Everything that was checked follows from public rows."
    monkeypatch.setenv("RAPPORT_DATA", str(data))
    assert call().stdout == result.stdout
    assert call(GOOD).exit_code == 0


def test_a_difference_ends_with_1_and_stands_there_as_json(data: Path, results: LocalStore) -> None:
    tamper(results)
    result = call("--store", str(data), "--json")
    assert result.exit_code == 1
    assert Audit.model_validate_json(result.stdout) == audit(results)
    assert call(GOOD, "--store", str(data)).exit_code == 0
    assert call(FAIR, "--store", str(data)).exit_code == 1


def test_nothing_to_check_ends_with_2(data: Path, results: LocalStore, tmp_path: Path) -> None:
    tamper(results)
    result = call(POOR, "--store", str(data))
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (2, "Nothing could be checked.")
    LocalStore(tmp_path / "empty" / "results")
    assert call("--store", str(tmp_path / "empty")).exit_code == 2


def test_a_model_that_has_no_scorecard_is_wrong_usage(data: Path) -> None:
    result = call(GOOD, "org/gud", "--store", str(data))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "org/gud" in result.stderr


def test_a_folder_without_results_is_a_cause_and_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["rapport", "audit", "--store", str(tmp_path / "none")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "not_found: There are no public results" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def at_the_hub(arguments: list[str], data: str) -> tuple[int, str]:
    os.environ["RAPPORT_DATA"] = data
    os.environ.pop("HF_TOKEN", None)
    result = call(*arguments)
    return result.exit_code, result.stdout


def test_a_data_set_on_the_hub_needs_no_token(hub: LocalHub, data: Path, results: LocalStore, tmp_path: Path) -> None:
    client = Client(hub.url, tmp_path / "home")
    hub.repositories.commit_folder("dataset", "org/site-results", data / "results" / "files")
    arguments = ["--store", "hub://org/site", "--json"]
    code, told = client.run(at_the_hub, arguments, str(tmp_path / "data")).value
    found = Audit.model_validate_json(told)
    assert (code, found.agreeing, found.places_unchecked, found.problems) == (0, 5, "", ())
    path = layout.verdicts_path(JUDGE, FAIR, name_of(FAIR).split("@")[0])
    change(results, path, OpenVerdict, lambda rows: rows[1:])
    hub.repositories.commit_folder("dataset", "org/site-results", data / "results" / "files")
    code, told = client.run(at_the_hub, arguments, str(tmp_path / "other")).value
    found = Audit.model_validate_json(told)
    assert (code, found.agreeing, found.differing) == (1, 4, 1)


def test_the_page_names_every_option_and_no_other() -> None:
    command = get_command(app).commands["audit"]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    table = PAGE.split("| option |", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^\| `(--[a-z-]+)", table, re.MULTILINE)) == options - {"--help"}


def test_the_example_on_the_page_is_what_is_printed(honest: Path, tmp_path: Path) -> None:
    shutil.copytree(honest / "results", tmp_path / "site" / "results")
    tamper(LocalStore(tmp_path / "site" / "results"))
    told = call("--store", str(tmp_path / "site")).stdout
    example = PAGE.split("$ rapport audit --store site\n", 1)[1].split("```", 1)[0]
    assert [line for line in example.splitlines() if not line.startswith("revision")] == [
        line for line in told.splitlines() if not line.startswith("revision")
    ]
