"""Publishers in new processes, and workers that hand over a whole run batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from redis import Redis

from leaderboard.records import Lane, Plan, State, Submission
from leaderboard.store import Store
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_report, make_submission, rows_of
from tests.losing import let_hold_run_out
from worker import handover
from worker.handover import Handover
from worker.lease import Leases
from worker.outbox import Outbox
from worker.publisher import Publisher


def publisher_of(
    redis: Redis, store: Store, clock: Callable[[], float] = lambda: 0.0, journal_seconds: float = 0
) -> Publisher:
    """A publisher in a new process."""
    let_hold_run_out(redis)
    return Publisher(redis, Ledger(redis), store, journal_seconds, clock)


def step_until_idle(publisher: Publisher) -> None:
    while publisher.step():
        pass


def queued(ledger: Ledger, number: int) -> Submission:
    submission = make_submission(number)
    ledger.create(submission)
    ledger.advance(submission.run_ids()[0], State.QUEUED, "alice")
    return submission


def hand_over_slowly(leases: Leases, redis: Redis, plan: Plan, lane: Lane) -> Iterator[None]:
    """Hands over all rows of a lane, a batch of each shard in turn; yields after each batch."""
    taken = [leases.claim(plan, f"gpu-{number}", [lane]) for number in range(len(plan.shards))]
    rows = {shard.id: rows_of(plan, shard) for shard in plan.shards}
    hands = [(lease, Handover(leases, lease, Outbox(redis)), rows[lease.shard_id]) for lease in taken if lease]
    assert len(hands) == len(plan.shards)
    longest = max(len(own.generations if lane is Lane.GENERATE else own.verdicts) for _, _, own in hands)
    for place in range(0, longest, handover.ROWS):
        for _, hand, own in hands:
            if lane is Lane.GENERATE:
                hand.generations(own.generations[place : place + handover.ROWS])
            else:
                hand.verdicts(own.verdicts[place : place + handover.ROWS])
            yield
    for lease, hand, _ in hands:
        hand.finish(make_report(lane))
        leases.release(lease, forgive=True)
        yield
