"""What the checks ask of a leaderboard: its workers, its ledger and what it has measured."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis

from evaluator.facts import ModelFacts
from leaderboard.checks.findings import Expected, Surroundings
from leaderboard.fleet import Fleet
from leaderboard.maintaining.state import read_pause
from leaderboard.people import Person
from leaderboard.records import now
from leaderboard.settings import Settings
from leaderboard.submissions.estimate import together
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.needs import need_of
from leaderboard.submissions.outlook import read_expected, read_newcomer
from leaderboard.submissions.quotas import limits_for, quotas_of


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
        known=lambda model, adapter, thinking, protocols: Ledger(redis).known(
            (*model, *(adapter or (None, None)), thinking), protocols
        ),
        quotas=lambda: quotas_of(redis, person, limits_for(redis, person, settings), now()),
        pause=lambda: None if person.maintainer else read_pause(redis),
        expected=lambda protocols, facts: _expected(redis, protocols, facts, person),
    )


def _expected(redis: Redis, protocols: Sequence[str], facts: ModelFacts, person: Person) -> Expected:
    """Says how long a submission takes and waits, told from what was measured."""
    works = read_expected(redis, [(protocol, facts.parameters) for protocol in protocols])
    return Expected(together(list(works.values())), read_newcomer(redis, person.name, facts))
