"""What is wrong with a labelled verdict file is said in plain words: where, of which kind, and what is allowed."""

from __future__ import annotations

import json
import re

import pytest

from evaluator.judges.quality.label_reading import check_labels
from evaluator.judges.quality.label_words import ALLOWED, OUTCOMES
from evaluator.judges.quality.labelled import COLUMNS
from evaluator.records import Outcome
from tests.unit.test_labelled_verdicts import HASH, KNOWN, OTHER_HASH, jsonl, row

DEEP = json.loads("[" * 300 + "]" * 300)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (row(outcome="WIN"), 'invalid: outcome: "WIN" is none of win, tie, loss, satisfied, unsatisfied.'),
        (row(outcome=None), "invalid: outcome: null is none of win, tie, loss, satisfied, unsatisfied."),
        (row(outcome=...), "invalid: outcome: It is missing; it holds one of win, tie, loss, satisfied, unsatisfied."),
        (row(kind="expert"), 'invalid: kind: "expert" is none of person, consensus, truth, simulated.'),
        (row(slot_order="A"), 'invalid: slot_order: "A" is none of answer_first, gold_first, single.'),
        (row(schema_version="1"), 'invalid: schema_version: "1" is not the number 1.'),
        (
            row(content_hash=HASH[:5]),
            f'invalid: content_hash: "{HASH[:5]}" is not 64 hexadecimal digits in lower case.',
        ),
        (
            row(question_id="a\x1b\x7f\u202e"),
            r'invalid: question_id: "a\u001b\u007f\u202e" is not 1 to 200 letters, digits and marks of ASCII without a '
            "space.",
        ),
        (row(note=DEEP), "invalid: A value is nested too deeply."),
        (row(note="half \ud800 of one"), "control_characters: A text holds half a character."),
        (
            row(note="two\nlines"),
            "control_characters: note: It holds a control character, a break of lines, or a mark that turns the text's "
            "direction.",
        ),
        (row(stars=5), "foreign_column: The format has no column 'stars'."),
        (row(content_hash=OTHER_HASH), f"unknown_answer: No answer to test_1/17 has the hash {OTHER_HASH}."),
    ],
    ids=lambda value: None,
)
def test_what_is_wrong_is_said_in_plain_words_with_what_is_allowed(tmp_path, bad, said):
    (found,) = check_labels(jsonl(tmp_path, bad), KNOWN).findings
    assert str(found) == f"labels.jsonl:1: {said}"


def test_a_long_value_is_shortened_and_people_are_not_named(tmp_path):
    rows = [row(outcome="x" * 10_000), row(annotator="Jane Doe"), row(annotator="jane@example.org")]
    found = check_labels(jsonl(tmp_path, *rows, row(note="My own words " * 50)), KNOWN).findings
    told = "\n".join(map(str, found))
    assert [each.problem.value for each in found] == ["invalid", "invalid", "not_a_pseudonym", "invalid"]
    assert max(map(len, told.splitlines())) < 200
    assert "annotator: It is not a letter or digit and at most 127 letters, digits and . _ : - after it." in told
    assert not re.search("jane|own words", told, re.IGNORECASE)


def test_every_column_says_what_it_may_hold():
    assert set(ALLOWED) == set(COLUMNS)
    assert OUTCOMES == (Outcome.WIN, Outcome.TIE, Outcome.LOSS, Outcome.SATISFIED, Outcome.UNSATISFIED)
