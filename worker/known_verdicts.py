"""What a judge has said already, wherever it lies: the same answer to the same question is never judged twice by it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import numpy as np

from evaluator.errors import RapportError
from evaluator.records import Generation, Verdict
from leaderboard.records import Plan
from leaderboard.rescoring.columns import (
    ColumnReader,
    Digests,
    are_among,
    asked_of,
    content_digests,
    things,
)
from leaderboard.rescoring.preview_measures import equals
from leaderboard.store.base import Store
from leaderboard.store.runs import StoredRun

log = logging.getLogger("rapport.publisher")


class KnownVerdicts:
    """The verdicts of one version of a judge, by the runs and judgings in which they lie.

    Of each it holds 8 bytes an answer; rows are read where some are wanted. Under which conditions a verdict was given
    is not looked at here: the worker takes those that its engine would give.

    Example:
        >>> known = KnownVerdicts(store, "other", "0a1b2c3d")  # doctest: +SKIP
        >>> known.add("s-20260101-0a1b2c3d.demo-v1")  # doctest: +SKIP
        >>> known.rows_for(plan, generations)  # doctest: +SKIP
        []
    """

    def __init__(self, store: Store, judge: str, revision: str) -> None:
        """Knows nothing yet."""
        self._store, self._judge, self._revision = store, judge, revision
        self._reader = ColumnReader(store)
        self._sources: dict[str, Digests] = {}

    def add(self, name: str) -> None:
        """Looks at what was said of a run, or in a judging; what cannot be read is noted, and asked again then."""
        try:
            self._sources[name] = self._answers_in(name)
        except RapportError as error:
            log.error("what %s said in %s is not used: %s", self._judge, name, error)

    def rows_for(self, plan: Plan, generations: Sequence[Generation]) -> list[Verdict]:
        """Returns what was said of some answers, all attempts.

        Args:
            plan: Of the judging that wants it.
            generations: The answers.

        Raises:
            RapportError: `data_error` if rows that are there cannot be read.
        """
        wanted = {(row.key.question_id, row.content_hash) for row in generations if row.answer is not None}
        if not wanted or not self._sources:
            return []
        digests = _digests(plan, [(question, str(content)) for question, content in wanted])
        found: dict[tuple[str, int], Verdict] = {}
        for name, there in self._sources.items():
            if name != plan.run_id and are_among(digests, there).any():
                for row in self._rows_in(name):
                    if row.key.data_sha == plan.data_sha and (row.key.question_id, row.key.content_hash) in wanted:
                        found.setdefault((row.verdict_key, row.attempt), row)
        return list(found.values())

    def _rows_in(self, name: str) -> Iterable[Verdict]:
        """Reads what this judge said in a run."""
        mine = (self._judge, self._revision)
        rows = StoredRun(self._store, name).rows().verdicts
        return (row for row in rows if (row.key.rater, row.key.rater_revision) == mine and row.taken_down is None)

    def _answers_in(self, name: str) -> Digests:
        """Returns of which answers this judge said something in a run, in ascending order."""
        run = self._reader.read(name, answers=False)
        if run is None:
            return np.zeros(0, dtype=np.uint64)
        table = run.verdicts
        mine = equals(table, "rater", self._judge) & equals(table, "rater_revision", self._revision)
        mine &= equals(table, "data_sha", run.asked.data_sha)
        rows = table.filter(mine)
        places = run.asked.places(rows["question_id"].combine_chunks())
        contents = content_digests(rows["content_hash"], name)
        return np.unique(things(run.asked, places[places >= 0], contents[places >= 0]))


def _digests(plan: Plan, answers: Sequence[tuple[str, str]]) -> Digests:
    """Returns answers as digests; those to what is not asked are left out."""
    import pyarrow as pa

    asked = asked_of(plan.questions, plan.data_sha)
    places = asked.places(pa.array([question for question, _ in answers], pa.string()))
    contents = content_digests(pa.array([content for _, content in answers], pa.string()), plan.run_id)
    return things(asked, places[places >= 0], contents[places >= 0])
