"""Verdicts are read strictly: plainly given, or missing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.judges.parse import BETTER_RESPONSE, SATISFACTION, outcome, parse_word
from evaluator.records import Outcome, SlotOrder
from tests.builders import BOTH_ORDERS, PERSONA, PROFILE, SCHEDULE, word_for

PLAIN = [
    ("a word", "Better Response: A", "A"),
    ("the other word", "Better Response: B", "B"),
    ("a tie", "Better Response: Tie", "Tie"),
    ("reasons before it", "Personalization: A knows more.\nLogical Validity: Both.\nBetter Response: A", "A"),
    ("spaces around it", "  Better Response:   B  \n\n", "B"),
    ("tabs around it", "\tBetter Response:\tB\t", "B"),
    ("no space", "Better Response:A", "A"),
    ("no-break and ideographic spaces", "\u00a0Better Response:\u00a0A\u3000", "A"),
    ("blank lines after it", "Better Response: A\n\n   \n\t\n", "A"),
    ("a line break of Windows", "It knows more.\r\nBetter Response: B\r\n", "B"),
    ("a line break of old", "It knows more.\rBetter Response: B\r", "B"),
    ("a bold word", "Better Response: **A**", "A"),
    ("a bold word without a space", "Better Response:**A**", "A"),
    ("a bold label", "**Better Response:** B", "B"),
    ("a bold label but for its colon", "**Better Response**: B", "B"),
    ("a bold label and a bold word", "**Better Response:** **B**", "B"),
    ("a bold line", "**Better Response: Tie**", "Tie"),
    ("a full stop", "Better Response: A.", "A"),
    ("an exclamation mark", "Better Response: A!", "A"),
    ("a full stop inside bold", "Better Response: **B.**", "B"),
    ("a full stop after bold", "Better Response: **B**.", "B"),
    ("an exclamation mark inside a bold line", "**Better Response: B!**", "B"),
    ("a full stop after a bold line", "**Better Response: B**.", "B"),
    ("several lines, of which the last counts", "Better Response: A\nOn reflection:\nBetter Response: B", "B"),
    ("an unclear line before a clear one", "Better Response: A or B?\nBetter Response: B", "B"),
    ("prose after it", "Better Response: A\nThat is my verdict.", "A"),
    ("prose that begins like the label", "Better Response: A\nBetter Responses would name the ramen.", "A"),
    ("the label in prose after it", "Better Response: A\nI chose this as Better Response: B is too general.", "A"),
    ("an empty line with the label after it", "Better Response: A\n\nBetter Response:", "A"),
    ("an empty bold label after it", "Better Response: A\n**Better Response:** ", "A"),
    ("an empty label before it", "Better Response:\n\nBetter Response: A", "A"),
]
UNCLEAR = [
    ("a reason that names the other answer", "Better Response: A (more personal than B)"),
    ("a tie with a reason", "Better Response: Tie - both are equal"),
    ("a reason after a comma", "Better Response: B, because it names the ramen"),
    ("a reason after a full stop", "Better Response: A. B is too general."),
    ("two words", "Better Response: A or B"),
    ("a list", "Better Response: A, B"),
    ("a word twice", "Better Response: A A"),
    ("no word boundary", "Better Response: AB"),
    ("a longer word", "Better Response: Tied"),
    ("a slot that is not there", "Better Response: C"),
    ("a word before the word", "Better Response: Response A"),
    ("a word in lower case", "Better Response: a"),
    ("a tie in lower case", "Better Response: tie"),
    ("a tie in capitals", "Better Response: TIE"),
    ("a label in lower case", "better response: A"),
    ("a label in capitals", "BETTER RESPONSE: A"),
    ("a letter of another alphabet", "Better Response: \u0410"),
    ("a full-width letter", "Better Response: \uff21"),
    ("a full-width colon", "Better Response\uff1a A"),
    ("a space before the colon", "Better Response : A"),
    ("two spaces in the label", "Better  Response: A"),
    ("a no-break space in the label", "Better\u00a0Response: A"),
    ("no colon", "Better Response A"),
    ("a dash for the colon", "Better Response - A"),
    ("two colons", "Better Response:: A"),
    ("a question", "Better Response: A?"),
    ("two full stops", "Better Response: A.."),
    ("a full stop inside and after bold", "Better Response: **A.**."),
    ("a comma", "Better Response: A,"),
    ("a colon after the word", "Better Response: A:"),
    ("quotation marks", 'Better Response: "A"'),
    ("round quotation marks", "Better Response: \u201cA\u201d"),
    ("brackets", "Better Response: [A]"),
    ("round brackets", "Better Response: (A)"),
    ("a code mark", "Better Response: `A`"),
    ("an italic word", "Better Response: *A*"),
    ("an underlined word", "Better Response: __A__"),
    ("a bold and italic word", "Better Response: ***A***"),
    ("bold that does not end", "Better Response: **A"),
    ("bold that does not begin", "Better Response: A**"),
    ("a bold line that does not end", "**Better Response: A"),
    ("spaces inside bold", "Better Response: ** A **"),
    ("a list's bullet", "- Better Response: A"),
    ("a star as a bullet", "* Better Response: A"),
    ("a number", "3. Better Response: A"),
    ("a heading", "## Better Response: A"),
    ("a quotation", "> Better Response: A"),
    ("an invisible sign after the word", "Better Response: A\u200b"),
    ("an invisible sign before the label", "\ufeffBetter Response: A"),
    ("a vertical tab and more", "Better Response: A\x0bor B"),
    ("no word", "Better Response:"),
    ("a word on the next line", "Better Response:\nA"),
    ("the label twice", "Better Response: Better Response: A"),
    ("inside a sentence", "I would say that the Better Response: A"),
    ("prose", "Answer A is better than answer B."),
    ("a word alone", "A"),
    ("taken back by an unclear last line", "Better Response: A\nBetter Response: both"),
    ("taken back by a line with a bullet", "Better Response: A\n- Better Response: B"),
    ("taken back by a line in lower case", "Better Response: A\nbetter response: B"),
    ("taken back by a line with a full-width colon", "Better Response: A\nBetter Response\uff1aB"),
    ("taken back by a line in italics", "Better Response: A\n*Better Response:* B"),
    ("the other label", "Satisfaction: YES"),
    ("empty", ""),
    ("blank", "\n\n"),
]


@pytest.mark.parametrize(("completion", "word"), [pytest.param(*rest, id=name) for name, *rest in PLAIN])
def test_a_plain_verdict_is_read(completion, word):
    assert parse_word(completion, BETTER_RESPONSE) == word


@pytest.mark.parametrize("completion", [pytest.param(text, id=name) for name, text in UNCLEAR])
def test_what_is_not_plainly_a_verdict_is_missing(completion):
    assert parse_word(completion, BETTER_RESPONSE) is None


@pytest.mark.parametrize(("completion", "word"), [pytest.param(*rest, id=name) for name, *rest in PLAIN])
def test_satisfaction_is_read_by_the_same_rules(completion, word):
    words = {"A": "YES", "B": "NO", "Tie": "NO"}
    renamed = completion.replace("Better Response", "Satisfaction")
    for ours, theirs in words.items():
        renamed = re.sub(rf"\b{ours}\b", theirs, renamed)
    assert parse_word(renamed, SATISFACTION) == words[word]


@pytest.mark.parametrize(
    "completion",
    [
        pytest.param("Satisfaction: YES (acknowledges the appointment, so NOT ignored)", id="a reason with a no in it"),
        pytest.param("Satisfaction: NO - YES would need the dentist", id="a reason with a yes in it"),
        pytest.param("Satisfaction: yes", id="lower case"),
        pytest.param("Satisfaction: Yes", id="one capital"),
        pytest.param("Satisfaction: NOT", id="a longer word"),
        pytest.param("Satisfaction: YES/NO", id="both"),
        pytest.param("Better Response: A", id="the other label"),
        pytest.param("", id="empty"),
    ],
)
def test_unclear_satisfaction_is_missing(completion):
    assert parse_word(completion, SATISFACTION) is None


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
