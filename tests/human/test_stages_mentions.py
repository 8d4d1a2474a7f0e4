"""Whether an answer names an attribute openly, by a rule with known limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.human.stages.mentions import mentions


@pytest.mark.parametrize(
    ("attribute", "answer"),
    [
        ("The user keeps bees.", "Since you keep bees, plant clover."),
        ("The user keeps bees.", "A BEE'S favourite is clover."),
        ("The user enjoys cooking vegetarian food.", "You could cook a vegetarian stew."),
        ("The user trains for a marathon.", "Fit it into your marathon training."),
        ("The user works night shifts as a nurse.", "After a night at the hospital, nursing others, sleep first."),
        ("The user has 3 children.", "With 3 children you need a large table."),
        ("The user’s mother lives in Oslo.", "Visit your mother in Oslo."),
        ("The user lives in Zürich.", "In ZÜRICH the lake is near."),
    ],
)
def test_an_answer_with_half_of_the_telling_words_mentions_it(attribute: str, answer: str):
    assert mentions(attribute, answer) is True


@pytest.mark.parametrize(
    ("attribute", "answer"),
    [
        ("The user keeps bees.", "Plant clover."),
        ("The user keeps bees.", ""),
        ("The user keeps bees.", "It has been a beef stew, as you keep things simple."),
        ("The user collects rare stamps of former colonies.", "Such a find is rare."),
        ("The user eats no vegetables.", "A vegetarian would."),
        ("The user was born in 1984.", "The novel of 1985 is not by Orwell."),
    ],
)
def test_an_answer_without_them_does_not(attribute: str, answer: str):
    assert mentions(attribute, answer) is False


def test_words_of_the_prompt_tell_nothing():
    attribute, answer = "The user keeps bees in Oslo.", "Bees like clover."

    assert mentions(attribute, answer) is True
    assert mentions(attribute, answer, prompt="What do bees like?") is False
    assert mentions(attribute, answer, prompt="What do bees like in Oslo?") is None


@pytest.mark.parametrize("attribute", ["The user likes it.", "?!", "用户在家里养蜜蜂。", "ผู้ใช้เลี้ยงผึ้ง"])
def test_where_the_rule_cannot_tell_it_says_so(attribute: str):
    assert mentions(attribute, "You like bees: 用户在家里养蜜蜂。") is None


def test_its_known_limits():
    """What it misses and what it finds too much, so that nobody takes it for more than it is."""
    assert mentions("The user is a vegetarian.", "As you eat no meat, try lentils.") is False
    assert mentions("The user keeps bees.", "As a beekeeper you know clover.") is False
    assert mentions("The user teaches.", "What you taught them counts.") is False
    assert mentions("The user keeps bees.", "There are no bees in this garden, whoever you are.") is True
    assert mentions("The user has a plant.", "You need a plan.") is True


@given(st.text(st.characters()), st.text(st.characters()), st.text(st.characters()))
def test_any_texts_have_an_answer(attribute: str, answer: str, prompt: str):
    assert mentions(attribute, answer, prompt) in (True, False, None)


@given(st.text(st.characters()))
def test_an_answer_that_repeats_the_attribute_mentions_it_if_anything_does(attribute: str):
    assert mentions(attribute, f"As {attribute} holds, do so.") is not False


def test_a_long_answer_is_read_whole():
    assert mentions("The user keeps bees.", "Plant clover. " * 100_000 + "Bees like it.") is True
