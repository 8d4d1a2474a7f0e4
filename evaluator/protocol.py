"""A protocol is everything that makes two results comparable, as a file with a stable id.

Results of different protocols never share a ranking; a protocol file that changes must change its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from evaluator.context_mode import ContextMode
from evaluator.engines.base import Sampling
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.human.tasks import AnyTask, JudgedTask, Task
from evaluator.identity import digest
from evaluator.records import Record


class QuestionLimit(Record):
    """Takes only the first questions of a split: for trying, never for ranking."""

    users_per_split: int = Field(gt=0)
    persona: int = Field(ge=0)
    profile: int = Field(ge=0)
    schedule: int = Field(ge=0)

    def of(self, type_: QuestionType) -> int:
        """Returns how many questions of a type are taken for each user."""
        return {
            QuestionType.PERSONA: self.persona,
            QuestionType.PROFILE: self.profile,
            QuestionType.SCHEDULE: self.schedule,
        }[type_]


PromptStyle = Literal[
    "zero/system",
    "zero/user",
    "few/system/1",
    "few/system/3",
    "few/system/5",
    "few/user/1",
    "few/user/3",
    "few/user/5",
]
"""Examples or none, where the instruction stands, and how many examples."""


class Reference(StrEnum):
    """Answers that no model gave."""

    GOLD = "gold"
    """The personalised answer of the data set itself: the level that scores 50."""
    GENERAL_ANSWER = "general_answer"
    """The data set's fluent answer that ignores the user."""
    EMPTY = "empty"
    """No answer at all."""


REFERENCE = "reference/"
"""What the name of a reference begins with; on the Hub nobody of that name can be evaluated."""


def is_reference(model: str) -> bool:
    """Says whether a model's name is that of a reference, such as `reference/gold`."""
    return model.startswith(REFERENCE)


_HUMAN_GROUNDED = "human-"


def is_human_grounded(protocol_id: str) -> bool:
    """Says whether a protocol is of the human-grounded suite, by its id alone: rows of both suites lie side by side.

    Example:
        >>> is_human_grounded("human-relevance-v1"), is_human_grounded("official-v1")
        (True, False)
    """
    return protocol_id.startswith(_HUMAN_GROUNDED)


class PublishedRow(Record):
    """A result that somebody else published; nothing of it was run here."""

    label: str
    setting: str
    """What is known of how it was run, such as `zero-shot`."""
    source: str
    """Where it was published."""
    persona: float
    profile: float
    schedule: float
    total: float


class EvaluationProtocol(Record):
    """One way to run a suite: what protocols of all suites have in common.

    Example:
        >>> load_protocol("demo-v1").suite
        'hicupid'
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    title: str
    """One sentence for readers."""
    suite: Literal["hicupid", "human"]
    official: bool
    """Whether its results may rank on the official board."""
    data_set: str | None = None
    """Hub id of the data set that it is about; results on another one never rank. None is about any."""
    items: int | None = Field(default=None, gt=0)
    """Items that it asks of that data set; results of fewer never rank. None where that depends on the data set."""
    sampling: Sampling
    thought_tokens: int = Field(default=2048, gt=0)
    """Tokens that a model declared as thinking may think before it answers; the answer has its own limit."""
    judge: str
    """Id of the judge."""
    references: tuple[Reference, ...] = tuple(Reference)
    """Rows that stand beside the models', so that a reader knows the scale."""
    published: tuple[PublishedRow, ...] = ()
    """Figures of others, shown as published and never ranked."""

    @model_validator(mode="after")
    def _is_named_after_its_suite(self) -> Self:
        if is_human_grounded(self.id) != (self.suite == "human"):
            raise ValueError(f"{_HUMAN_GROUNDED} begins the ids of protocols of the suite human, and of no other ones")
        return self

    def digest(self) -> str:
        """Returns the SHA-256 of the whole protocol."""
        return digest(self.model_dump(mode="json"))


class HicupidProtocol(EvaluationProtocol):
    """One way to run HiCUPID.

    Example:
        >>> hicupid_protocol("demo-v1").orders
        'both'
    """

    suite: Literal["hicupid"]
    splits: tuple[str, ...] = Field(min_length=1)
    types: tuple[QuestionType, ...] = Field(min_length=1)
    limit: QuestionLimit | None
    """None asks every question of the splits."""
    prompt_style: PromptStyle
    context: ContextMode
    """Which part of the history the model sees."""
    orders: Literal["both", "one"]
    """Whether a pair is judged in both slot orders, or in one drawn from question id and seed."""

    def conditions(self) -> str:
        """Returns the digest of what decides a prompt and its answer, apart from question, prompt pack and model.

        It is part of an answer's input key: an answer under another wording of the protocol is another answer.
        """
        return digest(self.model_dump(mode="json", include={"prompt_style", "context", "sampling", "thought_tokens"}))


class Extraction(Record):
    """How lists of attributes are asked for, and what compares their texts."""

    encoder: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")
    """Hub id, `local/NAME`, or `builtin/words`, which needs no weights."""
    revision: str | None = None
    """Branch, tag or commit; None takes the default branch. It is pinned to a SHA before the run."""
    most: int = Field(gt=0)
    """Attributes that an answer may list where an engine can force its form."""
    longest: int = Field(ge=8)
    """Characters of each."""


PEOPLE: Final = "people"
"""Id of the judge of what people have labelled: their labels are the truth, and no model says anything."""


class HumanProtocol(EvaluationProtocol):
    """One way to run a task of the human-grounded suite.

    Example:
        >>> human_protocol("human-relevance-v1").task
        <Task.RELEVANCE: 'relevance'>
    """

    suite: Literal["human"]
    task: AnyTask
    limit: int | None = Field(default=None, gt=0)
    """Asks only the first items, or of a writer the first pairs of answers and of extraction the first users: for
    trying, never for ranking. None asks all that people have labelled."""
    wording: str
    """Id of what is said."""
    retry_temperature: float = Field(gt=0)
    """A greedy model would only repeat itself, so what cannot be read is drawn when it is asked once more."""
    order_seed: int = 0
    """Draws which of two answers stands first."""
    epsilon: float = Field(gt=0, lt=1)
    """What the alternative annotator test grants the model for being cheaper than an annotator."""
    extraction: Extraction | None = Field(default=None, exclude_if=lambda extraction: extraction is None)
    """Only of that task."""
    synthetic_of: str | None = Field(default=None, exclude_if=lambda of: of is None)
    """Id of the protocol on people's labels that this one's figures are set against: it is asked of HiCUPID's made-up
    users instead. None asks what people have labelled."""
    references: tuple[Reference, ...] = ()

    @model_validator(mode="after")
    def _says_how_attributes_are_extracted(self) -> Self:
        if (self.extraction is not None) != (self.task is JudgedTask.EXTRACTION):
            raise ValueError("the task extraction, and no other one, says how attributes are extracted")
        return self

    @model_validator(mode="after")
    def _asks_made_up_users_what_is_known_of_them(self) -> Self:
        known = (Task.VERIFICATION, JudgedTask.EXTRACTION, Task.RELEVANCE)
        if self.synthetic_of is not None and self.task not in known:
            raise ValueError("of made-up users, only verification, extraction and relevance have a truth")
        return self

    def conditions(self) -> str:
        """Returns the digest of what decides an answer, apart from item, wording and model."""
        told = dict.fromkeys(("task", "sampling", "retry_temperature", "order_seed", "thought_tokens"), True)
        listed = {"extraction": {"most", "longest"}} if self.extraction else {}
        return digest(self.model_dump(mode="json", include={**told, **listed}))


_ANY: TypeAdapter[HicupidProtocol | HumanProtocol] = TypeAdapter(
    Annotated[HicupidProtocol | HumanProtocol, Field(discriminator="suite")]
)
_FOLDER = files("evaluator") / "protocols"


def protocol_ids() -> list[str]:
    """Returns the ids of all shipped protocols, sorted."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir() if entry.name.endswith(".yaml"))


@cache
def load_protocol(protocol_id: str) -> EvaluationProtocol:
    """Returns the protocol with an id.

    Raises:
        RapportError: `not_found` if there is none, `data_error` if its file is broken.
    """
    if protocol_id not in protocol_ids():
        raise RapportError(
            Cause.NOT_FOUND, f"There is no protocol {protocol_id!r}.", f"Choose one of: {', '.join(protocol_ids())}."
        )
    protocol = _parse((_FOLDER / f"{protocol_id}.yaml").read_text(encoding="utf-8"), f"{protocol_id}.yaml")
    if protocol.id != protocol_id:
        raise RapportError(
            Cause.DATA_ERROR, f"The protocol file {protocol_id}.yaml calls itself {protocol.id}.", "Rename one of them."
        )
    return protocol


def hicupid_protocol(protocol_id: str) -> HicupidProtocol:
    """Returns the protocol of HiCUPID with an id.

    Raises:
        RapportError: As of `load_protocol`; `not_found` if it is of another suite.
    """
    protocol = load_protocol(protocol_id)
    if not isinstance(protocol, HicupidProtocol):
        raise _of_another_suite(protocol)
    return protocol


def human_protocol(protocol_id: str) -> HumanProtocol:
    """Returns the protocol of the human-grounded suite with an id.

    Raises:
        RapportError: As of `hicupid_protocol`.
    """
    protocol = load_protocol(protocol_id)
    if not isinstance(protocol, HumanProtocol):
        raise _of_another_suite(protocol)
    return protocol


@cache
def synthetic_protocols() -> Mapping[str, str]:
    """Returns the shipped protocols that ask made-up users, by those on people's labels that they are set against.

    Example:
        >>> synthetic_protocols()["human-relevance-v1"]
        'human-relevance-synthetic-v1'
    """
    every = map(load_protocol, protocol_ids())
    found = {each.synthetic_of: each.id for each in every if isinstance(each, HumanProtocol) and each.synthetic_of}
    return MappingProxyType(found)


def _of_another_suite(protocol: EvaluationProtocol) -> RapportError:
    """Says that a protocol is not of the suite that was asked for."""
    return RapportError(
        Cause.NOT_FOUND, f"{protocol.id} is a protocol of the suite {protocol.suite}.", "Choose one of the other suite."
    )


def read_protocol(path: Path) -> EvaluationProtocol:
    """Returns the protocol that a file of the shipped ones' form holds; its results never rank.

    Raises:
        RapportError: `not_found` if there is no such file, `data_error` if it is broken, calls itself official, or has
            the id of a shipped protocol.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RapportError(
            Cause.NOT_FOUND, f"The protocol file {path} cannot be read.", "Check that it is a text file."
        ) from error
    protocol = _parse(text, str(path))
    if protocol.id in protocol_ids() or protocol.official:
        raise RapportError(
            Cause.DATA_ERROR,
            f"The protocol file {path} has the id {protocol.id}, which is shipped, or calls itself official.",
            "Name a shipped protocol by its id; give any other an id of its own, and write `official: false`.",
        )
    return protocol


def _parse(text: str, name: str) -> EvaluationProtocol:
    """Reads a protocol file."""
    try:
        return _ANY.validate_python(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        raise RapportError(
            Cause.DATA_ERROR, f"The protocol file {name} is broken: {error}", "Mend the file."
        ) from error
