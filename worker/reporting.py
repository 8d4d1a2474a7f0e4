"""Reports on re-scores, worked out by a child of the publisher: one at a time, and never in the publisher's way.

The child has low priority and limits of memory and time, and ends with the publisher. A report whose process is gone,
or whose publisher is, is taken up once more by whichever publisher is at work; if that comes to nothing too, it fails.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from leaderboard.connection import unreachable
from leaderboard.records import Failure, now
from leaderboard.rescoring.reports import Report, ReportDesk, ReportState

log = logging.getLogger("rapport.publisher")

LOOK_SECONDS = 2.0
"""How often it is looked for reports that wait, in one round trip."""
LONGEST_SECONDS = 30 * 60.0
"""How long one report may take."""
MOST_LOST = 1
"""How often a report is taken up again after its process was lost."""
_COMMAND = (sys.executable, "-m", "worker.report_child")
_BY_COMMAND = "run `rapport rescore` on the publisher's machine, which has no such limit"
_TOO_LONG = Failure(
    cause=Cause.TIMEOUT,
    message=f"It took longer than {LONGEST_SECONDS / 60:.0f} minutes.",
    remedy=f"Ask for fewer runs, or {_BY_COMMAND}.",
)
_LOST = Failure(
    cause=Cause.INFRASTRUCTURE,
    message=f"The process that worked it out was lost {MOST_LOST + 1} times.",
    remedy=f"See the publisher's log, and whether its machine ran out of memory; ask again, or {_BY_COMMAND}.",
)


class _InHand(NamedTuple):
    """A report with the process that works it out."""

    report_id: str
    tries: int
    process: subprocess.Popen[bytes]
    until: float
    late: bool = False


class Reporter:
    """Works reports out, one after the other.

    Example:
        >>> reporter = Reporter(redis, publisher.hold.name)  # doctest: +SKIP
        >>> while not stopping.wait(0.5):  # doctest: +SKIP
        ...     reporter.step()
    """

    def __init__(
        self,
        redis: Redis,
        publisher: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        command: Sequence[str] = _COMMAND,
    ) -> None:
        """Has nothing in hand.

        Args:
            redis: An open connection.
            publisher: The name under which this publisher holds Redis; without that hold nothing is taken in hand.
            clock: Seconds.
            command: Works out the report whose id and try are put behind it.
        """
        self._desk, self._publisher = ReportDesk(redis), publisher
        self._clock, self._command = clock, tuple(command)
        self._in_hand: _InHand | None = None
        self._next_look = clock()

    def step(self) -> None:
        """Looks after the report in hand, or takes the next one; asks Redis every few seconds at most.

        To be called by the publisher's main thread alone: Linux ends the child with the thread that started it.
        """
        if self._in_hand is not None:
            self._look_after(self._in_hand)
        elif self._clock() >= self._next_look:
            self._next_look = self._clock() + LOOK_SECONDS
            self._take_next()

    def close(self) -> None:
        """Ends the process in hand; its report waits for the next publisher, and has lost nothing."""
        if self._in_hand is None:
            return
        mine, self._in_hand = self._in_hand, None
        _end(mine.process)
        try:
            self._desk.change(mine.report_id, partial(_given_back, tries=mine.tries))
        except (RedisError, RapportError) as error:  # The next publisher finds it in the hand of one that is gone.
            log.error(
                "%s is left as it is: %s",
                mine.report_id,
                unreachable(error) if isinstance(error, RedisError) else error,
            )

    def _take_next(self) -> None:
        """Takes the oldest open report in hand; who else had it in hand is gone, as this publisher holds Redis."""
        for report_id in self._desk.open_ids():
            try:
                report = self._desk.change(
                    report_id, partial(_taken, publisher=self._publisher), publisher=self._publisher
                )
            except RapportError as error:
                log.error("report %s is dropped: %s", report_id, error)
                self._desk.drop(report_id)
                continue
            if report is not None and report.state is ReportState.RUNNING:
                self._start(report)
                return

    def _start(self, report: Report) -> None:
        """Starts the process of a report."""
        log.info("%s of %s is worked out for %s", report.id, report.kind, report.asked_by)
        tied = (sys.executable, "-m", "leaderboard.processes", str(os.getpid()))
        try:
            process = subprocess.Popen(
                [*tied, *self._command, report.id, str(report.tries)],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **_ONE_THREAD},
                start_new_session=True,
            )
        except OSError as error:
            log.error("%s cannot be worked out: %s", report.id, error.strerror)
            self._desk.change(report.id, partial(_lost, tries=report.tries))
            return
        self._in_hand = _InHand(report.id, report.tries, process, self._clock() + LONGEST_SECONDS)
        self._desk.change(report.id, partial(_with_process, tries=report.tries, pid=process.pid))

    def _look_after(self, mine: _InHand) -> None:
        """Ends a process that takes too long; of one that has ended without a word the report is taken up again."""
        code = mine.process.poll()
        if code is None and self._clock() < mine.until:
            return
        if code is None:
            log.error("%s takes too long and is ended", mine.report_id)
            self._in_hand = mine = mine._replace(late=True)
        _end(mine.process)
        if mine.late:
            self._desk.change(mine.report_id, partial(_failed, tries=mine.tries, failure=_TOO_LONG))
        elif self._desk.change(mine.report_id, partial(_lost, tries=mine.tries)):
            log.error("the process of %s ended with code %s before it had said anything", mine.report_id, code)
        self._in_hand, self._next_look = None, self._clock()


_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A report has time; each thread would take address space of its own, and a processor that others need."""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills a process with all that it started: nothing that it writes counts before its report is ready."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def is_mine(report: Report, tries: int) -> bool:
    """Says whether a report is still being worked out in this very try."""
    return report.state is ReportState.RUNNING and report.tries == tries


def _taken(report: Report, publisher: str) -> Report | None:
    """Takes a report in hand that waits, or that somebody had in hand who is gone; one lost too often fails."""
    if not report.is_open:
        return None
    lost = report.lost + (report.state is ReportState.RUNNING)
    if lost > MOST_LOST:
        return _ended(report, _LOST)
    told = {"started_at": now(), "tries": report.tries + 1, "lost": lost, "publisher": publisher, "pid": None}
    return report.model_copy(update={"state": ReportState.RUNNING, **told})


def _lost(report: Report, tries: int) -> Report | None:
    """Puts a report back whose process is gone; whether it has been lost too often is seen when it is taken again."""
    if not is_mine(report, tries):
        return None
    return _waiting(report.model_copy(update={"lost": report.lost + 1}))


def _given_back(report: Report, tries: int) -> Report | None:
    return _waiting(report) if is_mine(report, tries) else None


def _failed(report: Report, tries: int, failure: Failure) -> Report | None:
    return _ended(report, failure) if is_mine(report, tries) else None


def _with_process(report: Report, tries: int, pid: int) -> Report | None:
    return report.model_copy(update={"pid": pid}) if is_mine(report, tries) else None


def _waiting(report: Report) -> Report:
    return report.model_copy(update={"state": ReportState.WAITING, "publisher": None, "pid": None})


def _ended(report: Report, failure: Failure) -> Report:
    return report.model_copy(update={"state": ReportState.FAILED, "ended_at": now(), "failure": failure, "pid": None})
