"""A figure says which class it is about, and whose labels: a program's, or a truth, are never called people's."""

from __future__ import annotations

import re

import pytest

from evaluator.human.figures import CLASSES, FIGURES
from evaluator.human.labelled import OTHER, PROBLEMATIC, problem_of
from evaluator.human.records import RaterKind, Verification
from evaluator.human.tasks import JudgedTask
from leaderboard.board.human_words import called, judges_own, says
from leaderboard.open_data.human import OpenHumanFigure

OF_TWO_CLASSES = re.compile(r"(f1|f1_majority|kappa|single_kappa|matthews|alpha|selection_ratio)")


@pytest.mark.parametrize("stage", CLASSES)
def test_every_figure_of_two_classes_names_the_one_that_matters(stage: str) -> None:
    matters, other = CLASSES[stage]
    own = {name.split(".")[1]: figure.says for name, figure in FIGURES.items() if name.split(".")[0] == stage}
    named = [name for name in own if OF_TWO_CLASSES.fullmatch(name)]
    assert len(named) == 7
    for name in (f"{stage}.{name}" for name in named):
        assert matters in FIGURES[name].says, name
    for name, figure in FIGURES.items():
        if name.startswith(f"{stage}.") and name.endswith((".always_yes", ".always_no")):
            assert (matters if name.endswith("yes") else other) in figure.says, name


def test_the_class_that_matters_of_verification_is_what_is_scored() -> None:
    matters, other = CLASSES["verification"]
    for label in Verification:
        assert (label.value in matters) == (problem_of(label) == PROBLEMATIC)
        assert (label.value in other) == (problem_of(label) == OTHER)


def test_the_public_column_names_the_classes() -> None:
    told = " ".join((OpenHumanFigure.model_fields["figure"].description or "").split())
    assert all(named.matters in told for named in CLASSES.values())


@pytest.mark.parametrize("kind", [RaterKind.SIMULATED, RaterKind.TRUTH])
def test_no_figure_on_such_labels_is_called_peoples(kind: RaterKind) -> None:
    for whole in FIGURES:
        stage, _, name = whole.partition(".")
        assert not re.search("human|people", f"{called(name, kind)} {says(stage, name, kind)}"), whole
    for task, name in (("extraction", "accepted"), ("uplift", "uplift")):
        told = " ".join(label for label, _ in judges_own(JudgedTask(task), kind, name))
        assert told
        assert not re.search("human|people", told)


def test_people_are_called_people() -> None:
    assert says("writing", "inflation", RaterKind.PERSON).count("people") == 1
    assert called("kappa.one_more_human", RaterKind.PERSON) == "kappa, one more human"
