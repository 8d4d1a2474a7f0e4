"""Both judges beside people, on the very same verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluator.errors import Cause
from evaluator.hicupid.questions import Item
from evaluator.metrics.clustered import Missing
from evaluator.records import Defect, Generation, Outcome, SlotOrder, Verdict
from leaderboard.rescoring.comparing_people import ALL_STRANGERS, NONE_GIVEN
from leaderboard.rescoring.comparing_rows import RunOfBoth
from leaderboard.rescoring.comparison import PeopleComparison
from tests.builders import LOSS, NO, PERSONA, TIE, WIN, YES, make_generation, make_verdict, make_verdict_key
from tests.unit.test_rescoring_comparison import (
    Rule,
    always,
    answers_to,
    but,
    compared,
    drawn,
    items_of,
    noisy,
    run_of,
)


def label(annotator: str, answer: Generation, outcome: Outcome | None) -> Verdict:
    """What a person says of an answer, whichever stood first."""
    key = make_verdict_key(answer, SlotOrder.GOLD_FIRST, rater=annotator, rater_revision="pairs-v1@0")
    return make_verdict(answer, outcome, SlotOrder.GOLD_FIRST, key, rater_kind="human")


def labelled(run: RunOfBoth, said: Mapping[int, Sequence[Outcome | None]]) -> RunOfBoth:
    """A run with what people say of some of its answers, by place."""
    people = [
        label(f"annotator-{number:05}", run.generations[place], outcome)
        for place, outcomes in said.items()
        for number, outcome in enumerate(outcomes)
    ]
    return run._replace(people=people)


def found_in(*runs: RunOfBoth) -> PeopleComparison:
    people = compared(*runs).people
    assert people is not None
    return people


def as_people_say(items: Sequence[Item], truth: Mapping[int, Outcome]) -> Rule:
    by_id = {items[place].question_id: outcome for place, outcome in truth.items()}
    return lambda answer, item, order: by_id.get(item.question_id, always(LOSS, NO)(answer, item, order))


def test_both_judges_are_set_beside_people_on_the_same_verdicts() -> None:
    items = [item for item in items_of(each=6) if item.type is PERSONA]
    truth = {place: (WIN, TIE, LOSS)[place % 3] for place in range(len(items))}
    good = as_people_say(items, truth)
    poor = noisy(good, 0.5)
    run = labelled(run_of(1, poor, good, items), {place: [outcome] for place, outcome in truth.items()})

    people = found_in(run)

    assert (people.new.raw.percent, people.new.kappa.value, people.new.weighted_kappa.value) == (100.0, 1.0, 1.0)
    assert people.old.raw.compared == people.new.raw.compared == 2 * len(items)
    assert people.old.raw.agree == len(
        [
            row
            for row in (run.old.verdicts if run.old else ())
            if row.outcome == truth[[item.question_id for item in items].index(row.key.question_id)]
        ]
    )
    assert people.old.kappa.value
    assert people.kappa_difference.value == round(1 - people.old.kappa.value, 6)
    assert people.kappa_difference.interval
    assert people.kappa_difference.interval.low > 0
    assert (people.labels, people.annotators, people.answers, people.compared) == (
        len(items),
        1,
        len(items),
        len(items),
    )


def test_the_worse_judge_loses_by_as_much_as_the_better_one_gains() -> None:
    items = [item for item in items_of() if item.type is PERSONA]
    truth = {place: (WIN, TIE, LOSS)[place % 3] for place in range(len(items))}
    good, said = as_people_say(items, truth), {place: [outcome] for place, outcome in truth.items()}

    gain = found_in(labelled(run_of(1, noisy(good, 0.5), good, items), said))
    loss = found_in(labelled(run_of(1, good, noisy(good, 0.5), items), said))

    assert gain.kappa_difference.value
    assert gain.kappa_difference.value == -(loss.kappa_difference.value or 0)
    assert gain.old.model_copy() == loss.new


def test_most_people_decide_and_ties_are_left_out() -> None:
    run = labelled(
        run_of(1, always(WIN, YES), always(WIN, YES)),
        {0: [WIN, WIN, LOSS], 1: [WIN, LOSS], 2: [LOSS, TIE, LOSS, None], 8: [YES], 9: [None]},
    )

    people = found_in(run)

    assert (people.answers, people.tied, people.unread, people.compared) == (4, 1, 0, 3)
    assert (people.labels, people.annotators, people.unanswered, people.strangers) == (9, 3, 2, 0)
    assert (people.new.raw.agree, people.new.raw.compared) == (3, 5)
    assert people.new.kappa.reason is Missing.FEW_CLUSTERS


def test_what_one_judge_has_not_read_is_left_out_for_both() -> None:
    items, rule = items_of(), always(WIN, YES)
    first, second = items[0], items[1]
    unread = {(first.question_id, order): None for order in first.orders}
    unread[second.question_id, SlotOrder.ANSWER_FIRST] = None

    people = found_in(labelled(run_of(1, rule, but(rule, unread), items), {0: [WIN], 1: [WIN]}))

    assert (people.answers, people.unread, people.compared) == (2, 1, 1)
    assert people.old.raw.compared == people.new.raw.compared == 1


def test_people_who_judged_other_answers_are_strangers() -> None:
    items = items_of()
    answers = answers_to(items, "org/model-01")
    answers[1] = make_generation(answers[1].key, answers[1].answer, defect=Defect.EMPTY)
    run = labelled(run_of(1, drawn("a"), drawn("b"), items, answers), {1: [WIN]})
    other = label("annotator-00000", make_generation(answers[0].key, "Another answer."), WIN)

    alone = compared(run._replace(people=[*run.people, other]))
    beside = found_in(run._replace(people=[*run.people, other, label("annotator-00001", answers[0], LOSS)]))

    assert (alone.people, alone.no_people_because) == (None, ALL_STRANGERS)
    assert (beside.strangers, beside.labels, beside.annotators) == (2, 1, 1)


def test_without_people_it_says_so() -> None:
    found = compared(run_of(1, drawn("a"), drawn("a")))

    assert (found.people, found.no_people_because) == (None, NONE_GIVEN)


def test_a_label_given_twice_counts_once() -> None:
    run = labelled(run_of(1, drawn("a"), drawn("b")), {0: [WIN, LOSS, LOSS]})

    assert found_in(run._replace(people=[*run.people, *run.people])) == found_in(run)


def test_an_answer_that_failed_has_no_people() -> None:
    items = items_of()
    answers = answers_to(items, "org/model-01")
    given = label("annotator-00000", answers[0], WIN)
    answers[0] = make_generation(answers[0].key, None, failure=Cause.TIMEOUT)

    run = run_of(1, drawn("a"), drawn("b"), items, answers)

    assert compared(run._replace(people=[given])).no_people_because == ALL_STRANGERS
