"""A protocol is everything that makes two results comparable, as a file with a stable id.

Results of different protocols never share a ranking; a protocol file that changes must change its id.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from evaluator.engines.base import Sampling
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
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


class EvaluationProtocol(Record):
    """One way to run a suite.

    Example:
        >>> load_protocol("demo-v1").orders
        'both'
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")
    title: str
    """One sentence for readers."""
    suite: Literal["hicupid"]
    official: bool
    """Whether its results may rank on the official board."""
    splits: tuple[str, ...] = Field(min_length=1)
    types: tuple[QuestionType, ...] = Field(min_length=1)
    limit: QuestionLimit | None
    """None asks every question of the splits."""
    prompt_style: Literal["zero/system", "zero/user"]
    context: Literal["full"]
    """Which part of the history the model sees."""
    sampling: Sampling
    orders: Literal["both", "one"]
    """Whether a pair is judged in both slot orders, or in one drawn from question id and seed."""
    judge: str
    """Id of the judge."""


_FOLDER = files("evaluator") / "protocols"


def protocol_ids() -> list[str]:
    """Returns the ids of all shipped protocols, sorted."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _FOLDER.iterdir() if entry.name.endswith(".yaml"))


def all_protocols() -> Iterator[EvaluationProtocol]:
    """Yields every shipped protocol."""
    return map(load_protocol, protocol_ids())


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
    text = (_FOLDER / f"{protocol_id}.yaml").read_text(encoding="utf-8")
    try:
        protocol = EvaluationProtocol.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        raise RapportError(
            Cause.DATA_ERROR, f"The protocol file {protocol_id}.yaml is broken: {error}", "Mend the file."
        ) from error
    if protocol.id != protocol_id:
        raise RapportError(
            Cause.DATA_ERROR, f"The protocol file {protocol_id}.yaml calls itself {protocol.id}.", "Rename one of them."
        )
    return protocol
