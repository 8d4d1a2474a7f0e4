"""What was written before paths had their present form stays readable, and is never there twice."""

from __future__ import annotations

import pytest
from redis import Redis

from leaderboard.records import AmendmentKind, Lane, Plan, State
from leaderboard.results import Scorecard
from leaderboard.store import LocalStore, layout
from leaderboard.store.base import Delete, Write
from leaderboard.submissions.history import History
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_declaration, make_plan, make_submission
from tests.released import released_board
from tests.worker.work import hand_over_slowly, publisher_of, queued, step_until_idle
from worker.lease import Leases
from worker.publisher import Publisher


@pytest.fixture
def publisher(redis: Redis, store: LocalStore) -> Publisher:
    publisher = publisher_of(redis, store)
    publisher.step()
    return publisher


@pytest.fixture
def published(ledger: Ledger, leases: Leases, redis: Redis, store: LocalStore, publisher: Publisher) -> Plan:
    """A run whose results were published where they lay before."""
    submission = queued(ledger, 1)
    plan = ledger.put_plan(make_plan(submission.run_ids()[0]))
    for lane in Lane:
        list(hand_over_slowly(leases, redis, plan, lane))
    step_until_idle(publisher)
    name = (submission.model, f"{plan.run_id}@demo")
    for new, old in (
        (layout.scorecard_path(*name), layout.old_scorecard_path(*name)),
        (layout.user_scores_path(*name), layout.old_user_scores_path(*name)),
    ):
        store.commit([Write(old, store.read(new)), Delete(new)], "as it was")
    return plan


def test_a_correction_changes_the_one_copy(ledger, store, publisher, published):
    submission, corrected = make_submission(1), make_declaration(base_model="org/base")
    ledger.amend(ledger.history(submission.id), AmendmentKind.CORRECTED, "alice", "Sorry.", declaration=corrected)
    step_until_idle(publisher)
    (path,) = store.list(layout.SCORECARDS)
    assert Scorecard.model_validate_json(store.read(path)).declaration == corrected


def test_a_withdrawal_leaves_one_tombstone(ledger, store, publisher, published):
    old = layout.old_tombstone_path(make_submission(1).id)
    store.commit([Write(old, b"{}")], "as it was")
    ledger.amend(ledger.history(make_submission(1).id), AmendmentKind.WITHDRAWN, "alice", "A wrong model.")
    step_until_idle(publisher)
    assert store.list(layout.TOMBSTONES) == [layout.tombstone_path(make_submission(1).id)]


def test_a_scorecard_that_stands_there_is_not_written_again(redis, ledger, store, publisher, published):
    paths = store.list(layout.SCORECARDS), store.list(layout.USER_SCORES)
    redis.flushall()
    path = layout.submission_path(make_submission(1).id)
    history = History.model_validate_json(store.read(path))
    short = history.model_copy(update={"events": history.events[:2]})
    store.commit([Write(path, short.model_dump_json().encode())], "as if its end had not been saved")
    step_until_idle(publisher)
    assert ledger.state(published.run_id) is State.PUBLISHED
    assert (store.list(layout.SCORECARDS), store.list(layout.USER_SCORES)) == paths


def test_the_board_finds_users_sums_where_they_lie(store, published):
    (row,) = released_board(store).rows
    assert (row.users, released_board(store).problems) == (2, ())
