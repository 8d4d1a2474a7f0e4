"""Runs whose rows the store does not take: they are tried again by themselves, and end if that goes on for long."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from evaluator.errors import Cause, RapportError
from leaderboard.store.base import StoreBusy, StoreError, StoreFull

STORE_PATIENCE_SECONDS = 300.0
"""A store that comes back within this time fails no run."""
KEPT = "Finished items are kept: retry it and it goes on where it stopped."


class Setbacks:
    """Remembers which runs the store did not take, and whose turn it is.

    Such a run stands aside: others go first at every other turn, so that nobody waits behind what cannot be stored. At
    their own turns one of them is tried first, then twice as many each time that goes well: a store that was away for
    a while soon has them all, and a run is to blame only for what failed when it was alone.

    Example:
        >>> setbacks = Setbacks(clock=lambda: 0.0, fail=lambda run_id, error: None)
        >>> setbacks.next_turn()
        >>> with setbacks.watching({"s-20260101-0a1b2c3d.demo-v1"}):
        ...     pass
        >>> list(setbacks), setbacks.takes(["s-20260101-0a1b2c3d.demo-v1"])
        ([], {'s-20260101-0a1b2c3d.demo-v1'})
    """

    def __init__(self, clock: Callable[[], float], fail: Callable[[str, RapportError], None]) -> None:
        """Reads seconds from `clock`; `fail` ends a run."""
        self._clock, self._fail = clock, fail
        self._since: dict[str, float] = {}
        self._theirs = False
        self._together = 1
        """How many of those that stand aside are tried together."""

    def __iter__(self) -> Iterator[str]:
        """Yields the runs that stand aside, the one that was tried longest ago first."""
        return iter(tuple(self._since))

    @property
    def theirs(self) -> bool:
        """Whether it is the turn of those that stand aside."""
        return self._theirs

    def next_turn(self) -> None:
        """Gives the turn to the others, or to those that stand aside if there are any."""
        self._theirs = bool(self._since) and not self._theirs

    def takes(self, run_ids: Collection[str]) -> set[str]:
        """Returns which of some runs are stored now."""
        if not self._theirs:
            return set(run_ids) - self._since.keys()
        return set([run_id for run_id in self._since if run_id in run_ids][: self._together])

    @contextmanager
    def blaming(self, run_ids: Collection[str]) -> Iterator[None]:
        """Passes on what the store raises within the block, and notes it of the runs concerned.

        They end when the store is full. One that was alone ends when the store has failed over it for long.
        """
        try:
            yield
        except StoreBusy:
            raise
        except StoreError as error:
            self._together = 1
            self._note(run_ids, error)
            raise

    @contextmanager
    def watching(self, run_ids: Collection[str]) -> Iterator[None]:
        """As `blaming`; and once the block has stored their rows, runs do not stand aside any more."""
        with self.blaming(run_ids):
            yield
        self._together *= 2 if self._theirs and run_ids else 1
        for run_id in run_ids:
            self._since.pop(run_id, None)

    def _note(self, run_ids: Collection[str], error: StoreError) -> None:
        """Lets runs stand aside, and ends those for which that has gone on for long."""
        full, at = isinstance(error, StoreFull), self._clock()
        cause = Cause.DISK_FULL if full else Cause.INFRASTRUCTURE
        for run_id in sorted(run_ids):
            since = self._since.pop(run_id, at)
            self._since[run_id] = since  # As the one that was tried last.
            if full or (len(run_ids) == 1 and at - since > STORE_PATIENCE_SECONDS):
                self._fail(
                    run_id,
                    RapportError(cause, f"The results could not be stored: {error}.", f"{error.remedy} {KEPT}"),
                )
