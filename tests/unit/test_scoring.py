"""Figures from rows, by example: what counts, what is missing, and what a Total means."""

import pytest

from evaluator.errors import Cause
from evaluator.hicupid.scoring import score, total_of
from evaluator.records import SlotOrder
from evaluator.results import Result
from tests.builders import (
    LOSS,
    NO,
    PERSONA,
    PROFILE,
    SCHEDULE,
    TIE,
    WIN,
    YES,
    Answered,
    answered,
    make_generation,
    make_input_key,
    make_item,
    make_verdict,
)


def result_of(*entries: Answered) -> Result:
    return score(
        [entry.item for entry in entries],
        [row for entry in entries for row in entry.generations],
        [row for entry in entries for row in entry.verdicts],
    )


def one_of_each(persona, profile, schedule) -> list[Answered]:
    """One item of each type with the given outcomes."""
    return [
        answered(make_item("test_1/persona", PERSONA), *persona),
        answered(make_item("test_1/profile", PROFILE), *profile),
        answered(make_item("test_1/schedule", SCHEDULE), *schedule),
    ]


@pytest.mark.parametrize(
    ("persona", "schedule", "profile", "published"),
    [
        pytest.param(44.7, 8.8, 10.8, 30.4, id="GPT-4o-mini zero-shot"),
        pytest.param(42.6, 75.4, 11.4, 37.5, id="GPT-4o-mini 3-shot"),
        pytest.param(48.1, 98.1, 18.4, 44.6, id="Llama-3.1-8B SFT+DPO"),
        pytest.param(43.2, 99.9, 38.1, 44.2, id="Qwen2.5-7B SFT+DPO"),
    ],
)
def test_the_total_reproduces_the_published_rows(persona, schedule, profile, published):
    assert total_of(persona, profile, schedule) == pytest.approx(published, abs=0.07)


@pytest.mark.parametrize(
    ("persona", "profile", "schedule", "total"),
    [
        pytest.param([TIE, TIE], [TIE, TIE], [YES], 50, id="as good as gold"),
        pytest.param([WIN, WIN], [WIN, WIN], [YES], 87.5, id="the maximum"),
        pytest.param([LOSS, LOSS], [LOSS, LOSS], [NO], 0, id="the minimum"),
        pytest.param([LOSS, LOSS], [LOSS, LOSS], [YES], 12.5, id="a perfect schedule alone"),
        pytest.param([WIN, WIN], [LOSS, LOSS], [NO], 62.5, id="persona alone"),
        pytest.param([LOSS, LOSS], [WIN, WIN], [NO], 12.5, id="profile alone"),
    ],
)
def test_the_total_of_rows(persona, profile, schedule, total):
    assert result_of(*one_of_each(persona, profile, schedule)).total.value == total


def test_types_keep_their_weight_however_many_items_they_have():
    more_losses = [answered(make_item(f"test_1/{number}", PERSONA), LOSS, LOSS) for number in range(3)]
    result = result_of(*one_of_each([WIN, WIN], [TIE, TIE], [YES]), *more_losses)
    assert result.persona.score.value == 25
    assert result.total.value == total_of(25, 50, 100)


def test_an_item_judged_in_two_orders_scores_the_mean():
    persona = result_of(answered(make_item("test_1/1"), WIN, LOSS)).persona
    assert (persona.win.value, persona.tie.value, persona.loss.value, persona.score.value) == (50, 0, 50, 50)


def test_win_tie_and_loss_rates_add_up_to_a_hundred():
    persona = result_of(
        answered(make_item("test_1/1"), WIN, TIE),
        answered(make_item("test_1/2"), LOSS, None),
        answered(make_item("test_1/3"), TIE, TIE),
    ).persona
    assert persona.win.value + persona.tie.value + persona.loss.value == pytest.approx(100)
    assert persona.score.value == pytest.approx(persona.win.value + persona.tie.value / 2, abs=1e-5)


def test_a_missing_verdict_is_counted_and_is_neither_tie_nor_loss():
    result = result_of(answered(make_item("test_1/1"), WIN, None), answered(make_item("test_1/2"), None, None))
    assert (result.verdicts, result.missing) == (1, 3)
    assert (result.persona.score.value, result.persona.score.judged, result.persona.score.items) == (100, 1, 2)
    assert result.persona.tie.value == result.persona.loss.value == 0


def test_a_verdict_that_could_not_be_read_is_missing():
    entry = answered(make_item("test_1/1"), WIN, None)
    unreadable = make_verdict(entry.generations[0], None, SlotOrder.GOLD_FIRST)
    assert result_of(entry._replace(verdicts=(*entry.verdicts, unreadable))) == result_of(entry)


def test_nothing_is_a_rate_of_nothing():
    result = result_of(answered(make_item("test_1/1"), None, None))
    assert result.persona.score.value is None
    assert result.position_consistency.value is None
    assert result.schedule.items == 0


@pytest.mark.parametrize("absent", [PERSONA, PROFILE, SCHEDULE])
@pytest.mark.parametrize("asked", [True, False], ids=["asked, not judged", "not asked"])
def test_without_one_of_the_types_there_is_no_total(absent, asked):
    entries = []
    for entry in one_of_each([TIE, TIE], [TIE, TIE], [YES]):
        if entry.item.type is not absent:
            entries.append(entry)
        elif asked:
            entries.append(entry._replace(verdicts=()))
    total = result_of(*entries).total
    assert (total.value, total.worst_case, total.interval) == (None, None, None)


def test_the_worst_case_takes_every_missing_verdict_for_a_loss():
    result = result_of(
        *one_of_each([WIN, None], [TIE, TIE], [YES]),
        answered(make_item("test_1/unjudged", SCHEDULE), None),
    )
    assert result.total.value == total_of(100, 50, 100)
    assert result.total.worst_case == total_of(50, 50, 50)


def test_with_every_verdict_there_the_worst_case_is_the_total():
    total = result_of(*one_of_each([WIN, TIE], [LOSS, TIE], [YES])).total
    assert total.worst_case == total.value


def test_items_without_an_answer_are_counted_by_cause_and_have_no_verdict():
    too_long = [
        Answered(
            make_item(f"test_1/{number}"),
            (make_generation(make_input_key(f"test_1/{number}"), None, failure=cause),),
            (),
        )
        for number, cause in enumerate([Cause.TIMEOUT, Cause.CONTEXT_OVERFLOW, Cause.TIMEOUT])
    ]
    result = result_of(answered(make_item("test_1/answered"), TIE, TIE), *too_long)
    assert result.failures == (("context_overflow", 1), ("timeout", 2))
    assert (result.items, result.generations, result.verdicts, result.missing) == (4, 1, 2, 6)
    assert result.persona.score.value == 50


def test_a_question_that_was_never_answered_is_missing_without_a_failure():
    result = score([make_item("test_1/1")], [], [])
    assert (result.items, result.generations, result.missing, result.failures) == (1, 0, 2, ())


def test_of_several_attempts_at_a_question_the_last_counts():
    item = make_item("test_1/1")
    failed = make_generation(make_input_key("test_1/1"), None, failure=Cause.TIMEOUT, attempt=1)
    second = answered(item, WIN, WIN, attempt=2)
    result = score([item], [*second.generations, failed], second.verdicts)
    assert (result.generations, result.failures, result.persona.score.value) == (1, (), 100)


def test_of_several_attempts_at_a_verdict_the_last_readable_counts():
    entry = answered(make_item("test_1/1"))
    (answer,) = entry.generations
    attempts = [make_verdict(answer, outcome, attempt=number) for number, outcome in [(2, WIN), (1, LOSS), (3, None)]]
    assert result_of(entry._replace(verdicts=tuple(attempts))).persona.score.value == 100


def test_verdicts_on_another_answer_to_the_same_question_do_not_count():
    entry = answered(make_item("test_1/1"), LOSS, LOSS)
    replaced = make_generation(entry.generations[0].key, "Another answer.", attempt=2)
    result = score([entry.item], [*entry.generations, replaced], entry.verdicts)
    assert (result.generations, result.verdicts, result.missing) == (1, 0, 2)


def test_an_answer_given_to_two_questions_is_judged_for_each():
    items = [make_item("test_1/1"), make_item("test_1/2")]
    answers = [make_generation(make_input_key(item.question_id), "Same.") for item in items]
    result = score(items, answers, [make_verdict(answers[0], WIN, SlotOrder.ANSWER_FIRST)])
    assert (result.verdicts, result.persona.score.judged) == (1, 1)


def test_position_consistency_is_the_share_of_two_order_items_that_agree():
    result = result_of(
        answered(make_item("test_1/1"), WIN, WIN),
        answered(make_item("test_1/2", PROFILE), TIE, TIE),
        answered(make_item("test_1/3"), WIN, LOSS),
        answered(make_item("test_1/4"), TIE, LOSS),
        answered(make_item("test_1/half"), WIN, None),
        answered(make_item("test_1/single", SCHEDULE), YES),
        answered(make_item("test_1/one", orders=(SlotOrder.GOLD_FIRST,)), WIN),
    )
    consistency = result.position_consistency
    assert (consistency.value, consistency.judged, consistency.items) == (50, 4, 5)


def test_each_split_has_a_total_of_its_own():
    seen = one_of_each([TIE, TIE], [TIE, TIE], [YES])
    unseen = [answered(make_item(f"test_2/{type_}", type_, user_id=2)) for type_ in (PERSONA, PROFILE, SCHEDULE)]
    result = result_of(*seen, *unseen)
    assert [(split, total.value) for split, total in result.by_split] == [("test_1", 50), ("test_2", None)]
    assert result.users == 2


def test_ten_users_are_enough_for_intervals_and_nine_are_not():
    def by_users(number):
        return [
            answered(make_item(f"test_1/{user}-{type_}", type_, user), *([YES] if type_ is SCHEDULE else [WIN, LOSS]))
            for user in range(number)
            for type_ in (PERSONA, PROFILE, SCHEDULE)
        ]

    nine, ten = result_of(*by_users(9)), result_of(*by_users(10))
    assert nine.total.interval is nine.persona.score.interval is nine.schedule.interval is None
    assert ten.total.interval.users == ten.persona.score.interval.users == ten.schedule.interval.users == 10


def test_an_interval_never_leaves_the_possible_range():
    outcomes = [[WIN, WIN]] * 9 + [[LOSS, LOSS]]
    entries = [answered(make_item(f"test_1/{user}", user_id=user), *pair) for user, pair in enumerate(outcomes)]
    interval = result_of(*entries).persona.win.interval
    assert 0 < interval.low < 90 < interval.high == 100
