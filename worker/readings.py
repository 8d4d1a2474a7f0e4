"""Reads what the publisher tells Prometheus: from Redis for all roles, and from its own stores."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from evaluator.errors import Cause, RapportError
from leaderboard.connection import text
from leaderboard.fleet import Fleet
from leaderboard.records import Lane, State, now
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.journal import readable
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.measures import read_paces
from leaderboard.submissions.order import read_order
from leaderboard.submissions.refusals import read_refusals
from leaderboard.submissions.states import ENDED
from worker.commits import Commits
from worker.metrics import Sample
from worker.outbox import Outbox
from worker.outcomes import Outcomes
from worker.releasing import Backlog
from worker.tasks import Board, read_boards, shard_id

log = logging.getLogger("rapport.metrics")

READ_SECONDS = 5.0
"""No part is begun later than this; Prometheus waits for ten."""
_GONE = (RedisConnectionError, RedisTimeoutError)


class Readings:
    """Reads all samples when asked.

    A part that cannot be read costs its own samples and no other's, and is named. Once Redis does not answer, nothing
    more is asked of it.

    Example:
        >>> readings = Readings(web_client("redis://localhost:6379/0"), {})  # doctest: +SKIP
        >>> [sample.value for sample in readings.read() if sample.name == "rapport_redis_up"]  # doctest: +SKIP
        [1]
    """

    def __init__(
        self,
        redis: Redis,
        stores: Mapping[str, Commits],
        backlog: Callable[[], Backlog] = Backlog,
        seconds: float = READ_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reads from a client that gives up soon, and of stores by their word, such as `archive`.

        `backlog` tells what of the archive is not public yet.
        """
        self._backlog = backlog
        self._redis, self._stores, self._seconds, self._clock = redis, stores, seconds, clock
        self._ledger, self._fleet, self._outbox = Ledger(redis), Fleet(redis), Outbox(redis)
        self._outcomes = Outcomes(redis)
        self._until = 0.0
        self._histories: Sequence[History] = ()
        self._reading = threading.Lock()

    def read(self) -> list[Sample]:
        """Returns all samples there are now; raises nothing that Redis or a store does."""
        with self._reading:
            began = self._clock()
            self._until = began + self._seconds
            samples = [*self._of_redis(), *self._of_release(), *self._of_stores()]
            return [*samples, Sample("rapport_read_seconds", self._clock() - began)]

    def _of_redis(self) -> Iterator[Sample]:
        """Yields what Redis tells, part by part."""
        parts = (self._server, self._queue, self._leases, self._workers, self._rates, self._ends, self._lag)
        up = True
        for part in parts:
            read = False
            if up and self._may_go_on():
                try:
                    yield from tuple(part())
                    read = True
                except (RedisError, RapportError) as error:
                    log.warning("%s cannot be read for the metrics (%s)", part.__name__, type(error).__name__)
                    up = not isinstance(error, _GONE)
                except _NotInTime:
                    log.warning("%s took too long to be read for the metrics", part.__name__)
            yield Sample("rapport_readable", int(read), (part.__name__.strip("_"),))
        yield Sample("rapport_redis_up", int(up))

    def _may_go_on(self) -> bool:
        """Says whether there is time left."""
        return self._clock() < self._until

    def _server(self) -> Iterator[Sample]:
        """The server itself."""
        began = self._clock()
        self._redis.ping()
        yield Sample("rapport_redis_latency_seconds", self._clock() - began)
        told = self._redis.info("persistence")
        sound = told.get("aof_enabled") and told.get("aof_last_write_status", "ok") == "ok"
        yield Sample("rapport_redis_append_only", int(bool(sound)))
        yield Sample("rapport_accepting", int(self._ledger.is_open()))
        yield Sample("rapport_reaper_up", int(bool(self._redis.exists(keys.ORDER))))

    def _queue(self) -> Iterator[Sample]:
        """Runs that have not ended, and who waits."""
        self._histories = readable(self._ledger, self._ledger.active())
        states = Counter(state for history in self._histories for state in history.states.values())
        for state in State:
            if state not in ENDED:
                yield Sample("rapport_runs", states[state], (state,))
        yield Sample("rapport_oldest_waiting_seconds", max(self._waits(), default=0.0))
        if order := read_order(self._redis):
            lanes = Counter(lane for run in order.waiting for lane in run.lanes)
            yield from (Sample("rapport_waiting_runs", lanes[lane], (lane,)) for lane in Lane)

    def _waits(self) -> Iterator[float]:
        """Yields for how many seconds each queued run has been queued."""
        at = now()
        for history in self._histories:
            queued_since = {step.run_id: step.at for step in history.transitions}
            for run_id, state in history.states.items():
                if state is State.QUEUED:
                    yield max(0.0, (at - queued_since[run_id]).total_seconds())

    def _open_runs(self) -> list[str]:
        """Returns the runs that have not ended, of the histories that were read last."""
        return [run for history in self._histories for run, state in history.states.items() if state not in ENDED]

    def _leases(self) -> Iterator[Sample]:
        """Leases of open runs."""
        boards = self._boards()
        held = Counter(task.lane for board in boards.values() for task in board.held)
        expired = self._expired(boards)
        for lane in Lane:
            yield Sample("rapport_leases_open", held[lane], (lane,))
            yield Sample("rapport_leases_expired", expired[lane], (lane,))

    def _boards(self) -> dict[str, Board]:
        """Returns where the tasks of planned runs stand."""
        runs = self._open_runs()
        with self._redis.pipeline(transaction=False) as pipe:
            for run_id in runs:
                pipe.hget(keys.progress(run_id), "shards")
            counts = zip(runs, pipe.execute(), strict=True)
        shards = {run: tuple(shard_id(run, number) for number in range(int(count))) for run, count in counts if count}
        return read_boards(self._redis, shards)

    def _expired(self, boards: Mapping[str, Board]) -> Counter[Lane]:
        """Counts grants without a row, less those that are still held."""
        asked = [(run_id, lane) for run_id in boards for lane in Lane]
        with self._redis.pipeline(transaction=False) as pipe:
            for run_id, lane in asked:
                pipe.hgetall(keys.grants(run_id, lane))
            found = pipe.execute()
        expired: Counter[Lane] = Counter()
        for (run_id, lane), grants in zip(asked, found, strict=True):
            held = {task.shard_id for task in boards[run_id].held if task.lane is lane}
            expired[lane] += sum(int(count) - (text(shard) in held) for shard, count in grants.items())
        return expired

    def _workers(self) -> Iterator[Sample]:
        """Workers that are alive."""
        alive = self._fleet.alive()
        kinds = Counter((worker.kind.queue, "work" if worker.run_id else "wait") for worker in alive)
        yield from (Sample("rapport_workers", count, labels) for labels, count in sorted(kinds.items()))
        for lane in Lane:
            yield Sample("rapport_lane_workers", sum(lane in worker.lanes for worker in alive), (lane,))

    def _rates(self) -> Iterator[Sample]:
        """How fast all open runs go together."""
        paces = [pace for pace in read_paces(self._redis, self._open_runs()).values() if pace]
        yield Sample("rapport_rows_per_second", sum(pace.rows_per_second for pace in paces))
        yield Sample("rapport_tokens_per_second", sum(pace.tokens_per_second for pace in paces))

    def _ends(self) -> Iterator[Sample]:
        """What became of submissions and runs, since the first."""
        refused = read_refusals(self._redis)
        if not self._outcomes.read(self._may_go_on):
            raise _NotInTime
        yield Sample("rapport_submissions_total", self._ledger.count())
        for state in State:
            if state in ENDED:
                yield Sample("rapport_runs_ended_total", self._outcomes.ended[state], (state,))
        for cause in Cause:
            yield Sample("rapport_runs_failed_total", self._outcomes.failed[cause], (cause,))
            yield Sample("rapport_submissions_refused_total", refused[cause], (cause,))

    def _lag(self) -> Iterator[Sample]:
        """What the archive does not hold yet."""
        yield Sample("rapport_unsaved_submissions", len(self._ledger.unsaved()))
        yield Sample("rapport_outbox_batches", len(self._outbox.waiting()))

    def _of_release(self) -> Iterator[Sample]:
        """What the archive holds and is not public yet."""
        backlog = self._backlog()
        yield Sample("rapport_unreleased_submissions", backlog.submissions)
        yield Sample("rapport_unreleased_seconds", backlog.seconds)
        yield Sample("rapport_unreleasable_submissions", backlog.broken)

    def _of_stores(self) -> Iterator[Sample]:
        """What the publisher's stores tell, without asking anyone."""
        for word, store in self._stores.items():
            condition, labels = store.condition(), (word,)
            stale = 0.0 if condition.stale_since is None else (now() - condition.stale_since).total_seconds()
            yield Sample("rapport_store_commits_total", store.made, labels)
            yield Sample("rapport_store_failures_total", store.failed, labels)
            if (silence := store.silence) is not None:
                yield Sample("rapport_store_seconds_since_commit", silence, labels)
            yield Sample("rapport_store_commit_in_seconds", condition.commit_in, labels)
            yield Sample("rapport_store_stale", int(not condition.current), labels)
            yield Sample("rapport_store_stale_seconds", max(0.0, stale), labels)


class _NotInTime(Exception):
    """There was not time enough; what was read so far is kept for the next time."""
