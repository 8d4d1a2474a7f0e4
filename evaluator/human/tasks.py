"""The tasks of the human-grounded stages, each run and scored by itself.

They import nothing, so that records may name them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias


class Task(StrEnum):
    """What somebody is asked to decide by choosing a word.

    Example:
        >>> Task.RELEVANCE.stage
        2
    """

    VERIFICATION = "verification"
    """Whether an attribute makes sense in the light of its evidence."""
    RELEVANCE = "relevance"
    """Whether an attribute should change the response to a prompt."""
    RATING = "rating"
    """Which of two answers serves an attribute better, and by how much."""

    @property
    def stage(self) -> int:
        """The stage, 1 to 3, that it belongs to."""
        return {Task.VERIFICATION: 1, Task.RELEVANCE: 2, Task.RATING: 3}[self]


class JudgedTask(StrEnum):
    """What somebody is asked to write: people's labels are not enough, and a judge reads what was written.

    Example:
        >>> JudgedTask.UPLIFT.stage, JudgedTask.UPLIFT.figures
        (3, 'writing')
    """

    EXTRACTION = "extraction"
    """The attributes that conversations show; a verifier says which of them make sense."""
    COMPARISON = "comparison"
    """A generic and a personalised answer; a judge of pairs says which of them is better."""
    UPLIFT = "uplift"
    """The same two; a rating judge says how much better each attribute is served."""

    @property
    def stage(self) -> int:
        """The stage, 1 to 3, that it belongs to."""
        return 1 if self is JudgedTask.EXTRACTION else 3

    @property
    def figures(self) -> str:
        """What its figures are listed under in `evaluator.human.figures`."""
        return "extraction" if self is JudgedTask.EXTRACTION else "writing"


AnyTask: TypeAlias = Task | JudgedTask
"""Any of them."""


class Order(StrEnum):
    """Which of two answers stands first, as A."""

    GENERIC_FIRST = "generic_first"
    PERSONALISED_FIRST = "personalised_first"
