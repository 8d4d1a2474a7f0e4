"""Sets how far a model agrees with labels beside its results of HiCUPID: a column for each stage, in each table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from evaluator.human.records import RaterKind
from evaluator.human.tasks import AnyTask, Task
from leaderboard.board.build import BoardRow
from leaderboard.board.human_gaps import GAP_FIGURE
from leaderboard.pages.human_cells import Cell, cells_of
from leaderboard.pages.human_tables import agreed_with, human_address, known_human, whose_labels
from leaderboard.pages.tables import Section
from leaderboard.results import INCOMPLETE, HumanScorecard, Identity, identity_of


class Column(NamedTuple):
    """One stage, told by one figure."""

    figure: str
    """Of which there are one more human and a noise ceiling, on the items that the model answered."""
    heading: str
    unit: str
    gap: str = ""
    """The figure that tells by how much made-up users flatter; empty where they cannot be asked."""


COLUMNS: Mapping[AnyTask, Column] = {
    Task.VERIFICATION: Column("single_kappa", "Verification", "stage 1 · kappa", GAP_FIGURE),
    Task.RELEVANCE: Column("single_kappa", "Relevance", "stage 2 · kappa", GAP_FIGURE),
    Task.RATING: Column("spearman_within_annotators", "Rating", "stage 3 · Spearman"),
}
_PEOPLES = (RaterKind.PERSON, RaterKind.CONSENSUS)


class AgreementCell(NamedTuple):
    """What stands of one stage in a row of HiCUPID; laid out when it is shown, since few of ten thousand rows are."""

    label: str
    """What names it where no heading is seen."""
    card: HumanScorecard | None = None
    """None where the stage was not run."""

    @property
    def figure(self) -> Cell | None:
        """How far the model agrees; None where the stage was not run."""
        return cells_of(self.card, [COLUMNS[self.card.result.task].figure])[0] if self.card else None

    @property
    def gap(self) -> Cell | None:
        """By how much made-up users flatter the model; None where that cannot be asked of the stage."""
        gap = COLUMNS[self.card.result.task].gap if self.card else ""
        return cells_of(self.card, [gap])[0] if self.card and gap else None

    @property
    def address(self) -> str:
        """Where the whole scorecard's row stands, on the page of human agreement."""
        return human_address(self.card) if self.card else ""

    @property
    def marks(self) -> tuple[str, ...]:
        """What the figure must not be taken for."""
        return tuple(_marks(self.card)) if self.card else ()

    def value(self, *, gap: bool) -> float | None:
        """Returns the figure, or the gap, to sort by; None where it is missing."""
        if self.card is None:
            return None
        column = COLUMNS[self.card.result.task]
        figure = self.card.result.figure(column.gap if gap else column.figure)
        return figure.value if figure else None


class AgreementColumns(NamedTuple):
    """The columns of one table."""

    title: str
    """With whose labels the table tells agreement."""
    cells: Mapping[str, Sequence[AgreementCell]]
    """By the scorecard of a row: one of each of `COLUMNS`."""


class _Choice(NamedTuple):
    """A scorecard that may stand in a row."""

    standing: tuple[bool, bool, bool]
    """Whether it is about people's labels, of an official protocol, about single people's: the greatest goes first."""
    kind: RaterKind
    cell: AgreementCell


_Choices = Mapping[tuple[Identity, AnyTask, str], _Choice]
"""By model, task and submission, the best of each; of all submissions under an empty name."""


def agreement_columns(sections: Iterable[Section], cards: Iterable[HumanScorecard]) -> dict[str, AgreementColumns]:
    """Returns the columns of each table of HiCUPID, by its id.

    A row shows scorecards of its model under its conditions (see `identity_of`). People's labels go before simulated
    ones, then an official protocol before any other, then single people before a consensus; of those that stand alike
    the row's own submission counts, or else the newest. What made-up users were made from is nobody's label.

    Args:
        sections: Where rows of HiCUPID stand.
        cards: Scorecards of human-grounded tasks.
    """
    choices = _choices(cards)
    return {table.id: _columns(table.rows, choices) for section in sections for table in section.tables}


def _choices(cards: Iterable[HumanScorecard]) -> _Choices:
    """Returns the scorecards that may stand in rows; looked up once for all rows."""
    found: dict[tuple[Identity, AnyTask, str], _Choice] = {}
    wanted = [card for card in cards if card.result.task in COLUMNS and card.result.kind is not RaterKind.TRUTH]
    for card in sorted(wanted, key=lambda card: (_standing(card), card.created_at, card.id), reverse=True):
        task, who = card.result.task, identity_of(card)
        if (who, task, card.submission_id) not in found:
            choice = _Choice(_standing(card), card.result.kind, _cell(card))
            found[who, task, card.submission_id] = choice
            found.setdefault((who, task, ""), choice)
    return found


def _standing(card: HumanScorecard) -> tuple[bool, bool, bool]:
    """Sorts scorecards of a model and task."""
    protocol, kind = known_human(card.protocol), card.result.kind
    return kind in _PEOPLES, protocol is not None and protocol.official, kind is RaterKind.PERSON


def _columns(rows: Sequence[BoardRow], choices: _Choices) -> AgreementColumns:
    """Lays out the columns of one table."""
    chosen = {row.scorecard_id: [_chosen(row, task, choices) for task in COLUMNS] for row in rows}
    title = agreed_with({choice.kind for found in chosen.values() for choice in found if choice})
    nothing = [AgreementCell(_label(title, column)) for column in COLUMNS.values()]
    return AgreementColumns(
        title,
        {
            name: [choice.cell if choice else empty for choice, empty in zip(found, nothing, strict=True)]
            for name, found in chosen.items()
        },
    )


def _chosen(row: BoardRow, task: AnyTask, choices: _Choices) -> _Choice | None:
    """Returns what stands in a row of a task; None if it was not run."""
    who = identity_of(row)
    best, own = choices.get((who, task, "")), choices.get((who, task, row.submission_id))
    return own if best and own and own.standing == best.standing else best


def _cell(card: HumanScorecard) -> AgreementCell:
    """Names the figure of a scorecard."""
    return AgreementCell(_label(agreed_with({card.result.kind}), COLUMNS[card.result.task]), card)


def _label(title: str, column: Column) -> str:
    """Names a cell."""
    return f"{title}: {column.heading}, {column.unit}"


def _marks(card: HumanScorecard) -> Iterator[str]:
    """Yields what a figure must not be taken for."""
    if whose := whose_labels(card):
        yield whose
    protocol = known_human(card.protocol)
    if protocol is None or not protocol.official:
        yield "not the official protocol"
    if INCOMPLETE in card.unranked_because:
        yield INCOMPLETE
