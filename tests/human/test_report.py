"""A data set's own report: its figures are those of its labels, and it finds whom it should find, and nobody else."""

from __future__ import annotations

import numpy as np
import pytest

from evaluator.human.labelled import PROBLEMATIC, rating_labels, verification_labels
from evaluator.human.layout import HumanTables
from evaluator.human.records import RaterKind, Verification
from evaluator.human.report import HumanReport, TaskReport, human_report
from evaluator.human.report.annotators import earlier_half
from evaluator.human.report.records import Task, Unplanned
from evaluator.human.scoring import human_classes, human_ratings, score_classes, score_ratings
from tests.human.reports import HONEST, ITEMS, RANDOM, USERS, data_of, labelled, lazy, with_labels

PEOPLE = (RaterKind.PERSON,)


def report_of(tables: HumanTables) -> HumanReport:
    return human_report(data_of(tables))


def task_of(tables: HumanTables, task: Task = Task.VERIFICATION) -> TaskReport:
    return next(each for each in report_of(tables).tasks if each.task is task)


@pytest.fixture(scope="module")
def honest() -> HumanReport:
    return report_of(labelled())


@pytest.mark.parametrize("place", range(3), ids=list(Task))
def test_everything_is_counted(honest, place):
    task = honest.tasks[place]
    assert (task.items, task.users, task.annotators, task.labels) == (ITEMS, USERS, 4, 4 * ITEMS)
    assert [(each.labels, each.items) for each in task.labels_per_item] == [(4, ITEMS)]
    assert [each.annotator_id for each in task.by_annotator] == ["ann-1", "ann-2", "ann-3", "ann-4"]
    assert {each.labels for each in task.by_annotator} == {ITEMS}


def test_the_balance_is_that_of_the_labels_with_an_interval(honest):
    tables = labelled()
    shares = {each.label: each.share for each in honest.tasks[0].balance}
    for label in Verification:
        said = sum(row.label is label for row in tables.attribute_labels) / len(tables.attribute_labels)
        assert shares[label.value].value == pytest.approx(said, abs=1e-6)
    assert shares["problematic"].value == pytest.approx(1 - shares["accepted"].value, abs=1e-6)
    assert all(share.interval and share.interval.low < share.value < share.interval.high for share in shares.values())
    assert sum(each.share.value for each in honest.tasks[1].balance) == pytest.approx(1)
    assert sum(each.share.value for each in honest.tasks[2].balance) == pytest.approx(1)


def test_the_mean_rating_stands_beside_the_ratings_alone(honest):
    ratings = [row.rating for row in labelled().response_ratings]
    assert honest.tasks[2].mean_rating.value == pytest.approx(np.mean(ratings), abs=1e-6)
    assert honest.tasks[0].mean_rating is None


def test_what_annotators_reach_is_what_a_scorecard_shows_beside_a_model_that_answers_all():
    data = labelled()
    given = verification_labels(data, PEOPLE)
    scored = score_classes("verification", given, dict.fromkeys(given.items, 0.0), of=PROBLEMATIC, epsilon=0.1)
    alone = human_classes("verification", given, of=PROBLEMATIC)
    assert alone == {name: scored[name] for name in alone}
    assert len(alone) == 9
    assert task_of(data).agreement == alone


def test_what_people_reach_with_ratings_is_what_a_scorecard_shows_too():
    given = rating_labels(labelled(), PEOPLE)
    scored = score_ratings("rating", given, dict.fromkeys(given.items, 3.0), {}, epsilon=0.1)
    alone = human_ratings("rating", given)
    assert alone == {name: scored[name] for name in alone}
    assert len(alone) == 9


def test_among_equally_honest_annotators_nobody_stands_out_or_drifts(honest):
    for task in honest.tasks:
        assert [each.outlier.is_outlier for each in task.by_annotator] == [False] * 4
        assert [each.drift.drifts for each in task.by_annotator] == [False] * 4
        assert not any(each.few for each in task.by_annotator)


@pytest.mark.parametrize("task", list(Task))
def test_who_answers_at_random_is_the_outlier(task):
    found = task_of(labelled((*HONEST, RANDOM)), task).by_annotator
    assert [each.outlier.is_outlier for each in found] == [False] * 4 + [True]
    assert found[4].outlier.agreement < -0.2
    assert abs(found[4].standing.agreement.value) < 0.2


def test_who_gets_lazy_in_the_second_half_drifts_and_the_others_do_not():
    found = task_of(lazy(labelled((*HONEST, RANDOM)), "ann-2", "ann-5")).by_annotator
    assert [each.drift.drifts for each in found] == [False, True, False, False]
    drift = found[1].drift
    assert drift.agreement.value == pytest.approx(drift.second.agreement.value - drift.first.agreement.value, abs=2e-6)
    assert drift.agreement.interval.high < 0
    assert drift.first.labels + drift.second.labels == ITEMS


def test_who_becomes_strict_is_seen_beside_the_others_and_not_by_what_they_do_too():
    tables = labelled()
    moments = sorted(row.labelled_at for row in tables.attribute_labels if row.annotator_id == "ann-1")
    middle = moments[ITEMS // 2]

    def strict(row):
        late = row.annotator_id == "ann-1" and row.labelled_at >= middle and hasattr(row, "label")
        return row.model_copy(update={"label": Verification.REJECTED}) if late else row

    found = task_of(with_labels(tables, strict)).by_annotator
    assert [each.drift.drifts for each in found] == [True, False, False, False]
    assert found[0].drift.apart.value > 0.3
    assert found[0].drift.apart.interval.low > 0


def test_apart_is_his_share_less_the_others_on_the_same_items(honest):
    for each in honest.tasks[0].by_annotator:
        his = each.standing
        assert his.apart.value == pytest.approx(his.level.value - his.others.value, abs=2e-6)
    assert sum(each.standing.apart.value for each in honest.tasks[0].by_annotator) == pytest.approx(0, abs=1e-5)


def test_without_times_nothing_is_said_of_drift():
    some = labelled()
    for tables in (
        with_labels(some, lambda row: row.model_copy(update={"labelled_at": None})),
        with_labels(some, lambda row: row.model_copy(update={"labelled_at": some.attribute_labels[0].labelled_at})),
    ):
        for task in report_of(tables).tasks:
            assert [each.drift for each in task.by_annotator] == [None] * 4
            assert all(each.outlier for each in task.by_annotator)


def test_halves_are_as_equal_as_moments_allow():
    assert earlier_half(np.array([5.0, 5, 5, 7, 7, 9])).tolist() == [True, True, True, False, False, False]
    assert earlier_half(np.array([5.0, 7, 7, 7, 9])).tolist() == [True, False, False, False, False]
    assert earlier_half(np.array([1.0, np.nan, 2])) is None
    assert earlier_half(np.array([])) is None


def test_people_and_simulated_labels_never_mix():
    people, made = labelled(), labelled((1.0, 1.0), kind=RaterKind.SIMULATED)
    renamed = with_labels(made, lambda row: row.model_copy(update={"annotator_id": f"sim-{row.annotator_id}"}))
    both = people._replace(attribute_labels=(*people.attribute_labels, *renamed.attribute_labels))
    mixed, alone = report_of(both), report_of(people)
    assert not mixed.simulated
    assert mixed.tasks[0].left_out == {RaterKind.SIMULATED: 2 * ITEMS}
    assert mixed.tasks[0].model_copy(update={"left_out": {}}) == alone.tasks[0]


def test_a_set_with_simulated_labels_alone_says_so(honest):
    made = report_of(labelled(kind=RaterKind.SIMULATED))
    assert made.simulated
    assert {task.labels_of for task in made.tasks} == {RaterKind.SIMULATED}
    assert [task.agreement for task in made.tasks] == [task.agreement for task in honest.tasks]


def test_a_consensus_gives_no_agreement_and_no_ceiling():
    for task in report_of(labelled((2.0,), kind=RaterKind.CONSENSUS)).tasks:
        assert (task.labels, task.items, task.left_out) == (0, 0, {RaterKind.CONSENSUS: ITEMS})
        assert {figure.value for figure in task.agreement.values()} == {None}


def test_an_empty_set_has_a_report_without_a_figure():
    for task in report_of(HumanTables()).tasks:
        assert (task.items, task.labels, task.annotators, task.users) == (0, 0, 0, 0)
        assert {figure.value for figure in task.agreement.values()} == {None}
        assert task.precision.reason is Unplanned.NO_INTERVAL


def test_one_annotator_alone_agrees_with_nobody():
    for task in report_of(labelled((2.0,))).tasks:
        (only,) = task.by_annotator
        assert {figure.value for figure in task.agreement.values()} == {None}
        assert (only.labels, only.standing.labels, only.few, only.outlier) == (ITEMS, 0, True, None)
        assert only.standing.agreement.value is None
        assert only.drift.drifts is None


def test_two_annotators_are_no_spread_to_stand_out_from():
    for task in report_of(labelled((2.0, RANDOM))).tasks:
        assert [each.outlier for each in task.by_annotator] == [None, None]


def test_below_ten_users_nothing_is_tested():
    few = {f"a{number}" for number in range(ITEMS) if number % USERS < 9}
    for task in report_of(with_labels(labelled(), lambda row: row if row.attribute_id in few else None)).tasks:
        assert {figure.interval for figure in task.agreement.values()} == {None}
        assert [(each.outlier, each.drift.drifts) for each in task.by_annotator] == [(None, None)] * 4


def test_who_labelled_few_items_is_neither_tested_nor_one_of_the_others():
    tables = labelled((*HONEST, RANDOM))
    some = {f"a{number}" for number in range(29)}
    fewer = with_labels(
        tables, lambda row: None if row.annotator_id == "ann-5" and row.attribute_id not in some else row
    )
    found = task_of(fewer).by_annotator
    assert [each.few for each in found] == [False] * 4 + [True]
    assert [each.outlier is None for each in found] == [False] * 4 + [True]


def test_equal_rows_in_any_order_give_the_same_report():
    tables = labelled((2.0, 1.0, 1.5))
    turned = HumanTables(*(tuple(reversed(rows)) for rows in tables))
    assert report_of(turned).model_dump_json() == report_of(tables).model_dump_json()
