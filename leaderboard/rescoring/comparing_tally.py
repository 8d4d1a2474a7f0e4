"""What the runs of a comparison add up to, user by user: as large as users are many, however many the runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from evaluator.hicupid.questions import QuestionType
from evaluator.metrics.intervals import Array
from evaluator.records import Outcome, SlotOrder, Verdict
from leaderboard.rescoring.comparing_rows import BothRead
from leaderboard.rescoring.comparing_tables import SHAPE, TYPES, agreement_of, place_of, share_of
from leaderboard.rescoring.comparison import Position, TypeAgreement, VerdictAgreement, VerdictCounts

Person: TypeAlias = tuple[str, str, int]
"""A user of the data set: SHA of the data set, split and number."""

_OUTCOMES = {
    QuestionType.PERSONA: (Outcome.WIN, Outcome.TIE, Outcome.LOSS),
    QuestionType.PROFILE: (Outcome.WIN, Outcome.TIE, Outcome.LOSS),
    QuestionType.SCHEDULE: (Outcome.SATISFIED, Outcome.UNSATISFIED),
}
"""Outcomes of each question type, in the order in which they are shown."""
_PAIRS, _OLD, _NEW = 0, 1, 4
"""In the sums of pairs: how many there are, and where those of either judge begin, three each: pairs whose verdicts
agree, words for slot A, words for either slot."""


class ByUser:
    """Sums of one shape for each user."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """Holds no user yet."""
        self._shape = shape
        self._sums: dict[Person, Array] = {}

    def of(self, user: Person) -> Array:
        """Returns a user's sums, to be added to."""
        found = self._sums.get(user)
        if found is None:
            found = self._sums[user] = np.zeros(self._shape)
        return found

    def take(self, other: ByUser) -> None:
        """Adds the sums of others of the same shape."""
        for user, sums in other._sums.items():
            self.of(user)[...] += sums

    def stacked(self) -> Array:
        """Returns all sums, (users, *shape), in the order of users."""
        return np.array([self._sums[user] for user in sorted(self._sums)]).reshape(-1, *self._shape)


class Tally:
    """Counts of the verdicts of one run, or of many."""

    def __init__(self) -> None:
        """Counts nothing yet."""
        self.table = ByUser(SHAPE)
        self.pairs = ByUser((7,))
        self._items: Counter[QuestionType] = Counter()
        self._counts: Counter[tuple[QuestionType, str]] = Counter()
        self._because: Counter[tuple[QuestionType, str, str]] = Counter()
        self._owed_pairs = 0

    def add(self, user: Person, read: BothRead) -> list[int]:
        """Counts an item, and returns the places of the slot orders in which the two judges say otherwise."""
        type_, owed = read.item.type, len(read.item.orders)
        self._counts[type_, "owed"] += owed
        if read.lost_by_defect:
            self._counts[type_, "defects"] += owed
            return []
        said = list(zip(map(_outcome, read.old), map(_outcome, read.new), strict=True))
        flips, compared = [], 0
        for place, (old, new) in enumerate(said):
            self._counts[type_, _there(old, new)] += 1
            if old is None:
                self._because[type_, "old", read.why_missing(read.old[place])] += 1
            if new is None:
                self._because[type_, "new", read.why_missing(read.new[place])] += 1
            if old is not None and new is not None:
                self.table.of(user)[TYPES.index(type_), place_of(old), place_of(new)] += 1
                compared += 1
                if old is not new:
                    flips.append(place)
        self._items[type_] += compared > 0
        if owed == 2 and read.no_answer is None:
            self._add_pair(user, read.item.orders, said)
        return flips

    def _add_pair(
        self, user: Person, orders: Sequence[SlotOrder], said: Sequence[tuple[Outcome | None, Outcome | None]]
    ) -> None:
        """Counts an answered pair, how either judge goes by slots if both have read it in both orders."""
        self._owed_pairs += 1
        if any(outcome is None for both in said for outcome in both):
            return
        sums = self.pairs.of(user)
        sums[_PAIRS] += 1
        for start, outcomes in zip((_OLD, _NEW), zip(*said, strict=True), strict=True):
            words = [
                (outcome is Outcome.WIN) == (order is SlotOrder.ANSWER_FIRST)
                for order, outcome in zip(orders, outcomes, strict=True)
                if outcome is not Outcome.TIE
            ]
            sums[start : start + 3] += outcomes[0] is outcomes[1], sum(words), len(words)

    def take(self, other: Tally) -> None:
        """Adds the counts of another run."""
        self.table.take(other.table)
        self.pairs.take(other.pairs)
        self._items += other._items
        self._counts += other._counts
        self._because += other._because
        self._owed_pairs += other._owed_pairs

    def agreement(self) -> VerdictAgreement:
        """Returns the agreement over all question types."""
        return self._agreement(self.table.stacked(), TYPES)

    def by_type(self) -> tuple[TypeAgreement, ...]:
        """Returns the agreement on each question type."""
        return tuple(map(self._of_type, TYPES))

    def counts(self, types: Iterable[QuestionType] = TYPES) -> VerdictCounts:
        """Returns what became of all verdicts on some question types."""
        wanted = tuple(types)
        names = ("owed", "defects", "compared", "old_alone", "new_alone", "neither")
        return VerdictCounts(
            **{name: sum(self._counts[type_, name] for type_ in wanted) for name in names},
            old_because=self._causes("old", wanted),
            new_because=self._causes("new", wanted),
        )

    def positions(self) -> tuple[Position, Position]:
        """Returns how the old and the new judge go by slots."""
        sums = self.pairs.stacked()
        return self._position(sums, _OLD), self._position(sums, _NEW)

    def _position(self, sums: Array, start: int) -> Position:
        agree, for_a, words = sums[:, start : start + 3].T
        return Position(
            consistency=share_of(agree, sums[:, _PAIRS], self._owed_pairs),
            slot_a_share=share_of(for_a, words, 2 * self._owed_pairs),
        )

    def _of_type(self, type_: QuestionType) -> TypeAgreement:
        table = self.table.stacked()
        mine = table[:, TYPES.index(type_)]
        alone = np.zeros_like(table)
        alone[:, TYPES.index(type_)] = mine
        outcomes = _OUTCOMES[type_]
        whole, places = mine.sum(axis=0), list(map(place_of, outcomes))
        return TypeAgreement(
            type=type_,
            agreement=self._agreement(alone, (type_,)),
            counts=self.counts((type_,)),
            outcomes=outcomes,
            matrix=tuple(tuple(int(whole[row, column]) for column in places) for row in places),
        )

    def _agreement(self, table: Array, types: Sequence[QuestionType]) -> VerdictAgreement:
        counts = self.counts(types)
        lacking = counts.old_alone + counts.new_alone + counts.neither
        return agreement_of(table, sum(self._items[type_] for type_ in types), lacking)

    def _causes(self, judge: str, types: Sequence[QuestionType]) -> tuple[tuple[str, int], ...]:
        found: Counter[str] = Counter()
        for (type_, whose, cause), number in self._because.items():
            if whose == judge and type_ in types:
                found[cause] += number
        return tuple(sorted(found.items()))


def _outcome(verdict: Verdict | None) -> Outcome | None:
    return None if verdict is None else verdict.outcome


def _there(old: Outcome | None, new: Outcome | None) -> str:
    """Names which of the judges have said something."""
    if old is not None and new is not None:
        return "compared"
    return "old_alone" if old is not None else "new_alone" if new is not None else "neither"
