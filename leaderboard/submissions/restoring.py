"""Brings submissions back into Redis from what the store holds, and makes anew whatever is derived from them."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Collection, Iterable

from redis import Redis
from redis.client import Pipeline

from evaluator.errors import RapportError
from leaderboard.connection import text
from leaderboard.submissions import keys, scripts
from leaderboard.submissions.entering import enter, fingerprints, uncovered
from leaderboard.submissions.history import History, Merged, merge
from leaderboard.submissions.quotas import counts, is_free
from leaderboard.submissions.views import read_events, read_submissions

log = logging.getLogger("rapport.publisher")

_LONGEST_WINDOW = datetime.timedelta(days=365)
"""For so long a submission may count: the most that can be set."""
_AT_ONCE = 500


def restore_history(redis: Redis, saved: History) -> Merged | None:
    """Merges what the store holds of a submission with what Redis holds; see `merge`.

    Returns:
        What is true now; None if Redis knew all of it.
    """
    submission = saved.submission
    name = keys.events(submission.id)
    answers: list[Merged | None] = []

    def enter_merged(pipe: Pipeline) -> None:
        try:
            live = read_events(pipe.lrange(name, 0, -1), submission.id)
        except RapportError as error:
            log.error("%s The store's copy takes its place.", error)
            live = ()
        pipe.multi()
        if live[: len(saved.events)] == saved.events:
            answers.append(None)
            return
        merged = merge(saved.events, live)
        enter(pipe, History(submission=submission, events=merged.events))
        answers.append(merged)

    redis.transaction(enter_merged, name)
    return answers[-1]


def index(redis: Redis, histories: Iterable[History], saved: Collection[str]) -> None:
    """Makes anew what is derived from histories: what is known, what counts, and what has yet to be saved.

    Args:
        redis: An open connection.
        histories: All that the ledger holds, oldest first: of two that cover the same, the later one stays known.
        saved: Ids of those that the store holds.
    """
    forget = redis.register_script(scripts.FORGET)
    with redis.pipeline(transaction=False) as pipe:
        for history in histories:
            submission = history.submission
            if submission.id not in saved:
                pipe.sadd(keys.UNSAVED, submission.id)
            _count(pipe, history)
            over = uncovered(history)
            if covered := fingerprints(submission, [each for each in submission.protocols if each not in over]):
                pipe.mset(dict.fromkeys(covered, submission.id))
            if over:
                forget(keys=fingerprints(submission, over), args=[submission.id], client=pipe)
        pipe.execute()


def recount(redis: Redis, history: History) -> None:
    """Lets a submission count against quotas as its history has it by now; that is done again when it is saved."""
    with redis.pipeline() as pipe:
        _count(pipe, history)
        pipe.execute()


def _count(pipe: Pipeline, history: History) -> None:
    """Enters a submission among those that count against quotas, or takes it out."""
    submission = history.submission
    for name in (keys.COUNTED, keys.counted_of(submission.submitter)):
        if counts(history):
            pipe.zadd(name, {submission.id: submission.created_at.timestamp()})
        else:
            pipe.zrem(name, submission.id)
    if not is_free(submission):
        pipe.zadd(keys.entered_by(submission.submitter), {submission.id: submission.created_at.timestamp()})


def trim_counted(redis: Redis, at: datetime.datetime) -> None:
    """Takes out of what counts against quotas what no window reaches any more; of very many the oldest ones."""
    old = redis.zrangebyscore(keys.COUNTED, "-inf", (at - _LONGEST_WINDOW).timestamp(), start=0, num=_AT_ONCE)
    if not old:
        return
    with redis.pipeline(transaction=False) as pipe:
        for submission_id in map(text, old):
            pipe.zrem(keys.COUNTED, submission_id)
            try:
                for submission in read_submissions(redis, [submission_id]):
                    pipe.zrem(keys.counted_of(submission.submitter), submission_id)
            except RapportError as error:  # What cannot be read keeps its submitter's place, and nothing else waiting.
                log.error("%s", error)
        pipe.execute()
