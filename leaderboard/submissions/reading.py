"""What can be asked of the ledger; nothing here changes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from redis import Redis

from leaderboard.connection import text
from leaderboard.fleet import Announcement, Fleet
from leaderboard.maintaining.records import SitePause
from leaderboard.maintaining.state import read_pause
from leaderboard.records import Plan, State, Submission, Transition
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.measures import read_log
from leaderboard.submissions.outlook import Outlook, read_outlooks
from leaderboard.submissions.states import ENDED
from leaderboard.submissions.views import (
    Progress,
    SubmissionView,
    read_histories,
    read_progress,
    read_submissions,
    read_views,
)


class NotInLedger(KeyError):
    """The ledger does not know a submission or a run; for whoever has just seen it there, Redis has lost it."""


Asked = tuple[str, str, str | None, str | None, bool]
"""What decides a model's answers: its name and SHA, its adapter's or None twice, and whether it thinks."""


class Known(NamedTuple):
    """What covers a model under a protocol already."""

    protocol: str
    submission_id: str
    state: State
    """Of the run under this protocol."""


_Read = TypeVar("_Read")


def _only(found: Iterable[_Read], name: str) -> _Read:
    """Returns the one thing that was read under a name.

    Raises:
        NotInLedger: If there was none.
    """
    for each in found:
        return each
    raise NotInLedger(name)


class LedgerReader:
    """Reads the ledger.

    Example:
        >>> LedgerReader(connect("redis://localhost:6379/0")).active()  # doctest: +SKIP
        ['s-20260101-0a1b2c3d']
    """

    def __init__(self, redis: Redis) -> None:
        """Works on an open connection."""
        self._redis = redis

    def is_open(self) -> bool:
        """Says whether submissions are accepted: not before a publisher has compared the ledger with the store."""
        return bool(self._redis.exists(keys.EPOCH))

    def state(self, run_id: str) -> State:
        """Returns the state of a run.

        Raises:
            NotInLedger: If the ledger does not know it.
        """
        value = self._redis.get(keys.state(run_id))
        if value is None:
            raise NotInLedger(run_id)
        return State(text(value))

    def submission(self, submission_id: str) -> Submission:
        """Returns a submission as it was handed in.

        Raises:
            NotInLedger: If the ledger does not know it.
        """
        return _only(read_submissions(self._redis, [submission_id]), submission_id)

    def models(self, submission_ids: Iterable[str]) -> dict[str, str]:
        """Returns of what models submissions are, by id, in one round trip; the unknown are left out.

        Raises:
            RapportError: `data_error` naming the submission that cannot be read.
        """
        return {found.id: found.model for found in read_submissions(self._redis, list(submission_ids))}

    def history(self, submission_id: str) -> History:
        """Returns a submission with all that has happened to it.

        Raises:
            NotInLedger: If the ledger does not know it.
        """
        return _only(self.histories([submission_id]), submission_id)

    def histories(self, submission_ids: Iterable[str]) -> list[History]:
        """Returns submissions with all that has happened to them, in two round trips however many there are.

        Submissions that the ledger does not know are left out.

        Raises:
            RapportError: `data_error` naming the submission that cannot be read.
        """
        return read_histories(self._redis, list(submission_ids))

    def transitions(self, submission_id: str) -> tuple[Transition, ...]:
        """Returns all steps of a submission's runs, oldest first; none if the ledger does not know it."""
        return tuple(step for history in self.histories([submission_id]) for step in history.transitions)

    def active(self) -> list[str]:
        """Returns the ids of submissions with something left to do, oldest first."""
        return sorted(text(value) for value in self._redis.smembers(keys.ACTIVE))

    def outlooks(self, views: Iterable[SubmissionView]) -> dict[str, Outlook]:
        """Returns what can be told of the time to come of each run that has not ended, by run id.

        Raises:
            RapportError: `data_error` if something that was measured is not of this version.
        """
        return read_outlooks(self._redis, views)

    def fleet(self) -> list[Announcement]:
        """Returns what all workers that are alive say."""
        return Fleet(self._redis).alive()

    def log(self, run_id: str) -> tuple[str, ...]:
        """Returns the last lines that the engines of a run in work have written, without secrets."""
        return read_log(self._redis, run_id)

    def open_runs(self) -> list[str]:
        """Returns the runs that have not ended, in three round trips however many there are."""
        runs = [run for submission in read_submissions(self._redis, self.active()) for run in submission.run_ids()]
        states = self._redis.mget([keys.state(run) for run in runs]) if runs else []
        return [run for run, state in zip(runs, states, strict=True) if state and State(text(state)) not in ENDED]

    def unsaved(self) -> list[str]:
        """Returns the ids of submissions whose latest change is not in the store."""
        return sorted(text(value) for value in self._redis.smembers(keys.UNSAVED))

    def is_urgent(self) -> bool:
        """Says whether one of them is to be saved at once: a run has ended, or people have said something."""
        return bool(self._redis.exists(keys.URGENT))

    def newest(self, limit: int, skip: int = 0) -> list[str]:
        """Returns the ids of the newest submissions, newest first, after leaving out the first `skip`."""
        return [text(value) for value in self._redis.zrevrange(keys.SUBMISSIONS, skip, skip + limit - 1)]

    def pause(self) -> SitePause | None:
        """Returns since when and why no submission is accepted; None while they are."""
        return read_pause(self._redis)

    def count(self) -> int:
        """Returns how many submissions there are."""
        return int(self._redis.zcard(keys.SUBMISSIONS))

    def plan(self, run_id: str) -> Plan | None:
        """Returns a run's plan, or None if it has none yet."""
        value = self._redis.get(keys.plan(run_id))
        return None if value is None else Plan.model_validate_json(text(value))

    def progress(self, run_id: str) -> Progress:
        """Returns how far a run is."""
        return read_progress(self._redis.hgetall(keys.progress(run_id)))

    def view(self, submission_id: str) -> SubmissionView:
        """Returns everything that people may see of a submission.

        Raises:
            NotInLedger: If the ledger does not know it.
        """
        return _only(self.views([submission_id]), submission_id)

    def views(self, submission_ids: Iterable[str]) -> list[SubmissionView]:
        """Returns what people may see of several submissions, in two round trips however many there are.

        All that moves is read at one moment. Submissions that the ledger does not know are left out.

        Raises:
            RapportError: `data_error` naming the submission that cannot be read.
        """
        return read_views(self._redis, list(submission_ids))

    def known(self, asked: Asked, protocols: Sequence[str]) -> list[Known]:
        """Returns what covers a model under some protocols; those under which it is new are left out.

        Raises:
            RapportError: `data_error` naming the submission that cannot be read.
        """
        covering = self._redis.mget([keys.fingerprint(protocol, *asked) for protocol in protocols])
        named = {protocol: text(value) for protocol, value in zip(protocols, covering, strict=True) if value}
        states = {run.id: run.state for view in self.views({*named.values()}) for run in view.runs}
        return [
            Known(protocol, name, states[run_id])
            for protocol, name in named.items()
            if (run_id := f"{name}.{protocol}") in states
        ]
