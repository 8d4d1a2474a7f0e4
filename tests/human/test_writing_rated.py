"""A writer whose answers are rated attribute by attribute, beside people's own ratings of the data set's answers."""

from __future__ import annotations

import numpy as np
import pytest

from evaluator.engines.base import Request
from evaluator.human.figures import FIGURES
from evaluator.human.items import Part
from evaluator.human.judged.asking import is_owed, judge_written
from evaluator.human.judged.prompts import RATINGS
from evaluator.human.tasks import JudgedTask, Order
from evaluator.judges.neutral import WORD_VERSION
from evaluator.records import Outcome, Verdict
from tests.human.written import Written, demo_data, is_personalised, make_setup, run_written, says, writing
from tests.scripted import ScriptedEngine

OPEN = "As one who knows you, I say: "
GIVEN = [response.personalised for response in demo_data().tables.responses]


def writes_openly(request: Request) -> str:
    """A writer that repeats what it knows of the user, if an attribute speaks of children or the city."""
    if not is_personalised(request):
        return "As anybody would."
    known = [row.text for row in demo_data().tables.attributes if row.text in says(request)]
    return f"{OPEN}{' '.join(known)}" if len(known) % 2 else "Just as you like it."


def personalised_first(text: str) -> bool:
    """Says in which slot of a rating judge's prompt the personalised answer stands."""
    first, second = text.split("Answer A\n", 1)[1].split("Answer B\n", 1)
    return "As anybody would." in second or any(row in first for row in GIVEN)


def rates(better: int, openly: int | None = None):
    """A judge that rates every personalised answer alike, or otherwise where it is open."""

    def say(request: Request) -> str:
        text = says(request)
        rating = openly if openly is not None and OPEN in text else better
        return str(6 - rating if personalised_first(text) else rating)

    return say


@pytest.fixture(scope="module")
def run() -> Written:
    return run_written(make_setup("uplift"), writes_openly, rates(3, openly=5))


def mentioned(run: Written) -> dict[str, Outcome | None]:
    return {row.key.question_id: row.outcome for row in run.verdicts if row.rater_kind == "rule"}


def of_judge(run: Written) -> list[Verdict]:
    return [row for row in run.verdicts if row.rater_kind == "model"]


def test_each_attribute_of_each_pair_is_rated_once_and_so_is_what_people_rated(run):
    wished = {f"{item.question_id}/{name}" for item in run.of(Part.PERSONALISED) for name in item.attributes}
    given = {item.question_id for item in run.of(Part.GIVEN)}
    assert sorted(row.key.question_id for row in of_judge(run)) == sorted(wished | given)
    assert given == {f"given/{response}/{attribute}" for response, attribute in demo_data().response_ratings}
    assert {row.schema_version for row in of_judge(run)} == {3}
    assert {row.key.judge_prompt_pack for row in of_judge(run)} == {f"{run.setup.wording.name}+{WORD_VERSION}"}


def test_what_is_given_is_never_asked_of_the_model(run):
    assert {row.key.question_id for row in run.generations} == {
        item.question_id for item in run.items if item.part is not Part.GIVEN
    }
    assert not any(item.is_asked for item in run.of(Part.GIVEN))


def test_both_orders_occur_and_are_turned_back(run):
    assert {item.order for item in run.of(Part.PERSONALISED)} == set(Order)
    words = {(row.word, row.outcome) for row in of_judge(run) if row.outcome is Outcome.MUCH_BETTER}
    assert words == {("1", Outcome.MUCH_BETTER), ("5", Outcome.MUCH_BETTER)}


def test_uplift_and_the_difference_that_mentioning_makes_are_those_of_the_rule(run):
    openly = mentioned(run)
    told = [outcome for outcome in openly.values() if outcome is not Outcome.UNTOLD]
    share = told.count(Outcome.MENTIONED) / len(told)
    assert 0 < share < 1
    assert run.value("mentioned") == pytest.approx(share, abs=1e-6)
    assert run.value("mention_effect") == 2
    rated = [row.outcome for row in of_judge(run) if row.key.question_id in openly]
    much = rated.count(Outcome.MUCH_BETTER) / len(rated)
    assert run.value("uplift") == pytest.approx(2 * much, abs=1e-6)
    assert run.value("no_better_ratings") == pytest.approx(1 - much, abs=1e-6)


def test_a_response_is_no_better_where_the_mean_of_its_ratings_is_at_most_3():
    def by_attribute(request: Request) -> str:
        return rates(1 + len(says(request)) % 5)(request)

    run = run_written(make_setup("uplift"), writes_openly, by_attribute)
    ratings: dict[str, list[int]] = {}
    for row in of_judge(run):
        if not row.key.question_id.startswith("given/"):
            response = row.key.question_id.rpartition("/")[0]
            ratings.setdefault(response, []).append(RATINGS[row.outcome])
    share = sum(np.mean(each) <= 3 for each in ratings.values()) / len(ratings)
    assert any(len(set(each)) > 1 for each in ratings.values())
    assert 0 < share < 1
    assert share != pytest.approx(run.value("no_better_ratings"), abs=0.01)
    assert run.value("no_better_responses") == pytest.approx(share, abs=1e-6)
    found = next(figure for figure in run.result.figures if figure.name == "no_better_responses")
    assert found.labels == len(ratings)


def test_the_judges_inflation_over_people_is_what_it_rates_above_their_means(run):
    means = [sum(label.number for label in item.labels) / len(item.labels) for item in run.of(Part.GIVEN)]
    assert run.value("inflation") == pytest.approx(sum(3 - mean for mean in means) / len(means), abs=1e-6)
    high = run_written(run.setup, writes_openly, rates(5))
    assert high.value("inflation") == pytest.approx(run.value("inflation") + 2, abs=1e-6)


def test_the_judge_stands_beside_people_as_one_more_rater(run):
    figures = {figure.name: figure for figure in run.result.judging.figures}
    assert figures["answered"].value == 1
    assert {"bias", "spearman_within_annotators", "spearman_within_annotators.one_more_human", "alpha"} <= set(figures)
    assert run.result.labels == len(demo_data().tables.response_ratings)


def test_a_rating_that_cannot_be_read_is_asked_for_once_more_and_left_out():
    run = run_written(make_setup("uplift"), writing(), lambda request: "6" if "judge" in request.group else "")
    judging = run.result.judging
    assert (judging.judged, judging.verdicts, run.value("uplift")) == (0, 0, None)
    assert dict(judging.missing_because) == {"unparsed": judging.items}
    assert {row.attempt for row in of_judge(run)} == {1, 2}
    assert {row.outcome for row in of_judge(run)} == {None}


def test_an_answer_with_a_defect_has_no_rating_and_is_counted():
    run = run_written(make_setup("uplift"), writing(personalised=""), rates(4))
    judging = run.result.judging
    assert dict(judging.missing_because) == {"empty": judging.items}
    assert (run.value("uplift"), run.value("answered"), mentioned(run)) == (None, 0, {})
    assert run.value("inflation") is not None, "what is given is rated all the same"


def test_what_is_rated_is_neither_rated_nor_looked_at_again(run):
    engine = ScriptedEngine(rates(1))
    assert list(judge_written(run.setup, run.items, run.generations, engine, run.verdicts)) == []
    assert not is_owed(JudgedTask.UPLIFT, run.items, run.generations, run.verdicts)
    assert is_owed(JudgedTask.UPLIFT, run.items, run.generations, of_judge(run)[1:])


def test_the_order_of_rows_changes_nothing(run):
    shuffled = run._replace(generations=run.generations[::-1], verdicts=run.verdicts[::-1])
    assert shuffled.result.model_dump_json() == run.result.model_dump_json()


def test_the_figures_of_a_writer_are_those_that_are_listed(run):
    compared = run_written(make_setup("comparison"), writing(), lambda _: "Better Response: Tie")
    names = {figure.name for figure in (*run.result.figures, *compared.result.figures)}
    assert {f"writing.{name}" for name in names} == {name for name in FIGURES if name.startswith("writing.")}
    assert {f"rating.{figure.name}" for figure in run.result.judging.figures} <= set(FIGURES)
