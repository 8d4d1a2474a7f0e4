"""What is found of two runs' rows: every planted difference once, and nothing that is not there as agreement."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.errors import Cause
from evaluator.hicupid.questions import Item, QuestionType
from evaluator.records import Defect, Outcome, SlotOrder
from evaluator.reproduction import (
    NEAR_TIE,
    Answer,
    Compared,
    Finding,
    NearTie,
    Report,
    Said,
    Side,
    compare,
)
from tests.builders import LOSS, SCHEDULE, WIN, YES, make_item

ANSWERS_ALONE, VERDICTS_ALONE = Compared(answers=True, verdicts=False), Compared(answers=False, verdicts=True)
MISSING = (Finding.MISSING, Finding.MISSING_HERE, Finding.MISSING_THERE)
CHANGES = ("prompt", "answer", "defect", "failure", "verdict", "unread", "judge_prompt")


def answer_to(item: Item, **changes: object) -> Answer:
    text = f"Answer to {item.question_id}."
    plain = Answer(item.question_id, "p", f"hash of {text}", text, None, None)
    return plain._replace(**changes)


def said_of(item: Item, order: SlotOrder, content_hash: str, outcome: Outcome | None = None) -> Said:
    usual = YES if item.type is SCHEDULE else WIN
    return Said(item.question_id, content_hash, order, "j", outcome or usual, None, (("A", 0.9), ("B", 0.1)))


def side_of(items: list[Item]) -> Side:
    """A run that answered everything soundly and judged it."""
    answers = {item.question_id: answer_to(item) for item in items}
    said = {
        (item.question_id, str(answers[item.question_id].content_hash), order): said_of(
            item, order, str(answers[item.question_id].content_hash)
        )
        for item in items
        for order in item.orders
    }
    return Side(answers, said)


def changed(side: Side, item: Item, what: str) -> Side:
    """Returns a run in which one thing about one item is otherwise."""
    name, answer = item.question_id, side.answers[item.question_id]
    others = {
        "prompt": {"prompt_hash": "q"},
        "answer": {"content_hash": "another", "text": "Another."},
        "defect": {"defect": Defect.REPETITION},
        "failure": {"content_hash": None, "text": None, "failure": Cause.CONTEXT_OVERFLOW},
    }
    if what in others:
        return side._replace(answers={**side.answers, name: answer._replace(**others[what])})
    about = (name, str(answer.content_hash), item.orders[0])
    opposite = Outcome.UNSATISFIED if item.type is SCHEDULE else LOSS
    told = {"unread": {"outcome": None}, "verdict": {"outcome": opposite}, "judge_prompt": {"prompt_hash": "k"}}
    return side._replace(said={**side.said, about: side.said[about]._replace(**told[what])})


def make_items(count: int) -> list[Item]:
    types = list(QuestionType)
    return [make_item(f"test_1/{number}", types[number % 3], number // 3) for number in range(count)]


def differences(report: Report) -> Counter[str]:
    """Counts what differs, by what it is about."""
    return Counter({name: count for name, count in report.counts if name.endswith(" different")})


@given(st.integers(0, 40))
def test_equal_rows_agree_fully(count: int) -> None:
    items = make_items(count)
    report = compare(items, side_of(items), side_of(items))
    assert report.agrees
    assert (report.items, report.agreeing) == (count, count)
    assert report.answers.agree == report.answers.compared == report.prompts.agree == count
    assert report.verdicts.agree == report.verdicts.compared == sum(len(item.orders) for item in items)
    assert report.answers.missing == report.verdicts.missing == sum(differences(report).values()) == 0
    assert report.shift is not None
    assert report.shift.mean.difference == (0 if count else None)


@given(st.data())
def test_each_planted_difference_is_found_and_counted_once(data: st.DataObject) -> None:
    items = make_items(data.draw(st.integers(1, 30)))
    plants = data.draw(st.dictionaries(st.sampled_from(items).map(items.index), st.sampled_from(CHANGES)))
    there = here = side_of(items)
    for place, what in plants.items():
        here = changed(here, items[place], what)
    report = compare(items, there, here)
    kinds = {"defect": "fate", "failure": "answer", "unread": "verdict"}
    assert differences(report) == Counter(f"{kinds.get(what, what)} different" for what in plants.values())
    assert [row.question_id for row in report.rows if not row.agrees] == sorted(
        items[place].question_id for place in plants
    )
    assert report.agreeing == len(items) - len(plants)
    mirrored = compare(items, here, there)
    assert differences(mirrored) == differences(report)


@given(st.data())
def test_rows_that_are_missing_are_shown_as_missing_on_their_side_and_never_agree(data: st.DataObject) -> None:
    items = make_items(data.draw(st.integers(1, 20)))
    whole = side_of(items)
    lacks = data.draw(st.dictionaries(st.integers(0, len(items) - 1), st.sampled_from(("there", "here", "both"))))
    gone = {
        side: {items[place].question_id for place, where in lacks.items() if where in (side, "both")}
        for side in ("there", "here")
    }
    there, here = (
        whole._replace(answers={name: row for name, row in whole.answers.items() if name not in gone[side]})
        for side in ("there", "here")
    )
    expected = {"there": Finding.MISSING_THERE, "here": Finding.MISSING_HERE, "both": Finding.MISSING}
    report = compare(items, there, here)
    found = {row.question_id: row for row in report.rows}
    for place, item in enumerate(items):
        row = found[item.question_id]
        if place in lacks:
            assert (row.answer, row.prompt, row.agrees) == (expected[lacks[place]], expected[lacks[place]], False)
            assert row.near_tie is NearTie.UNKNOWN
        else:
            assert row.agrees
    assert report.answers.missing == len(lacks)
    assert report.answers.compared == len(items) - len(lacks)
    assert report.agrees is not bool(lacks)
    judged = compare(items, there, here, VERDICTS_ALONE)
    assert judged.agrees is not bool(lacks), "a missing answer is no agreement where only verdicts are made again"
    assert all(each.finding in MISSING for place in lacks for each in _row(judged, items[place]).verdicts)


def _row(report: Report, item: Item):
    return next(row for row in report.rows if row.question_id == item.question_id)


@pytest.mark.parametrize(
    ("there", "here", "finding"),
    [
        (True, False, Finding.MISSING_HERE),
        (False, True, Finding.MISSING_THERE),
        (False, False, Finding.MISSING),
    ],
)
def test_a_verdict_that_is_owed_and_not_there_is_missing(there: bool, here: bool, finding: Finding) -> None:
    items = make_items(3)
    whole = side_of(items)
    sides = (whole if full else whole._replace(said={}) for full in (there, here))
    report = compare(items, *sides)
    assert {each.finding for row in report.rows for each in row.verdicts} == {finding}
    assert (report.verdicts.compared, report.verdicts.missing, report.agrees) == (0, 5, False)
    assert report.shift is not None
    assert (report.shift.items, report.shift.left_out) == (0, 3)


def test_no_verdict_is_owed_to_an_answer_with_a_defect() -> None:
    items = make_items(3)
    lost = {name: row._replace(defect=Defect.EMPTY) for name, row in side_of(items).answers.items()}
    report = compare(items, Side(lost, {}), Side(lost, {}))
    assert (report.agrees, report.verdicts.compared, report.verdicts.missing) == (True, 0, 0)
    assert report.shift is not None
    assert (report.shift.items, report.shift.mean.here, report.shift.total.there) == (3, 0, 0)


def test_verdicts_on_different_answers_are_shown_but_count_in_no_rate() -> None:
    (item,) = make_items(1)
    here = changed(side_of([item]), item, "answer")
    about = (item.question_id, "another", item.orders[0])
    here = here._replace(said={**here.said, about: said_of(item, item.orders[0], "another", LOSS)})
    (row,) = compare([item], side_of([item]), here).rows
    assert (row.verdicts[0].finding, row.verdicts[0].there, row.verdicts[0].here) == (Finding.NOT_COMPARED, WIN, LOSS)
    assert row.differs_at == 2, "An|swer and An|other"


def test_what_was_not_made_again_is_not_compared() -> None:
    items = make_items(6)
    there, here = side_of(items), changed(changed(side_of(items), items[0], "prompt"), items[1], "verdict")
    answers, verdicts = (compare(items, there, here, made) for made in (ANSWERS_ALONE, VERDICTS_ALONE))
    assert differences(answers) == {"prompt different": 1}
    assert differences(verdicts) == {"verdict different": 1}
    assert (answers.verdicts.percent, answers.shift, verdicts.answers.percent) == (None, None, None)


@pytest.mark.parametrize(
    ("margin", "near"), [(NEAR_TIE / 2, NearTie.YES), (2 * NEAR_TIE, NearTie.NO), (None, NearTie.UNKNOWN)]
)
def test_a_verdict_is_a_near_tie_by_its_two_likeliest_words_alone(margin: float | None, near: NearTie) -> None:
    (item,) = make_items(1)
    shares = (("A", 1.0),) if margin is None else (("Tie", 0.0), ("A", 0.5 - margin / 2), ("B", 0.5 + margin / 2))
    side = side_of([item])
    here = changed(side, item, "verdict")
    close = {about: row._replace(probabilities=shares) for about, row in here.said.items()}
    report = compare([item], side, here._replace(said=close))
    first = report.rows[0].verdicts[0]
    assert (first.near_tie, first.margin_there) == (near, pytest.approx(0.8))
    assert report.near_ties == (near is NearTie.YES)


def test_of_answers_nobody_knows_whether_a_near_tie_parted_them() -> None:
    items = make_items(2)
    report = compare(items, side_of(items), changed(side_of(items), items[0], "answer"))
    assert [row.near_tie for row in report.rows] == [NearTie.UNKNOWN, NearTie.NO]


def test_scores_are_compared_over_the_items_that_both_have_judged() -> None:
    items = make_items(36)
    there, here = side_of(items), side_of(items)
    lost = [item for item in items if item.type is SCHEDULE][:6]
    for item in lost:
        here = changed(here, item, "verdict")
    here = changed(here, items[0], "unread")
    shift = compare(items, there, here).shift
    assert shift is not None
    assert (shift.items, shift.left_out) == (35, 1)
    assert shift.mean.difference == pytest.approx(-100 * 6 / 35)
    assert shift.total.difference == pytest.approx(-12.5 / 2)
    assert shift.mean.interval is not None
    assert shift.mean.interval.low < shift.mean.difference < shift.mean.interval.high < 0
