"""What is asked at the human-grounded stages: the same words for models and, on the labelling page, for people.

A wording is a file with an id, `human-v1`, and is named by id and digest wherever something was answered to it. What it
says of a task holds for both; the two worked examples are shown to people, the rules of quoting are told to models.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Self

import yaml
from pydantic import Field, ValidationError, model_validator

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompts import first_fault
from evaluator.human.records import Rating, Verification
from evaluator.human.tasks import Task
from evaluator.identity import digest
from evaluator.records import Record

CURRENT = "human-v1"
"""Id of the wording in use."""
_FOLDER = files("evaluator") / "human" / "stages"


WORDS: dict[Task, tuple[str, ...]] = {
    Task.VERIFICATION: tuple(Verification),
    Task.RELEVANCE: ("YES", "NO"),
    Task.RATING: tuple(str(rating.value) for rating in Rating),
}
"""The words of each task, in the order in which they are shown."""


class Choice(Record):
    """A word to answer with, and what it says."""

    word: str
    meaning: str


class Shown(Record):
    """A piece of what is shown in an example."""

    heading: str
    text: str


class Example(Record):
    """A worked example for people."""

    shown: tuple[Shown, ...] = Field(min_length=1)
    word: str
    """The answer."""
    because: str
    """Why it is the answer."""


class Instruction(Record):
    """One task in which a word is chosen."""

    decide: str
    """What to decide."""
    words: tuple[Choice, ...]
    closing: str
    """The question once more, for models: what comes last is minded most."""
    examples: tuple[Example, Example]


class ExtractionInstruction(Record):
    """What a model is told that takes attributes from a conversation."""

    decide: str
    closing: str
    """The form of the answer."""


class WritingInstruction(Record):
    """What a model is told that answers a prompt."""

    answer: str
    """Said for every answer."""
    personalise: str
    """Said besides for a personalised one, above the attributes."""


class Headings(Record):
    """What stands above each quoted text."""

    conversation: str
    user: str
    assistant: str
    attribute: str
    attributes: str
    prompt: str
    answer_a: str
    answer_b: str


class Wording(Record):
    """All that is said at the human-grounded stages.

    Example:
        >>> wording = load_wording()
        >>> wording.id, wording.choices[Task.RELEVANCE].words[0].meaning
        ('human-v1', 'The attribute should change the response.')
    """

    id: str = Field(pattern=r"^human-v[0-9]+$")
    quoting: str
    """How models are told which lines are quoted."""
    headings: Headings
    choices: dict[Task, Instruction]
    extraction: ExtractionInstruction
    writing: WritingInstruction

    @model_validator(mode="after")
    def _asks_for_the_words_that_are_read(self) -> Self:
        if missing := sorted(set(Task) - set(self.choices)):
            raise ValueError(f"nothing is said of {', '.join(missing)}")
        for task, instruction in self.choices.items():
            if tuple(choice.word for choice in instruction.words) != WORDS[task]:
                raise ValueError(f"{task} must be answered with {', '.join(WORDS[task])}")
            if wrong := [example.word for example in instruction.examples if example.word not in WORDS[task]]:
                raise ValueError(f"an example of {task} is answered with {wrong[0]}")
        return self

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that is said, as 64 hexadecimal characters."""
        return digest(self.model_dump(mode="json"))

    @property
    def name(self) -> str:
        """Names what is said, in the keys of rows."""
        return f"{self.id}.{self.digest[:16]}"


@cache
def load_wording(wording_id: str = CURRENT) -> Wording:
    """Returns the wording with an id.

    Raises:
        RapportError: `not_found` if there is none, `data_error` if its file is broken or is another one.

    Example:
        >>> len(load_wording("human-v1").digest)
        64
    """
    known = sorted(entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir() if entry.name.endswith(".yaml"))
    if wording_id not in known:
        raise RapportError(
            Cause.NOT_FOUND, f"There is no wording {wording_id!r}.", f"Choose one of: {', '.join(known)}."
        )
    return read_wording((_FOLDER / f"{wording_id}.yaml").read_text(encoding="utf-8"), wording_id)


def read_wording(text: str, wording_id: str) -> Wording:
    """Returns the wording that a file holds.

    Args:
        text: YAML.
        wording_id: What its id must be.

    Raises:
        RapportError: `data_error` with the first fault.
    """
    try:
        wording = Wording.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise _broken(wording_id, first_fault(error)) from error
    except yaml.YAMLError as error:
        raise _broken(wording_id, " ".join(str(error).split())) from error
    if wording.id != wording_id:
        raise _broken(wording_id, f"it calls itself {wording.id}")
    return wording


def _broken(wording_id: str, fault: str) -> RapportError:
    """Says that a file is no wording."""
    return RapportError(Cause.DATA_ERROR, f"The wording {wording_id} is broken: {fault}.", "Mend the file.")
