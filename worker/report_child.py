"""`python -m worker.report_child REPORT TRY`: works one report on re-scores out, and ends.

It runs beside the publisher, with the same settings, at low priority and with little memory: where memory is short, it
goes before all others.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from evaluator.logs import set_up_logging
from evaluator.redaction import redact, secrets_of
from leaderboard.connection import connect, unreachable
from leaderboard.people import Person
from leaderboard.processes import keep_memory_private
from leaderboard.records import Failure, now
from leaderboard.rescoring.desk import IN_HAND, RescoreDesk
from leaderboard.rescoring.reports import LARGEST_RESULT, Report, ReportDesk, ReportKind, ReportState
from leaderboard.rescoring.selection import Filters
from leaderboard.rescoring.service import RescoreService
from leaderboard.rescoring.working_out import Chosen, choose, comparison_of, now_and_then, preview_of
from leaderboard.settings import Settings
from leaderboard.store.base import Store, StoreError
from leaderboard.store.open import open_store
from worker.reporting import is_mine

log = logging.getLogger("rapport.publisher")

MEMORY_BYTES = 4 * 2**30
"""Memory that a report may take."""
_TOLD_EVERY = 1.0
"""Seconds after which it is told again how far a report is."""
_FEWER_FLIPS = (10, 5, 2, 1, 0)
"""How many flips of a kind are kept where more would be too large."""
_BY_COMMAND = "Run `rapport rescore` on the publisher's machine, which has no such limit."


class Found(NamedTuple):
    """What came of a report."""

    result: str
    flips_left_out: int = 0


class _Work(NamedTuple):
    """What a report needs."""

    settings: Settings
    redis: Redis
    store: Store
    report: Report
    tell: Callable[[str], None]

    def chosen(self) -> Chosen:
        """Returns the judge and the runs that it is to judge."""
        asked = self.report
        self.tell("looking which runs there are")
        filters = Filters(models=asked.models, since=asked.since, protocols=asked.protocols)
        return choose(self.store, self.settings, asked.judge or "", filters)


def work_out(settings: Settings, redis: Redis, report_id: str, tries: int) -> bool:
    """Works a report out and stores what came of it; says whether it was still wanted.

    Args:
        settings: Those of the publisher.
        redis: An open connection.
        report_id: The report.
        tries: Which try at it this is; in any other one somebody else has it in hand.

    Raises:
        RedisError: If Redis is away.
    """
    desk = ReportDesk(redis)
    report = desk.get(report_id)
    if not is_mine(report, tries):
        return False
    tell = now_and_then(partial(desk.tell, report_id), _TOLD_EVERY)
    found = _tried(lambda: _WAYS[report.kind](_Work(settings, redis, open_store(settings), report, tell)))
    result = found.result if isinstance(found, Found) else None
    return desk.change(report_id, partial(_ended, tries=tries, found=found), result=result) is not None


def _ended(report: Report, tries: int, found: Found | Failure) -> Report | None:
    """Returns a report with what came of it; None if somebody else has it in hand by now."""
    if not is_mine(report, tries):
        return None
    told: dict[str, object] = {"state": ReportState.FAILED, "failure": found}
    if isinstance(found, Found):
        told = {"result_characters": len(found.result), "flips_left_out": found.flips_left_out}
        told["state"] = ReportState.READY
    return report.model_copy(update={"ended_at": now(), "pid": None, **told})


def _tried(way: Callable[[], Found]) -> Found | Failure:
    """Returns what came of a report, or why nothing did, without secrets and folders."""
    try:
        return way()
    except RapportError as error:
        cause, message, remedy = error.cause, error.message, error.remedy
    except StoreError as error:
        cause, message, remedy = Cause.INFRASTRUCTURE, f"The archive: {error.cause}.", error.remedy
    except MemoryError:
        cause, message = Cause.OUT_OF_MEMORY, f"It takes more than {MEMORY_BYTES / 2**30:.0f} GiB of memory."
        remedy = f"Ask for fewer runs. {_BY_COMMAND}"
    except RedisError:
        raise
    except Exception as error:
        log.exception("a report failed")
        cause, message = Cause.INFRASTRUCTURE, f"An unexpected error came up ({type(error).__name__})."
        remedy = "See the publisher's log."
    secrets = secrets_of(os.environ)
    return Failure(cause=cause, message=redact(message, secrets), remedy=redact(remedy, secrets))


def _preview(work: _Work) -> Found:
    """Previews a re-score."""
    found = preview_of(work.store, work.settings, work.chosen(), work.tell)
    return Found(_fitting(found.model_dump_json(indent=2)))


def _compare(work: _Work) -> Found:
    """Compares the judge of a re-score with another one; of too many flips it keeps fewer."""
    from leaderboard.rescoring.comparing_text import as_json

    asked = work.report
    rescore = RescoreDesk(work.redis).get(asked.rescore_id or "")
    whole = comparison_of(
        work.store, work.settings, rescore, protocol=asked.protocol, against=asked.against, tell=work.tell
    )
    found, every = as_json(whole), sum(len(group.shown) for group in whole.flips)
    for most in _FEWER_FLIPS:
        if len(found) <= LARGEST_RESULT:
            break
        groups = tuple(group.model_copy(update={"shown": group.shown[:most]}) for group in whole.flips)
        whole = whole.model_copy(update={"flips": groups})
        found = as_json(whole)
    return Found(_fitting(found), every - sum(len(group.shown) for group in whole.flips))


def _start(work: _Work) -> Found:
    """Begins a re-score in the name of who asked; a try before this one may have begun it already."""
    asked, chosen = work.report, work.chosen()
    runs = [run.run_id for run in chosen.runs]
    for begun in RescoreDesk(work.redis).with_status(*IN_HAND) if asked.tries > 1 else ():
        if (begun.judge, begun.created_by, {*begun.runs}) == (chosen.judge, asked.asked_by, {*runs}):
            return Found(begun.id)
    # Who asked was a maintainer then: that was looked at where it was asked.
    person = Person(asked.asked_by, maintainer=True)
    service = RescoreService(work.settings, work.redis)
    return Found(service.start(chosen.judge, runs, person, asked.reason, chosen.words).id)


_WAYS: dict[ReportKind, Callable[[_Work], Found]] = {
    ReportKind.PREVIEW: _preview,
    ReportKind.COMPARISON: _compare,
    ReportKind.START: _start,
}


def _fitting(result: str) -> str:
    """Refuses a result that is too large to be kept.

    Raises:
        RapportError: `data_error`.
    """
    if len(result) > LARGEST_RESULT:
        raise RapportError(
            Cause.DATA_ERROR,
            f"It has {len(result):,} characters; {LARGEST_RESULT:,} are kept.",
            f"Ask for fewer runs. {_BY_COMMAND}",
        )
    return result


def stand_back() -> None:
    """Gives way to all others of this machine: in processor time, in memory, and when memory runs out."""
    os.nice(10)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    with contextlib.suppress(OSError):  # Elsewhere than on Linux there is no such file.
        Path("/proc/self/oom_score_adj").write_text("1000")


def main(arguments: list[str]) -> int:
    """Works out the report that is named; returns the exit code."""
    stand_back()
    keep_memory_private()  # After this, nothing more may be told to the kernel by way of /proc.
    set_up_logging()
    report_id, tries = arguments
    settings = Settings()
    try:
        if not work_out(settings, connect(settings.redis_url), report_id, int(tries)):
            log.warning("%s is not wanted any more", report_id)
    except (RapportError, RedisError) as error:
        log.error("%s: %s", report_id, unreachable(error) if isinstance(error, RedisError) else error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
