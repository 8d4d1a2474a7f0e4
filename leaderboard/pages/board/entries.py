"""What a line of the board is about: a model's row, a reference, or a figure that others have published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evaluator.facts import ModelFacts
from evaluator.protocol import PublishedRow, is_reference
from leaderboard.board.build import BoardRow
from leaderboard.pages.agreement_columns import AgreementCell
from leaderboard.results import INCOMPLETE, model_family

_OF_A_DEMO = frozenset(("demo judge", "deterministic engine"))
"""Reasons of results that were made to try the site, and say nothing of a model."""


class Entry(NamedTuple):
    """One line of the board; exactly one of `row` and `published` is there."""

    key: str
    """A scorecard's id, or of a published figure a name that no scorecard has."""
    row: BoardRow | None
    published: PublishedRow | None = None
    agreement: Sequence[AgreementCell] = ()
    """How far its model agrees with people: one of each of `agreement_columns.COLUMNS`, or none at all."""

    @property
    def anchor(self) -> str:
        """Name of the line within the page."""
        return f"row-{self.key}"

    @property
    def name(self) -> str:
        """What it is called."""
        return self.row.model if self.row else self.published.label if self.published else ""

    @property
    def facts(self) -> ModelFacts | None:
        """What was known of the model when it was handed in."""
        return self.row.facts if self.row else None

    @property
    def family(self) -> str | None:
        """The family of its model; None where nothing tells."""
        return model_family(self.row) if self.row and self.is_model else None

    @property
    def is_reference(self) -> bool:
        """Whether no model gave its answers."""
        return self.row is not None and is_reference(self.row.model)

    @property
    def is_model(self) -> bool:
        """Whether it is a model's result that was made here."""
        return self.row is not None and not is_reference(self.row.model)

    @property
    def is_demo(self) -> bool:
        """Whether it was made to try the site."""
        return self.is_model and self.row is not None and not _OF_A_DEMO.isdisjoint(self.row.unranked_because)

    @property
    def is_incomplete(self) -> bool:
        """Whether too little of a model was answered or judged."""
        return self.is_model and self.row is not None and INCOMPLETE in self.row.unranked_because


def entries_of(
    rows: Sequence[BoardRow],
    published: Sequence[PublishedRow],
    agreement: dict[str, Sequence[AgreementCell]] | None = None,
) -> tuple[Entry, ...]:
    """Returns the lines of a table: rows in their order, and below them what others have published.

    Args:
        rows: Those of one ranking, in its order.
        published: Figures of others under the protocol.
        agreement: The cells of each row, by its scorecard.
    """
    cells = agreement or {}
    own = [Entry(row.scorecard_id, row, None, cells.get(row.scorecard_id, ())) for row in rows]
    # A scorecard's id holds an @, so none is called like this.
    return (*own, *(Entry(f"published-{place}", None, each) for place, each in enumerate(published, start=1)))
