"""Student's t is what `scipy.stats` has, to the last bit."""

from __future__ import annotations

import numpy as np
from scipy.stats import t

from evaluator.metrics import student

FREEDOM = np.array([-1.0, 0.0, 0.5, 1, 2, 3, 9, 29, 249, 99_999, np.inf, np.nan])
PROBABILITIES = np.array([1e-300, 1e-12, 0.025, 0.3, 0.5, 0.7, 0.975, 1 - 1e-12, 1.0, np.nan])
VALUES = np.array([-np.inf, -40.0, -3, -1e-9, 0, 1e-9, 0.5, 2, 40, 1e9, np.inf, np.nan])


def assert_the_same(one: object, other: object) -> None:
    np.testing.assert_array_equal(one, other, strict=True)


def test_every_figure_is_that_of_the_whole_distribution() -> None:
    freedom, probability = np.meshgrid(FREEDOM, PROBABILITIES)
    assert_the_same(student.ppf(probability, freedom), t.ppf(probability, freedom))
    assert_the_same(student.isf(probability, freedom), t.isf(probability, freedom))
    freedom, value = np.meshgrid(FREEDOM, VALUES)
    assert_the_same(student.sf(value, freedom), t.sf(value, freedom))


def test_nothing_exceeds_infinity() -> None:
    assert_the_same(student.isf(np.zeros(3), np.array([1.0, 9, 99])), t.isf(np.zeros(3), np.array([1.0, 9, 99])))
