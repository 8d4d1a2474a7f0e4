"""What an audit of the public board has found, as records."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from evaluator.records import Record

Value = bool | int | float | str | None


class Difference(Record):
    """Something that is published and does not follow from what it is made from."""

    figure: str
    """What it is, such as `total.value`; `user_scores...` stands in that file, `board...` in the board's."""
    published: Value
    """None also where nothing is published."""
    recomputed: Value


class Standing(StrEnum):
    """How a scorecard stands."""

    AGREES = "agrees"
    """All that was asked for was checked, and follows."""
    DIFFERS = "differs"
    UNCHECKED = "unchecked"
    """What could be checked follows; something could not be."""


class AuditedCard(Record):
    """One scorecard, or a row of the board that has none."""

    scorecard_id: str
    model: str
    differences: tuple[Difference, ...] = ()
    unchecked: tuple[str, ...] = ()
    """What could not be checked and why, a sentence each."""

    @property
    def standing(self) -> Standing:
        """How it stands.

        Example:
            >>> AuditedCard(scorecard_id="s", model="org/model", unchecked=("Its rows are private.",)).standing
            <Standing.UNCHECKED: 'unchecked'>
        """
        if self.differences:
            return Standing.DIFFERS
        return Standing.UNCHECKED if self.unchecked else Standing.AGREES


class Audit(Record):
    """What came of recomputing the public board from its public rows."""

    schema_version: Literal[1] = 1
    revision: str
    """Of the results, when they were begun to be read."""
    moved: bool
    """Whether they changed while they were read: what differs may then be the change."""
    models: tuple[str, ...]
    """The models that were asked for; empty for all."""
    rows: int
    """Answers and verdicts that were added up."""
    scorecards: int
    agreeing: int
    differing: int
    unchecked: int
    places_unchecked: str
    """Why ranks and gaps were not compared, in a sentence; empty if they were."""
    problems: tuple[str, ...]
    """What of the results could not be read, but for rows: a sentence each."""
    without_card: tuple[str, ...]
    """Files of rows that belong to no scorecard."""
    cards: tuple[AuditedCard, ...]
    """In the order of models and ids."""
