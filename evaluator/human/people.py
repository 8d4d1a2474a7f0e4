"""People as the judge: what they have labelled is the truth, and no model says anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

from evaluator.engines.base import EngineInfo
from evaluator.human.records import RaterKind
from evaluator.identity import digest
from evaluator.protocol import PEOPLE
from evaluator.records import Record


class People(Record):
    """Annotators, in the place of a judge; see `evaluator.judges.spec.JudgeSpec`.

    Example:
        >>> People().id, People().status
        ('people', 'official')
    """

    id: Literal["people"] = PEOPLE
    title: str = "People's own labels"
    """For readers."""
    status: Literal["official"] = "official"
    prompt_pack: Literal["builtin"] = "builtin"
    """Nobody prompts them."""

    def digest(self) -> str:
        """Returns the SHA-256 of the whole configuration."""
        return digest(self.model_dump(mode="json"))


INFO = EngineInfo(
    engine="people",
    version="1",
    dtype="none",
    flags=(),
    hardware="none",
    context_length=0,
    chat_template_hash="none",
    chat_template_arguments=(),
    load_seconds=0.0,
)
"""Provenance of what people said, where that of a judge stands."""


class _Kinded(Protocol):
    """A label of any table."""

    @property
    def kind(self) -> RaterKind:
        """Whose it is."""


def counted_kind(labels: Iterable[_Kinded]) -> RaterKind:
    """Returns whose labels of a task count: never those of several kinds together, people's own before all.

    Args:
        labels: All of the task.

    Example:
        >>> counted_kind(())
        <RaterKind.PERSON: 'person'>
    """
    kinds = {label.kind for label in labels}
    return next((kind for kind in RaterKind if kind in kinds), RaterKind.PERSON)
