"""The page on figures of agreement names every figure and every reason that there is."""

import re
from pathlib import Path

import pytest

from evaluator.human.figures import ALWAYS_NO, ALWAYS_YES, CLASSES, FIGURES, GAP, NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.metrics.alternative_annotator import FALSE_DISCOVERIES, LEAST_ANNOTATORS, LEAST_ITEMS, PASSING
from evaluator.metrics.clustered import Missing
from evaluator.protocol import human_protocol

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agreement.md").read_text(encoding="utf-8")
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


@pytest.mark.parametrize("stage", CLASSES)
def test_the_class_that_matters_is_named(stage):
    matters = CLASSES[stage].matters.split(" (")[0]
    assert re.search(rf"^\| `{stage}` \| \*\*{matters}\*\*", PAGE, re.MULTILINE)


def test_the_bounds_of_the_alternative_annotator_test_are_those_that_count():
    shipped = (ROOT / "evaluator" / "protocols").glob("human-*.yaml")
    epsilons = {human_protocol(path.stem).epsilon for path in shipped}
    assert [f"**ε is {epsilon}**" in PAGE for epsilon in epsilons] == [True]
    told = PAGE.partition("## The alternative annotator test")[2].partition("\n## ")[0]
    assert f"on {LEAST_ITEMS} items or more" in told
    assert LEAST_ANNOTATORS == 3
    assert "below three tested" in told
    assert f"held at {100 * FALSE_DISCOVERIES:.0f} %" in told
    assert f"winning rate of {PASSING} or above" in told
