"""The page on figures of agreement names every figure and every reason that there is."""

import re
from pathlib import Path

import pytest

from evaluator.human.figures import ALWAYS_NO, ALWAYS_YES, FIGURES, GAP, NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.metrics.clustered import Missing

PAGE = (Path(__file__).parents[2] / "docs" / "agreement.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`\.?([a-z0-9_.]+)`", PAGE))
STAGES = ("verification", "relevance", "rating")


@pytest.mark.parametrize("stage", STAGES)
def test_every_figure_of_a_stage_with_labels_is_on_the_page(stage):
    names = {name.split(".")[1].removesuffix("_balanced") for name in FIGURES if name.startswith(f"{stage}.")}
    assert names - NAMED == set()


def test_whose_a_figure_can_be_is_on_the_page():
    whose = {name.split(".")[2] for name in FIGURES if name.count(".") == 2}
    assert whose == {ONE_MORE_HUMAN, NOISE_CEILING, ALWAYS_YES, ALWAYS_NO, GAP}
    assert whose - NAMED == set()


def test_every_reason_is_on_the_page():
    assert {reason.name.lower() for reason in Missing} - NAMED == set()
