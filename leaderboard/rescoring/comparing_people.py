"""How far two judges agree with people, on the very same verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from evaluator.metrics.agreement import majority
from evaluator.metrics.intervals import Array
from evaluator.records import Outcome, Verdict
from leaderboard.rescoring.comparing_rows import BothRead
from leaderboard.rescoring.comparing_tables import (
    SCORES,
    SHAPE,
    TYPES,
    kappa,
    kappa_gain,
    place_of,
    raw_agreement,
    weighted_kappa,
)
from leaderboard.rescoring.comparing_tally import ByUser, Person
from leaderboard.rescoring.comparison import PeopleComparison, PeopleSide

NONE_GIVEN = "No verdicts of people were given."
ALL_STRANGERS = "No verdict of people is on an answer that these runs count."

_Votes = Mapping[tuple[str, str], Sequence[Verdict]]
"""People's verdicts by question and hash of the answer."""


class PeopleTally:
    """Counts of what people said, and of what both judges said of the same answers.

    People's word on an answer is that of the most of them: every verdict is a vote, and an answer whose votes are tied
    is left out. It is set beside each verdict of either judge that both have given, order by order.
    """

    def __init__(self) -> None:
        """Counts nothing yet."""
        self._tables = ByUser((2, *SHAPE))
        """For each user those of the old and of the new judge, people's majority in the rows."""
        self._annotators: set[str] = set()
        self._given = self._labels = self._answers = self._tied = self._unread = self._unanswered = 0

    def start(self, people: Sequence[Verdict]) -> _Votes:
        """Counts people's verdicts of a run, and returns them by answer."""
        votes: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
        for row in {row.verdict_key: row for row in people}.values():
            self._given += 1
            if row.outcome is None:
                self._unanswered += 1
            else:
                votes[row.key.question_id, row.key.content_hash].append(row)
        return votes

    def add(self, user: Person, read: BothRead, votes: _Votes) -> None:
        """Counts an item whose answer a judge is owed a verdict on."""
        if read.answer is None or read.answer.content_hash is None or read.lost_by_defect:
            return
        rows = votes.get((read.item.question_id, read.answer.content_hash))
        if not rows:
            return
        self._answers += 1
        self._labels += len(rows)
        self._annotators.update(row.key.rater for row in rows)
        decided = _majority(rows)
        if decided is None:
            self._tied += 1
            return
        said = [
            (old.outcome, new.outcome)
            for old, new in zip(read.old, read.new, strict=True)
            if old is not None and new is not None and old.outcome is not None and new.outcome is not None
        ]
        self._unread += not said
        sums = self._tables.of(user)[:, TYPES.index(read.item.type)]
        for both in said:
            for judge, outcome in enumerate(both):
                sums[judge, decided, place_of(outcome)] += 1

    def found(self) -> tuple[PeopleComparison | None, str | None]:
        """Returns the agreement of both judges with people, or why there is none."""
        if not self._answers:
            return None, ALL_STRANGERS if self._given else NONE_GIVEN
        tables = self._tables.stacked()
        old, new = tables[:, 0], tables[:, 1]
        compared = self._answers - self._tied - self._unread
        return PeopleComparison(
            old=_side(old),
            new=_side(new),
            kappa_difference=kappa_gain(old, new),
            labels=self._labels,
            annotators=len(self._annotators),
            answers=self._answers,
            tied=self._tied,
            unread=self._unread,
            compared=compared,
            strangers=self._given - self._unanswered - self._labels,
            unanswered=self._unanswered,
        ), None


def _majority(rows: Sequence[Verdict]) -> int | None:
    """Returns the place of the outcome that most verdicts give; None if votes are tied."""
    votes = [SCORES[place_of(row.outcome)] for row in rows if isinstance(row.outcome, Outcome)]
    (most,) = majority(np.array([votes])).labels
    return None if np.isnan(most) else int(2 * most)


def _side(table: Array) -> PeopleSide:
    return PeopleSide(raw=raw_agreement(table, 0), kappa=kappa(table), weighted_kappa=weighted_kappa(table))
