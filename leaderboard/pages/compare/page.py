"""What the page of comparisons shows: the results, who is better in words, differences drawn, and single items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from evaluator.plurals import several
from leaderboard.answers.pairs import Comparison
from leaderboard.answers.table import ItemTable
from leaderboard.board.build import BoardRow
from leaderboard.pages.compare.asked import Asked
from leaderboard.pages.compare.chosen import called
from leaderboard.pages.compare.items import ItemsPage, items_page
from leaderboard.pages.compare.plots import LETTERS, PairPlots, Sentence, pair_plots, sentence_of, totals_plot
from leaderboard.pages.dot_plots import Plot
from leaderboard.pages.figures import estimate, interval, judged, share
from leaderboard.pages.model.asked import model_address
from leaderboard.results import Scorecard
from leaderboard.store.base import Store


class Side(NamedTuple):
    """One of the results."""

    letter: str
    name: str
    row: BoardRow
    address: str
    """Of its own page."""
    total: str
    doubt: str
    """The Total's interval, or why it has none."""
    counted: str
    left_out: int
    """Its judged items that some other result has not judged."""
    without: str
    """Address of the comparison of the others; empty where that leaves one."""


class ComparePage(NamedTuple):
    """Everything that is shown of a comparison."""

    asked: Asked
    sides: tuple[Side, ...]
    sentences: tuple[Sentence, ...]
    on: str
    """What the differences are of."""
    tests: str
    """What p values are corrected for."""
    totals: Plot
    pairs: tuple[PairPlots, ...]
    items: ItemsPage

    @property
    def told_apart(self) -> str:
        """How many pairs are told apart, as a sentence."""
        apart = sum(each.told_apart for each in self.sentences)
        return f"{apart} of {several(len(self.sentences), 'pair')} {'is' if apart == 1 else 'are'} told apart."


def compare_page(
    results: Store,
    rows: Sequence[BoardRow],
    cards: Sequence[Scorecard],
    tables: Sequence[ItemTable],
    found: Comparison,
    asked: Asked,
) -> ComparePage:
    """Lays a comparison out.

    Args:
        results: The public data set of results.
        rows: Two to four rows of the board, of one ranking.
        cards: Their scorecards.
        tables: Their items.
        found: What these come to; at least one item is shared.
        asked: What is asked for.

    Raises:
        RapportError: `data_error` if a file is broken.
        StoreError: If the results cannot be read.
    """
    names = called(rows)
    asked = asked._replace(ids=tuple(row.scorecard_id for row in rows))
    items = items_page(results, cards, tables, asked)
    return ComparePage(
        items.asked,
        tuple(_side(place, rows, names, found, asked) for place in range(len(rows))),
        tuple(sentence_of(pair, names) for pair in found.pairs),
        f"{several(found.items, 'item')} of {several(found.users, 'user')} that all of them have judged",
        _tests(found),
        totals_plot(found),
        pair_plots(found, asked),
        items,
    )


def _side(place: int, rows: Sequence[BoardRow], names: Sequence[str], found: Comparison, asked: Asked) -> Side:
    """Lays one of the results out."""
    row = rows[place]
    total = row.total
    others = [each.scorecard_id for each in rows if each is not row]
    return Side(
        LETTERS[place],
        names[place],
        row,
        model_address(row.scorecard_id),
        estimate(total.value, None).partition(" ")[0],
        interval(total.interval, row.users),
        f"{judged(total)} ({share(total.judged, total.items)})",
        found.left_out[place],
        asked.of(others) if len(others) > 1 else "",
    )


def _tests(found: Comparison) -> str:
    """Says what p values are corrected for."""
    totals = sum(pair.total.p_value is not None for pair in found.pairs)
    slices = sum(each.difference.p_value is not None for pair in found.pairs for each in pair.slices)
    if not totals and not slices:
        return "There are no p values: they need ten users."
    return (
        f"p values are two-sided and corrected by Holm's method in two families, each by itself: the Totals of "
        f"{several(totals, 'pair')}, and {several(slices, 'slice')} of all pairs. A difference is told apart where its "
        f"corrected p value is at most 0.05. Ranks on the board are corrected for all pairs of their whole ranking, so "
        f"two models can be told apart here and not there."
    )
