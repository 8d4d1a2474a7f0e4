"""What docs/api.md says is so."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

from leaderboard.api.attach import NAMES
from leaderboard.api.endpoints import Endpoints
from leaderboard.cli import remote_commands
from leaderboard.cli.main import NOT_ANSWERED
from leaderboard.guard.rates import BY_ADDRESS, BY_USER, Kind
from leaderboard.records import State
from leaderboard.submissions.ledger import Ledger
from tests.api.conftest import Site

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLE_SITE = "https://org-rapport.hf.space"


def example(language: str) -> str:
    """The first example in a language."""
    return PAGE.split(f"```{language}\n", 1)[1].split("```", 1)[0]


def section(name: str) -> str:
    """What the page says of an endpoint."""
    return PAGE.split(f"### `{name}`\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]


def test_every_endpoint_has_a_section_and_no_section_is_of_anything_else() -> None:
    assert sorted(re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE)) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_section_names_every_argument_with_its_default(name: str) -> None:
    written = " ".join(section(name).split("`")[1].split())
    arguments = []
    for each in list(inspect.signature(getattr(Endpoints, name)).parameters.values())[1:]:
        if each.name != "person":
            default = "" if each.default is each.empty else f"={_literal(each.default)}"
            arguments.append(each.name + default)
    assert written == f"{name}({', '.join(arguments)})"


def _literal(value: object) -> str:
    if value is None:
        return "null"
    return f'"{value}"' if isinstance(value, str) else repr(value)


@pytest.mark.parametrize("name", ["check", "status", "submissions", "board", "agreement", "compare"])
def test_a_section_names_every_field_of_the_answer(name: str) -> None:
    said = section(name)
    fields = set(get_type_hints(get_type_hints(getattr(Endpoints, name))["return"])) - {"schema_version"}
    assert {field for field in fields if f"`{field}`" not in said} == set()


def test_the_ten_lines_run_against_a_site(site: Site, ledger: Ledger, tmp_path: Path) -> None:
    code = example("python")
    assert len([line for line in code.splitlines() if line]) == 10
    script = tmp_path / "ten_lines.py"
    script.write_text(code.replace(EXAMPLE_SITE, site.url))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    loaded, *lines = done.stdout.splitlines()
    assert loaded.startswith("Loaded as API")
    assert lines[:2] == ["1 org/better 60.0", "2 org/worse 40.0"]
    assert "17.5 points more than org/worse" in lines[2]
    assert lines[3].startswith("queued [[")
    (entered,) = ledger.newest(2)
    assert ledger.view(entered).state is State.QUEUED


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_curl_lines_run_against_a_site(site: Site) -> None:
    code = example("sh").replace(EXAMPLE_SITE, site.url)
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.startswith("event: complete\ndata: "), done.stderr
    assert '"difference": 17.5' in done.stdout


def test_exit_codes_are_those_that_commands_end_with() -> None:
    codes = dict(re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE))
    assert set(codes) == {"0", "1", "2", "3", "4", "5", "130"}
    assert codes[str(NOT_ANSWERED)].startswith("not answered")
    assert "failed" in codes[str(remote_commands.WAIT_FAILED)]
    assert "cancelled" in codes[str(remote_commands.WAIT_CANCELLED)]


def test_limits_are_those_of_the_guard() -> None:
    minute, hour = (limit.events for limit in BY_ADDRESS[Kind.ACT])
    assert f"{minute:,} calls a minute and {hour:,} an hour from one address" in PAGE
    minute, hour = (limit.events for limit in BY_USER)
    assert f"{minute:,} a minute and {hour:,} an hour of one person" in PAGE
