"""Whose turn it is in a re-score: not that of a run whose answers are being judged in another one at this moment."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

import numpy as np

from evaluator.errors import RapportError
from leaderboard.rescoring.columns import ColumnReader, Digests, are_among, content_digests, things
from leaderboard.store.base import Store

log = logging.getLogger("rapport.publisher")

MOST_SHARED = 0.1
"""A run waits if more of its answers are being judged. Some are often shared: a refusal, a single word."""
_LOOKED_AT = 16
"""Runs that may be preferred to the first one that waits."""


class Turns:
    """Chooses which run of a re-score is judged next.

    A verdict that was given is taken over wherever it lies; one that is being asked for at this moment cannot be. A
    model that was submitted twice would be judged twice if both its runs were open together.

    Example:
        >>> Turns(store).next_of(["s-20260101-0a1b2c3d.official-v1"], ())  # doctest: +SKIP
        's-20260101-0a1b2c3d.official-v1'
    """

    def __init__(self, store: Store) -> None:
        """Knows no answers yet."""
        self._reader = ColumnReader(store)
        self._answers: dict[str, Digests] = {}

    def next_of(self, left: Sequence[str], under_way: Collection[str]) -> str | None:
        """Returns the run that is to be judged next; None if all that are looked at wait for those under way.

        Args:
            left: Runs that are still to be judged, at least one.
            under_way: Runs that are being judged.

        Raises:
            StoreError: If the store as a whole cannot be read.
        """
        if not under_way:
            return left[0]
        looked_at = left[:_LOOKED_AT]
        self._answers = {name: self._answers_of(name) for name in (*under_way, *looked_at)}
        judged_now = np.unique(np.concatenate([self._answers[name] for name in under_way]))
        return next((name for name in looked_at if self._share(name, judged_now) <= MOST_SHARED), None)

    def _share(self, run_id: str, judged_now: Digests) -> float:
        """Returns the share of a run's answers that are among others, in 0..1; 0 for a run without any."""
        own = self._answers[run_id]
        return float(are_among(own, judged_now).mean()) if len(own) else 0.0

    def _answers_of(self, run_id: str) -> Digests:
        """Returns a run's answers; none of one that cannot be read, which is told when it is laid out."""
        if run_id in self._answers:
            return self._answers[run_id]
        try:
            run = self._reader.read(run_id)
        except RapportError as error:
            log.info("the answers of %s are not looked at: %s", run_id, error)
            run = None
        if run is None:
            return np.zeros(0, dtype=np.uint64)
        answers = run.answers.filter(run.answers["content_hash"].is_valid())
        places = run.asked.places(answers["question_id"].combine_chunks())
        contents = content_digests(answers["content_hash"], run_id)
        return things(run.asked, places[places >= 0], contents[places >= 0])
