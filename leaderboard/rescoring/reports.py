"""Reports on re-scores, asked for through Redis: what only the publisher's machine can work out, as it has the archive.

A page asks, a child process of the publisher works it out, and what came of it lies in Redis for some days. Records of
reports and their results lie apart: a list of reports reads no results.
"""

from __future__ import annotations

import datetime
import secrets
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from pydantic import ValidationError
from redis import Redis
from redis.client import Pipeline

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompts import first_fault
from leaderboard.connection import text
from leaderboard.people import Person
from leaderboard.records import now
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.report_records import Report, ReportKind, ReportState
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from leaderboard.submissions.actions import checked_text, told

__all__ = ["Report", "ReportDesk", "ReportKind", "ReportState"]

MOST_WAITING = 10
"""Reports that wait at a time."""
MOST_KEPT = 50
"""Reports that are kept, with those that wait."""
KEPT_FOR = datetime.timedelta(days=7)
"""How long a report is kept after anything last happened to it."""
LARGEST_RESULT = 8 * 2**20
"""Characters of a result that are kept, compressed. Of a longer comparison fewer flips are kept, which is told."""
_LONGEST_PROGRESS = 200
_Value: TypeAlias = bytes | str | None
"""What Redis holds under a name."""


class ReportDesk:
    """Asks for reports and reads them; what maintainers alone may see is for the caller to guard.

    What people ask raises `RapportError`, `infrastructure`, where Redis is away; what the publisher does, `RedisError`.

    Example:
        >>> desk = ReportDesk(redis)  # doctest: +SKIP
        >>> asked = desk.ask_preview(Person("carol", maintainer=True), "better-judge")  # doctest: +SKIP
        >>> desk.get(asked.id).state  # doctest: +SKIP
        <ReportState.RUNNING: 'running'>
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis

    def ask_preview(
        self,
        person: Person,
        judge: str,
        *,
        models: Sequence[str] = (),
        protocols: Sequence[str] = (),
        since: datetime.date | None = None,
    ) -> Report:
        """Asks what a re-score by a judge would take: what `rapport rescore --dry-run --json` prints.

        Args:
            person: Who asks.
            judge: The judge; whether there is one of that name is found out by the publisher.
            models: Only runs of these.
            protocols: Likewise.
            since: Only runs published on this day in UTC or later.

        Returns:
            The report, or the one that asks the same and is still open.

        Raises:
            RapportError: `forbidden` for anybody but maintainers; `data_error` if something is too long or misspelt;
                `quota` if too many reports wait.
        """
        return self._ask(
            person, kind=ReportKind.PREVIEW, judge=judge, models=tuple(models), protocols=tuple(protocols), since=since
        )

    def ask_start(
        self,
        person: Person,
        judge: str,
        *,
        models: Sequence[str] = (),
        protocols: Sequence[str] = (),
        since: datetime.date | None = None,
        reason: str = "",
    ) -> Report:
        """Asks for a re-score of all runs that fit and that the judge has not judged; as of `ask_preview`.

        Args:
            person: Who begins it.
            judge: The judge.
            models: Only runs of these.
            protocols: Likewise.
            since: Only runs published on this day in UTC or later.
            reason: Why, in that person's words.
        """
        return self._ask(
            person,
            kind=ReportKind.START,
            judge=judge,
            models=tuple(models),
            protocols=tuple(protocols),
            since=since,
            reason=checked_text(reason, needed=False),
        )

    def ask_comparison(
        self, person: Person, rescore_id: str, *, protocol: str | None = None, against: str | None = None
    ) -> Report:
        """Asks what the judge of a re-score makes of the same answers as another: `rapport rescore compare --json`.

        Args:
            person: Who asks.
            rescore_id: The re-score, finished or not.
            protocol: One of those of its runs; None if they have but one.
            against: The other judge; None for the one that decides ranks now.

        Raises:
            RapportError: `not_found` if there is no such re-score; as of `ask_preview`.
        """
        report = _report(person, kind=ReportKind.COMPARISON, rescore_id=rescore_id, protocol=protocol, against=against)
        with told():
            RescoreDesk(self._redis).get(rescore_id)
            return self._enter(report)

    def get(self, report_id: str) -> Report:
        """Returns a report with its progress and its result.

        Raises:
            RapportError: `not_found` if there is none, or none any more; `data_error` if it cannot be read.
        """
        with told():
            parts = self._redis.mget(keys.report(report_id), *_beside(report_id))
        if parts[0] is None:
            raise RapportError(
                Cause.NOT_FOUND, "There is no such report.", f"They are kept for {KEPT_FOR.days} days; ask for it anew."
            )
        return _whole(_read(parts[0], report_id), *parts[1:])

    def recent(self, count: int = 20) -> tuple[Report, ...]:
        """Returns the reports that were asked for last, the newest first, without their results.

        Args:
            count: How many at most, at least 1.

        Raises:
            RapportError: `data_error` if one cannot be read.
        """
        with told():
            ids = [text(name) for name in self._redis.zrevrange(keys.REPORTS, 0, count - 1)]
            if not ids:
                return ()
            names = [name for report_id in ids for name in (keys.report(report_id), _beside(report_id)[0])]
            parts = self._redis.mget(names)
        found = zip(ids, parts[::2], parts[1::2], strict=True)
        return tuple(_whole(_read(value, name), progress) for name, value, progress in found if value is not None)

    def is_served(self) -> bool:
        """Says whether a publisher is at work, who alone works reports out."""
        with told():
            return bool(self._redis.exists(keys.PUBLISHER))

    def open_ids(self) -> list[str]:
        """Returns the ids of all reports that wait or are being worked out, the oldest first, in one round trip."""
        return [text(name) for name in self._redis.zrange(keys.REPORTS_OPEN, 0, -1)]

    def change(
        self,
        report_id: str,
        how: Callable[[Report], Report | None],
        *,
        publisher: str | None = None,
        result: str | None = None,
    ) -> Report | None:
        """Changes a report, unless something happens to it meanwhile: then it is looked at anew.

        Args:
            report_id: The report; one that is gone is not open any more.
            how: Takes it as it is to what it shall be; None leaves it.
            publisher: Nothing is changed unless this one holds Redis; None does not care.
            result: What came of it.

        Returns:
            What it is now; None if it was left, or is gone.

        Raises:
            RapportError: `data_error` if it cannot be read.
        RedisError: If Redis is away.
        """
        changed: list[Report] = []

        def put(pipe: Pipeline) -> None:
            changed.clear()
            value = pipe.get(keys.report(report_id))
            if publisher is not None and text(pipe.get(keys.PUBLISHER) or b"") != publisher:
                pipe.multi()
                return
            new = how(_read(value, report_id)) if value is not None else None
            pipe.multi()
            if value is None:
                pipe.zrem(keys.REPORTS_OPEN, report_id)
            if new is None:
                return
            _put(pipe, new)
            if result is not None:
                pipe.set(keys.report_result(report_id), zlib.compress(result.encode()), ex=KEPT_FOR)
            if not new.is_open:
                pipe.zrem(keys.REPORTS_OPEN, report_id)
            changed.append(new)

        watched = [keys.report(report_id), *([keys.PUBLISHER] if publisher is not None else [])]
        self._redis.transaction(put, *watched)
        return changed[-1] if changed else None

    def drop(self, report_id: str) -> None:
        """Takes a report that cannot be read off the list of open ones; its record stays until it runs out."""
        self._redis.zrem(keys.REPORTS_OPEN, report_id)

    def tell(self, report_id: str, progress: str) -> None:
        """Says how far a report is."""
        self._redis.set(keys.report_progress(report_id), progress[:_LONGEST_PROGRESS], ex=KEPT_FOR)

    def _ask(self, person: Person, **asked: Any) -> Report:
        """Enters a report, or finds the one that asks the same."""
        report = _report(person, **asked)
        with told():
            return self._enter(report)

    def _enter(self, report: Report) -> Report:
        """Puts a report behind all that wait, unless one that is open asks the same, however close both were asked."""
        entered: list[Report] = []

        def put(pipe: Pipeline) -> None:
            entered.clear()
            ids = [text(name) for name in pipe.zrange(keys.REPORTS_OPEN, 0, -1)]
            there = _readable(pipe.mget([keys.report(name) for name in ids])) if ids else []
            same = [other for other in there if other.asked == report.asked]
            if not same and sum(other.state is ReportState.WAITING for other in there) >= MOST_WAITING:
                raise _too_many()
            surplus = [text(name) for name in pipe.zrange(keys.REPORTS, 0, -MOST_KEPT) if text(name) not in ids]
            pipe.multi()
            entered.append(same[0] if same else report)
            if same:
                return
            _put(pipe, report)
            for place in (keys.REPORTS, keys.REPORTS_OPEN):
                pipe.zadd(place, {report.id: report.asked_at.timestamp()})
            for name in surplus:
                pipe.zrem(keys.REPORTS, name)
                pipe.delete(keys.report(name), *_beside(name))

        self._redis.transaction(put, keys.REPORTS_OPEN)
        return entered[-1]


def _report(person: Person, **asked: Any) -> Report:
    """Returns a report that a person asks for.

    Raises:
        RapportError: `forbidden` for anybody but maintainers; `data_error` if something is too long or misspelt.
    """
    if not person.maintainer:
        raise RapportError(
            Cause.FORBIDDEN, "Only maintainers ask for reports.", "Ask a maintainer; the board names those it has."
        )
    at = now()
    try:
        return Report(id=f"report-{at:%Y%m%d}-{secrets.token_hex(4)}", asked_by=person.name, asked_at=at, **asked)
    except ValidationError as error:
        raise RapportError(
            Cause.DATA_ERROR, f"This cannot be asked ({first_fault(error)}).", "Correct it, and ask again."
        ) from error


def _put(pipe: Pipeline, report: Report) -> None:
    """Stores the record of a report, without what lies beside it."""
    record = report.model_copy(update={"progress": "", "result": None})
    pipe.set(keys.report(report.id), record.model_dump_json(), ex=KEPT_FOR)


def _beside(report_id: str) -> tuple[str, str]:
    """Names what lies beside the record of a report: its progress and its result."""
    return keys.report_progress(report_id), keys.report_result(report_id)


def _read(value: bytes | str, report_id: str) -> Report:
    return read_record(value, Report, f"report {report_id}")


def _readable(values: Sequence[_Value]) -> list[Report]:
    """Reads what can be read of some reports: what cannot keeps nobody from asking, and the publisher drops it."""
    found = []
    for value in values:
        try:
            found += [] if value is None else [_read(value, "that is open")]
        except RapportError:
            continue
    return found


def _whole(report: Report, progress: _Value, result: _Value = None) -> Report:
    """Returns a report with what lies beside it."""
    told_of = {"progress": text(progress or b"") if report.is_open else ""}
    whole = zlib.decompress(result).decode() if isinstance(result, bytes) else None
    return report.model_copy(update={**told_of, "result": whole})


def _too_many() -> RapportError:
    return RapportError(
        Cause.QUOTA, f"{MOST_WAITING} reports wait already.", "Wait until one of them is ready, and ask again."
    )
