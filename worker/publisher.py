"""The publisher: the only role that writes to the store.

It drains what workers handed over, scores runs whose shards are all done, and saves the ledger. All that waits goes
into one commit, for a store may take only two of them in a minute; what follows from it is done once the store holds
it. Every write has a path derived from identity, so doing a step again after a crash changes nothing. Before anything
else it makes sure that Redis still holds what it held.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.labelling import journal as labels_journal
from leaderboard.objections import journal as objections_journal
from leaderboard.records import Failure, now
from leaderboard.rescoring.records import is_of_rescore
from leaderboard.store.base import Operation, Revision, Store, StoreUnavailable
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.reading import NotInLedger
from leaderboard.submissions.restoring import trim_counted
from worker.acts import ActSaver
from worker.draining import Drain
from worker.epoch import Epoch, MemoryLost
from worker.finishing import Finisher
from worker.hold import Hold
from worker.labels import LabelSaver
from worker.mark import read_mark, saved_mark, signed
from worker.objections import ObjectionSaver
from worker.outbox import Outbox, Waiting
from worker.parts import FILES_A_COMMIT, Part, operations_of, runs_of, words_of
from worker.recovery import Recovery, restore_all
from worker.rescoring import Rescorer
from worker.saving import ACTOR, Saver
from worker.setbacks import Setbacks
from worker.shelf import KEPT_FOR, Shelf

log = logging.getLogger("rapport.publisher")


class Publisher:
    """Moves rows from Redis to the store and runs from judged to published.

    Example:
        >>> publisher = Publisher(redis, Ledger(redis), LocalStore(folder))  # doctest: +SKIP
        >>> while publisher.step():  # doctest: +SKIP
        ...     pass
    """

    def __init__(
        self,
        redis: Redis,
        ledger: Ledger,
        store: Store,
        journal_seconds: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[History], None] = lambda _: None,
        mark: Path | None = None,
        kept: datetime.timedelta = KEPT_FOR,
        stored: Callable[[Sequence[Operation], Revision], None] = lambda *_: None,
        judges: Path | None = None,
    ) -> None:
        """Writes to `store`; saves the ledger every `journal_seconds`, and at once what was published or has ended.

        `tell` is called with each submission that has ended, once that is saved; perhaps twice. The mark is noted in
        the file `mark`: without one, the next publisher cannot tell whether Redis has lost something. What has failed
        or was cancelled stays in Redis for as long as `kept` says; see `Shelf`. `stored` is called with what each
        commit changed and the revision that it led to. `judges` is a folder of judges beside those that ship.
        """
        self._stored = stored
        self.hold = Hold(redis)
        self._redis, self._ledger, self._store = redis, ledger, store
        self._outbox, self._epoch = Outbox(redis), Epoch(redis, self.hold, mark)
        self._setbacks, self._shelf = Setbacks(clock, self._fail), Shelf(redis, kept)
        self._drain = Drain(redis, ledger, store, self._fail)
        self._finisher = Finisher(redis, ledger, store, self._fail, self._setbacks, clock, judges)
        self._saver = Saver(ledger, store, self._shelf, journal_seconds, clock, tell)
        self._rescorer = Rescorer(redis, ledger, store, judges)
        self._labels = LabelSaver(redis, journal_seconds, clock, store)
        self._objections = ObjectionSaver(redis, journal_seconds, clock)
        self._acts = ActSaver(redis, store)

    def step(self) -> bool:
        """Does what there is to do and says whether there was anything.

        A store that cannot be written passes its error on; rows stay in Redis and are written as soon as it can be.
        """
        try:
            if not self._epoch.goes_on():
                self._restore()
            self._rescorer.look()
            if self._store.condition().commit_in > 0:
                return self._rescorer.feed()  # It wants to be left alone: what is to be stored waits in Redis.
            self._setbacks.next_turn()
            runs = self._ledger.open_runs()
            # First: a last batch that comes now is then among those that wait.
            done, judged = self._finisher.done(runs), self._rescorer.judged()
            waiting = self._outbox.waiting()
            parts = self._gather(done, judged, waiting)
            self._commit(parts)
            self._shelf.clear()
            trim_counted(self._redis, now())
            back = self._bring_back(runs) or self._rescorer.feed()
        except MemoryLost as error:
            log.warning("%s; the ledger is restored", error)
            return True
        except NotInLedger as error:
            self._check_lost(error)
            return True
        return bool(waiting or parts) or back

    def _gather(self, done: Sequence[str], judged: Sequence[str], waiting: Sequence[Waiting]) -> list[Part]:
        """Returns what goes into the next commit.

        Histories go along with whatever is written anyway; but what stands aside is tried by itself, with no more than
        what must never be without its entry in the log of maintainers: news of re-scores, and results as corrected.
        """
        held = {entry.run_id for entry in waiting}
        ready = [run_id for run_id in done if run_id not in held]
        takes = self._setbacks.takes({*held, *ready, *judged})
        results = self._finisher.gather([run_id for run_id in ready if run_id in takes])
        results += self._rescorer.gather([name for name in judged if name in takes and name not in held])
        turn = [entry for entry in waiting if entry.run_id in takes]
        journal = None if self._setbacks.theirs else self._saver.gather(at_once=bool(results or turn))
        labels = None if self._setbacks.theirs else self._labels.gather(at_once=bool(results or turn or journal))
        objections = None
        if self._rescorer.objections_unsaved and not self._setbacks.theirs:
            objections = self._objections.gather(at_once=bool(results or turn or journal or labels))
        # Last: whatever maintainers have done that is saved now, its entry is there by now.
        written = bool(results or turn or journal or labels or objections)
        logged = bool(results) or not self._setbacks.theirs
        acts = self._acts.gather(count=self._rescorer.acts, at_once=written) if logged else None
        saved = [part for part in (journal, labels, objections, acts) if part]
        room = FILES_A_COMMIT - sum(part.files for part in (*results, *saved))
        return [*results, *filter(None, [self._drain.gather(turn, room)]), *saved]

    def _commit(self, parts: Sequence[Part]) -> None:
        """Stores some parts in one commit and does what follows, unless Redis has lost something since it was read.

        Raises:
            MemoryLost: If it has; nothing was written.
            Displaced: If another publisher is at work; nothing was written.
        """
        operations = operations_of(parts)
        with self._setbacks.watching(runs_of(parts)):
            if operations:
                mark = self._epoch.check()
                self._stored(operations, self._store.commit(operations, signed(words_of(parts), mark)))
        for part in parts:
            part.then()

    def _bring_back(self, runs: Sequence[str]) -> bool:
        """Brings back the first of the open runs of which the store alone has the rows; says whether there was one.

        One at a time: a run has many files, and the others are to go on in between.
        """
        for run_id in self._shelf.shelved(runs):
            log.info("%s was taken up again; its rows come back from the store", run_id)
            Recovery(self._redis, self._ledger, self._store).bring_back(run_id)
            return True
        return False

    def _check_lost(self, error: NotInLedger) -> None:
        """Sees to it that the ledger is restored after Redis did not hold what it held a moment ago.

        Raises:
            RapportError: `infrastructure` if nothing says that it has lost its memory: a restore would not help.
        """
        if self._epoch.goes_on():
            raise RapportError(
                Cause.INFRASTRUCTURE,
                f"Redis does not hold {error}, and has lost nothing else.",
                "Stop all roles, empty Redis and start again: the store has what was saved.",
            )
        log.warning("Redis does not hold %s any more; the ledger is restored", error)

    def fail_open_runs(self, failure: Failure) -> None:
        """Ends every run that has not ended: what hinders them all is beyond any of them."""
        for run_id in self._ledger.open_runs():
            self._ledger.fail(run_id, ACTOR, failure)

    def _restore(self) -> None:
        """Merges Redis with the store; no submission is accepted meanwhile. Nothing is done if nothing was lost.

        Raises:
            StoreUnavailable: If the store cannot tell what it holds now.
        """
        standing = read_mark(text(self._redis.get(keys.EPOCH) or b""))
        if self._epoch.begun:
            self._epoch.end()
        self._store.head()
        if not (condition := self._store.condition()).current:
            raise StoreUnavailable("its home", f"{condition.reason}; the ledger is compared with it once it answers")
        saved = saved_mark(self._store)
        if not self._epoch.begun and self._epoch.resume(saved):
            log.info("Redis holds what the publisher before this one left there")
            return
        log.info("Redis does not hold the mark of this publisher: it is compared with the store")
        self._epoch.end()
        # Under a mark that stands in Redis nothing was stored but what Redis held by then.
        holds_all = standing is not None and saved is not None and standing.reaches(saved)
        restore_all(self._redis, self._ledger, self._store, self._shelf, holds_all=holds_all)
        self._rescorer.restore(holds_all=holds_all)
        self._labels.forget()
        log.info("restored the labels of %d people from the store", labels_journal.restore(self._redis, self._store))
        log.info("restored %d objections from the store", objections_journal.restore(self._redis, self._store))
        self._epoch.begin(saved)

    def _fail(self, run_id: str, error: RapportError) -> None:
        """Ends a run with its cause, unless it has ended; of a re-score, one run."""
        if is_of_rescore(run_id):
            self._rescorer.fail(run_id, error)
            return
        failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy)
        if self._ledger.fail(run_id, ACTOR, failure):
            log.error("%s failed: %s", run_id, error)
