"""`rapport evaluate --suite human`: people's labels, made-up users beside them, and the gap; without a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evaluator.human.data import demo_set
from evaluator.human.records import RaterKind
from leaderboard.records import Plan
from leaderboard.results import HumanScorecard
from leaderboard.settings import Settings
from tests.model_folders import make_model_folder
from worker.local.cli import run
from worker.local.folder import Folder, read_kept

LABELLED, MADE_UP = "human-relevance-v1", "human-relevance-synthetic-v1"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a model that is only looked at, and a copy of the labels that ship."""
    make_model_folder(tmp_path / "models", "tiny")
    shutil.copytree(demo_set(), tmp_path / "labels")
    for name in Settings.model_fields:
        monkeypatch.delenv(f"RAPPORT_{name.upper()}", raising=False)
    monkeypatch.setenv("RAPPORT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("RAPPORT_ENGINE", "deterministic")
    return tmp_path


def evaluated(place: Path, *options: str) -> int:
    return run(["evaluate", "local/tiny", "--limit", "20", "--out", str(place / "out"), *options])


def scored(folder: Path) -> tuple[Plan, HumanScorecard]:
    found = Folder(folder)
    plan, card = read_kept(found.plan, Plan), read_kept(found.scorecard, HumanScorecard)
    assert plan is not None
    assert card is not None
    return plan, card


def test_a_stage_is_asked_of_people_and_of_made_up_users_and_the_gap_is_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = evaluated(place, "--suite", "human", "--stage", "2", "--data", str(place / "labels"))
    told = capsys.readouterr()
    assert code == 0, told.err
    (plan, card), (made_up, other) = scored(place / "out" / LABELLED), scored(place / "out" / MADE_UP)
    assert (plan.data_source, card.result.kind) == (str(place / "labels"), RaterKind.SIMULATED)
    assert (made_up.data_source, other.result.kind) == ("demo", RaterKind.TRUTH), "they are not in people's labels"
    first, second = (each.result.figure("f1_majority").value for each in (other, card))
    gap, beside = told.out.splitlines()[-2:]
    assert gap.startswith(f"{LABELLED}, f1_majority.gap: {first - second:.3f} (no interval: ")
    yes = [each.result.figure("f1_majority.always_yes").value for each in (other, card)]
    assert beside.startswith(f"{LABELLED}, f1_majority.gap, always yes: {yes[0] - yes[1]:.3f} (no interval: ")


def test_made_up_users_alone_can_be_those_of_a_data_set_that_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated(place, "--protocol", MADE_UP, "--data", str(place / "labels")) == 1
    assert "data_error" in capsys.readouterr().err, "people's labels are no data set of HiCUPID's layout"
    assert evaluated(place, "--protocol", MADE_UP, "--data", "demo") == 0
    assert "f1_majority.gap" not in capsys.readouterr().out
