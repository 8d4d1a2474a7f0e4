"""The publisher's second hand: brings the public data sets up to date with what was written to the archive.

It works beside the publisher, which goes on draining meanwhile, and knows from a file how far it came. What it derives
may be derived again at any time, so the file may be lost: then all submissions are looked at.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import RapportError
from leaderboard.release.derive import all_submissions
from leaderboard.release.kept import Kept, read_kept
from leaderboard.release.news import concerns_all, news_in, tells_of_judges
from leaderboard.release.people import all_people
from leaderboard.release.release import Release
from leaderboard.rescoring.promotions import NOTHING_PROMOTED
from leaderboard.store.base import Conflict, Operation, Revision, Store, StoreBusy, StoreError

log = logging.getLogger("rapport.release")

_SEARCHED_COMMITS = 1000
_IDLE_SECONDS, _PAUSE_SECONDS, _STOP_SECONDS = 0.5, 5.0, 10.0
_RANKING_SHARE = 0.1
"""The most of its time that it spends on ranking: where that takes minutes, the board follows less often."""
_BOARD_SECONDS = 120.0
"""The board waits for so long at most while submissions keep coming: it needs a commit for itself."""
_AGAIN_SECONDS = 600.0
"""A board that leaves something out, since a file cannot be read, is tried again after so long: it may be mended."""


class Backlog(NamedTuple):
    """What is not public yet."""

    submissions: int = 0
    """Submissions with news that wait to be released."""
    seconds: float = 0.0
    """For how long the first news has waited, a new board among them; 0 without any."""
    broken: int = 0
    """Submissions that could not be released when they were last looked at."""


class _News(NamedTuple):
    """What is known of a submission that waits."""

    rows: bool
    """Whether its rows may have changed."""
    since: float
    """When it began to wait."""


class Releasing:
    """Remembers what is to be released, and releases it.

    Example:
        >>> releasing = Releasing(archive, release, Path("data/.released"))  # doctest: +SKIP
        >>> releasing.note(operations, revision)  # doctest: +SKIP
        >>> releasing.step()  # doctest: +SKIP
        True
    """

    def __init__(
        self, archive: Store, release: Release, file: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Has looked at nothing yet; notes in `file` how far it came."""
        self._archive, self._release, self._file, self._clock = archive, release, file, clock
        self._lock = threading.Lock()
        self._waiting: dict[str, _News] = {}
        self._newest: Revision | None = None
        self._broken = frozenset[str]()
        self._noted: Revision | None = None
        self._begun, self._looked_back_at = False, float("-inf")
        self._rank_at = self._again_at = float("-inf")
        self._unranked_since: float | None = clock()
        self._news_of_judges = False
        self._promotions = NOTHING_PROMOTED
        """Whose judge decided ranks when it was last looked at."""
        self._together = set[str]()
        """What a promotion concerns and was not released since: until all of it was, the board stays as it is."""

    def backlog(self) -> Backlog:
        """Returns what is not public yet; may be asked from another thread."""
        with self._lock:
            now = self._clock()
            first = min(
                news.since
                for news in (
                    *self._waiting.values(),
                    _News(False, now if self._unranked_since is None else self._unranked_since),
                )
            )
            return Backlog(len(self._waiting), max(0.0, now - first), len(self._broken))

    def note(self, operations: Iterable[Operation], revision: Revision) -> None:
        """Takes note of a commit to the archive; may be called from another thread."""
        paths = [operation.path for operation in operations]
        found = news_in(paths)
        if concerns_all(paths):
            found = dict.fromkeys(all_submissions(self._archive), False) | found
        with self._lock:
            self._add(found)
            self._newest = revision
            self._news_of_judges = self._news_of_judges or tells_of_judges(paths)

    def step(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Releases some of what waits, or the board; says whether it did.

        Args:
            stopped: Says whether to give up: what was begun is then begun again by whoever comes next.

        Raises:
            StoreError: If a store takes nothing now; what waits goes on waiting.
        """
        if not self._begun:
            self._begin()
        if self._release.commit_in > 0:
            return False  # A public data set wants to be left alone: to derive anything now would be in vain.
        if self._news_of_judges:
            self._tell_of_judges()
            return True
        # A commit is taken as soon as there is room for one: were the board left for after it, there never would be.
        ranks, brought = self._ranks_now(), False
        if ranks or self._waiting:
            ranks = not self._is_promoted() and ranks
        if ranks:
            self._rank()
        else:
            brought = self._bring(stopped)
        if brought or ranks or self._noted != self._newest:
            self._note_how_far()
        return brought or ranks

    def _begin(self) -> None:
        """Finds out what was written to the archive since it was last released."""
        self._promotions = self._release.look_at_promotions()
        kept, head = read_kept(self._file), self._archive.head()
        since = self._changed_since(kept) if kept and self._release.goes_on_from(kept.results, kept.requests) else None
        if since is None:
            since = dict.fromkeys([*all_submissions(self._archive), *all_people(self._archive)], True)
            self._together |= since.keys()  # A promotion may be among what was changed.
        with self._lock:
            self._add(since)
            self._newest = self._newest or head
        self._describe()
        self._begun, self._looked_back_at = True, self._clock()

    def _describe(self) -> None:
        """Writes what the public data sets say of themselves; a judge that cannot be read holds up nothing else."""
        try:
            self._release.describe()
        except RapportError as error:
            log.error("the public data sets are described as before: %s", error)

    def _changed_since(self, kept: Kept) -> dict[str, bool] | None:
        """Returns what commits were about since it was last noted how far it came; None if that cannot be told."""
        found = dict.fromkeys(kept.broken, True)
        if kept.archive == self._archive.head():
            return found
        for commit in self._archive.history(_SEARCHED_COMMITS):
            if concerns_all(commit.paths):
                return None
            for name, rows in news_in(commit.paths).items():
                found[name] = found.get(name, False) or rows
            if commit.parent == kept.archive:
                return found
        return None

    def _add(self, news: Mapping[str, bool]) -> None:
        """Lets submissions wait, each from now on unless it does already."""
        for name, rows in news.items():
            old = self._waiting.get(name, _News(False, self._clock()))
            self._waiting[name] = _News(old.rows or rows, old.since)

    def _bring(self, stopped: Callable[[], bool]) -> bool:
        """Releases as much of what waits as fits into a commit; what is noted meanwhile goes on waiting."""
        with self._lock:
            taken = dict(self._waiting)
        if not taken:
            return False
        turn = {
            name: taken[name].rows or name in self._broken
            for name in sorted(taken, key=lambda name: self._turn(taken[name]))
        }
        brought = self._release.bring_some(turn, stopped)
        with self._lock:
            for name in brought.done:
                news = self._waiting.pop(name)
                if news is not taken[name]:
                    self._waiting[name] = news._replace(since=self._clock())
            self._together -= brought.done
            self._broken = self._broken - brought.done | brought.broken
        return bool(brought.done)

    def _turn(self, news: _News) -> tuple[bool, float]:
        """Says when a submission has its turn: first come first served, and what is looked at after a start last."""
        return news.since <= self._looked_back_at, news.since

    def _ranks_now(self) -> bool:
        """Says whether it is time for a new board: not while something waits that changes it anyway."""
        now = self._clock()
        if self._release.ranked:
            self._unranked_since = None
            return self._release.incomplete and now >= self._again_at and not self._together
        self._unranked_since = now if self._unranked_since is None else self._unranked_since
        waited = not self._waiting or now - self._unranked_since >= _BOARD_SECONDS
        return now >= self._rank_at and waited and not self._together

    def _is_promoted(self) -> bool:
        """Says whether another judge decides ranks than before; then all submissions wait, to be released under it."""
        promotions = self._release.look_at_promotions()
        if promotions == self._promotions:
            return False
        # First of all: a promotion that counted as seen before it is known what it concerns would show piece by piece.
        everything = dict.fromkeys(all_submissions(self._archive), False)
        with self._lock:
            self._add(everything)
            self._together |= everything.keys()
            self._promotions = promotions
        return True

    def _tell_of_judges(self) -> None:
        """Writes what is known of judges; what is noted meanwhile is written the next time."""
        self._news_of_judges = False  # Before anything is read.
        try:
            self._release.tell_of_judges()
        except BaseException:
            self._news_of_judges = True
            raise

    def _rank(self) -> None:
        """Ranks the board anew, and sees to it that this does not take most of the time, whatever comes of it."""
        began = self._clock()
        try:
            self._release.rank()
        finally:
            ended = self._clock()
            self._rank_at, self._again_at = ended + (ended - began) / _RANKING_SHARE, ended + _AGAIN_SECONDS

    def _note_how_far(self) -> None:
        """Notes up to which revision all is public, once nothing waits."""
        with self._lock:
            if self._waiting or self._newest is None:
                return
            newest, broken = self._newest, self._broken
        Kept(newest, *self._release.heads, broken).write(self._file)
        self._noted = newest


@contextmanager
def released_meanwhile(releasing: Releasing) -> Iterator[None]:
    """Releases in a thread of its own within the block.

    One that is in the middle of a commit at its end is not waited for much longer: whoever comes next goes on from
    whatever it left.
    """
    ended = threading.Event()
    thread = threading.Thread(target=go_on_releasing, args=(releasing, ended), name="release", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_STOP_SECONDS)


def go_on_releasing(releasing: Releasing, stopping: threading.Event) -> None:
    """Releases until told to stop; whatever is away is waited for.

    Nothing ends it but that: an error that nobody expected is ours, and keeps neither the publisher from its work nor
    what waits from being tried again; that it waits is among the metrics.
    """
    while not stopping.is_set():
        try:
            if not releasing.step(stopping.is_set):
                stopping.wait(_IDLE_SECONDS)
        except (StoreBusy, Conflict) as error:
            log.info("%s", error)
            stopping.wait(_PAUSE_SECONDS)
        except (StoreError, RapportError) as error:
            log.error("%s", error)
            stopping.wait(_PAUSE_SECONDS)
        except Exception:
            log.exception("releasing met an unexpected error")
            stopping.wait(_PAUSE_SECONDS)
