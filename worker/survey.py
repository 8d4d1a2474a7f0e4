"""What the reaper sees when it looks around: open runs, what is free of them, who works on what."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from redis import Redis

from evaluator.errors import RapportError
from leaderboard.connection import text
from leaderboard.fleet import Announcement, Fleet
from leaderboard.records import Lane, State, protocol_of
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import SUBMITTER, Rescore, RescoreStatus
from leaderboard.submissions import keys
from leaderboard.submissions.history import History, is_lifted, is_paused
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.needs import Need, needs_of
from leaderboard.submissions.order import WaitingRun
from leaderboard.submissions.room import Crowded, least_footprint, read_crowded
from leaderboard.submissions.states import ENDED
from worker.tasks import Board, read_boards, shard_id

log = logging.getLogger("rapport.reaper")


class Survey(NamedTuple):
    """All that the reaper decides by."""

    checking: tuple[str, ...]
    """Runs that were entered and not queued."""
    waiting: tuple[WaitingRun, ...]
    """Runs with something that a worker could take now, those that are paused among them."""
    working: dict[str, int]
    """How many workers each submitter has who has any."""
    fleet: tuple[Announcement, ...]


class _OpenRun(NamedTuple):
    """One run that has not ended."""

    run_id: str
    state: State
    history: History


class Surveyor:
    """Looks around in a number of round trips that does not depend on how many runs there are.

    Submissions and their events are read again only when something has been added to them.
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis
        self._ledger, self._fleet, self._desk = Ledger(redis), Fleet(redis), RescoreDesk(redis)
        self._histories: dict[str, History] = {}
        self._epoch = ""

    def look(self) -> Survey:
        """Returns what there is to see now."""
        runs = [
            _OpenRun(run_id, state, history)
            for history in self._active()
            for run_id, state in history.states.items()
            if state not in ENDED
        ]
        found = self._progress([run.run_id for run in runs])
        needs = needs_of(self._redis, {protocol_of(run.run_id) for run in runs})
        fleet = tuple(self._fleet.alive())
        announced = Counter(worker.run_id for worker in fleet if worker.run_id)
        workers = {
            run.run_id: max(len(board.held) if (board := found.boards.get(run.run_id)) else 0, announced[run.run_id])
            for run in runs
        }
        working: Counter[str] = Counter()
        for run in runs:
            working[run.history.submission.submitter] += workers[run.run_id]
        rescores = self._rescores(announced)
        for waiting in rescores:
            working[SUBMITTER] += waiting.workers
        return Survey(
            checking=tuple(run.run_id for run in runs if run.state is State.CHECKING),
            waiting=(
                *(
                    _waiting(
                        run, lanes, workers[run.run_id], needs.get(protocol_of(run.run_id)), found.crowded[run.run_id]
                    )
                    for run in runs
                    if run.run_id not in found.resting and (lanes := _free_lanes(found.boards.get(run.run_id)))
                ),
                *(waiting for waiting in rescores if waiting.lanes),
            ),
            working=dict(+working),
            fleet=fleet,
        )

    def _rescores(self, announced: Mapping[str, int]) -> list[WaitingRun]:
        """Returns the re-scores that go on, as if each were a run; one of which nothing is free has no lanes."""
        return [self._rescore(rescore, announced) for rescore in self._desk.with_status(RescoreStatus.RUNNING)]

    def _rescore(self, rescore: Rescore, announced: Mapping[str, int]) -> WaitingRun:
        """Looks at the open judgings of a re-score."""
        names = self._desk.judgings(rescore.id)
        found = self._progress(names)
        free = any(_free_lanes(found.boards[name]) for name in names if name in found.boards)
        resting = bool(self._redis.exists(keys.pause(rescore.work_id)))
        held = sum(len(board.held) for board in found.boards.values())
        return WaitingRun(
            run_id=rescore.work_id,
            submitter=SUBMITTER,
            created_at=rescore.created_at,
            lanes=(Lane.JUDGE,) if free and not resting else (),
            workers=max(held, announced.get(rescore.work_id, 0)),
        )

    def _active(self) -> Iterable[History]:
        """Returns the submissions with something left to do; one that cannot be read hinders no other."""
        active = self._ledger.active()
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(keys.EPOCH)
            for name in active:
                pipe.llen(keys.events(name))
            mark, *found = pipe.execute()
        lengths, epoch = dict(zip(active, found, strict=True)), text(mark).partition(":")[0]
        known = self._histories if epoch == self._epoch else {}  # A restore may have replaced what was read.
        self._epoch = epoch
        changed = [name for name in active if name not in known or len(known[name].events) != lengths[name]]
        fresh = {history.submission.id: history for history in self._read(changed)}
        kept = {name: known[name] for name in active if name in known and name not in changed}
        self._histories = kept | fresh
        return self._histories.values()

    def _read(self, names: Sequence[str]) -> list[History]:
        """Reads submissions, one by one if one of them cannot be read."""
        try:
            return self._ledger.histories(names)
        except RapportError as error:
            if len(names) == 1:
                log.error("%s is passed over: %s", names[0], error)
                return []
            return [history for name in names for history in self._read([name])]

    def _progress(self, run_ids: Sequence[str]) -> _Found:
        """Returns what stands in Redis of some runs beside their histories."""
        with self._redis.pipeline(transaction=False) as pipe:
            for run_id in run_ids:
                pipe.hget(keys.progress(run_id), "shards")
                pipe.exists(keys.plan(run_id))
                pipe.exists(keys.pause(run_id))
                pipe.sismember(keys.SHELVED, run_id)
                pipe.hgetall(keys.crowded(run_id))
            answers = iter(pipe.execute())
        shards, resting, crowded = dict[str, tuple[str, ...]](), set[str](), dict[str, Crowded]()
        for run_id in run_ids:
            count, planned, pausing, shelved, rooms = (next(answers) for _ in range(5))
            if count and planned:
                shards[run_id] = tuple(shard_id(run_id, number) for number in range(int(count)))
            if pausing or shelved:
                resting.add(run_id)
            crowded[run_id] = read_crowded(rooms)
        return _Found(read_boards(self._redis, shards), resting, crowded)


class _Found(NamedTuple):
    """What stands in Redis of some runs."""

    boards: dict[str, Board]
    """Where the tasks of planned runs stand."""
    resting: set[str]
    """Runs that nobody may take now: before they are tried again, or while the store alone has their plan and rows."""
    crowded: dict[str, Crowded]
    """See `WaitingRun.crowded`."""


def _free_lanes(board: Board | None) -> tuple[Lane, ...]:
    """Returns the lanes in which something can be taken; a run that nobody has planned is generated first."""
    if board is None:
        return (Lane.GENERATE,)
    return tuple(sorted({task.lane for task in board.free()}))


def _waiting(run: _OpenRun, lanes: tuple[Lane, ...], workers: int, need: Need | None, crowded: Crowded) -> WaitingRun:
    """Returns what the order of runs is told by."""
    submission, events = run.history.submission, run.history.events
    return WaitingRun(
        run_id=run.run_id,
        submitter=submission.submitter,
        created_at=submission.created_at,
        lanes=lanes,
        workers=workers,
        lifted=is_lifted(events),
        paused=is_paused(events),
        footprint=least_footprint(submission, protocol_of(run.run_id), need),
        crowded=crowded,
        parameters=submission.facts.parameters if submission.facts else None,
    )
