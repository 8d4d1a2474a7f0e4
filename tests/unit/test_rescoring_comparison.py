"""Two judges of known rules on the same answers: what a comparison finds is known before it is made."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import MadeOn
from evaluator.hicupid.questions import Item, QuestionType
from evaluator.hicupid.scoring import score
from evaluator.hicupid.user_scores import user_scores
from evaluator.metrics.clustered import Missing
from evaluator.records import Defect, Generation, Outcome, SlotOrder, Verdict
from leaderboard.rescoring.comparing import Comparing
from leaderboard.rescoring.comparing_rows import RunOfBoth, Scored
from leaderboard.rescoring.comparison import Comparison, Move
from leaderboard.scorecards import UserScores
from tests.builders import (
    LOSS,
    NO,
    PERSONA,
    SCHEDULE,
    TERMS,
    TIE,
    WIN,
    YES,
    make_generation,
    make_input_key,
    make_item,
    make_scorecard,
    make_verdict,
    make_verdict_key,
)

OLD, NEW = "old-judge", "new-judge"
MADE_ON = MadeOn("vllm", "float32", "vllm", "float32")

Rule = Callable[[Generation, Item, SlotOrder], Outcome | None]
"""What a judge says of an answer in a slot order; None for a verdict that cannot be read."""


def items_of(users: int = 12, each: int = 4) -> list[Item]:
    """Some questions of each type for each user."""
    return [
        make_item(f"test_1/{user}-{type_}-{number}", type_, user)
        for user in range(users)
        for type_ in QuestionType
        for number in range(each)
    ]


def answers_to(items: Sequence[Item], model: str, **changes: Any) -> list[Generation]:
    return [
        make_generation(
            make_input_key(item.question_id, model=model), answer=f"{model} on {item.question_id}.", **changes
        )
        for item in items
    ]


def verdicts_of(judge: str, rule: Rule, items: Sequence[Item], answers: Sequence[Generation]) -> list[Verdict]:
    """What a judge says of all answers; nothing of those that no judge reads."""
    return [
        make_verdict(
            answer,
            outcome := rule(answer, item, order),
            order,
            make_verdict_key(answer, order, rater=judge),
            completion=f"{judge} finds: {outcome}.",
        )
        for item, answer in zip(items, answers, strict=True)
        if answer.content_hash is not None and answer.defect is None
        for order in item.orders
    ]


def scored(
    run_id: str,
    model: str,
    judge: str,
    items: Sequence[Item],
    answers: Sequence[Generation],
    verdicts: Sequence[Verdict],
    **changes: Any,
) -> Scored:
    card = make_scorecard(
        model,
        **{
            "id": f"{run_id}@{judge}",
            "run_id": run_id,
            "judge": judge,
            "result": score(items, answers, verdicts, MADE_ON),
        }
        | changes,
    )
    users = user_scores(items, answers, verdicts, MADE_ON)
    return Scored(card, UserScores(scorecard_id=card.id, rows_sha=card.rows_sha, users=users, terms=TERMS), verdicts)


def run_of(
    number: int,
    old: Rule | None,
    new: Rule | None,
    items: Sequence[Item] | None = None,
    answers: Sequence[Generation] | None = None,
    card: dict[str, Any] | None = None,
    **parts: Any,
) -> RunOfBoth:
    """A run of a model of its own that two judges of known rules have read."""
    items = items_of() if items is None else items
    run_id, model = f"s-20260301-{number:08x}.demo-v1", f"org/model-{number:02}"
    answers = answers_to(items, model) if answers is None else answers
    sides = [
        None
        if rule is None
        else scored(run_id, model, judge, items, answers, verdicts_of(judge, rule, items, answers), **(card or {}))
        for judge, rule in ((OLD, old), (NEW, new))
    ]
    return RunOfBoth(items, answers, *sides, **parts)


def compared(*runs: RunOfBoth, **settings: Any) -> Comparison:
    comparing = Comparing("demo-v1", OLD, NEW, **settings)
    for run in runs:
        comparing.add(run)
    return comparing.finish()


def drawn(seed: str, shares: tuple[float, float, float] = (0.4, 0.2, 0.4)) -> Rule:
    """A judge whose word hangs on the answer alone, win, tie and loss in these shares."""

    def rule(answer: Generation, item: Item, order: SlotOrder) -> Outcome:
        draw = random.Random(f"{seed} {answer.content_hash}").random()
        if item.type is SCHEDULE:
            return YES if draw < shares[0] else NO
        return WIN if draw < shares[0] else TIE if draw < shares[0] + shares[1] else LOSS

    return rule


def noisy(rule: Rule, share: float, seed: str = "noise") -> Rule:
    """The same judge, but for a share of verdicts that are drawn anew whatever the answer."""

    def changed(answer: Generation, item: Item, order: SlotOrder) -> Outcome | None:
        source = random.Random(f"{seed} {answer.content_hash} {order}")
        if source.random() >= share:
            return rule(answer, item, order)
        return source.choice([YES, NO] if item.type is SCHEDULE else [WIN, TIE, LOSS])

    return changed


def but(rule: Rule, said: dict[tuple[str, SlotOrder], Outcome | None]) -> Rule:
    """The same judge, but for some verdicts, by question and slot order."""

    def changed(answer: Generation, item: Item, order: SlotOrder) -> Outcome | None:
        place = item.question_id, order
        return said[place] if place in said else rule(answer, item, order)

    return changed


def always(pair: Outcome, schedule: Outcome) -> Rule:
    return lambda answer, item, order: schedule if item.type is SCHEDULE else pair


def test_a_judge_beside_itself_flips_nothing_and_moves_nobody() -> None:
    runs = [run_of(number, drawn("a"), drawn("a")) for number in range(3)]

    found = compared(*runs)

    every = [found.agreement, *(each.agreement for each in found.by_type), *(each.agreement for each in found.models)]
    assert [(each.raw.percent, each.kappa.value, each.weighted_kappa.value, each.flips) for each in every] == [
        (100.0, 1.0, 1.0, 0)
    ] * 7
    assert {each.kappa.reason for each in every} == {Missing.NOTHING_VARIES}
    assert [each.shift.estimate for each in every] == [0.0] * 7
    assert found.flips == ()
    assert [model.difference.estimate for model in found.models] == [0.0] * 3
    assert {model.move for model in found.models} == {Move.SAME}
    assert found.order_agreement == 1.0
    assert found.old_position == found.new_position
    assert not found.is_partial


def test_verdicts_that_flipped_are_found_each_with_the_words_of_both() -> None:
    items, rule = items_of(), always(LOSS, NO)
    persona, schedule = items[0], items[8]
    said = {(persona.question_id, SlotOrder.GOLD_FIRST): WIN, (schedule.question_id, SlotOrder.SINGLE): YES}

    found = compared(run_of(1, rule, but(rule, said), items), run_of(2, rule, rule, items))

    assert found.flipped == 2
    assert [(group.type, group.old, group.new, group.count) for group in found.flips] == [
        (PERSONA, LOSS, WIN, 1),
        (SCHEDULE, NO, YES, 1),
    ]
    (flip,) = found.flips[0].shown
    assert (flip.model, flip.question_id, flip.order) == ("org/model-01", persona.question_id, SlotOrder.GOLD_FIRST)
    assert flip.answer == f"org/model-01 on {persona.question_id}."
    assert [(both.order, both.old and both.old.completion, both.new and both.new.completion) for both in flip.said] == [
        (SlotOrder.ANSWER_FIRST, "old-judge finds: loss.", "new-judge finds: loss."),
        (SlotOrder.GOLD_FIRST, "old-judge finds: loss.", "new-judge finds: win."),
    ]


def test_the_confusion_matrix_has_the_old_judge_in_its_rows() -> None:
    items = items_of(users=1, each=4)
    one, two, three = (item.question_id for item in items if item.type is PERSONA and item is not items[3])
    first, second = SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST
    old = but(always(WIN, YES), {(three, first): TIE, (three, second): LOSS})
    new = but(always(WIN, YES), {(one, first): LOSS, (two, first): TIE, (two, second): TIE, (three, second): TIE})

    persona, _, schedule = compared(run_of(1, old, new, items)).by_type

    assert persona.outcomes == (WIN, TIE, LOSS)
    assert persona.matrix == ((3, 2, 1), (1, 0, 0), (0, 1, 0))
    assert (schedule.outcomes, schedule.matrix) == ((YES, NO), ((4, 0), (0, 0)))


def test_kappa_is_what_is_left_of_a_judge_that_draws_a_known_share_at_random() -> None:
    rule, share = drawn("even", (1 / 3, 1 / 3, 1 / 3)), 0.4
    runs = [run_of(number, rule, noisy(rule, share), items_of(users=40)) for number in range(4)]

    persona = compared(*runs).by_type[0].agreement

    # Of even classes a redrawn verdict agrees by chance in a third of cases, so kappa is the share that was not drawn.
    assert persona.raw.percent == pytest.approx(100 * (1 - share * 2 / 3), abs=3)
    assert persona.kappa.value == pytest.approx(1 - share, abs=0.05)
    assert persona.kappa.interval
    assert persona.kappa.interval.low < 1 - share < persona.kappa.interval.high
    assert persona.kappa.interval.users == persona.kappa.users == 40


def test_kappas_are_those_of_the_textbook() -> None:
    items = [make_item(f"test_1/{number}", PERSONA, number % 3, (SlotOrder.ANSWER_FIRST,)) for number in range(12)]
    said = [(WIN, WIN)] * 4 + [(WIN, TIE)] * 1 + [(TIE, TIE)] * 2 + [(LOSS, LOSS)] * 3 + [(LOSS, WIN)] * 2
    by_id = dict(zip((item.question_id for item in items), said, strict=True))

    found = compared(
        run_of(
            1,
            lambda answer, item, order: by_id[item.question_id][0],
            lambda answer, item, order: by_id[item.question_id][1],
            items,
        )
    ).agreement

    # Observed 9 of 12; by chance (5 * 6 + 2 * 3 + 5 * 3) / 144.
    assert found.kappa.value == pytest.approx((9 / 12 - 51 / 144) / (1 - 51 / 144), abs=1e-6)
    # Squares of what scores are apart: one of 1/4 and two of 1; by chance (2 * 6 + 5 * 3 + 5 * 3 + 2 * 3) / 4 + 5 * 9.
    assert found.weighted_kappa.value == pytest.approx(1 - (0.25 + 2) / ((48 / 4 + 45) / 12), abs=1e-6)
    assert found.kappa.interval is None
    assert found.kappa.reason is Missing.FEW_CLUSTERS


def test_the_old_judge_decides_what_each_type_weighs_in_the_kappa_of_all() -> None:
    runs = [run_of(number, drawn("a", (0.6, 0.3, 0.1)), noisy(drawn("a"), 0.5)) for number in range(3)]

    found = compared(*runs)

    weights = []
    for each in found.by_type:
        rows, size = [sum(row) for row in each.matrix], sum(map(sum, each.matrix))
        weights.append(size * (1 - sum((row / size) ** 2 for row in rows)))
    kappas = [each.agreement.kappa.value or 0 for each in found.by_type]
    mean = sum(weight * kappa for weight, kappa in zip(weights, kappas, strict=True)) / sum(weights)
    assert found.agreement.kappa.value == pytest.approx(mean, abs=3e-6)
    assert len({round(kappa, 1) for kappa in kappas}) > 1


def test_a_milder_judge_shifts_scores_by_what_it_gives_away() -> None:
    items = items_of(users=12, each=4)
    given = {(item.question_id, order): TIE for item in items[::12] for order in item.orders}

    found = compared(run_of(1, always(LOSS, NO), but(always(LOSS, NO), given), items))

    persona = found.by_type[0].agreement
    assert len(given) == 24
    assert (persona.old_score, persona.new_score, persona.shift.estimate) == (0.0, 12.5, 12.5)
    (model,) = found.models
    assert model.difference.estimate == pytest.approx(12.5 * 25 / 40)
    # Every user gains the same, and each is compared with himself: nothing is left to doubt.
    assert model.difference.interval
    assert model.difference.interval.low == model.difference.interval.high == model.difference.estimate
    assert (model.difference.users, model.difference.left_out) == (12, 0)


def test_a_judge_that_looks_at_slots_alone_is_seen() -> None:
    def slot_a(answer: Generation, item: Item, order: SlotOrder) -> Outcome:
        return YES if item.type is SCHEDULE else WIN if order is SlotOrder.ANSWER_FIRST else LOSS

    found = compared(run_of(1, drawn("a", (0.5, 0.0, 0.5)), slot_a))

    assert (found.old_position.consistency.percent, found.new_position.consistency.percent) == (100.0, 0.0)
    assert (found.old_position.slot_a_share.percent, found.new_position.slot_a_share.percent) == (50.0, 100.0)
    assert (found.new_position.slot_a_share.compared, found.new_position.slot_a_share.missing) == (192, 0)


def test_missing_verdicts_are_counted_by_cause_and_are_no_ties() -> None:
    items, rule = items_of(), always(WIN, YES)
    unread = {(item.question_id, SlotOrder.ANSWER_FIRST): None for item in items[:3]}
    run = run_of(1, rule, but(rule, unread), items)
    assert run.old is not None
    fewer = run.old.verdicts[:-1]
    run = run._replace(old=scored(run.old.card.run_id, "org/model-01", OLD, items, run.generations, fewer))

    found = compared(run)

    assert found.counts.model_dump() == {
        "owed": 240,
        "defects": 0,
        "compared": 236,
        "old_alone": 3,
        "new_alone": 1,
        "neither": 0,
        "old_because": (("not_judged", 1),),
        "new_because": (("unparsed", 3),),
    }
    assert found.flipped == 0
    assert (found.agreement.raw.compared, found.agreement.raw.missing) == (236, 4)
    assert sum(map(sum, found.by_type[0].matrix)) == 93
    (model,) = found.models
    assert model.old.missing_because == found.counts.old_because
    assert model.new.missing_because == found.counts.new_because


def test_what_no_judge_has_read_is_in_no_agreement() -> None:
    items = items_of()
    answers = answers_to(items, "org/model-01")
    answers[0] = make_generation(answers[0].key, answers[0].answer, defect=Defect.EMPTY)
    answers[1] = make_generation(answers[1].key, None, failure=Cause.CONTEXT_OVERFLOW)

    found = compared(run_of(1, always(WIN, YES), always(WIN, YES), items, answers))

    assert (found.counts.owed, found.counts.defects, found.counts.neither) == (240, 2, 2)
    assert found.counts.compared == 236
    assert found.counts.old_because == found.counts.new_because == (("context_overflow", 2),)
    assert (found.agreement.items, found.agreement.raw.missing) == (142, 2)
    assert found.new_position.consistency.missing == 0


def test_a_run_that_only_one_judge_has_judged_is_listed_and_counts_in_nothing() -> None:
    rule = drawn("a")
    both, waiting, newcomer = run_of(1, rule, rule), run_of(2, rule, None), run_of(3, None, rule)

    found = compared(both, waiting, newcomer)

    assert found.is_partial
    assert [(run.model, run.lacks) for run in found.uncompared] == [("org/model-02", "new"), ("org/model-03", "old")]
    assert found.model_copy(update={"uncompared": ()}) == compared(both)
    assert not compared(both, newcomer).is_partial


@pytest.mark.parametrize("others", [(), (run_of(1, drawn("a"), None),)])
def test_without_a_run_of_both_there_is_nothing_to_compare(others: Sequence[RunOfBoth]) -> None:
    with pytest.raises(RapportError, match="No run of demo-v1 has been judged by both") as error:
        compared(*others)
    assert error.value.cause is Cause.NOT_FOUND
