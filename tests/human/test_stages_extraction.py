"""Lists of attributes are read whole or not at all, and every entry is counted once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.engines.deterministic import said_by_pattern
from evaluator.human.stages.extraction import (
    LEAST_CONFIDENCE,
    LONGEST_TEXT,
    MOST_ATTRIBUTES,
    MOST_COPIES,
    Extracted,
    ExtractedAttribute,
    forced_pattern,
    read_extraction,
)
from evaluator.human.stages.reading import Invalid
from tests.human.stages import GARBAGE


def entry(text: Any = "The user keeps bees.", confidence: Any = 0.9, **more: Any) -> dict[str, Any]:
    return {"text": text, "confidence": confidence} | more


def listed(*entries: Any) -> str:
    return json.dumps({"attributes": entries})


def read(*entries: Any) -> Extracted:
    return read_extraction(listed(*entries))


def distinct(count: int) -> list[dict[str, Any]]:
    return [entry(f"The user has {number} hives.") for number in range(count)]


GOOD = listed(entry(), entry("The user lives in Oslo.", 1))


def test_a_list_is_read_in_its_order():
    assert read_extraction(GOOD) == Extracted(
        attributes=(
            ExtractedAttribute(text="The user keeps bees.", confidence=0.9),
            ExtractedAttribute(text="The user lives in Oslo.", confidence=1.0),
        ),
        entries=2,
    )


def test_an_empty_list_can_be_read_and_has_no_entry():
    assert read() == Extracted()
    assert read().invalid is None


@pytest.mark.parametrize("around", ["  {}\n", "```json\n{}\n```", "```\n{}\n```", "\r\n```json  \n {} \n```\n"])
def test_space_or_one_fence_may_stand_around_the_answer(around: str):
    assert read_extraction(around.format(GOOD)) == read_extraction(GOOD)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"Here is the list: {GOOD}", Invalid.PROSE),
        ("The user keeps bees.", Invalid.PROSE),
        ("```python\nattributes = []\n```", Invalid.PROSE),
        (f"\ufeff{GOOD}", Invalid.PROSE),
        (GOOD[:-1], Invalid.BROKEN_JSON),
        (GOOD[:-2], Invalid.BROKEN_JSON),
        (GOOD.replace("}, {", "}, "), Invalid.BROKEN_JSON),
        (GOOD.replace("]", ",]"), Invalid.BROKEN_JSON),
        (GOOD.replace('"', "'"), Invalid.BROKEN_JSON),
        (f"{GOOD}\nI hope this helps!", Invalid.BROKEN_JSON),
        (f"{GOOD}{GOOD}", Invalid.BROKEN_JSON),
        ('{"attributes": [], "attributes": []}', Invalid.BROKEN_JSON),
        (listed(entry()).replace("0.9", "NaN"), Invalid.BROKEN_JSON),
        (listed(entry()).replace("0.9", "1e999"), Invalid.BROKEN_JSON),
        (listed(entry()).replace("0.9", "9" * 5000), Invalid.BROKEN_JSON),
        ('{"attributes": ' + "[" * 40_000 + "]" * 40_000 + "}", Invalid.BROKEN_JSON),
        ("".join(sign + "\x00" for sign in GOOD), Invalid.BROKEN_JSON),
        (GOOD + "\ud800", Invalid.BROKEN_JSON),
        ("[]", Invalid.WRONG_SHAPE),
        (json.dumps([entry()]), Invalid.WRONG_SHAPE),
        ("{}", Invalid.WRONG_SHAPE),
        ('{"attributes": {}}', Invalid.WRONG_SHAPE),
        ('{"attributes": null}', Invalid.WRONG_SHAPE),
        ('{"attributes": [], "note": "none"}', Invalid.WRONG_SHAPE),
        ('{"memories": []}', Invalid.WRONG_SHAPE),
        (listed("The user keeps bees."), Invalid.WRONG_SHAPE),
        ("", Invalid.EMPTY),
        ("\u200b\n", Invalid.EMPTY),
        (listed(entry("x" * 120_000)), Invalid.TOO_LONG),
    ],
)
def test_what_is_no_such_list_is_invalid_for_a_reason(text: str, reason: Invalid):
    found = read_extraction(text)

    assert found.invalid is reason
    assert found.attributes == ()


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_no_list(text: str):
    assert read_extraction(text).invalid is not None


def test_five_hundred_attributes_are_invalid_and_counted():
    assert read(*distinct(500)) == Extracted(entries=500, over=500 - MOST_ATTRIBUTES, invalid=Invalid.TOO_MANY)


def test_as_many_as_are_allowed_are_kept():
    assert len(read(*distinct(MOST_ATTRIBUTES)).attributes) == MOST_ATTRIBUTES
    assert read(*distinct(MOST_ATTRIBUTES + 1)).invalid is Invalid.TOO_MANY


def test_an_attribute_copied_a_hundred_times_is_invalid():
    assert read(*[entry()] * 100).invalid is Invalid.COPIES
    assert read(*distinct(5), *[entry()] * (MOST_COPIES + 1)).invalid is Invalid.COPIES


def test_a_few_copies_are_kept_once_with_the_highest_confidence():
    found = read(entry(confidence=0.5), entry("The user lives in Oslo."), entry(confidence=0.8), entry(confidence=0.7))

    assert [(each.text, each.confidence) for each in found.attributes] == [
        ("The user keeps bees.", 0.8),
        ("The user lives in Oslo.", 0.9),
    ]
    assert (found.entries, found.duplicates) == (4, 2)


def test_what_is_less_sure_than_the_bound_is_dropped_and_counted():
    found = read(entry("One thing.", LEAST_CONFIDENCE), entry("Other thing.", 0.39), entry("Third thing.", 0))

    assert [each.text for each in found.attributes] == ["One thing."]
    assert found.doubtful == 2


@pytest.mark.parametrize(
    "broken",
    [
        "The user lives in Oslo.",
        None,
        [],
        {},
        {"text": "The user lives in Oslo."},
        entry("The user lives in Oslo.", more=1),
        entry(1),
        entry(None),
        entry(["The user lives in Oslo."]),
        entry(""),
        entry(" \u200b\n"),
        entry("x" * (LONGEST_TEXT + 1)),
        entry("The user\x00 lives in Oslo."),
        entry("The user\x1b[2J lives in Oslo."),
        entry("The user lives in \ud800."),
        entry("The user lives in Oslo.", "0.9"),
        entry("The user lives in Oslo.", True),
        entry("The user lives in Oslo.", None),
        entry("The user lives in Oslo.", 1.01),
        entry("The user lives in Oslo.", -0.1),
        entry("The user lives in Oslo.", 90),
        entry("The user lives in Oslo.", "high"),
    ],
    ids=repr,
)
def test_a_malformed_entry_is_left_out_and_counted(broken: Any):
    found = read(entry(), broken)

    assert [each.text for each in found.attributes] == ["The user keeps bees."]
    assert (found.entries, found.malformed, found.invalid) == (2, 1, None)


def test_line_breaks_in_a_text_become_spaces():
    assert read(entry(" The user\nkeeps\t bees. ")).attributes[0].text == "The user keeps bees."


def test_texts_in_other_scripts_are_kept_as_they_are():
    assert read(entry("用户养蜜蜂。")).attributes[0].text == "用户养蜜蜂。"


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters())),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)
some_entries = st.builds(
    entry, st.one_of(values, st.sampled_from(["A.", "B.", "C."])), st.one_of(values, st.floats(0, 1))
)


@given(st.one_of(st.text(st.characters()), st.text('{}[]",:0123456789eE.-+truefalsn \n`'), values.map(json.dumps)))
def test_any_text_is_read_without_raising(text: str):
    assert isinstance(read_extraction(text), Extracted)


@given(st.lists(st.one_of(some_entries, values), max_size=60))
def test_every_entry_is_counted_once(entries: list[Any]):
    found = read(*entries)

    if found.invalid is None:
        counted = (len(found.attributes), found.doubtful, found.duplicates, found.malformed)
        assert sum(counted) == found.entries == len(entries)
        assert len({each.text for each in found.attributes}) == len(found.attributes)
    else:
        assert found.attributes == ()


@given(st.data(), st.integers(1, 4), st.integers(8, 20))
def test_what_the_pattern_forces_is_always_a_list_of_the_right_shape(data: st.DataObject, most: int, longest: int):
    forced = said_by_pattern(forced_pattern(most, longest), lambda count: data.draw(st.integers(0, count - 1)))
    found = read_extraction(forced)

    assert found.invalid is None or found.entries == found.malformed
    assert found.entries <= most
