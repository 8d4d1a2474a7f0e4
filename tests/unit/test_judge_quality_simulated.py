"""Judges of known rule and noise: what is told of them holds the truth, and what they do not have is not found."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from evaluator.hicupid.outcomes import JudgedItem
from evaluator.human.labelled import Label, Labelled, labelled_of
from evaluator.human.scoring import score_classes
from evaluator.judges.quality.between import agreement_between
from evaluator.judges.quality.family import family_preference
from evaluator.judges.quality.judged import Judged
from evaluator.judges.quality.labelled import LabelledVerdict
from evaluator.judges.quality.length import length_preference
from evaluator.judges.quality.people import PeopleSaid, people_agreement
from evaluator.judges.quality.reading import position_figures, reading_figures
from evaluator.judges.quality.records import QualityFigure, Slice, Training, Why
from evaluator.metrics import agreement
from evaluator.metrics.alternative_annotator import alternative_annotator_test
from evaluator.records import Outcome, SlotOrder
from tests.builders import BOTH_ORDERS, LOSS, PERSONA, TIE, WIN, make_item

USERS, QUESTIONS = 40, 8
MODELS = {"a/good": 0.8, "b/plain": 0.0, "c/poor": -0.8}
"""How much each model's answers are preferred to gold, as a logarithm of odds."""
FAMILIES = {model: model[0] for model in MODELS}
GOLD = 100
UNTOLD = Training(types=None, models=None)
LABELS = (LOSS, TIE, WIN)


class Answer(NamedTuple):
    """One answer of a model, and what is true of it."""

    item: object
    model: str
    text: str
    longer: bool


Rule = Callable[[np.random.Generator, Answer, SlotOrder], Outcome | None]


def answers() -> list[Answer]:
    """All answers: good models write longer ones, which is no leaning of a judge."""
    rng = np.random.default_rng(1001)
    return [
        Answer(
            make_item(f"test_1/{user}-{place}", PERSONA, user),
            model,
            f"{model} {user} {place}",
            bool(rng.random() < 0.5 + 0.3 * quality),
        )
        for user in range(USERS)
        for place in range(QUESTIONS)
        for model, quality in MODELS.items()
    ]


ANSWERS = answers()


def judge(rule: Rule, seed: int = 7) -> list[Judged]:
    """What a judge of some rule says of all answers, in both orders."""
    rng = np.random.default_rng(seed)
    judged = []
    for answer in ANSWERS:
        outcomes = tuple(rule(rng, answer, order) for order in BOTH_ORDERS)
        entry = JudgedItem(answer.item, None, outcomes, ("unparsed",) * outcomes.count(None))
        judged.append(Judged(entry, answer.text, answer.model, GOLD + (20 if answer.longer else -20), GOLD))
    return judged


def leaning(odds_ratio: float = 1.0, ties: float = 0.1) -> Rule:
    """Prefers an answer by its model, and a longer one with so many times the odds."""

    def rule(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> Outcome:
        if rng.random() < ties:
            return TIE
        odds = MODELS[answer.model] + math.log(odds_ratio) * (answer.longer - 0.5)
        return WIN if rng.random() < 1 / (1 + math.exp(-odds)) else LOSS

    return rule


def kind_to(family: str, by: float, strict: float = 0.0) -> Rule:
    """Gives every answer its due, less a strictness, and answers of one family so much more."""

    def rule(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> Outcome:
        due = 0.5 + 0.15 * MODELS[answer.model] - strict + by * (answer.model[0] == family)
        return WIN if rng.random() < due else LOSS

    return rule


def slotted(share: float) -> Rule:
    """Names slot A so often, whatever stands in it."""

    def rule(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> Outcome:
        return WIN if (rng.random() < share) == (order is SlotOrder.ANSWER_FIRST) else LOSS

    return rule


def noise(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> Outcome:
    """Says anything."""
    return LABELS[rng.integers(3)]


def silent(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> None:
    """Says nothing that can be read."""


def knowing(skill: float) -> Rule:
    """Knows which of three words is right, and says so often, in both orders; else it says any of them."""

    def rule(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> Outcome:
        known = np.random.default_rng([*answer.text.encode(), 5])
        own = np.random.default_rng([*answer.text.encode(), int(1000 * skill)])
        return LABELS[known.integers(3)] if own.random() < skill else LABELS[own.integers(3)]

    return rule


def holds(figure: QualityFigure, truth: float) -> bool:
    """Whether the interval is there and holds the truth."""
    assert figure.interval is not None
    assert figure.interval.low <= figure.value <= figure.interval.high
    assert figure.interval.users == figure.users == USERS
    return figure.interval.low <= truth <= figure.interval.high


@pytest.mark.parametrize("truth", [1.0, 3.0, 0.4])
def test_a_leaning_to_longer_answers_is_found(truth):
    found = length_preference(judge(leaning(truth)))
    assert holds(found.odds_ratio, truth)
    assert found.groups == 3
    assert (holds(found.odds_ratio, 1.0)) == (truth == 1.0)


def test_what_longer_answers_deserve_is_taken_off_beside_others():
    """People prefer longer answers with 1.5 times the odds, the judge with three times, so with twice theirs."""
    own, people = judge(leaning(3.0), seed=11), judge(leaning(1.5), seed=12)
    named = {"people": people, "fair": judge(leaning(), seed=13)}
    beside = {each.rater: each for each in length_preference(own, named).beside}
    assert holds(beside["people"].ratio, 2.0)
    assert holds(beside["people"].other, 1.5)
    assert not holds(beside["people"].ratio, 1.0)
    assert holds(beside["fair"].ratio, 3.0)


@pytest.mark.parametrize("truth", [0.0, 0.2])
def test_a_leaning_to_its_own_family_is_found(truth):
    """It is stricter throughout than the others, and the family answers best: neither may pass for a leaning."""
    own = judge(kind_to("a", truth, strict=0.1), seed=3)
    others = {"x": judge(kind_to("b", 0.0), seed=4), "y": judge(kind_to("b", 0.0, strict=0.05), seed=5)}
    found = family_preference("a", own, others, FAMILIES)
    assert holds(found.difference, truth)
    assert holds(found.difference, 0.0) == (truth == 0.0)
    assert found.difference.counted == found.difference.possible == len(ANSWERS)
    assert (found.models_family, found.models_rest) == (1, 2)


def test_a_leaning_of_another_judge_does_not_pass_for_its_own():
    own, others = judge(kind_to("a", 0.0), seed=6), {"x": judge(kind_to("b", 0.2), seed=7)}
    assert family_preference("a", own, others, FAMILIES).difference.value > 0, "held against one who favours b"
    assert holds(family_preference("a", own, {"y": judge(kind_to("a", 0.0), seed=8)}, FAMILIES).difference, 0.0)


def test_who_looks_at_slots_is_found():
    found = position_figures(judge(slotted(0.7)))
    assert holds(found.slot_a, 0.7)
    assert holds(found.consistency, 2 * 0.7 * 0.3)
    fair = position_figures(judge(knowing(0.9)))
    assert fair.consistency.value == 1
    assert holds(fair.slot_a, 0.5)


def test_who_always_names_slot_a_prefers_nothing():
    always = judge(slotted(1.0))
    found = position_figures(always)
    assert (found.slot_a.value, found.consistency.value) == (1, 0)
    assert found.slot_a.interval.high == 1
    assert 0.8 < found.slot_a.interval.low < 1, "so many users cannot tell that it always does"
    other = agreement_between(always, "other", judge(knowing(0.9)), UNTOLD).slices[0]
    assert (other.kappa.value, other.kappa.reason) == (0, Why.NOTHING_VARIES), "both orders together are always a tie"


def test_who_is_silent_has_no_figures_but_that():
    nothing = judge(silent)
    reading = reading_figures(nothing)
    assert (reading.read, reading.unparsed.value, reading.unparsed.counted) == (0, 1, 2 * len(ANSWERS))
    positions = position_figures(nothing)
    for figure in (
        positions.consistency,
        positions.slot_a,
        length_preference(nothing).odds_ratio,
        family_preference("a", nothing, {"x": judge(noise)}, FAMILIES).difference,
        agreement_between(nothing, "other", judge(noise), UNTOLD).slices[0].kappa,
    ):
        assert (figure.value, figure.interval, figure.counted) == (None, None, 0)
        assert figure.reason is not None
        assert figure.counted_share in (0, None)


def test_the_share_that_cannot_be_read_is_found():
    def mumbling(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> Outcome | None:
        return None if rng.random() < 0.05 else WIN

    assert holds(reading_figures(judge(mumbling)).unparsed, 0.05)


def test_noise_agrees_by_chance_and_leans_nowhere():
    own = judge(noise, seed=1)
    found = agreement_between(own, "other", judge(knowing(1.0)), UNTOLD).slices[0]
    assert holds(found.kappa, 0.0)
    assert holds(found.kappa_quadratic, 0.0)
    assert holds(found.bias, 0.0)
    assert holds(length_preference(own).odds_ratio, 1.0)
    assert holds(position_figures(own).slot_a, 0.5)
    assert holds(position_figures(own).consistency, 1 / 3)


@pytest.mark.parametrize("skill", [0.3, 0.8])
def test_agreement_beyond_chance_is_the_skill(skill):
    """Whoever knows so often, and else says any of three words, has that kappa with the truth."""
    found = agreement_between(judge(knowing(skill)), "truth", judge(knowing(1.0)), UNTOLD).slices[0]
    assert holds(found.kappa, skill)
    assert holds(found.kappa_quadratic, skill)
    assert holds(found.same, skill + (1 - skill) / 3)
    assert holds(found.bias, 0.0)


def test_a_kinder_judge_is_found():
    def kinder(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> Outcome:
        return WIN if np.random.default_rng([*answer.text.encode(), 9]).random() < 0.25 else truth(rng, answer, order)

    truth = knowing(1.0)
    found = agreement_between(judge(kinder), "truth", judge(truth), UNTOLD).slices[0]
    assert holds(found.bias, 0.25 / 2)
    assert not holds(found.bias, 0.0)


def test_a_judge_that_knows_only_what_it_was_trained_on():
    def trained(rng: np.random.Generator, answer: Answer, order: SlotOrder) -> Outcome:
        return (knowing(0.9) if answer.model == "a/good" else noise)(rng, answer, order)

    training = Training(types=frozenset({PERSONA}), models=frozenset({"a/good"}))
    slices = agreement_between(judge(trained), "truth", judge(knowing(1.0)), training).slices
    by_slice = {each.slice: each for each in slices}
    assert holds(by_slice[Slice.TRAINED_ON].kappa, 0.9)
    assert holds(by_slice[Slice.NEW_MODELS].kappa, 0.0)
    assert by_slice[Slice.NEW_TYPES].kappa.counted == 0


class TestPeople:
    SKILLS = (0.7, 0.75, 0.8, 0.85)

    def labels(self) -> list[LabelledVerdict]:
        """Four annotators, who leave out a fifth of the answers."""
        rng = np.random.default_rng(3)
        return [
            LabelledVerdict(
                schema_version=1,
                question_id=answer.item.question_id,
                content_hash=f"{place:064x}",
                annotator=f"n-{who}",
                outcome=knowing(skill)(rng, answer, SlotOrder.SINGLE),
            )
            for place, answer in enumerate(ANSWERS)
            for who, skill in enumerate(self.SKILLS)
            if rng.random() < 0.8
        ]

    def table(self, labels: list[LabelledVerdict]) -> Labelled:
        """The same labels as the human suite knows them."""
        return labelled_of(
            Label(
                f"{row.question_id} {row.content_hash}",
                f"test_1 {row.question_id.removeprefix('test_1/').split('-')[0]}",
                row.annotator,
                float(LABELS.index(row.outcome)),
            )
            for row in labels
        )

    def found(self, rule: Rule):
        own = [each._replace(content_hash=f"{place:064x}") for place, each in enumerate(judge(rule))]
        items = {answer.item.question_id: answer.item for answer in ANSWERS}
        (found,) = people_agreement(own, PeopleSaid("file", self.labels()), items, UNTOLD, 0.15)
        return found

    def test_a_judge_better_than_annotators_passes_and_noise_does_not(self):
        good, bad = (self.found(rule).parts[0] for rule in (knowing(0.95), noise))
        assert good.test.passes
        assert not bad.test.passes
        assert good.kappa.judge.interval.low > good.kappa.one_more_human.value
        assert holds(bad.kappa.judge, 0.0)
        assert good.advantage_probability.interval.low > 0.8 > bad.advantage_probability.interval.high
        for part in (good, bad):
            assert part.win_kappa.judge.value < part.win_kappa.noise_ceiling.value
            assert part.f1.judge.value < part.f1.noise_ceiling.value
            assert part.mean_absolute_error.judge.value > part.mean_absolute_error.noise_ceiling.value
            assert holds(part.bias, 0.0)

    def test_figures_are_those_of_the_library(self):
        labels = self.labels()
        part = self.found(knowing(0.9)).parts[0]
        names = sorted({(row.question_id, row.content_hash) for row in labels})
        table = np.full((len(names), 4), np.nan)
        for row in labels:
            place = names.index((row.question_id, row.content_hash))
            table[place, int(row.annotator[-1])] = LABELS.index(row.outcome)
        by_hash = {
            f"{place:064x}": LABELS.index(knowing(0.9)(np.random.default_rng(), answer, SlotOrder.SINGLE))
            for place, answer in enumerate(ANSWERS)
        }
        rater = np.array([float(by_hash[content]) for _, content in names])
        whole = agreement.class_agreement(table, rater, of=2.0)
        assert part.kappa.judge.value == pytest.approx(whole.rater.kappa, abs=1e-6)
        assert part.kappa.one_more_human.value == pytest.approx(whole.one_more_human.kappa, abs=1e-6)
        assert part.f1.noise_ceiling.value == pytest.approx(whole.noise_ceiling.f1, abs=1e-6)
        assert part.kappa.judge.counted == whole.counts.compared
        assert part.kappa.judge.possible == whole.counts.labels == len(labels)
        single = agreement.single_agreement(table, rater, of=2.0)
        assert part.single_kappa.judge.value == pytest.approx(single.rater, abs=1e-6)
        assert part.single_kappa.one_more_human.value == pytest.approx(single.one_more_human, abs=1e-6)
        ratings = agreement.rating_agreement(table / 2, rater / 2)
        assert part.mean_absolute_error.judge.value == pytest.approx(ratings.rater.mean_absolute_error, abs=1e-6)
        assert part.bias.value == pytest.approx(ratings.rater.bias, abs=1e-6)
        suite = score_classes(
            "relevance", self.table(labels), dict(zip(map(" ".join, names), rater, strict=True)), of=2.0, epsilon=0.15
        )
        for name in ("kappa", "single_kappa", "f1"):
            own = getattr(part, name)
            for figure, published in ((own.judge, suite[name]), (own.one_more_human, suite[f"{name}.one_more_human"])):
                assert (figure.value, figure.interval) == (published.value, published.interval), name
        assert part.advantage_probability.interval == suite["advantage_probability"].interval
        users = np.array([int(name[0].removeprefix("test_1/").split("-")[0]) for name in names])
        test = alternative_annotator_test(table, rater, epsilon=0.15, clusters=users)
        assert (part.test.passes, part.test.winning_rate) == (test.passes, test.winning_rate)
        p_values = [each.p_value for each in test.annotators]
        assert [each.p_value for each in part.test.annotators] == pytest.approx(p_values)

    def test_with_what_most_say_its_skill_shows(self):
        majority = self.found(knowing(0.9)).majority.slices[0]
        assert majority.same.counted == majority.same.possible
        assert majority.kappa.interval.low > 0.7
