"""The items that this site has to label: those of its data set of people's labels, and pairs of its public answers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.data import HUB_DATA_SET, HicupidData
from leaderboard.board.public import read_cards
from leaderboard.labelling.pairs import open_hicupid, pair_pool
from leaderboard.labelling.pools import Pool, human_pools
from leaderboard.labelling.records import Task
from leaderboard.pages.recent import Recent
from leaderboard.settings import Settings
from leaderboard.store.base import Store, StoreError

log = logging.getLogger("rapport.pages")

_SECONDS = 60.0
"""What could not be read is tried again after so long, and new answers are looked for."""
_REOPENED_SECONDS = 3600.0
"""So often a data set of people's labels is opened anew, since it may have changed."""


class Pools(NamedTuple):
    """The items of each task that there are, and why there are no others."""

    by_task: Mapping[Task, Pool]
    problems: tuple[str, ...]


class SitePools:
    """Reads the items: people's labels once an hour, and new answers once a minute at most."""

    def __init__(self, settings: Settings, results: Store, clock: Callable[[], float] = time.monotonic) -> None:
        """Has read nothing yet; answers come from the public `results`, seconds from the clock."""
        self._settings, self._results, self._clock = settings, results, clock
        self._recent = Recent(_SECONDS, clock)
        self._lock = threading.Lock()
        self._human: Mapping[Task, Pool] | None = None
        self._opened_at = float("-inf")
        self._hicupid: HicupidData | None = None

    def get(self) -> Pools:
        """Returns what there is to label."""
        found: Pools = self._recent.get("pools", self._read)
        return found

    def by_task(self) -> Mapping[Task, Pool]:
        """Returns the items of each task that there are."""
        return self.get().by_task

    def _read(self) -> Pools:
        """Reads what there is; what cannot be had keeps nobody from the rest."""
        found: dict[Task, Pool] = {}
        problems = []
        for what, read in (("people's labels", self._read_human), ("pairs to judge", self._read_pairs)):
            try:
                found |= read()
            except (RapportError, StoreError) as error:
                log.warning("no %s: %s", what, error)
                problems.append(f"There are no {what} here now: {error}")
        return Pools(found, tuple(problems))

    def _read_human(self) -> Mapping[Task, Pool]:
        """Opens the data set, or returns what it was when it was last opened.

        If it cannot be had just now it stays what it was, and is tried again; if it is broken or may not be shown any
        more, it is gone.
        """
        with self._lock:
            if self._human is None or self._clock() - self._opened_at >= _REOPENED_SECONDS:
                try:
                    self._human = human_pools(self._settings.human_data_set)
                    self._opened_at = self._clock()
                except RapportError as error:
                    if self._human is None or error.cause is not Cause.INFRASTRUCTURE:
                        self._human = None
                        raise
                    log.warning("people's labels stay as they were: %s", error)
            return self._human

    def _read_pairs(self) -> Mapping[Task, Pool]:
        if self._settings.data_set == HUB_DATA_SET:
            return {}  # Its text may not be shown, so nothing is asked of the Hub.
        with self._lock:
            if self._hicupid is None:
                self._hicupid = open_hicupid(self._settings.data_set)
            cards = read_cards(self._results).cards
            pool = pair_pool(self._hicupid, self._settings.data_set, self._results, cards)
            return {Task.PAIRS: pool} if pool.names else {}
