"""Texts of questions beside flips: shown where the source may be passed on, and where it is the very same data set."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.identity import folder_digest
from evaluator.records import Terms
from leaderboard.records import Plan
from leaderboard.rescoring.comparing_texts import QuestionTexts
from tests.builders import make_plan


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo set, as a data set of a site's own."""
    return Path(shutil.copytree(demo_set(), tmp_path / "mine"))


def plan_of(source: str, folder: Path, *, redistributable: bool = True) -> Plan:
    """A plan that asks the first question of a data set."""
    question = next(iter(HicupidData.open(str(folder)).questions("test_1")))
    plan = make_plan("s-20260301-0a1b2c3d.demo-v1")
    item = plan.questions[0].model_copy(update={"question_id": question.question_id, "split": "test_1"})
    terms = Terms(
        visibility="public", season="1", licence=None, redistributable=redistributable, personal_data="synthetic"
    )
    told = {"data_source": source, "data_sha": folder_digest(folder), "items": (item,), "terms": terms}
    return plan.model_copy(update=told)


def test_texts_are_those_of_the_very_data_set(folder: Path) -> None:
    texts, plan = QuestionTexts(str(folder)), plan_of(str(folder), folder)
    found = texts.of(plan)
    (item,) = plan.questions
    assert found[item.question_id] in list(HicupidData.open(str(folder)).questions("test_1"))
    assert texts.of(plan) is found, "a data set is read once"
    assert texts.missing_because is None


def test_the_set_that_ships_needs_no_setting() -> None:
    assert QuestionTexts("12kimih/HiCUPID").of(plan_of("demo", demo_set()))


def test_what_may_not_be_passed_on_is_not_even_read(folder: Path) -> None:
    texts = QuestionTexts(str(folder))
    assert not texts.of(plan_of(str(folder), folder, redistributable=False))
    assert texts.missing_because == f"No text of a question is shown. The texts of {folder} may not be passed on."


def test_a_folder_that_only_a_plan_names_is_not_opened(folder: Path) -> None:
    texts = QuestionTexts("demo")
    assert not texts.of(plan_of(str(folder), folder))
    assert "not the RAPPORT_DATA_SET of this machine" in (texts.missing_because or "")


def test_texts_of_another_state_of_the_data_set_are_not_shown(folder: Path) -> None:
    plan, texts = plan_of(str(folder), folder), QuestionTexts(str(folder))
    (folder / "more.txt").write_text("more")
    assert not texts.of(plan)
    assert "has changed since these runs" in (texts.missing_because or "")


def test_a_data_set_that_cannot_be_read_is_told(folder: Path) -> None:
    plan, texts = plan_of(str(folder), folder), QuestionTexts(str(folder))
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    assert not texts.of(plan.model_copy(update={"data_sha": folder_digest(folder)}))
    assert "cannot be read here" in (texts.missing_because or "")
