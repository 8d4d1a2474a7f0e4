"""`rapport demo --hub`: a newcomer sees the way over the Hub without an account, and loads what came of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from evaluator.demo_model import DEMO_MODEL
from leaderboard.local_hub.demo import DemoHub
from tests.e2e.site import Demo, eventually, free_port, page, running_demo
from tests.hub_server import Client
from tests.model_folders import make_model_folder

RESULTS, REQUESTS, ARCHIVE = "demo/rapport-results", "demo/rapport-requests", "demo/rapport-archive"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Two models for the deterministic engine: the judge, and one to submit."""
    for name in (DEMO_MODEL, "first"):
        folder = make_model_folder(tmp_path / "models", name)
        (folder / "README.md").write_text(f"---\nlicense: apache-2.0\n---\n{name}\n")
    return tmp_path / "models"


def board(name: str, revision: str) -> list[dict[str, Any]]:
    """Loads a board as anybody does."""
    from datasets import load_dataset

    return load_dataset(name, "board", split="train", revision=revision, token=False).to_list()


def addresses(demo: Demo) -> list[str]:
    """Where its local Hub was, each time that it was started."""
    return re.findall(r"the local Hub is at (http://127\.0\.0\.1:\d+);", demo.log())


def test_what_the_demo_publishes_on_its_hub_is_loaded_by_name_while_it_runs(tmp_path: Path, models: Path) -> None:
    arguments = ("--hub", "--model", "local/first")
    with running_demo(tmp_path, models, *arguments, "--once", "--json", engine="deterministic") as once:
        output, _ = once.process.communicate()
    assert once.process.returncode == 0, once.log()
    assert once.survivors() == []
    row = json.loads(output)
    assert row["results"]["data_set"] == RESULTS

    port = free_port()
    with running_demo(tmp_path, models, *arguments, "--port", str(port), engine="deterministic") as demo:
        eventually(lambda: page(port), "the page")
        url = addresses(demo)[1]
        assert "local/first" in eventually(lambda: page(port), "the page")
        (shown,) = Client(url, tmp_path / "home").run(board, RESULTS, row["results"]["revision"]).value
        assert (shown["scorecard_id"], shown["model"]) == (row["scorecard_id"], "local/first")
        assert "board/board.parquet" in httpx.get(f"{url}/datasets/{RESULTS}").text
        assert [httpx.get(f"{url}/datasets/{name}").status_code for name in (REQUESTS, ARCHIVE)] == [200, 401]
        told = {role: eventually(lambda role=role: demo.find(f"worker {role}"), role) for role in ("publish", "reap")}
        assert told["publish"].environ()["HF_ENDPOINT"] == url
        assert "HF_ENDPOINT" not in told["reap"].environ(), "all but the publisher keep to the Hub they had"
        assert demo.interrupt() in (0, 130)
        eventually(lambda: True if not demo.survivors() else None, "all processes to end", 30)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_model_that_the_local_hub_cannot_have_is_refused_at_once(tmp_path: Path, models: Path) -> None:
    with running_demo(tmp_path, models, "--hub", "--once", "--model", "org/model") as demo:
        demo.process.communicate()
    assert demo.process.returncode == 1
    assert "rapport: not_found: The local Hub has no models." in demo.log()


def test_whoever_is_not_to_take_it_for_the_hub_keeps_the_environment_of_the_caller() -> None:
    outside = {"HF_ENDPOINT": "https://mirror.example", "HF_TOKEN": "hf_own", "NO_PROXY": "example.org"}
    hub = DemoHub(8080, "hf_made_up", outside)
    assert hub.environment["NO_PROXY"] == "example.org,127.0.0.1"
    assert hub.outer({"PATH": "/bin", **outside, **hub.environment}) == {"PATH": "/bin", **outside}
