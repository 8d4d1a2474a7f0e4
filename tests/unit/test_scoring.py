"""Figures from rows, by example: what counts, what is missing, and what a Total means."""

import pytest

from evaluator.errors import Cause
from evaluator.hicupid.scoring import score, total_of
from evaluator.records import Defect, SlotOrder
from tests.builders import (
    BOTH_ORDERS,
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
from tests.unit.scored import one_of_each, result_of


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
    result = result_of(answered(make_item("test_1/1"), WIN, WIN), answered(make_item("test_1/2"), None, None))
    assert (result.verdicts, result.missing) == (2, 2)
    assert (result.persona.score.value, result.persona.score.judged, result.persona.score.items) == (100, 1, 2)
    assert result.persona.tie.value == result.persona.loss.value == 0


@pytest.mark.parametrize("half", [(WIN, None), (None, WIN)], ids=["answer first", "gold first"])
def test_half_a_pair_counts_in_no_rate(half):
    result = result_of(answered(make_item("test_1/1"), TIE, TIE), answered(make_item("test_1/2"), *half))
    assert (result.judged, result.judged_share, result.verdicts, result.missing) == (1, 0.5, 3, 1)
    for rate, value in [(result.persona.score, 50), (result.persona.tie, 100), (result.persona.win, 0)]:
        assert (rate.value, rate.judged, rate.items) == (value, 1, 2)
    assert result.total.judged == result.judged


def test_every_missing_verdict_has_its_cause():
    unread, refused = answered(make_item("test_1/1")), answered(make_item("test_1/2"))
    failed = make_generation(make_input_key("test_1/3"), None, failure=Cause.TIMEOUT)
    result = result_of(
        answered(make_item("test_1/0"), WIN, None),
        unread._replace(verdicts=[make_verdict(unread.generations[0], None, attempt=number) for number in (1, 2)]),
        refused._replace(
            verdicts=[
                make_verdict(refused.generations[0], None, order, failure=Cause.CONTEXT_OVERFLOW)
                for order in BOTH_ORDERS
            ]
        ),
        Answered(make_item("test_1/3"), (failed,), ()),
        Answered(make_item("test_1/4", SCHEDULE), (), ()),
    )
    assert result.missing_because == (
        ("judge_context_overflow", 2),
        ("not_generated", 1),
        ("not_judged", 2),
        ("timeout", 2),
        ("unparsed", 1),
    )
    assert result.missing == 8
    assert result.failures == (("timeout", 1),)


def test_an_answer_with_a_defect_loses_in_every_order_without_a_verdict():
    result = result_of(
        answered(make_item("test_1/1"), defect=Defect.EMPTY),
        answered(make_item("test_1/2"), WIN, WIN),
        answered(make_item("test_1/3", PROFILE), defect=Defect.REPETITION),
        answered(make_item("test_1/4", SCHEDULE), defect=Defect.EMPTY),
        answered(make_item("test_1/5", SCHEDULE), YES),
    )
    assert result.defects == (("empty", 2), ("repetition", 1))
    assert (result.judged, result.items, result.judged_share) == (5, 5, 1)
    assert (result.verdicts, result.missing) == (3, 0)
    assert (result.persona.score.value, result.persona.loss.value, result.persona.win.value) == (50, 50, 50)
    assert (result.profile.loss.value, result.schedule.value) == (100, 50)
    assert result.total.value == result.total.worst_case == total_of(50, 0, 50)


def test_a_verdict_on_an_answer_with_a_defect_changes_nothing():
    lost = answered(make_item("test_1/1"), defect=Defect.CONTROL_TOKENS)
    judged = answered(lost.item, WIN, WIN, defect=Defect.CONTROL_TOKENS)
    assert result_of(judged) == result_of(lost)


def test_a_verdict_that_could_not_be_read_is_missing():
    entry = answered(make_item("test_1/1"), WIN, None)
    unreadable = make_verdict(entry.generations[0], None, SlotOrder.GOLD_FIRST)
    result = result_of(entry._replace(verdicts=(*entry.verdicts, unreadable)))
    assert (result.verdicts, result.missing, result.missing_because) == (1, 1, (("unparsed", 1),))


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
    assert (total.value, total.interval) == (None, None)
    full = {PERSONA: 50, PROFILE: 50, SCHEDULE: 100}
    at_worst = total_of(*(0 if type_ is absent else full[type_] for type_ in full))
    assert total.worst_case == (at_worst if asked else None)


def test_the_worst_case_takes_every_missing_verdict_for_a_loss():
    result = result_of(
        *one_of_each([WIN, WIN], [TIE, TIE], [YES]),
        answered(make_item("test_1/half"), WIN, None),
        answered(make_item("test_1/unjudged", SCHEDULE), None),
    )
    assert result.total.value == total_of(100, 50, 100)
    assert result.total.worst_case == total_of(75, 50, 50)
    assert (result.total.judged, result.total.items) == (3, 5)


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


def test_position_consistency_is_the_share_of_two_order_items_that_agree():
    result = result_of(
        answered(make_item("test_1/1"), WIN, WIN),
        answered(make_item("test_1/2", PROFILE), TIE, TIE),
        answered(make_item("test_1/3"), WIN, LOSS),
        answered(make_item("test_1/4"), TIE, LOSS),
        answered(make_item("test_1/half"), WIN, None),
        answered(make_item("test_1/empty"), defect=Defect.EMPTY),
        answered(make_item("test_1/single", SCHEDULE), YES),
        answered(make_item("test_1/one", orders=(SlotOrder.GOLD_FIRST,)), WIN),
    )
    consistency = result.position_consistency
    assert (consistency.value, consistency.judged, consistency.items) == (50, 4, 5)


def test_a_judge_that_looks_at_the_slot_alone_is_told_by_its_share_of_a():
    always_a = [answered(make_item(f"test_1/{number}"), WIN, LOSS) for number in range(3)]
    always_b = [answered(make_item(f"test_1/{number}", PROFILE), LOSS, WIN) for number in range(3)]
    for entries, share in ((always_a, 100), (always_b, 0)):
        slot_a = result_of(*entries).slot_a_share
        assert (slot_a.value, slot_a.judged, slot_a.items) == (share, 6, 6)


def test_a_judge_that_prefers_an_answer_says_a_half_the_time_whichever_it_is():
    slot_a = result_of(
        answered(make_item("test_1/1"), WIN, WIN),
        answered(make_item("test_1/2"), LOSS, LOSS),
        answered(make_item("test_1/3"), LOSS, LOSS),
    ).slot_a_share
    assert (slot_a.value, slot_a.judged) == (50, 6)


def test_the_share_of_slot_a_is_of_preferences_in_pairs_read_in_both_orders():
    slot_a = result_of(
        answered(make_item("test_1/1"), WIN, TIE),
        answered(make_item("test_1/ties"), TIE, TIE),
        answered(make_item("test_1/half"), LOSS, None),
        answered(make_item("test_1/empty"), defect=Defect.EMPTY),
        answered(make_item("test_1/single", SCHEDULE), YES),
        answered(make_item("test_1/one", orders=(SlotOrder.ANSWER_FIRST,)), LOSS),
    ).slot_a_share
    assert (slot_a.value, slot_a.judged, slot_a.items) == (100, 1, 6)


def test_each_split_has_scores_of_its_own():
    seen = one_of_each([TIE, TIE], [WIN, WIN], [YES])
    unseen = [
        answered(make_item(f"test_2/{type_}", type_), *pair) for type_, pair in ((PERSONA, [LOSS, TIE]), (PROFILE, []))
    ]
    first, second = result_of(*seen, *unseen).by_split
    assert (first.split, first.persona.score.value, first.profile.win.value, first.schedule.value) == (
        "test_1",
        50,
        100,
        100,
    )
    assert first.total.value == total_of(50, 100, 100)
    assert (second.split, second.persona.score.value, second.profile.score.value) == ("test_2", 25, None)
    assert (second.schedule.items, second.total.value, second.total.items) == (0, None, 2)


def test_the_same_user_id_in_another_split_is_another_user():
    result = result_of(answered(make_item("test_1/1"), WIN, WIN), answered(make_item("test_2/1"), WIN, WIN))
    assert result.users == 2


def test_overlap_with_gold_is_of_all_answers_judged_or_not():
    result = result_of(
        answered(make_item("test_1/1"), bleu=10.0, rouge_l=40.0),
        answered(make_item("test_1/2", SCHEDULE), bleu=0.0, rouge_l=0.0, defect=Defect.EMPTY),
        Answered(
            make_item("test_1/3"), (make_generation(make_input_key("test_1/3"), None, failure=Cause.TIMEOUT),), ()
        ),
    )
    for rate, value in ((result.bleu, 5), (result.rouge_l, 20)):
        assert (rate.value, rate.judged, rate.items) == (value, 2, 3)


def test_evidence_recall_is_of_items_that_have_evidence():
    without = make_item("test_1/2", SCHEDULE).model_copy(update={"evidence": (), "evidence_position": ()})
    result = result_of(
        answered(make_item("test_1/1"), evidence_recall=0.5),
        answered(without, evidence_recall=None),
        Answered(make_item("test_1/3"), (), ()),
    )
    assert (result.evidence_recall.value, result.evidence_recall.judged, result.evidence_recall.items) == (50, 1, 2)


def test_ten_users_are_enough_for_intervals_and_nine_are_not():
    def by_users(number):
        return [
            answered(make_item(f"test_1/{user}-{type_}", type_, user), *([YES] if type_ is SCHEDULE else [WIN, LOSS]))
            for user in range(number)
            for type_ in (PERSONA, PROFILE, SCHEDULE)
        ]

    nine, ten = result_of(*by_users(9)), result_of(*by_users(10))
    names = ("persona", "schedule", "total", "bleu", "rouge_l", "evidence_recall", "position_consistency")
    for name in (*names, "slot_a_share"):
        few, enough = (getattr(result, name) for result in (nine, ten))
        few, enough = (few.score, enough.score) if name == "persona" else (few, enough)
        assert few.interval is None, name
        assert enough.interval.users == 10, name


def test_an_interval_never_leaves_the_possible_range():
    outcomes = [[WIN, WIN]] * 9 + [[LOSS, LOSS]]
    entries = [answered(make_item(f"test_1/{user}", user_id=user), *pair) for user, pair in enumerate(outcomes)]
    interval = result_of(*entries).persona.win.interval
    assert 0 < interval.low < 90 < interval.high == 100
