"""HiCUPID's users in the layout of labels, and the gap between a model's figures there and on people."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.hicupid.data import SEASON, HicupidData, demo_set
from evaluator.human.check import check_reading
from evaluator.human.data import HumanData
from evaluator.human.findings import Severity
from evaluator.human.gap import COMPARED, synthetic_gap
from evaluator.human.reading import read_tables
from evaluator.human.records import RaterKind, Verification
from evaluator.human.results import NamedFigure
from evaluator.human.synthetic import ATTRIBUTES_A_PROMPT, SPLIT, TASTES_A_USER, synthetic_data
from evaluator.human.tasks import Task
from evaluator.human.writing import write_human_set
from evaluator.identity import digest
from evaluator.records import Terms
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


def test_no_more_tastes_of_a_user_are_asked_about_than_the_stages_take(made: HumanData, hicupid: HicupidData):
    held = Counter(
        made.attributes[label.attribute_id].user_id
        for label in made.tables.attribute_labels
        if label.label is Verification.ACCEPTED
    )
    for user in hicupid.users(SPLIT):
        tastes = {each.persona.cluster for each in hicupid.questions(SPLIT, user) if each.persona and each.evidence}
        assert held[f"{SPLIT}-{user}"] == min(len(tastes), TASTES_A_USER)


def test_what_is_somebody_elses_is_about_nothing_that_the_user_has_a_taste_in(made: HumanData, hicupid: HicupidData):
    entities = {
        f"{SPLIT}-{user}": {each.persona.entity for each in hicupid.questions(SPLIT, user) if each.persona}
        for user in hicupid.users(SPLIT)
    }
    for label in made.tables.attribute_labels:
        attribute = made.attributes[label.attribute_id]
        if label.label is Verification.REJECTED:
            assert not any(attribute.text.endswith(f" {entity}.") for entity in entities[attribute.user_id])


def test_relevant_is_what_the_gold_evidence_shows(made: HumanData, hicupid: HicupidData):
    evidence = {
        question.question_id.replace("/", ":"): {f"{SPLIT}-{user}-d{dialogue}" for dialogue in question.evidence}
        for user in hicupid.users(SPLIT)
        for question in hicupid.questions(SPLIT, user)
    }
    for prompt in made.tables.prompts:
        assert prompt.prompt_id in evidence
    by_prompt = Counter(label.prompt_id for label in made.tables.relevance_labels)
    assert max(by_prompt.values()) <= ATTRIBUTES_A_PROMPT
    for label in made.tables.relevance_labels:
        shown = {each.conversation_id for each in made.attributes[label.attribute_id].evidence}
        assert label.relevant == bool(shown & evidence[label.prompt_id])
    assert any(label.relevant for label in made.tables.relevance_labels)
    assert not all(label.relevant for label in made.tables.relevance_labels)


def test_names_tell_nothing_of_the_truth(made: HumanData):
    """They are public: no order of names, and none that two stages share, tells what holds of whom."""
    verified = [label.attribute_id for label in made.tables.attribute_labels]
    assert not {*verified} & {label.attribute_id for label in made.tables.relevance_labels}
    assert all(re.fullmatch(rf"{SPLIT}-[0-9]+-[0-9a-f]{{12}}", attribute_id) for attribute_id in made.attributes)
    pairs = [made.tables.attribute_labels[place : place + 2] for place in range(0, len(verified), 2)]
    assert {first.label for first, _ in pairs} == {second.label for _, second in pairs}
    assert all(first.attribute_id < second.attribute_id for first, second in pairs)


def test_what_is_made_under_the_protocols_of_made_up_users_stays_the_same(made: HumanData):
    """Other items, or other words of theirs, need new protocols: results would not be comparable."""
    assert made.shown_sha[:16] == "f8b5eb794e68bc0a"
    labels = (*made.tables.attribute_labels, *made.tables.relevance_labels)
    assert digest([row.model_dump(mode="json") for row in labels])[:16] == "33e43e60d6eaed21"


@pytest.mark.parametrize("licence", [None, "apache-2.0"])
def test_terms_are_those_of_the_source(hicupid: HicupidData, licence: str | None):
    terms = Terms(
        visibility="private" if licence is None else "public",
        season=SEASON,
        licence=licence,
        redistributable=licence is not None,
        personal_data="personal" if licence is None else "synthetic",
    )
    source = HicupidData(hicupid.source, hicupid.sha, terms, demo_set())
    assert synthetic_data(source, users=1).terms == terms


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


def figure(value: float | None, low: float | None = None, high: float | None = None, users: int = 30) -> NamedFigure:
    interval = None if low is None or high is None else Interval(low=low, high=high, users=users)
    reason = None if interval else "few_clusters" if value is not None else "undefined"
    return NamedFigure(name=COMPARED, value=value, interval=interval, labels=100, users=users, tied=1, reason=reason)


def test_the_gap_is_above_zero_where_made_up_users_flatter_a_model():
    gap = synthetic_gap(figure(0.9, 0.8, 0.95, users=50), figure(0.5, 0.4, 0.65))
    assert (gap.name, gap.value, gap.reason) == ("f1_majority.gap", 0.4, None)
    assert gap.interval.low == pytest.approx(0.4 - (0.1**2 + 0.15**2) ** 0.5, abs=1e-6)
    assert gap.interval.high == pytest.approx(0.4 + (0.05**2 + 0.1**2) ** 0.5, abs=1e-6)
    assert (gap.users, gap.labels, gap.tied, gap.interval.users) == (80, 200, 2, 30)
    assert str(synthetic_gap(figure(0.5), figure(0.5)).value) == "0.0"


def test_without_both_figures_the_gap_is_undefined_and_without_both_intervals_it_has_none_and_says_why():
    for pair in ((figure(0.9), figure(0.5, 0.4, 0.6)), (figure(0.9, 0.8, 1.0), figure(0.5))):
        gap = synthetic_gap(*pair)
        assert (gap.value, gap.interval, gap.reason) == (0.4, None, "few_clusters")
    for pair in ((figure(None), figure(0.5, 0.4, 0.6)), (figure(0.9, 0.8, 1.0), figure(None))):
        gap = synthetic_gap(*pair)
        assert (gap.value, gap.interval, gap.reason) == (None, None, "undefined")


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_gap_lies_in_its_interval_and_turns_round_with_its_sides(one, other, below, above):
    first, second = figure(one, one - below, one + above), figure(other, other - above, other + below)
    gap, back = synthetic_gap(first, second), synthetic_gap(second, first)
    assert gap.interval.low <= gap.value <= gap.interval.high
    assert back.interval.low == pytest.approx(-gap.interval.high, abs=1e-6)
