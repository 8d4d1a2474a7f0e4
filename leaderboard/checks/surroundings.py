"""What the checks ask of a leaderboard: its workers, its ledger and what it has measured."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from evaluator.models import PinnedModel
from leaderboard.checks.findings import Expected, Known, Surroundings
from leaderboard.connection import text
from leaderboard.fleet import Fleet
from leaderboard.people import Person
from leaderboard.records import Lane, now
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.estimate import Estimate, expected_seconds
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.measures import read_costs
from leaderboard.submissions.needs import need_of
from leaderboard.submissions.order import WaitingRun, fair_order
from leaderboard.submissions.outlook import outlook_of, read_measured
from leaderboard.submissions.quotas import limits_of, quotas_of

_MINE = "s-00000000-00000000.mine"
"""Stands in the order for what has not been submitted yet."""


def surroundings_of(settings: Settings, redis: Redis | None, person: Person) -> Surroundings:
    """Returns whom the checks ask for a person; without a Redis, nobody.

    Args:
        settings: Those of the leaderboard.
        redis: Where its ledger lives.
        person: Who wants to submit, as the server knows the person.
    """
    if redis is None:
        return Surroundings(settings.models)
    return Surroundings(
        models=settings.models,
        alive=Fleet(redis).alive,
        need=lambda protocol: need_of(redis, protocol),
        known=lambda model, adapter, thinking, protocols: _known(redis, model, adapter, thinking, protocols),
        quotas=lambda: quotas_of(redis, person, limits_of(settings), now()),
        expected=lambda protocols: _expected(redis, protocols, person),
    )


def _known(
    redis: Redis, model: PinnedModel, adapter: PinnedModel | None, thinking: bool, protocols: Sequence[str]
) -> Known | None:
    """Returns the submission that covers a model under one of some protocols."""
    asked = (*model, *(adapter or (None, None)), thinking)
    covering = redis.mget([keys.fingerprint(protocol, *asked) for protocol in protocols])
    for view in Ledger(redis).views([text(value) for value in covering if value is not None][:1]):
        return Known(view.submission.id, view.state)
    return None


def _expected(redis: Redis, protocols: Sequence[str], person: Person) -> Expected:
    """Says how long a submission takes and waits, told from what was measured."""
    works = [_whole_run(redis, protocol) for protocol in protocols]
    known = [work for work in works if work is not None]
    total = Estimate(sum(work.seconds for work in known), min((work.measurements for work in known), default=0))
    return Expected(total if known and len(known) == len(works) else None, _waiting(redis, person))


def _whole_run(redis: Redis, protocol: str) -> Estimate | None:
    """Returns what one worker takes for a run of a protocol."""
    return expected_seconds(read_costs(redis, protocol))


def _waiting(redis: Redis, person: Person) -> Estimate | None:
    """Says how long a first run of a person would wait; None where no reaper orders runs, or too little is known."""
    measured = read_measured(redis, ())
    if measured.order is None:
        return None
    mine = WaitingRun(run_id=_MINE, submitter=person.name, created_at=now(), lanes=(Lane.GENERATE,))
    waiting = fair_order([*measured.order.waiting, mine], dict(measured.order.working))
    order = measured.order.model_copy(update={"waiting": tuple(waiting)})
    return outlook_of(_MINE, paused=False, measured=measured._replace(order=order)).begins
