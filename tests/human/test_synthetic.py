"""HiCUPID's users in the layout of labels, and the gap between a model's figures there and on people."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.encoders.words import WordsEncoder
from evaluator.engines.base import Request
from evaluator.hicupid.data import SEASON, HicupidData, demo_set
from evaluator.hicupid.questions import History
from evaluator.human.check import check_reading
from evaluator.human.data import HumanData
from evaluator.human.findings import Severity
from evaluator.human.gap import synthetic_gap
from evaluator.human.reading import read_tables
from evaluator.human.records import RaterKind, Verification
from evaluator.human.results import NamedFigure
from evaluator.human.synthetic import ATTRIBUTES_A_PROMPT, LISTED_TASTES, SPLIT, TASTES_A_USER, synthetic_data
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.human.writing import write_human_set
from evaluator.identity import digest
from evaluator.records import Terms
from evaluator.results import Interval
from tests.human.runs import make_human_setup, run
from tests.human.written import make_setup, run_written, says

TASKS: tuple[AnyTask, ...] = (Task.VERIFICATION, JudgedTask.EXTRACTION, Task.RELEVANCE)
"""What made-up users are asked."""


@pytest.fixture(scope="module")
def hicupid(tmp_path_factory: pytest.TempPathFactory) -> HicupidData:
    import datasets

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("cache")))
        data = HicupidData.open(str(demo_set()))
        synthetic_data(data, Task.RELEVANCE)
    return data


@pytest.fixture(scope="module", params=[Task.VERIFICATION, JudgedTask.EXTRACTION])
def made(hicupid: HicupidData, request: pytest.FixtureRequest) -> HumanData:
    """What is asked of stage 1."""
    return synthetic_data(hicupid, request.param)


@pytest.fixture(scope="module")
def prompted(hicupid: HicupidData) -> HumanData:
    """What is asked of stage 2."""
    return synthetic_data(hicupid, Task.RELEVANCE)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_made_of_hicupid_passes_the_check_of_every_data_set_of_labels(
    hicupid: HicupidData, task: AnyTask, tmp_path: Path
):
    made = synthetic_data(hicupid, task)
    write_human_set(tmp_path / "set", made.tables, made.about)
    reading = read_tables(tmp_path / "set")
    assert [each for each in check_reading(tmp_path / "set", reading) if each.severity == Severity.ERROR] == []
    assert HumanData.open(str(tmp_path / "set")).tables == made.tables


def test_of_other_tasks_made_up_users_have_no_truth(hicupid: HicupidData):
    with pytest.raises(ValueError, match="no truth of rating"):
        synthetic_data(hicupid, Task.RATING)


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


@pytest.mark.parametrize(("task", "most"), [(Task.VERIFICATION, TASTES_A_USER), (JudgedTask.EXTRACTION, LISTED_TASTES)])
def test_no_more_tastes_of_a_user_are_asked_about_than_the_stages_take(hicupid: HicupidData, task: AnyTask, most: int):
    made = synthetic_data(hicupid, task)
    held = Counter(
        made.attributes[label.attribute_id].user_id
        for label in made.tables.attribute_labels
        if label.label is Verification.ACCEPTED
    )
    for user in hicupid.users(SPLIT):
        tastes = {each.persona.cluster for each in hicupid.questions(SPLIT, user) if each.persona and each.evidence}
        assert held[f"{SPLIT}-{user}"] == min(len(tastes), most)


def test_what_is_somebody_elses_is_about_nothing_that_the_user_has_a_taste_in(made: HumanData, hicupid: HicupidData):
    entities = {
        f"{SPLIT}-{user}": {each.persona.entity for each in hicupid.questions(SPLIT, user) if each.persona}
        for user in hicupid.users(SPLIT)
    }
    for label in made.tables.attribute_labels:
        attribute = made.attributes[label.attribute_id]
        if label.label is Verification.REJECTED:
            assert not any(attribute.text.endswith(f" {entity}.") for entity in entities[attribute.user_id])


def test_lists_are_asked_of_the_dialogues_that_show_what_is_asked_about_and_of_no_other(
    made: HumanData, hicupid: HicupidData
):
    shown = {
        each.conversation_id
        for label in made.tables.attribute_labels
        if label.label is Verification.ACCEPTED
        for each in made.attributes[label.attribute_id].evidence
    }
    assert made.conversations.keys() == shown
    dialogues = sum(len(hicupid.history(SPLIT, user).dialogues) for user in hicupid.users(SPLIT))
    assert 0 < len(shown) < dialogues / 2


def test_relevant_is_what_the_gold_evidence_shows(prompted: HumanData, hicupid: HicupidData):
    made = prompted
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


def test_names_are_numbers_of_a_users_attributes_of_one_task_in_their_order(hicupid: HicupidData):
    names = [name for task in TASKS for name in synthetic_data(hicupid, task).attributes]
    assert len(names) == len(set(names)), "no task shares a name: where one shows the truth, another does not"
    numbers: dict[str, list[int]] = {}
    for name in names:
        found = re.fullmatch(rf"({SPLIT}-[0-9]+-(?:{'|'.join(TASKS)}))-([0-9]+)", name)
        assert found
        numbers.setdefault(found[1], []).append(int(found[2]))
    assert len(numbers) == 3 * len(hicupid.users(SPLIT))
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_numbers_mix_what_holds_with_what_does_not_in_another_way_for_every_user(made: HumanData):
    truths: dict[str, tuple[Verification, ...]] = {}
    for label in made.tables.attribute_labels:
        user = made.attributes[label.attribute_id].user_id
        truths[user] = (*truths.get(user, ()), label.label)
    assert len(set(truths.values())) == len(truths) > 1
    for told in truths.values():
        assert told != tuple(sorted(told)) != told[::-1]
        assert any(one is other for one, other in zip(told[::2], told[1::2], strict=True)), "no pair by pair"


@pytest.mark.parametrize("task", TASKS)
def test_who_knows_neither_dialogue_nor_data_cannot_undo_the_numbers(
    hicupid: HicupidData, task: AnyTask, monkeypatch: pytest.MonkeyPatch
):
    """All that is public stays the same here, and the tastes too: another word of one dialogue numbers all anew."""

    def places(data: HumanData) -> list[tuple[str, str]]:
        return [(name, row.text) for name, row in data.attributes.items()]

    def reworded(split: str, user_id: int) -> History:
        first, *others = plain(split, user_id).dialogues
        turn = first.turns[0].model_copy(update={"assistant": "Fine."})
        again = first.model_copy(update={"turns": (turn, *first.turns[1:])})
        return History(user_id=user_id, dialogues=(again, *others))

    before, plain = places(synthetic_data(hicupid, task, users=1)), hicupid.history
    monkeypatch.setattr(hicupid, "history", reworded)
    after = places(synthetic_data(hicupid, task, users=1))
    assert ([name for name, _ in after], sorted(text for _, text in after)) == (
        [name for name, _ in before],
        sorted(text for _, text in before),
    )
    assert after != before


PINNED = {
    Task.VERIFICATION: ("9f822734cca2e81a", "9a6203fd2f26d7e0"),
    JudgedTask.EXTRACTION: ("1d16d1f078866fa9", "4af154e6124123dd"),
    Task.RELEVANCE: ("2e06e33c902d419d", "1e4e58ba54bbd594"),
}


@pytest.mark.parametrize("task", TASKS)
def test_what_is_made_under_the_protocols_of_made_up_users_stays_the_same(hicupid: HicupidData, task: AnyTask):
    """Other items, or other words of theirs, need new protocols: results would not be comparable."""
    made = synthetic_data(hicupid, task)
    labels = (*made.tables.attribute_labels, *made.tables.relevance_labels)
    told = made.shown_sha[:16], digest([row.model_dump(mode="json") for row in labels])[:16]
    assert told == PINNED[task]


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
    assert synthetic_data(source, Task.VERIFICATION, users=1).terms == terms


@pytest.mark.parametrize("task", TASKS)
def test_the_same_data_make_the_same_set(hicupid: HicupidData, task: AnyTask):
    assert synthetic_data(hicupid, task).tables == synthetic_data(hicupid, task).tables
    fewer = synthetic_data(hicupid, task, users=2)
    assert len(fewer.user_ids) == 2


@pytest.mark.parametrize(("task", "word"), [(Task.VERIFICATION, "accepted"), (Task.RELEVANCE, "NO")])
def test_stages_1_and_2_can_be_asked_of_it(hicupid: HicupidData, task: Task, word: str):
    result = run(make_human_setup(task, synthetic_data(hicupid, task)), lambda _: word).result
    assert (result.kind, result.annotators) == (RaterKind.TRUTH, 1)
    assert result.answered == result.items > 10
    assert result.figure("f1_majority").value == 0
    assert result.figure("alpha").value is None


def test_attributes_can_be_listed_of_it_and_verified(hicupid: HicupidData):
    """A model that names one true taste of each dialogue, and a verifier that knows the truth of what is given."""
    made = synthetic_data(hicupid, JudgedTask.EXTRACTION)
    holds = {label.attribute_id for label in made.tables.attribute_labels if label.label is Verification.ACCEPTED}
    texts = {
        each.conversation_id: made.attributes[name].text for name in holds for each in made.attributes[name].evidence
    }

    def true_of(request: Request) -> str:
        (name,) = (name for name, row in made.conversations.items() if row.turns[0].text in says(request))
        return texts[name]

    def writes(request: Request) -> str:
        return json.dumps({"attributes": [{"text": true_of(request), "confidence": 0.9}]})

    def judges(request: Request) -> str:
        return "accepted" if f"| {true_of(request)}\n" in says(request) else "rejected"

    result = run_written(make_setup("extraction-synthetic", made), writes, judges, encoder=WordsEncoder()).result
    assert (result.kind, result.users, result.answered) == (RaterKind.TRUTH, 3, result.items)
    recall = result.figure("recall")
    assert (recall.value, recall.labels) == (1, len(holds))
    assert result.judging.judged == result.judging.items > 0
    verified = {each.name: each for each in result.judging.figures}
    assert verified["answered"].labels == 2 * len(holds)
    assert verified["f1_majority"].value == 1
    assert verified["kappa"].value is None, "one truth is no other annotator"


def figure(value: float | None, low: float | None = None, high: float | None = None, users: int = 30) -> NamedFigure:
    interval = None if low is None or high is None else Interval(low=low, high=high, users=users)
    reason = None if interval else "few_clusters" if value is not None else "undefined"
    return NamedFigure(
        name="f1_majority", value=value, interval=interval, labels=100, users=users, tied=1, reason=reason
    )


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
