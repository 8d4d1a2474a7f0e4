"""What is told of a judge, by examples that can be worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from evaluator.hicupid.outcomes import JudgedItem, join_rows
from evaluator.hicupid.scoring import score
from evaluator.judges.quality.between import agreement_between
from evaluator.judges.quality.family import family_preference
from evaluator.judges.quality.figures import shown
from evaluator.judges.quality.judged import Judged, combined, judged_of, once
from evaluator.judges.quality.length import length_preference
from evaluator.judges.quality.reading import Attempt, costs_of, position_figures, reading_figures
from evaluator.judges.quality.records import Slice, SliceAgreement, Training, Why
from evaluator.metrics.clustered import Method, Spread
from evaluator.records import Defect, Outcome, SlotOrder
from tests.builders import (
    LOSS,
    NO,
    PERSONA,
    PROFILE,
    SCHEDULE,
    TIE,
    WIN,
    YES,
    answered,
    make_generation,
    make_input_key,
    make_item,
    make_verdict,
)

UNTOLD = Training(types=None, models=None)
NOT_ONE = frozenset[str]()


def said(
    number: int,
    *outcomes: Outcome | None,
    user: int | None = None,
    model: str | None = "a/one",
    type_=PERSONA,
    answer: int | None = 20,
    gold: int | None = 10,
    text: str | None = None,
    cause: str = "unparsed",
) -> Judged:
    """What a rater said of one answer; its question and user have a number, and its text is its own."""
    item = make_item(f"test_1/{number}", type_, number if user is None else user)
    missing = (cause,) * outcomes.count(None)
    return Judged(JudgedItem(item, None, outcomes, missing), text or f"{number:064x}", model, answer, gold)


def slice_of(slices: Sequence[SliceAgreement], wanted: Slice) -> SliceAgreement:
    return next(each for each in slices if each.slice is wanted)


def test_what_a_judge_owes_is_taken_from_joined_rows():
    entries = [
        answered(make_item("test_1/1", user_id=1), WIN, TIE),
        answered(make_item("test_1/2", user_id=2), WIN, None),
        answered(make_item("test_1/3", user_id=3), defect=Defect.EMPTY),
    ]
    generations = [row for entry in entries for row in entry.generations]
    verdicts = [row for entry in entries for row in entry.verdicts]
    joined = join_rows([*(entry.item for entry in entries), make_item("test_1/4")], generations, verdicts)
    found = judged_of(joined, {"test_1/1": 7})
    assert [each.name for each in found] == [
        (row.key.question_id, row.content_hash) for row in generations if row.defect is None
    ]
    assert [each.score for each in found] == [0.75, None]
    assert [each.answer_characters for each in found] == [len("Answer to test_1/1.")] * 2
    assert [each.gold_characters for each in found] == [7, None]
    assert {each.model for each in found} == {"org/model"}
    assert all(each.entry.answer is None for each in found)


def test_a_model_with_an_adapter_is_another_model():
    key = make_input_key("test_1/1", adapter="org/lora", adapter_sha="b" * 40)
    entry = JudgedItem(make_item("test_1/1"), make_generation(key), (WIN, WIN), ())
    assert [each.model for each in judged_of([entry], {})] == ["org/model+org/lora"]
    assert [each.model for each in judged_of([entry], {}, "its name")] == ["its name"]


@pytest.mark.parametrize(
    ("outcomes", "label"),
    [((WIN, WIN), 2), ((WIN, TIE), 2), ((WIN, LOSS), 1), ((TIE, TIE), 1), ((TIE, LOSS), 0), ((LOSS, LOSS), 0)],
)
def test_both_orders_together_make_one_outcome(outcomes, label):
    found, conflicting = combined([said(1, *outcomes)])
    assert ([each.label for each in found.values()], conflicting) == ([label], 0)


def test_one_answer_with_two_scores_counts_for_neither():
    found, conflicting = combined(
        [said(1, WIN, WIN, text="x"), said(1, LOSS, WIN, text="x", model="b/two"), said(2, WIN, WIN)]
    )
    assert (len(found), conflicting) == (1, 1)


def test_of_one_answer_the_most_complete_judgement_stays():
    (found,) = once([said(1, WIN, None, text="x"), said(1, WIN, WIN, text="x", model="b/two")])
    assert found.entry.judged


class TestReading:
    def test_verdicts_are_counted_by_what_became_of_them(self):
        found = reading_figures(
            [
                said(1, WIN, None),
                said(2, None, None, cause="judge_timeout"),
                said(3, None, None, cause="not_judged"),
                said(4, YES, type_=SCHEDULE),
            ]
        )
        assert (found.owed, found.asked, found.read) == (7, 5, 2)
        assert found.missing_because == (("judge_timeout", 2), ("not_judged", 2), ("unparsed", 1))
        assert (found.unparsed.value, found.missing.value) == (0.2, 0.6)
        assert (found.unparsed.counted, found.unparsed.possible, found.unparsed.users) == (5, 7, 3)
        assert found.unparsed.counted_share == 5 / 7
        assert found.unparsed.reason is Why.FEW_CLUSTERS

    def test_an_answer_of_two_models_was_judged_once(self):
        found = reading_figures([said(1, WIN, None, text="x"), said(1, WIN, None, text="x", model="b/two")])
        assert (found.owed, found.read) == (2, 1)

    def test_none_unparsed_of_many_users_is_not_certain(self):
        found = reading_figures([said(number, WIN, WIN) for number in range(20)])
        assert found.unparsed.value == 0
        assert 0.1 < found.unparsed.interval.high < 0.3

    def test_nothing_owed_is_no_figure(self):
        found = reading_figures([])
        assert (found.owed, found.unparsed.value, found.unparsed.reason) == (0, None, Why.UNDEFINED)


class TestPositions:
    def test_they_are_those_of_a_scorecard(self):
        entries = [
            answered(make_item(f"test_1/{number}", user_id=number % 11), *outcomes)
            for number, outcomes in enumerate(
                [(WIN, WIN), (WIN, LOSS), (LOSS, WIN), (TIE, WIN), (TIE, TIE), (WIN, None), (LOSS, LOSS)] * 6
            )
        ]
        items = [entry.item for entry in entries]
        rows = [row for entry in entries for row in entry.generations], [r for e in entries for r in e.verdicts]
        result = score(items, *rows)
        found = position_figures(judged_of(join_rows(items, *rows), {}))
        assert found.consistency.value == pytest.approx(result.position_consistency.value / 100)
        assert (found.consistency.counted, found.consistency.possible) == (36, 42)
        assert found.slot_a.value == pytest.approx(result.slot_a_share.value / 100)
        assert found.slot_a.counted == result.slot_a_share.judged
        assert found.slot_a.possible == result.slot_a_share.items
        assert found.slot_a.interval is not None

    def test_schedule_questions_have_no_slots(self):
        found = position_figures([said(1, YES, type_=SCHEDULE)])
        assert (found.consistency.possible, found.slot_a.value) == (0, None)


class TestCosts:
    ITEM = make_item("test_1/1", user_id=1)

    def test_all_attempts_at_a_verdict_are_added_up(self):
        one, two = (make_generation(make_input_key(f"test_1/{number}")) for number in (1, 2))
        items = {f"test_1/{number}": make_item(f"test_1/{number}", user_id=number) for number in (1, 2)}
        first = make_verdict(one, None, seconds=1.0)
        rows = [
            first,
            make_verdict(one, WIN, attempt=2, seconds=2.0),
            make_verdict(two, WIN, SlotOrder.GOLD_FIRST, cached_tokens=None, output_tokens=10, seconds=0.0),
            first,
            make_verdict(make_generation(make_input_key("test_1/3")), WIN),
        ]
        found = costs_of(map(Attempt.of, rows), items)
        assert (found.verdicts, found.rows) == (2, 3)
        assert (found.prompt_tokens.value, found.output_tokens.value) == (300, 25)
        assert (found.computed_tokens.value, found.computed_tokens.counted) == (100, 1)
        assert (found.seconds.value, found.seconds.counted, found.seconds.possible) == (3, 1, 2)

    def test_seconds_that_nobody_told_are_missing(self):
        row = make_verdict(make_generation(make_input_key("test_1/1")), WIN, seconds=0.0)
        found = costs_of([Attempt.of(row)], {"test_1/1": self.ITEM})
        assert (found.seconds.value, found.seconds.reason, found.seconds.possible) == (None, Why.UNTOLD, 1)

    def test_the_mean_has_an_interval_over_users(self):
        attempts = [Attempt(f"{n}", f"test_1/{n}", 1, 100, 0, 10 + n % 2, 0.5 + n % 3) for n in range(24)]
        found = costs_of(attempts, {f"test_1/{n}": make_item(f"test_1/{n}", user_id=n) for n in range(24)})
        assert found.seconds.interval.low < found.seconds.value == 1.5 < found.seconds.interval.high
        assert (found.prompt_tokens.interval, found.prompt_tokens.reason) == (None, Why.NOTHING_VARIES)


class TestLength:
    def test_one_group_is_the_corrected_odds_ratio(self):
        longer = [said(number, WIN, WIN) for number in range(6)] + [said(number, LOSS, WIN) for number in range(6, 9)]
        shorter = [said(number, LOSS, LOSS, answer=5) for number in range(9, 13)] + [said(13, WIN, TIE, answer=5)]
        found = length_preference([*longer, *shorter])
        counts = (found.longer_wins, found.longer_loses, found.shorter_wins, found.shorter_loses)
        assert counts == (15, 3, 1, 8)
        assert found.odds_ratio.value == pytest.approx(15.5 * 8.5 / (3.5 * 1.5), abs=1e-5)
        assert (found.odds_ratio.counted, found.odds_ratio.possible, found.odds_ratio.users) == (27, 28, 14)
        assert (found.ties, found.groups) == (1, 1)

    def test_words_that_tell_nothing_are_counted(self):
        found = length_preference(
            [
                said(1, WIN, LOSS, answer=10),
                said(2, TIE, WIN, answer=None),
                said(3, WIN, WIN, model="b/two"),
                said(4, WIN, None),
                said(5, YES, type_=SCHEDULE),
                said(6, TIE, TIE),
            ]
        )
        assert (found.same_length, found.unknown_length, found.uninformative, found.ties) == (2, 1, 2, 3)
        assert (found.odds_ratio.value, found.odds_ratio.reason) == (None, Why.NO_CONTRAST)
        assert found.odds_ratio.possible == 8

    def test_a_model_that_is_better_and_longer_is_no_leaning(self):
        """Each model wins as often with a longer answer as with a shorter one; the good one is mostly longer."""
        good = [said(n, *(WIN if n % 4 else LOSS,) * 2, answer=20 if n // 4 % 6 else 5) for n in range(96)]
        bad = [
            said(n, *(LOSS if n % 4 else WIN,) * 2, answer=5 if n // 4 % 6 else 20, model="b/two") for n in range(96)
        ]
        assert length_preference([*good, *bad]).odds_ratio.value == pytest.approx(1, abs=0.02)
        assert length_preference([each._replace(model="one") for each in [*good, *bad]]).odds_ratio.value > 3

    def test_a_group_that_tells_nothing_changes_nothing(self):
        telling = [said(n, WIN if n % 3 else LOSS, WIN, answer=20 if n % 2 else 5) for n in range(40)]
        all_longer = [said(n, WIN if n % 5 else LOSS, WIN, model="b/two") for n in range(40)]
        all_lost = [said(n, LOSS, LOSS, model="c/three", answer=20 if n % 7 else 5) for n in range(40)]
        alone, beside = length_preference(telling), length_preference([*telling, *all_longer, *all_lost])
        assert beside.odds_ratio == alone.odds_ratio.model_copy(update={"possible": 240})
        assert (beside.groups, beside.uninformative) == (1, 160)

    def test_a_count_of_zero_leaves_the_interval_open(self):
        pairs = [said(number, WIN, WIN) for number in range(12)]
        pairs += [said(number, LOSS, WIN, answer=5) for number in range(12, 24)]
        found = length_preference(pairs)
        assert found.longer_loses == 0
        assert found.odds_ratio.value > 1
        assert (found.odds_ratio.interval, found.odds_ratio.reason) == (None, Why.EMPTY_CELL)

    def test_an_end_that_no_number_holds_is_no_interval(self):
        found = shown(Spread(0.0, 400.0, 11, 12), Method.STUDENT, 20, 30, math.exp)
        assert (found.value, found.interval, found.reason) == (1, None, Why.ONE_DECIDES)
        near = shown(Spread(0.0, 0.5, 11, 12), Method.STUDENT, 20, 30, math.exp)
        assert near.interval.low == pytest.approx(1 / near.interval.high, abs=1e-5)

    def test_beside_itself_a_judge_leans_no_more(self):
        own = [said(n, WIN if n % 3 else LOSS, WIN, answer=20 if n % 2 else 5) for n in range(40)]
        (beside,) = length_preference(own, {"itself": own}).beside
        assert (beside.rater, beside.items) == ("itself", 40)
        assert beside.own == beside.other
        assert (beside.ratio.value, beside.ratio.reason) == (1.0, Why.NOTHING_VARIES)

    def test_beside_another_only_shared_answers_count(self):
        own = [said(n, WIN if n % 3 else LOSS, WIN, answer=20 if n % 2 else 5) for n in range(40)]
        other = [each._replace(model=None, answer_characters=None) for each in own[:30]] + [said(99, WIN, LOSS)]
        (beside,) = length_preference(own, {"people": other}).beside
        assert beside.items == 30
        assert beside.own.value == length_preference(own[:30]).odds_ratio.value
        assert beside.other.value == beside.own.value


FAMILIES = {"a/one": "a", "b/two": "b", "c/three": None}


class TestFamily:
    def test_a_difference_in_differences(self):
        own = [
            said(1, WIN, WIN),
            said(2, WIN, LOSS),
            said(1, LOSS, LOSS, model="b/two", text="b1"),
            said(2, WIN, LOSS, model="b/two", text="b2"),
            said(3, WIN, WIN, model="c/three"),
            said(4, WIN, WIN),
            said(5, WIN, None),
            said(6, YES, type_=SCHEDULE),
        ]
        first = [said(1, LOSS, WIN), said(1, LOSS, LOSS, text="b1"), said(2, WIN, WIN, text="b2")]
        second = [said(1, LOSS, LOSS), said(2, LOSS, LOSS)]
        found = family_preference("a", own, {"x": first, "y": second}, FAMILIES)
        assert (found.own_family, found.own_rest) == (0.75, 0.25)
        assert (found.others_family, found.others_rest) == (0.125, 0.5)
        assert found.difference.value == pytest.approx((0.75 - 0.25) - (0.125 - 0.5))
        assert (found.difference.counted, found.difference.possible) == (4, 6)
        assert (found.unknown_family, found.not_shared) == (1, 1)
        assert (found.models_family, found.models_rest, found.against) == (1, 1, ("x", "y"))

    def test_without_a_family_nothing_is_told(self):
        found = family_preference(None, [said(1, WIN, WIN)], {"x": [said(1, WIN, WIN)]}, FAMILIES)
        assert (found.difference.value, found.difference.reason, found.own_rest) == (None, Why.UNTOLD, None)

    def test_without_another_model_it_is_not_defined(self):
        found = family_preference("a", [said(1, WIN, WIN)], {"x": [said(1, WIN, LOSS)]}, FAMILIES)
        assert (found.difference.value, found.difference.reason) == (None, Why.UNDEFINED)
        assert (found.own_family, found.own_rest) == (1, None)


OWN = [said(1, WIN, WIN), said(2, WIN, LOSS), said(3, LOSS, LOSS), said(4, NO, type_=SCHEDULE)]
OTHER = [
    said(1, WIN, TIE),
    said(2, LOSS, LOSS),
    said(3, LOSS, LOSS),
    said(4, YES, type_=SCHEDULE),
    said(5, WIN, WIN, type_=PROFILE),
]


class TestAgreement:
    def test_answers_that_both_judged(self):
        found = agreement_between(OWN, "other", OTHER, UNTOLD)
        every = slice_of(found.slices, Slice.ALL)
        assert (found.other, found.conflicting) == ("other", 0)
        assert (every.same.value, every.same.counted, every.same.possible, every.same.users) == (0.5, 4, 5, 4)
        assert every.bias.value == pytest.approx((0.25 + 0.5 + 0 - 1) / 4)
        assert (every.same.interval, every.same.reason) == (None, Why.FEW_CLUSTERS)

    def test_kappas_of_a_type(self):
        persona = slice_of(agreement_between(OWN, "other", OTHER, UNTOLD).slices, Slice.PERSONA)
        assert (persona.same.value, persona.same.counted) == (pytest.approx(2 / 3), 3)
        chance = (1 * 1 + 1 * 0 + 1 * 2) / 9
        assert persona.kappa.value == pytest.approx((2 / 3 - chance) / (1 - chance), abs=1e-6)
        apart, expected = 1 / 3, (2 * 4 + (2 * 1 + 1 * 1) + 1 * 4) / 9
        assert persona.kappa_quadratic.value == pytest.approx(1 - apart / expected, abs=1e-6)

    def test_a_slice_without_answers_is_empty(self):
        profile = slice_of(agreement_between(OWN, "other", OTHER, UNTOLD).slices, Slice.PROFILE)
        assert (profile.same.value, profile.same.counted, profile.same.possible) == (None, 0, 1)
        assert profile.kappa.reason is Why.UNDEFINED

    def test_what_it_was_not_trained_on(self):
        training = Training(types=frozenset({PERSONA}), models=frozenset({"a/one"}))
        own = [*OWN, said(2, WIN, WIN, model="b/two", text="b"), said(1, WIN, WIN, model="b/two")]
        slices = agreement_between(own, "other", [*OTHER, said(2, WIN, WIN, model=None, text="b")], training).slices
        counts = {each.slice.value: (each.same.counted, each.same.possible) for each in slices}
        assert counts["new_types"] == (1, 2)
        assert counts["new_models"] == (1, 1), "the answer that both models gave is not new"
        assert counts["trained_on"] == (3, 3)

    def test_nobody_says_what_it_was_trained_on(self):
        slices = agreement_between(OWN, "other", OTHER, UNTOLD).slices
        for wanted in (Slice.NEW_TYPES, Slice.NEW_MODELS, Slice.TRAINED_ON):
            found = slice_of(slices, wanted).kappa
            assert (found.value, found.reason, found.possible) == (None, Why.UNTOLD, 5)

    def test_who_was_trained_on_nothing_here_finds_everything_new(self):
        slices = agreement_between(OWN, "other", OTHER, Training(types=frozenset(), models=NOT_ONE)).slices
        assert slice_of(slices, Slice.NEW_TYPES).same == slice_of(slices, Slice.ALL).same
        assert slice_of(slices, Slice.TRAINED_ON).same.possible == 0
