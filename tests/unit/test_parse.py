"""Verdicts are read strictly: plainly given, or missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.judges.parse import BETTER_RESPONSE, SATISFACTION, outcome, parse_word
from evaluator.records import Outcome, SlotOrder
from tests.builders import BOTH_ORDERS, PERSONA, PROFILE, SCHEDULE, word_for


@pytest.mark.parametrize(
    ("completion", "word"),
    [
        ("Better Response: A", "A"),
        ("Better Response: B", "B"),
        ("Better Response: Tie", "Tie"),
        ("Personalization: A knows more.\nLogical Validity: Both.\nBetter Response: A", "A"),
        ("  Better Response:   B  \n\n", "B"),
        ("Better Response:A", "A"),
        ("Better Response: B\r\n", "B"),
        pytest.param("Better Response: **A**", "A", id="bold word"),
        pytest.param("**Better Response:** B", "B", id="bold label"),
        pytest.param("**Better Response: Tie**", "Tie", id="bold line"),
        pytest.param("Better Response: A.", "A", id="full stop"),
        pytest.param("**Better Response: B!**", "B", id="exclamation mark inside bold"),
        pytest.param("Better Response: **B**.", "B", id="full stop after bold"),
        pytest.param("Better Response: A\nOn reflection:\nBetter Response: B", "B", id="the last line wins"),
        pytest.param("Better Response: A\nThat is my verdict.", "A", id="prose after the line"),
    ],
)
def test_a_plain_verdict_is_read(completion, word):
    assert parse_word(completion, BETTER_RESPONSE) == word


@pytest.mark.parametrize(
    "completion",
    [
        pytest.param("Better Response: A (more personal than B)", id="a reason that names the other answer"),
        pytest.param("Better Response: Tie - both are equal", id="a tie with a reason"),
        pytest.param("Better Response: A or B", id="two words"),
        pytest.param("Better Response: A, B", id="a list"),
        pytest.param("Better Response: AB", id="no word boundary"),
        pytest.param("Better Response: C", id="a slot that is not there"),
        pytest.param("Better Response: a", id="word in lower case"),
        pytest.param("Better Response: TIE", id="tie in capitals"),
        pytest.param("better response: A", id="label in lower case"),
        pytest.param("Better Response: A?", id="a question"),
        pytest.param("Better Response: A..", id="two full stops"),
        pytest.param("Better Response:", id="no word"),
        pytest.param("Better Response:\nA", id="word on the next line"),
        pytest.param("I would say that the Better Response: A", id="inside a sentence"),
        pytest.param("Answer A is better than answer B.", id="prose"),
        pytest.param("Better Response: A\nBetter Response: both", id="taken back by an unclear last line"),
        pytest.param("Satisfaction: YES", id="the other label"),
        pytest.param("", id="empty"),
        pytest.param("\n\n", id="blank"),
    ],
)
def test_what_is_not_plainly_a_verdict_is_missing(completion):
    assert parse_word(completion, BETTER_RESPONSE) is None


@pytest.mark.parametrize(
    ("completion", "word"),
    [
        ("Evaluation: It names the dentist.\nSatisfaction: YES", "YES"),
        ("Satisfaction: NO.", "NO"),
        ("**Satisfaction:** **YES**", "YES"),
        ("Satisfaction: YES (acknowledges the appointment, so NOT ignored)", None),
        ("Satisfaction: yes", None),
        ("Satisfaction: YES\nSatisfaction: NO", "NO"),
        ("Better Response: A", None),
        ("", None),
    ],
)
def test_satisfaction_is_read_by_the_same_rules(completion, word):
    assert parse_word(completion, SATISFACTION) == word


@given(st.text(), st.sampled_from([BETTER_RESPONSE, SATISFACTION]))
def test_any_text_gives_an_allowed_word_or_none(text, line):
    assert parse_word(text, line) in (*line.words, None)
    assert parse_word(f"{line.label} {text}", line) in (*line.words, None)


@given(st.text().filter(lambda text: "Better Response" not in text), st.sampled_from(BETTER_RESPONSE.words))
def test_a_verdict_on_a_line_of_its_own_is_read_whatever_stands_before(prose, word):
    assert parse_word(f"{prose}\nBetter Response: {word}", BETTER_RESPONSE) == word


@pytest.mark.parametrize("type_", [PERSONA, PROFILE])
@pytest.mark.parametrize(
    ("word", "order", "expected"),
    [
        ("A", SlotOrder.ANSWER_FIRST, Outcome.WIN),
        ("B", SlotOrder.ANSWER_FIRST, Outcome.LOSS),
        ("A", SlotOrder.GOLD_FIRST, Outcome.LOSS),
        ("B", SlotOrder.GOLD_FIRST, Outcome.WIN),
        ("Tie", SlotOrder.ANSWER_FIRST, Outcome.TIE),
        ("Tie", SlotOrder.GOLD_FIRST, Outcome.TIE),
    ],
)
def test_a_slot_is_translated_by_who_stood_in_it(word, order, type_, expected):
    assert outcome(word, type_, order) is expected
    assert word_for(expected, order) == word


@pytest.mark.parametrize(("word", "expected"), [("YES", Outcome.SATISFIED), ("NO", Outcome.UNSATISFIED)])
def test_satisfaction_needs_no_translation(word, expected):
    assert outcome(word, SCHEDULE, SlotOrder.SINGLE) is expected


@pytest.mark.parametrize("type_", [PERSONA, PROFILE, SCHEDULE])
def test_a_missing_word_is_a_missing_outcome(type_):
    assert [outcome(None, type_, order) for order in BOTH_ORDERS] == [None, None]
