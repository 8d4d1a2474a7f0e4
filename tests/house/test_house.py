"""The rules of the house that a linter does not know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from leaderboard.settings import Settings

ROOT = Path(__file__).parents[2]
WRITTEN = sorted(
    path
    for pattern in ("**/*.py", "**/*.html", "**/*.css", "**/*.js", "**/*.sh")
    for folder in ("evaluator", "leaderboard", "worker", "tests", "benchmarks", "scripts", ".")
    for path in (ROOT / folder).glob(pattern if folder != "." else "*.py")
)


def test_no_file_reaches_four_hundred_lines() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in WRITTEN}

    assert WRITTEN
    assert {name: lines for name, lines in long.items() if lines >= 400} == {}


@pytest.mark.parametrize(
    ("entry", "more"),
    [
        ("app", ("gradio",)),
        ("leaderboard.web", ()),
        ("leaderboard.cli.main", ("gradio",)),
        ("worker.publisher", ("gradio",)),
        ("worker.__main__", ("gradio", "pyarrow", "scipy")),
    ],
)
def test_web_and_publisher_import_neither_torch_nor_vllm(entry: str, more: tuple[str, ...]) -> None:
    heavy = ("torch", "vllm", "transformers", "datasets", "scipy.stats", *more)
    script = f"import {entry}, sys; print([name for name in {heavy!r} if name in sys.modules])"

    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()

    assert found == "[]"


def test_parquet_is_read_in_one_place_that_leaves_no_thread_behind() -> None:
    places = [path for folder in ("evaluator", "leaderboard", "worker") for path in (ROOT / folder).rglob("*.py")]
    readers = [path for path in places if "pq.read_table" in path.read_text() or "ParquetFile(" in path.read_text()]
    assert readers == [ROOT / "evaluator" / "parquet.py"]


def test_every_setting_stands_in_the_readme_or_the_design() -> None:
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    missing = [name for name in Settings.model_fields if f"RAPPORT_{name.upper()}" not in documented]

    assert missing == []


def test_the_readme_carries_the_front_matter_of_a_space() -> None:
    _, front, body = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    card = yaml.safe_load(front)

    assert card["sdk"] == "gradio"
    assert card["app_file"] == "app.py"
    assert card["hf_oauth"] is True
    assert f"gradio=={card['sdk_version']}" in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert "make demo" in body
    assert "make test" in body


def test_dockerfile_has_no_finding() -> None:
    linter = Path(sys.executable).parent / "hadolint"

    result = subprocess.run([linter, "Dockerfile"], cwd=ROOT, check=False, capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (0, "")


def test_the_shell_scripts_are_sound() -> None:
    for script in (*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci" / "run"):
        assert subprocess.run(["bash", "-n", script], check=False).returncode == 0, script
