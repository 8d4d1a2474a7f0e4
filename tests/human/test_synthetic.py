"""HiCUPID's users in the layout of labels, and the gap between a model's figures there and on people."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.human.check import check_reading
from evaluator.human.data import HumanData
from evaluator.human.findings import Severity
from evaluator.human.gap import synthetic_gap
from evaluator.human.reading import read_tables
from evaluator.human.records import RaterKind, Verification
from evaluator.human.results import NamedFigure
from evaluator.human.synthetic import ATTRIBUTES_A_PROMPT, SPLIT, synthetic_data
from evaluator.human.tasks import Task
from evaluator.human.writing import write_human_set
from evaluator.results import Interval
from tests.human.runs import make_human_setup, run


@pytest.fixture(scope="module")
def hicupid(tmp_path_factory: pytest.TempPathFactory) -> HicupidData:
    import datasets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))
        data = HicupidData.open(str(demo_set()))
        synthetic_data(data)
    return data


@pytest.fixture(scope="module")
def made(hicupid: HicupidData) -> HumanData:
    return synthetic_data(hicupid)


def test_what_is_made_of_hicupid_passes_the_check_of_every_data_set_of_labels(made: HumanData, tmp_path: Path):
    write_human_set(tmp_path / "set", made.tables, made.about)
    reading = read_tables(tmp_path / "set")
    assert [each for each in check_reading(tmp_path / "set", reading) if each.severity == Severity.ERROR] == []
    assert HumanData.open(str(tmp_path / "set")).tables == made.tables


def test_half_of_the_attributes_are_somebody_elses(made: HumanData, hicupid: HicupidData):
    labels = Counter(label.label for label in made.tables.attribute_labels)
    assert labels[Verification.ACCEPTED] == labels[Verification.REJECTED] > 10
    tastes = {
        user: {f"The user {each.persona.relation} {each.persona.entity}." for each in questions if each.persona}
        for user in hicupid.users(SPLIT)
        for questions in [list(hicupid.questions(SPLIT, user))]
    }
    for label in made.tables.attribute_labels:
        attribute = made.attributes[label.attribute_id]
        holds = attribute.text in tastes[int(attribute.user_id.rsplit("-", 1)[1])]
        assert holds == (label.label is Verification.ACCEPTED)


def test_relevant_is_what_the_gold_evidence_shows(made: HumanData, hicupid: HicupidData):
    evidence = {
        question.question_id.replace("/", ":"): {f"{SPLIT}-{user}-d{dialogue}" for dialogue in question.evidence}
        for user in hicupid.users(SPLIT)
        for question in hicupid.questions(SPLIT, user)
    }
    by_prompt = Counter(label.prompt_id for label in made.tables.relevance_labels)
    assert max(by_prompt.values()) <= ATTRIBUTES_A_PROMPT
    for label in made.tables.relevance_labels:
        shown = {each.conversation_id for each in made.attributes[label.attribute_id].evidence}
        assert label.relevant == bool(shown & evidence[label.prompt_id])
    assert any(label.relevant for label in made.tables.relevance_labels)
    assert not all(label.relevant for label in made.tables.relevance_labels)


def test_the_same_data_make_the_same_set(made: HumanData, hicupid: HicupidData):
    assert synthetic_data(hicupid).tables == made.tables
    fewer = synthetic_data(hicupid, users=2)
    assert len(fewer.user_ids) == 2


@pytest.mark.parametrize(("task", "word"), [(Task.VERIFICATION, "accepted"), (Task.RELEVANCE, "NO")])
def test_stages_1_and_2_can_be_asked_of_it(made: HumanData, task, word):
    result = run(make_human_setup(task, made), lambda _: word).result
    assert (result.kind, result.annotators) == (RaterKind.TRUTH, 1)
    assert result.answered == result.items > 10
    assert result.figure("f1_majority").value == 0
    assert result.figure("alpha").value is None


PEOPLE = run(make_human_setup(Task.RELEVANCE), lambda _: "YES").result


def with_figure(value: float, low: float | None = None, high: float | None = None, users: int = 30):
    interval = None if low is None else Interval(low=low, high=high, users=users)
    figure = NamedFigure(
        name="f1_majority", value=value, interval=interval, labels=100, users=users, tied=0, reason=None
    )
    return PEOPLE.model_copy(update={"figures": (figure,)})


def test_the_gap_is_above_zero_where_made_up_users_flatter_a_model():
    gap = synthetic_gap(with_figure(0.9, 0.8, 0.95, users=50), with_figure(0.5, 0.4, 0.65))
    assert gap.value == pytest.approx(0.4)
    assert gap.interval.low == pytest.approx(0.4 - (0.1**2 + 0.15**2) ** 0.5, abs=1e-6)
    assert gap.interval.high == pytest.approx(0.4 + (0.05**2 + 0.1**2) ** 0.5, abs=1e-6)
    assert gap.users == (50, 30)


def test_without_both_figures_there_is_no_gap_and_without_both_intervals_none_of_it():
    assert synthetic_gap(with_figure(0.9), with_figure(0.5, 0.4, 0.6)).interval is None
    assert synthetic_gap(PEOPLE.model_copy(update={"figures": ()}), with_figure(0.5)) is None
    with pytest.raises(ValueError, match="is not"):
        synthetic_gap(PEOPLE.model_copy(update={"task": Task.RATING}), PEOPLE)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_gap_lies_in_its_interval_and_turns_round_with_its_sides(one, other, below, above):
    first, second = with_figure(one, one - below, one + above), with_figure(other, other - above, other + below)
    gap, back = synthetic_gap(first, second), synthetic_gap(second, first)
    assert gap.interval.low <= gap.value <= gap.interval.high
    assert back.interval.low == pytest.approx(-gap.interval.high, abs=1e-6)
