"""The words of the stages: one text for models and people, named by what it says."""

from __future__ import annotations

from importlib.resources import files

import pytest
import yaml

from evaluator.errors import Cause, RapportError
from evaluator.human.stages.wording import CURRENT, WORDS, load_wording, read_wording
from evaluator.human.tasks import Task

SOURCE = (files("evaluator") / "human" / "stages" / f"{CURRENT}.yaml").read_text(encoding="utf-8")


def changed(**parts: object) -> str:
    return yaml.safe_dump(yaml.safe_load(SOURCE) | parts)


def with_choice(task: Task, **parts: object) -> str:
    choices = yaml.safe_load(SOURCE)["choices"]
    return changed(choices=choices | {str(task): choices[str(task)] | parts})


def test_every_task_has_two_worked_examples_with_different_answers():
    for task, instruction in load_wording().choices.items():
        one, other = instruction.examples
        assert one.word != other.word, task
        assert one.because
        assert other.because


def test_the_answers_of_a_task_are_said_to_the_model_once_more_at_the_end():
    for task, instruction in load_wording().choices.items():
        assert instruction.closing.endswith(f"and nothing else: {', '.join(WORDS[task])}.")


def test_a_changed_word_changes_the_digest():
    assert read_wording(changed(quoting="Mind the lines."), CURRENT).digest != load_wording().digest


def test_comments_and_order_do_not_show_in_the_digest():
    turned = dict(reversed(yaml.safe_load(SOURCE).items()))

    assert read_wording(yaml.safe_dump(turned, sort_keys=False), CURRENT).digest == load_wording().digest


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("id: [", "while parsing"),
        ("just words", "valid dictionary"),
        (changed(id="human-v2"), "it calls itself human-v2"),
        (changed(more="words"), "more: Extra inputs"),
        (changed(choices={}), "nothing is said of rating, relevance, verification"),
        (with_choice(Task.RELEVANCE, words=[{"word": "yes", "meaning": "So."}]), "must be answered with YES, NO"),
        (with_choice(Task.RATING, examples=[]), "examples"),
        (
            with_choice(
                Task.RELEVANCE,
                examples=[{"shown": [{"heading": "A", "text": "B"}], "word": "MAYBE", "because": "So."}] * 2,
            ),
            "an example of relevance is answered with MAYBE",
        ),
    ],
    ids=[
        "no YAML",
        "no mapping",
        "another id",
        "unknown part",
        "no task",
        "other words",
        "no example",
        "wrong example",
    ],
)
def test_a_broken_wording_is_refused_with_its_fault(text: str, fault: str):
    with pytest.raises(RapportError, match="The wording human-v1 is broken") as caught:
        read_wording(text, CURRENT)

    assert caught.value.cause is Cause.DATA_ERROR
    assert fault in str(caught.value)


def test_an_unknown_wording_is_told_with_those_that_there_are():
    with pytest.raises(RapportError, match="human-v1") as caught:
        load_wording("human-v0")

    assert caught.value.cause is Cause.NOT_FOUND
