"""Answers of one word are read strictly: plainly given, or invalid for a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.engines.deterministic import said_by_pattern
from evaluator.human.judged.prompts import read_comparison
from evaluator.human.records import Rating, Verification
from evaluator.human.stages import rating, relevance, verification
from evaluator.human.stages.rating import read_rating
from evaluator.human.stages.reading import LONGEST_ANSWER, Invalid, read_word
from evaluator.human.stages.relevance import read_relevance
from evaluator.human.stages.verification import read_verification
from evaluator.human.stages.wording import WORDS
from evaluator.human.tasks import Order, Task
from evaluator.judges.spec import load_judge
from evaluator.records import Outcome, SlotOrder
from tests.human.stages import GARBAGE

YES_NO = WORDS[Task.RELEVANCE]
PAIRWISE = load_judge("demo")
SLOT_ORDERS = (SlotOrder.ANSWER_FIRST, SlotOrder.GOLD_FIRST)
PLAIN = [
    "YES",
    "yes",
    "Yes",
    " YES\n\n",
    "\u3000YES\u00a0",
    "YES.",
    "YES!",
    "**YES**",
    "**YES.**",
    "**YES**.",
    "\r\nYES",
]
UNCLEAR = {
    "YES and NO": Invalid.SEVERAL_WORDS,
    "YES/NO": Invalid.SEVERAL_WORDS,
    "NO. YES.": Invalid.SEVERAL_WORDS,
    "no, but then yes": Invalid.SEVERAL_WORDS,
    "YES YES": Invalid.PROSE,
    "YES, since it is about plants": Invalid.PROSE,
    "Answer: YES": Invalid.PROSE,
    "YES:": Invalid.PROSE,
    "YES?": Invalid.PROSE,
    "YES..": Invalid.PROSE,
    "**YES": Invalid.PROSE,
    "YES**": Invalid.PROSE,
    "*YES*": Invalid.PROSE,
    '"YES"': Invalid.PROSE,
    "`YES`": Invalid.PROSE,
    "(YES)": Invalid.PROSE,
    "- YES": Invalid.PROSE,
    "| YES": Invalid.PROSE,
    "YESNO": Invalid.PROSE,
    "Y": Invalid.PROSE,
    "true": Invalid.PROSE,
    "1": Invalid.PROSE,
}


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_word_is_read(text: str):
    assert read_word(text, YES_NO) == "YES"
    assert read_relevance(text) is True


@pytest.mark.parametrize(("text", "reason"), UNCLEAR.items())
def test_what_is_not_plainly_one_word_is_invalid_for_a_reason(text: str, reason: Invalid):
    assert read_relevance(text) is reason


def test_each_word_says_what_it_says():
    assert [read_verification(word) for word in WORDS[Task.VERIFICATION]] == list(Verification)
    assert [read_relevance(word) for word in YES_NO] == [True, False]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0", Invalid.OUT_OF_RANGE),
        ("6", Invalid.OUT_OF_RANGE),
        ("-3", Invalid.OUT_OF_RANGE),
        ("03", Invalid.OUT_OF_RANGE),
        ("100", Invalid.OUT_OF_RANGE),
        ("9" * 5000, Invalid.PROSE),
        ("4/5", Invalid.SEVERAL_WORDS),
        ("4 out of 5", Invalid.SEVERAL_WORDS),
        ("3-4", Invalid.SEVERAL_WORDS),
        ("3.5", Invalid.SEVERAL_WORDS),
        ("4.0", Invalid.PROSE),
        ("four", Invalid.PROSE),
        ("A", Invalid.PROSE),
        ("Rating: 4", Invalid.PROSE),
        ("null", Invalid.PROSE),
    ],
)
def test_what_is_no_number_of_the_scale_is_invalid_for_a_reason(text: str, reason: Invalid):
    assert {read_rating(text, order) for order in Order} == {reason}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_no_reader_takes_garbage_for_an_answer(text: str):
    found = [read_verification(text), read_relevance(text), *(read_rating(text, order) for order in Order)]
    compared = {read_comparison(text, PAIRWISE, order).outcome for order in SLOT_ORDERS}

    assert all(isinstance(each, Invalid) for each in found)
    assert compared == {None}


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_what_shows_nothing_is_empty(text: str):
    assert read_verification(text) is Invalid.EMPTY


def test_what_is_too_long_is_told_as_that_even_if_it_begins_with_a_word():
    assert read_verification("accepted" + " " * LONGEST_ANSWER) is Invalid.TOO_LONG
    assert read_verification("accepted" + " " * (LONGEST_ANSWER - 8)) is Verification.ACCEPTED


def test_everything_but_a_question_at_fault_is_worth_a_second_try():
    assert [reason for reason in Invalid if not reason.passes] == [Invalid.NO_EVIDENCE]


@pytest.mark.parametrize(
    ("text", "order", "said"),
    [
        ("Better Response: A", SlotOrder.ANSWER_FIRST, Outcome.WIN),
        ("Better Response: B", SlotOrder.ANSWER_FIRST, Outcome.LOSS),
        ("Better Response: A", SlotOrder.GOLD_FIRST, Outcome.LOSS),
        ("Better Response: B", SlotOrder.GOLD_FIRST, Outcome.WIN),
        ("Personalization: both.\nBetter Response: Tie", SlotOrder.GOLD_FIRST, Outcome.TIE),
        ("Better Response: A (more personal)", SlotOrder.GOLD_FIRST, None),
        ("", SlotOrder.GOLD_FIRST, None),
        ("x" * (LONGEST_ANSWER + 1) + "\nBetter Response: A", SlotOrder.GOLD_FIRST, None),
    ],
)
def test_a_comparison_is_read_by_the_grammar_of_verdicts(text: str, order: SlotOrder, said: Outcome | None):
    assert read_comparison(text, PAIRWISE, order).outcome is said


pieces = st.sampled_from(
    ["YES", "no", "accepted", "uncertain", "1", "5", "0", "**", ".", "!", " ", "\n", "\x00", "\ud800"]
)
texts = st.one_of(st.text(st.characters()), st.lists(pieces, max_size=6).map("".join))


@given(texts)
def test_any_text_is_read_without_raising(text: str):
    assert isinstance(read_verification(text), Verification | Invalid)
    assert isinstance(read_relevance(text), bool | Invalid)
    assert read_comparison(text, PAIRWISE, SlotOrder.GOLD_FIRST).outcome in (*Outcome, None)
    read = [read_rating(text, order) for order in Order]
    assert all(isinstance(each, Invalid) for each in read) or sum(read) == 6


@given(texts, st.sampled_from(list(Verification)))
def test_a_word_is_read_only_where_it_is_the_whole_answer(text: str, word: Verification):
    if read_verification(f"{text}{word}") is word:
        assert text.strip() == ""


@given(st.data())
def test_what_a_pattern_forces_is_always_read(data: st.DataObject):
    def below(count: int) -> int:
        return data.draw(st.integers(0, count - 1))

    assert isinstance(read_verification(said_by_pattern(verification.PATTERN, below)), Verification)
    assert isinstance(read_relevance(said_by_pattern(relevance.PATTERN, below)), bool)
    assert isinstance(read_rating(said_by_pattern(rating.PATTERN, below), Order.GENERIC_FIRST), Rating)
