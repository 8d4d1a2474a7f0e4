"""The archive holds nothing that a maintainer did without its entry: whoever stands aside, whatever cannot be read."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest
from redis import Redis

from leaderboard.maintaining.desk import MaintainDesk
from leaderboard.maintaining.journal import read_acts
from leaderboard.maintaining.records import ActKind, act_of
from leaderboard.maintaining.service import Maintenance
from leaderboard.people import Person
from leaderboard.records import AmendmentKind
from leaderboard.rescoring.desk import RescoreDesk
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStep
from leaderboard.settings import Settings
from leaderboard.store import LocalStore, StoreUnavailable, layout
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.upkeep.archive_check import check_archive
from leaderboard.upkeep.findings import FindingKind
from tests.builders import NOON, make_declaration, make_plan, make_report, make_submission, rows_of
from tests.losing import let_hold_run_out
from worker.handover import Handover
from worker.lease import Leases
from worker.outbox import Outbox
from worker.publisher import Publisher

KEEPER = Person("keeper", maintainer=True)
WHY = "A word for maintainers alone."
NEWER = b'{"schema_version":2,"sequence":2,"of":"a version to come"}'


class Refusing(LocalStore):
    """A store that takes nothing while it is told to."""

    refuses = False

    def commit(self, operations: Iterable, message: str, expected_parent=None):
        if self.refuses:
            raise StoreUnavailable("the Hub", "it does not answer")
        return super().commit(operations, message, expected_parent)


@pytest.fixture
def store(tmp_path) -> Refusing:
    return Refusing(tmp_path / "store")


@pytest.fixture
def publisher(redis: Redis, ledger: Ledger, store: Refusing) -> Publisher:
    made = Publisher(redis, ledger, store, journal_seconds=20, clock=lambda: 0.0)
    settle(made)
    return made


@pytest.fixture
def maintenance(tmp_path, redis: Redis) -> Maintenance:
    return Maintenance(Settings(data=tmp_path / "data", models=tmp_path / "data" / "models"), redis)


def settle(publisher: Publisher) -> None:
    for _ in range(50):
        if not publisher.step():
            return
    raise AssertionError("the publisher does not come to rest")


def set_aside(publisher: Publisher, store: Refusing, run_id: str) -> None:
    """Has the store refuse what there is of a run, so that the next turn is that of those that stand aside."""
    store.refuses = True
    with pytest.raises(StoreUnavailable):
        publisher.step()
    store.refuses = False
    assert list(publisher._setbacks) == [run_id]


def hand_over(redis: Redis, ledger: Ledger, leases: Leases, run_id: str) -> None:
    """Hands over all rows of a run."""
    plan = ledger.put_plan(make_plan(run_id, users=(1,)))
    rows = rows_of(plan, plan.shards[0])
    while lease := leases.claim(plan, "gpu-1"):
        hand = Handover(leases, lease, Outbox(redis))
        if lease.lane.value == "generate":
            hand.generations(rows.generations)
        else:
            hand.verdicts(rows.verdicts)
        hand.finish(make_report(lease.lane))
        leases.release(lease, forgive=True)


def enter_re_score(redis: Redis) -> Rescore:
    """Begins a re-score as a maintainer does."""
    rescore = Rescore(
        id="r-20260301-0a1b2c3d",
        judge="other",
        judge_revision="r2",
        judge_config="9" * 64,
        prompt_pack="pack",
        prompt_pack_status="builtin",
        runs=("s-20260301-00000007.demo-v1",),
        created_by=KEEPER.name,
        created_at=NOON,
        events=(RescoreEvent(sequence=1, step=RescoreStep.STARTED, at=NOON, actor=KEEPER.name, reason=WHY),),
    )
    RescoreDesk(redis).enter(rescore, act_of(KEEPER, ActKind.RESCORE_START, rescore.id, WHY))
    return rescore


def test_a_re_score_that_is_stored_at_the_turn_of_those_that_stand_aside_has_its_entry(
    redis, ledger, leases, store, publisher, run_id
):
    hand_over(redis, ledger, leases, run_id)
    set_aside(publisher, store, run_id)
    rescore = enter_re_score(redis)
    publisher.step()
    assert not list(publisher._setbacks), "it was their turn"
    paths = store.history(1)[0].paths
    assert layout.rescore_path(rescore.id) in paths
    assert layout.acts_path(1, 1) in paths


def test_a_result_that_a_maintainer_corrected_has_its_entry_at_that_turn(
    redis, ledger, leases, store, publisher, submission, run_id
):
    hand_over(redis, ledger, leases, run_id)
    publisher.step()
    set_aside(publisher, store, run_id)
    corrected = make_declaration(base_model="org/base")
    act = act_of(KEEPER, ActKind.CORRECT, submission.id, WHY)
    seen = ledger.history(submission.id)
    ledger.amend(seen, AmendmentKind.CORRECTED, KEEPER.name, WHY, declaration=corrected, act=act)
    publisher.step()
    paths = store.history(1)[0].paths
    (card,) = [path for path in store.list(layout.SCORECARDS) if b"org/base" in store.read(path)]
    assert card in paths
    assert layout.acts_path(1, 1) in paths


def test_rows_that_stand_aside_are_tried_by_themselves(redis, ledger, leases, store, publisher, maintenance, run_id):
    hand_over(redis, ledger, leases, run_id)
    set_aside(publisher, store, run_id)
    maintenance.pause_submissions(KEEPER, WHY)
    publisher.step()
    assert all(path.startswith("runs/") for path in store.history(1)[0].paths)
    settle(publisher)
    assert store.list(layout.ACTS) == [layout.acts_path(1, 1)]


def acts_with_a_broken_one(redis: Redis, maintenance: Maintenance, broken: bytes) -> None:
    """Does three things; the entry of the second cannot be read."""
    for name in ("alice", "bob", "carol"):
        maintenance.set_quota(KEEPER, name, 5, WHY)
    redis.lset(keys.ACTS, 1, broken)


@pytest.mark.parametrize("broken", [b"no entry", NEWER, "of place one"], ids=["broken", "newer", "misplaced"])
def test_an_entry_that_cannot_be_read_keeps_its_number_and_holds_up_no_other(
    redis, ledger, store, publisher, maintenance, caplog, broken
):
    maintenance.set_quota(KEEPER, "alice", 4, WHY)
    value = redis.lindex(keys.ACTS, 0) if broken == "of place one" else broken
    redis.delete(keys.ACTS, keys.SITE)
    acts_with_a_broken_one(redis, maintenance, value)
    ledger.create(submission := make_submission(5))
    with caplog.at_level(logging.ERROR, "rapport.publisher"):
        settle(publisher)
    first, second, third = (layout.acts_path(place, place) for place in (1, 2, 3))
    assert store.list(layout.ACTS) == [first, second, third]
    assert store.read(second) == value + b"\n", "as it stands"
    saved = [act.subject for path in (first, third) for act in read_acts(store.read(path), path)]
    assert saved == ["alice", "carol"]
    assert layout.submission_path(submission.id) in store.list()
    assert caplog.text.count("entry 2 of the log of maintainers") == 1
    kind = FindingKind.NEWER if broken == NEWER else FindingKind.UNREADABLE
    assert [(each.finding.kind, each.finding.path) for each in check_archive(store)] == [(kind, second)]
    maintenance.pause_submissions(KEEPER, WHY)
    settle(publisher)
    assert store.list(layout.ACTS)[3:] == [layout.acts_path(4, 4)], "nothing is written twice"


def test_after_a_loss_of_redis_the_others_are_back_under_their_numbers(
    redis, ledger, store, publisher, maintenance, caplog
):
    acts_with_a_broken_one(redis, maintenance, NEWER)
    settle(publisher)
    redis.flushall()
    with caplog.at_level(logging.ERROR, "rapport.publisher"):
        settle(publisher)
    assert [act.sequence for act in MaintainDesk(redis).acts()] == [3, 1]
    assert sorted(maintenance.quotas()) == ["alice", "carol"]
    assert "lacks the entries [2]" in caplog.text
    assert store.read(layout.acts_path(2, 2)) == NEWER + b"\n"


def test_a_publisher_that_begins_anew_does_not_lose_what_it_cannot_read(redis, ledger, store, publisher, maintenance):
    acts_with_a_broken_one(redis, maintenance, NEWER)
    redis.delete(keys.EPOCH)
    let_hold_run_out(redis)
    settle(Publisher(redis, ledger, store, journal_seconds=20, clock=lambda: 0.0))
    assert store.read(layout.acts_path(2, 2)) == NEWER + b"\n"
    assert [place for place, _, act in MaintainDesk(redis).from_on(1) if act is None] == [2]
