"""What is kept of the benchmark of coverage is of today's figures, and the documentation quotes what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

from benchmarks.coverage import NUMBERS_OF_USERS, REPETITIONS, SCENARIOS
from evaluator.human.figures import FIGURES

ROOT = Path(__file__).resolve().parents[2]
KEPT = json.loads((ROOT / "benchmarks/results/coverage.jsonl").read_text().splitlines()[-1])
"""The last run."""
DOCS = " ".join((ROOT / "docs/agreement.md").read_text().split())


def over_figures(scenario: str, users: int) -> tuple[str, str]:
    """The median and the least coverage of a scenario, as they are quoted."""
    found = [sizes[str(users)] for sizes in KEPT[scenario].values()]
    return f"{median(found):.2f}", f"{min(found):.2f}"


def test_the_last_run_is_of_all_published_figures_and_all_of_them_cover():
    published = {name for name, figure in FIGURES.items() if figure.method is not None}
    assert KEPT["repetitions"] >= REPETITIONS >= 2000
    assert KEPT["outside"] == []
    for table in ("coverage_by_metric", "coverage_interval_by_metric", "truth_by_metric", *SCENARIOS):
        assert set(KEPT[table]) == published, table
    sizes = {str(users) for users in NUMBERS_OF_USERS}
    assert all(set(found) == sizes and None not in found.values() for found in KEPT["coverage_by_metric"].values())


def test_what_is_quoted_of_new_annotators_and_new_prompts_is_of_the_last_run():
    middle, least = over_figures("coverage_if_annotators_are_new", 250)
    assert f"With 250 users the median over figures is {middle} and the least {least} for new annotators" in DOCS
    middle, least = over_figures("coverage_if_prompts_are_new", 250)
    assert f"for new prompts, which only stages with prompts feel, {middle} and {least}" in DOCS
    found = {name: sizes["250"] for name, sizes in KEPT["coverage_if_prompts_are_new"].items()}
    assert f"{least} (`{min(found, key=found.get)}`)" in DOCS


def test_what_is_quoted_of_uneven_users_is_of_the_last_run():
    middle, least = over_figures("coverage_uneven_users", 20)
    assert f"There the least is {least}, with a median of {middle}" in DOCS


def test_what_is_quoted_of_two_kinds_of_majority_is_of_the_last_run():
    ours, usual = (
        {stage: f"{KEPT['truth_by_metric'][f'{stage}.{name}']:.2f}" for stage in ("relevance", "verification")}
        for name in ("f1", "f1_majority")
    )
    assert f"({ours['relevance']} and {usual['relevance']} on simulated relevance, " in DOCS
    assert f"{ours['verification']} and {usual['verification']} on simulated verification)" in DOCS
