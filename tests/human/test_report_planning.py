"""How many labels would halve an interval: the parts of a variance that was made to be known."""

from __future__ import annotations

import numpy as np
import pytest

from evaluator.human.labelled import Labelled
from evaluator.human.records import RaterKind
from evaluator.human.report import human_report
from evaluator.human.report.labels import TaskLabels, task_labels
from evaluator.human.report.planning import HALVINGS, precision
from evaluator.human.report.records import Task, Unplanned
from tests.human.reports import ITEMS, data_of, labelled, with_labels


def given(users: int, items: int, differ: float, seed: int = 5) -> TaskLabels:
    """Two annotators who agree on an item with a chance that differs between users, by so much at most."""
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(users), items)
    chance = 0.75 + differ * np.where(np.arange(users) % 2, 1, -1)
    first = random.integers(2, size=len(owner)).astype(float)
    second = np.where(random.random(len(owner)) < chance[owner], first, 1 - first)
    names = tuple(f"i{number:05}" for number in range(len(owner)))
    table = Labelled(names, owner, ("n-1", "n-2"), np.column_stack([first, second]))
    return TaskLabels(Task.RELEVANCE, table, (), owner, np.full((len(owner), 2), np.nan), {})


def test_where_users_are_alike_four_times_the_labels_halve_the_interval():
    plans = [precision(given(60, 30, 0.0, seed)) for seed in range(8)]
    assert np.mean([plan.from_users for plan in plans]) < 0.25
    needed = np.median([plan.labels_needed or np.inf for plan in plans])
    assert 3.5 * 3_600 < needed < 7 * 3_600


def test_where_users_differ_no_number_of_labels_on_them_does():
    plan = precision(given(60, 60, 0.24))
    assert plan.from_users > 0.6
    assert (plan.labels_needed, plan.reason) == (None, Unplanned.USERS_ALONE)
    assert (plan.users, plan.users_needed, plan.labels, plan.halvings) == (60, 240, 7_200, HALVINGS)


def test_four_times_the_labels_halve_the_interval_of_those_that_are_there():
    now, then = precision(given(60, 30, 0.0)), precision(given(60, 120, 0.0))
    assert then.half_width == pytest.approx(now.half_width / 2, rel=0.25)


def test_users_with_one_item_each_cannot_be_halved():
    plan = precision(given(60, 1, 0.0))
    assert plan.half_width > 0
    assert (plan.labels_needed, plan.reason, plan.users_needed) == (None, Unplanned.FEW_ITEMS, 240)


@pytest.mark.parametrize("task", list(Task))
def test_the_interval_is_the_published_one(task):
    report = human_report(data_of(labelled()))
    found = next(each for each in report.tasks if each.task is task)
    ends = found.agreement[found.precision.figure].interval
    assert found.precision.half_width == pytest.approx((ends.high - ends.low) / 2, abs=2e-6)
    assert found.precision.labels == 4 * ITEMS


def test_items_that_one_annotator_alone_labelled_do_not_count():
    some = {f"a{number}" for number in range(100)}
    rare = with_labels(
        labelled((2.0, 2.0)), lambda row: row if row.annotator_id == "ann-1" or row.attribute_id in some else None
    )
    assert precision(task_labels(rare, Task.RATING, RaterKind.PERSON)).labels == 200
