"""Checks scorecards of human-grounded tasks against their public rows, one after the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from evaluator.errors import Cause, RapportError
from leaderboard.audit.differences import in_human_result, in_human_rows
from leaderboard.audit.human.following import follow
from leaderboard.audit.human.rows import PublicRun
from leaderboard.audit.human.sets import HumanSets
from leaderboard.audit.recomputing import ITS_OWN, NONE, PRIVATE
from leaderboard.audit.records import AuditedCard, Difference
from leaderboard.board.human import PublicHumanCards
from leaderboard.board.human_gaps import without_gap
from leaderboard.open_data import layout
from leaderboard.open_data.human import OpenHumanFigure, OpenHumanScorecard
from leaderboard.open_data.records import OpenGeneration, OpenRecord, OpenVerdict
from leaderboard.open_data.views import public_row_paths
from leaderboard.results import HumanScorecard
from leaderboard.scorecards import scorecard_id
from leaderboard.store.base import NotFound, Store
from leaderboard.store.parquet import decode_parquet

Row = TypeVar("Row", bound=OpenRecord)
_STRANGE = (ValueError, LookupError, ArithmeticError, TypeError)
"""What rows that nobody of ours wrote may lead to."""
_TWICE = "It stands among the scorecards more than once."
_CONTRADICTION = "Its id is not that of its run, protocol and judge."


class _Part(NamedTuple):
    """What is made from the scorecards of a part of the models."""

    path: str
    cards: Mapping[str, OpenHumanScorecard]
    """By scorecard."""
    figures: Mapping[str, list[OpenHumanFigure]]
    """By scorecard."""


class HumanChecking:
    """Looks at one scorecard after the other; what cannot be read costs its own scorecard alone.

    Those of one part of the models best follow each other: what was read of the last part is kept.

    Example:
        >>> HumanChecking(results, read_human_cards(results), HumanSets([])).audited(card)  # doctest: +SKIP
    """

    def __init__(self, results: Store, public: PublicHumanCards, sets: HumanSets) -> None:
        """Reads rows when it is asked.

        Args:
            results: The public data set of results.
            public: All of its scorecards of human-grounded tasks.
            sets: Data sets that are at hand.
        """
        self._results, self._public, self._sets = results, public, sets
        self._numbers = Counter(card.id for card in public.cards)
        self._part: _Part | None = None
        self.rows = 0
        """Rows that were added up."""

    def audited(self, card: HumanScorecard) -> AuditedCard:
        """Says what of a scorecard follows from public rows.

        Raises:
            StoreError: If the store as a whole cannot be read.
        """
        named = (scorecard_id(card.run_id, card.judge), f"{card.submission_id}.{card.protocol}")
        if self._numbers[card.id] > 1 or (card.id, card.run_id) != named:
            why = _TWICE if self._numbers[card.id] > 1 else _CONTRADICTION
            return AuditedCard(scorecard_id=card.id, model=card.model, unchecked=(why,))
        differences: list[Difference] = []
        unchecked: list[str] = []
        listed = self._sets.listed(card)
        unchecked += [listed.why] if listed.why else []
        try:
            differences += in_human_rows(card, *self._made_from(card))
        except RapportError as error:
            unchecked.append(error.message)
        try:
            run = self._run(card)
            followed = follow(run, listed.asked)
            self.rows += len(run.generations) + len(run.verdicts)
            differences += in_human_result(without_gap(card).result, followed.told)
            unchecked += followed.left
        except RapportError as error:
            unchecked.append(error.message)
        except _STRANGE as error:
            unchecked.append(
                f"Its rows cannot be added up: {str(error).splitlines()[0] if str(error) else 'no reason'}."
            )
        return AuditedCard(
            scorecard_id=card.id, model=card.model, differences=tuple(differences), unchecked=tuple(unchecked)
        )

    def strangers(self, models: Collection[str] = ()) -> Iterator[AuditedCard]:
        """Yields what figures stand there of scorecards that do not: none while some scorecards cannot be read.

        Args:
            models: The only models that are looked at; all if empty.

        Raises:
            StoreError: As of `audited`.
        """
        known = {card.id for card in self._public.cards}
        found: dict[str, str] = {}
        for path in () if self._public.problems else self._results.list(layout.HUMAN_FIGURES):
            try:
                rows = self._read(path, OpenHumanFigure)
            except RapportError:
                continue  # Each scorecard whose figures stand there says so.
            found |= {row.scorecard_id: row.model for row in rows if row.scorecard_id not in known}
        for name, model in sorted(found.items()):
            if not models or model in models:
                nothing = Difference(figure="human_figures.scorecard_id", published=name, recomputed=None)
                yield AuditedCard(scorecard_id=name, model=model, differences=(nothing,))

    def _made_from(self, card: HumanScorecard) -> tuple[OpenHumanScorecard, list[OpenHumanFigure]]:
        """Reads the rows of the configs that are made from a scorecard."""
        path = layout.human_scorecards_path(card.model)
        if self._part is None or self._part.path != path:
            cards = self._read(path, OpenHumanScorecard)
            figures: dict[str, list[OpenHumanFigure]] = defaultdict(list)
            for row in self._read(layout.human_figures_path(card.model), OpenHumanFigure):
                figures[row.scorecard_id].append(row)
            self._part = _Part(path, {row.scorecard_id: row for row in cards}, figures)
        return self._part.cards[card.id], self._part.figures.get(card.id, [])

    def _run(self, card: HumanScorecard) -> PublicRun:
        """Reads the rows behind a scorecard.

        Raises:
            RapportError: `data_error` if there are none, some cannot be read, or they are another run's.
        """
        answers, *said = public_row_paths(card)
        run = PublicRun(
            card,
            self._read(answers, OpenGeneration),
            [row for path in said for row in self._read(path, OpenVerdict)],
        )
        if not any(row.counts for row in run.generations):
            raise _lost(PRIVATE if card.terms.visibility == "private" else NONE)
        if run.strange:
            raise _lost(f"{answers}, or the file of its verdicts, holds rows of another run, or of another judge.")
        return run

    def _read(self, path: str, kind: type[Row]) -> Sequence[Row]:
        """Reads a file of rows.

        Raises:
            RapportError: `data_error` if it is missing or cannot be read.
        """
        try:
            return decode_parquet(self._results.read(path), kind, path)
        except NotFound as error:
            raise _lost(f"{path} is missing.") from error
        except ITS_OWN as error:
            raise _lost(f"{path} cannot be read: {error}.") from error


def _lost(why: str) -> RapportError:
    """Says why rows cannot be looked at."""
    return RapportError(Cause.DATA_ERROR, why, "Tell the maintainers of the site.")
