"""What the benchmark of coverage simulates of a judge's ratings is what is published of the same ratings."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from benchmarks import coverage_figures as fast
from benchmarks.coverage import named
from benchmarks.coverage_raters import RATING, WRITTEN, Labels, Task, simulate
from benchmarks.coverage_tables import rating_tables, response_tables
from evaluator.human.judged.writing_scores import _Rated, _uplift_figures

BY_RATINGS = ("uplift", "no_better_responses", "no_better_ratings", "mentioned", "mention_effect")
RESPONSES = fast.WRITING["no_better_responses"]


def sample(task: Task, users: int, seed: int = 0) -> Labels:
    return simulate(np.random.default_rng([seed, users]), task, users)


@pytest.mark.parametrize("left_out", [None, 5])
def test_figures_of_a_judges_ratings_and_their_intervals_are_those_that_are_published(left_out):
    whole = sample(RATING, 60)
    labels = Labels(*(column[whole.user != left_out] for column in whole))
    rows = zip(labels.user, labels.part, labels.model, labels.open, strict=True)
    rated = [_Rated(f"r-{part}", f"user-{user}", int(model) + 1, bool(openly)) for user, part, model, openly in rows]
    tables = rating_tables(labels) | response_tables(labels)
    found = fast.spreads(tables, {name: fast.WRITING[name] for name in BY_RATINGS})
    published = _uplift_figures(rated)
    assert set(published) == set(found)
    for name, figure in published.items():
        simulated = named(f"writing.{name}", found[name])
        assert (simulated.value, simulated.users) == (pytest.approx(figure.value, abs=1e-6), figure.users), name
        assert asdict(simulated.interval) == pytest.approx(asdict(figure.interval), abs=1e-6), name
    assert 0.05 < found["no_better_responses"].value < found["no_better_ratings"].value, "means are no single ratings"


def test_as_many_responses_are_no_better_as_published():
    whole = response_tables(sample(WRITTEN, 4000))["responses"].sums.sum(axis=0)
    assert RESPONSES.figure(whole) == pytest.approx(0.546, abs=0.02)


def test_the_interval_of_a_small_share_of_few_responses_is_too_wide_rather_than_too_narrow():
    truth = float(RESPONSES.figure(response_tables(sample(RATING, 20_000))["responses"].sums.sum(axis=0)))
    assert truth == pytest.approx(0.11, abs=0.01)
    found = [response_tables(sample(RATING, 20, seed)) for seed in range(400)]
    assert {tables["responses"].sums.sum() for tables in found} == {34}
    intervals = [
        named("writing.no_better_responses", fast.spreads(tables, {"": RESPONSES})[""]).interval for tables in found
    ]
    assert np.mean([one.low <= truth <= one.high for one in intervals]) == pytest.approx(0.98, abs=0.015)
