"""The publisher: the only role that writes to the store.

It drains what workers handed over, saves the ledger, scores runs whose shards are all done, and publishes their
scorecards. Every write has a path derived from identity, so doing a step again after a crash changes nothing. Before
anything else it makes sure that Redis still holds what it held.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol
from leaderboard.records import Failure, Lane, Plan, State, now, protocol_of, submission_of
from leaderboard.scorecards import make_scorecard, make_user_scores
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store, StoreError, StoreUnavailable, Write
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.reading import NotInLedger
from leaderboard.submissions.restoring import trim_counted
from leaderboard.submissions.views import steps_of
from worker.draining import Drain
from worker.epoch import Epoch, MemoryLost
from worker.hold import Displaced, Hold
from worker.mark import saved_mark, signed
from worker.outbox import Outbox
from worker.recovery import Recovery, restore_all
from worker.saving import ACTOR, Saver
from worker.setbacks import KEPT, Setbacks
from worker.shelf import KEPT_FOR, Shelf
from worker.stored import StoredRun
from worker.tasks import finished

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
    ) -> None:
        """Writes to `store`; saves the ledger every `journal_seconds`, and at once what was published or has ended.

        `tell` is called with each submission that has ended, once that is saved; perhaps twice. The mark is noted in
        the file `mark`: without one, the next publisher cannot tell whether Redis has lost something. What has failed
        or was cancelled stays in Redis for as long as `kept` says; see `Shelf`.
        """
        self.hold = Hold(redis)
        self._redis, self._ledger, self._store = redis, ledger, store
        self._outbox, self._epoch = Outbox(redis), Epoch(redis, self.hold, mark)
        self._setbacks, self._shelf = Setbacks(clock, self._fail), Shelf(redis, kept)
        self._drain = Drain(redis, ledger, self._commit, self._fail, self._setbacks)
        self._saver = Saver(ledger, store, self._commit_journal, self._shelf, journal_seconds, clock, tell)

    def step(self) -> bool:
        """Does what there is to do and says whether there was anything.

        A store that cannot be written passes its error on; rows stay in Redis and are written as soon as it can be.
        """
        try:
            if not self._epoch.goes_on():
                self._restore()
            if self._store.condition().commit_in > 0:
                return False  # It wants to be left alone: everything waits in Redis meanwhile.
            self._setbacks.next_turn()
            drained = self._drain.step()
            runs = self._ledger.open_runs()
            ended = self._finish_next(runs)
            self._saver.save(at_once=ended)
            self._shelf.clear()
            trim_counted(self._redis, now())
            back = self._bring_back(runs)
        except MemoryLost as error:
            log.warning("%s; the ledger is restored", error)
            return True
        except NotInLedger as error:
            self._check_lost(error)
            return True
        return drained or ended or back

    def _finish_next(self, runs: Sequence[str]) -> bool:
        """Finishes the first of the open runs that can be; says whether there was one.

        One at a time: scoring takes long, and the ledger is to be saved in between.
        """
        done = self._done_runs(runs)  # First: a last batch that comes now is then among those that wait.
        waiting = {entry.run_id for entry in self._outbox.waiting()}
        takes = [run_id for run_id in done if self._setbacks.theirs or run_id not in self._setbacks]
        return any(self._finish(run_id) for run_id in takes if run_id not in waiting)

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
        restore_all(self._redis, self._ledger, self._store, self._shelf)
        self._epoch.begin(saved)

    def _commit(self, writes: Sequence[Write], message: str) -> None:
        """Writes to the store what was read from Redis, unless Redis has lost something since.

        Raises:
            MemoryLost: If it has; nothing was written.
            Displaced: If another publisher is at work; nothing was written.
        """
        mark = self._epoch.check()
        self._store.commit(writes, signed(message, mark))

    def _commit_journal(self, writes: Sequence[Write], message: str) -> None:
        """Writes histories; a store that fails is noticed here as well, and ends no run."""
        with self._setbacks.watching(()):
            self._commit(writes, message)

    def _done_runs(self, runs: Sequence[str]) -> list[str]:
        """Returns which of the open runs have all shards judged, in one round trip however many are open."""
        with self._redis.pipeline(transaction=False) as pipe:
            for run_id in runs:
                pipe.hget(keys.progress(run_id), "shards")
                pipe.scard(keys.done(run_id, Lane.JUDGE))
            answers = pipe.execute()
        found = zip(runs, answers[::2], answers[1::2], strict=True)
        return [run_id for run_id, shards, done in found if shards is not None and done >= int(shards)]

    def _finish(self, run_id: str) -> bool:
        """Scores and publishes a run whose shards are all done and drained; says whether the run ended."""
        plan = self._ledger.plan(run_id)
        if plan is None or not finished(self._redis, plan):
            return False
        for state in (State.GENERATING, State.JUDGING, State.SCORING):
            self._ledger.advance(run_id, state, ACTOR)
        try:
            with self._setbacks.watching((run_id,)):
                published = self._publish(run_id, plan)
        except (StoreError, RedisError, MemoryLost, NotInLedger, Displaced):
            raise
        except RapportError as error:  # What is stored cannot be scored: no other run has to wait for that.
            self._fail(run_id, error)
            return True
        except Exception as error:
            # One run that cannot be scored must not keep all others from the board.
            log.exception("scoring %s failed", run_id)
            self._fail(run_id, _unexpected(error))
            return True
        if published:
            log.info("published %s", run_id)
        return published

    def _publish(self, run_id: str, plan: Plan) -> bool:
        """Writes the scorecard and takes the run to its end; False if the run has left the publisher's hands."""
        history = self._ledger.history(submission_of(run_id))
        rows = StoredRun(self._store, run_id).rows()
        card = make_scorecard(
            history.corrected,
            plan,
            rows,
            load_protocol(protocol_of(run_id)),
            load_judge(plan.judge),
            steps_of(history.events, run_id),
            now(),
        )
        self._ledger.advance(run_id, State.PUBLISHING, ACTOR)
        if self._ledger.state(run_id) is not State.PUBLISHING:
            return False
        path = layout.scorecard_path(card.model, card.id)
        if not self._stands(path, card.rows_sha):
            sums = make_user_scores(card, plan, rows)
            writes = [
                Write(path, card.model_dump_json().encode()),
                Write(layout.user_scores_path(card.model, card.id), sums.model_dump_json().encode()),
            ]
            self._commit(writes, f"scorecard {card.id}")
        return self._ledger.advance(run_id, State.PUBLISHED, ACTOR)

    def _fail(self, run_id: str, error: RapportError) -> None:
        """Ends a run with its cause, unless it has ended."""
        failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy)
        if self._ledger.fail(run_id, ACTOR, failure):
            log.error("%s failed: %s", run_id, error)

    def _stands(self, path: str, rows_sha: str) -> bool:
        """Says whether the same rows' scorecard was published before a crash."""
        try:
            return f'"rows_sha":"{rows_sha}"'.encode() in self._store.read(path)
        except NotFound:
            return False


def _unexpected(error: Exception) -> RapportError:
    """Says that the failure is ours, without showing its insides."""
    return RapportError(
        Cause.INFRASTRUCTURE, f"The publisher met an unexpected error ({type(error).__name__}).", f"Our fault. {KEPT}"
    )
