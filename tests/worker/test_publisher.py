"""The publisher: rows reach the store, and a run is published once all of them are there."""

from collections.abc import Sequence

import pytest

from evaluator.errors import Cause
from leaderboard.records import Failure, Lane, Plan, State
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store import layout
from leaderboard.store.base import Write
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.history import History
from leaderboard.submissions.states import ENDED
from tests.builders import make_plan, make_report, make_submission, rows_of
from tests.released import released_board
from worker import draining, finishing
from worker.finishing import SCORING_SECONDS
from worker.handover import Handover
from worker.lease import Lease, Leases
from worker.outbox import Outbox
from worker.publisher import Publisher


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def publisher(redis, ledger, store, clock) -> Publisher:
    return Publisher(redis, ledger, store, journal_seconds=20, clock=clock)


def step_until_idle(publisher: Publisher) -> None:
    while publisher.step():
        pass


def messages(store) -> list[str]:
    """What was committed, oldest first, without the marks."""
    return [commit.message.rpartition(" (")[0] for commit in reversed(store.history())]


def stored(store, run_id: str) -> tuple[set[str], set[str], int]:
    """Keys of the stored generations and verdicts, and the number of shards reported in both lanes."""
    generations, verdicts, reports = StoredRun(store, run_id).rows()
    assert len({row.input_key for row in generations}) == len(generations)
    assert len({row.verdict_key for row in verdicts}) == len(verdicts)
    return {row.input_key for row in generations}, {row.verdict_key for row in verdicts}, len(reports) // 2


def expected(plan: Plan, shards: int) -> tuple[set[str], set[str], int]:
    rows = [rows_of(plan, shard) for shard in plan.shards[:shards]]
    return (
        {row.input_key for shard in rows for row in shard.generations},
        {row.verdict_key for shard in rows for row in shard.verdicts},
        shards,
    )


def test_with_nothing_to_do_a_step_does_nothing(publisher, store):
    assert not publisher.step()
    assert store.history() == []


def test_batches_of_one_lease_that_wait_together_become_one_file_a_kind(redis, publisher, store, plan, work):
    work()
    batches = [entry.batch_id for entry in Outbox(redis).waiting()]
    assert len(batches) == 4, "two leases: rows, then a report"
    assert publisher.step()
    assert stored(store, plan.run_id) == expected(plan, 1)
    assert Outbox(redis).waiting() == []
    folder = f"runs/202603/01/{plan.run_id}"
    generated, judged = batches[0], batches[2]
    assert store.list(folder) == [
        f"{folder}/generations/{generated}.jsonl",
        f"{folder}/plan.json",
        f"{folder}/reports/{generated}.jsonl",
        f"{folder}/reports/{judged}.jsonl",
        f"{folder}/verdicts/{judged}.jsonl",
    ]


def test_rows_and_histories_are_one_commit(publisher, store, plan, work):
    work()
    publisher.step()
    assert messages(store) == ["4 batches, journal of 1 submissions"]


def test_a_run_is_not_published_before_all_shards_are_done(ledger, publisher, store, plan, work):
    work()
    step_until_idle(publisher)
    assert store.list(layout.SCORECARDS) == []
    assert ledger.state(plan.run_id) is State.QUEUED


def test_a_run_is_published_when_all_shards_are_done(ledger, publisher, store, submission, plan, work):
    work()
    work()
    step_until_idle(publisher)
    assert ledger.view(submission.id).state is State.PUBLISHED
    (path,) = store.list(layout.SCORECARDS)
    card = read_record(store.read(path), Scorecard, path)
    assert (card.run_id, card.model, card.result.total.value) == (plan.run_id, submission.model, 50)
    assert StoredRun(store, plan.run_id).plan() == plan
    assert stored(store, plan.run_id) == expected(plan, 2)
    assert [row.total for row in released_board(store).rows] == [card.result.total]


def test_a_scorecard_and_its_users_sums_are_written_together_or_not_at_all(monkeypatch, publisher, store, plan, work):
    work()
    work()
    written, commit = [], store.commit
    monkeypatch.setattr(store, "commit", lambda writes, *rest: written.append(list(writes)) or commit(writes, *rest))
    step_until_idle(publisher)
    (together,) = [writes for writes in written if any(write.path.startswith(layout.SCORECARDS) for write in writes)]
    (card_file,) = [each for each in together if each.path.startswith(layout.SCORECARDS) and isinstance(each, Write)]
    (sums_file,) = [each for each in together if each.path.startswith(layout.USER_SCORES) and isinstance(each, Write)]
    card = read_record(card_file.content, Scorecard, card_file.path)
    sums = read_record(sums_file.content, UserScores, sums_file.path)
    assert sums_file.path == layout.user_scores_path(card.model, card.id)
    assert (sums.scorecard_id, sums.rows_sha) == (card.id, card.rows_sha)
    assert [user.user_id for user in sums.users] == [1, 2]


def test_every_state_of_the_way_is_passed_and_kept(ledger, publisher, submission, plan, work):
    work()
    work()
    step_until_idle(publisher)
    steps = ledger.transitions(submission.id)
    assert [step.after for step in steps] == [
        State.CHECKING,
        State.QUEUED,
        State.GENERATING,
        State.JUDGING,
        State.SCORING,
        State.PUBLISHING,
        State.PUBLISHED,
    ]
    assert [step.sequence for step in steps] == list(range(1, 8))


def test_a_run_is_not_scored_while_a_batch_of_it_still_waits(monkeypatch, redis, ledger, publisher, store, plan, work):
    monkeypatch.setattr(draining, "BATCHES_A_COMMIT", 1)  # The batches of one lease go together all the same.
    work()
    work()
    for waiting in (6, 4, 2, 0):
        publisher.step()
        assert len(Outbox(redis).waiting()) == waiting
        assert store.list(layout.SCORECARDS) == []
    publisher.step()
    assert ledger.state(plan.run_id) is State.PUBLISHED
    assert stored(store, plan.run_id) == expected(plan, 2)


def test_once_all_is_published_a_further_step_changes_nothing(publisher, store, plan, work):
    work()
    work()
    step_until_idle(publisher)
    head = store.head()
    assert not publisher.step()
    assert store.head() == head


def test_rows_of_a_published_run_leave_redis(redis, publisher, plan, work):
    work()
    work()
    step_until_idle(publisher)
    assert not redis.exists(keys.batches(plan.run_id))
    assert Outbox(redis).waiting() == []


def test_what_the_page_shows_of_a_published_run_stays(ledger, publisher, plan, work):
    work()
    work()
    step_until_idle(publisher)
    assert ledger.progress(plan.run_id) == (6, 6, 10, 10)


def test_runs_are_published_apart(ledger, leases, outbox, publisher, store):
    runs = []
    for number in (1, 2):
        submission = make_submission(number)
        ledger.create(submission)
        (run_id,) = submission.run_ids()
        ledger.advance(run_id, State.QUEUED, "alice")
        runs.append(ledger.put_plan(make_plan(run_id, users=(number,))))
    hand_in(leases, outbox, runs[1])
    step_until_idle(publisher)
    assert [ledger.state(plan.run_id) for plan in runs] == [State.QUEUED, State.PUBLISHED]
    hand_in(leases, outbox, runs[0])
    step_until_idle(publisher)
    assert len(released_board(store).rows) == 2


def hand_in(leases, outbox, plan: Plan, unjudged: int = 0) -> None:
    """Hands in the one shard of a run in both lanes, but for its first verdicts."""
    rows = rows_of(plan, plan.shards[0])
    handover = Handover(leases, leases.claim(plan, "gpu-1", [Lane.GENERATE]), outbox)
    handover.generations(rows.generations)
    handover.finish(make_report(Lane.GENERATE))
    handover = Handover(leases, leases.claim(plan, "gpu-1", [Lane.JUDGE]), outbox)
    handover.verdicts(rows.verdicts[unjudged:])
    handover.finish(make_report(Lane.JUDGE))


def test_a_run_with_a_missing_verdict_is_published_with_the_gap_shown(
    leases, ledger, publisher, store, submission, outbox
):
    plan = ledger.put_plan(make_plan(submission.run_ids()[0], users=(1,)))
    hand_in(leases, outbox, plan, unjudged=1)
    step_until_idle(publisher)
    (row,) = released_board(store).rows
    assert (row.missing, row.verdicts) == (1, 4)
    assert "incomplete" in row.unranked_because


def journalled(store, submission_id: str) -> list[State]:
    history = read_record(store.read(layout.submission_path(submission_id)), History, "history")
    return [step.after for step in history.transitions]


def test_the_ledger_is_saved_now_and_then(ledger, publisher, store, clock, submission, run_id):
    publisher.step()
    assert journalled(store, submission.id) == [State.CHECKING, State.QUEUED]
    assert ledger.unsaved() == []
    ledger.advance(run_id, State.GENERATING, "worker")
    clock.now = 19.9
    publisher.step()
    assert ledger.unsaved() == [submission.id]
    clock.now = 20.0
    publisher.step()
    assert journalled(store, submission.id)[-1] is State.GENERATING


def test_without_news_nothing_is_saved_again(publisher, store, clock, submission):
    publisher.step()
    head = store.head()
    clock.now = 100
    publisher.step()
    assert store.head() == head


def test_the_ledger_is_saved_at_once_when_a_run_is_published(ledger, publisher, store, submission, plan, work):
    publisher.step()
    work()
    work()
    step_until_idle(publisher)
    assert journalled(store, submission.id)[-1] is State.PUBLISHED
    assert [words.split()[0] for words in messages(store)][-3:] == ["8", "scorecard", "journal"]
    assert (ledger.active(), ledger.unsaved()) == ([], [])


@pytest.mark.parametrize("end", [State.FAILED, State.CANCELLED])
def test_the_ledger_is_saved_at_once_when_a_run_ends_otherwise(ledger, publisher, store, submission, run_id, end):
    publisher.step()
    failure = Failure(cause=Cause.LOAD_ERROR, message="No.", remedy="Mend.") if end is State.FAILED else None
    ledger.move(run_id, State.QUEUED, end, "someone", failure)
    publisher.step()
    assert journalled(store, submission.id)[-1] is end
    assert (ledger.active(), ledger.unsaved()) == ([], [])


def test_all_submissions_with_news_are_saved_in_one_commit(ledger, publisher, store):
    for number in range(3):
        ledger.create(make_submission(number))
    publisher.step()
    assert messages(store) == ["journal of 3 submissions"]


def test_a_last_batch_that_comes_while_the_publisher_looks_is_scored_with_the_rest(
    monkeypatch, redis, ledger, store, clock, plan, work, run_id
):
    looking = Publisher(redis, ledger, store, journal_seconds=20, clock=clock)
    look = looking._finisher.done

    def hand_over_first(runs: Sequence[str]) -> list[str]:
        """The worker hands over its last batches before the first of the publisher's two looks."""
        while ledger.state(run_id) not in ENDED and Leases(redis, 60).free_tasks(plan):
            work()
        return look(runs)

    monkeypatch.setattr(looking._finisher, "done", hand_over_first)
    for _ in range(10):
        looking.step()

    assert ledger.state(run_id) is State.PUBLISHED
    assert stored(store, run_id) == expected(plan, len(plan.shards))


@pytest.mark.parametrize(("seconds", "together"), [(0.1, 3), (SCORING_SECONDS, 1)])
def test_as_many_runs_are_published_together_as_there_is_time_for(
    monkeypatch, redis, ledger, store, clock, publisher, seconds, together
):
    score = finishing.make_scorecard

    def take_time(*arguments):
        clock.now += seconds
        return score(*arguments)

    monkeypatch.setattr(finishing, "make_scorecard", take_time)
    for number in range(5, 9):
        submission = make_submission(number)
        ledger.create(submission)
        (run,) = submission.run_ids()
        ledger.advance(run, State.QUEUED, "reaper")
        planned = ledger.put_plan(make_plan(run))
        leases = Leases(redis, 60)
        while lease := leases.claim(planned, "gpu-1"):
            hand_over_all(leases, lease, planned, Outbox(redis))
    step_until_idle(publisher)

    told = [message for message in messages(store) if "scorecard" in message]
    assert [message.count("scorecard") for message in told] == ([3, 1] if together == 3 else [1] * 4)
    assert "journal" in told[1], "histories do not wait for the other results"


def hand_over_all(leases: Leases, lease: Lease, plan: Plan, outbox: Outbox) -> None:
    """Hands over all rows of a task and closes it."""
    handover = Handover(leases, lease, outbox)
    rows = rows_of(plan, next(shard for shard in plan.shards if shard.id == lease.shard_id))
    if lease.lane is Lane.GENERATE:
        handover.generations(rows.generations)
    else:
        handover.verdicts(rows.verdicts)
    handover.finish(make_report(lease.lane))
    leases.release(lease, forgive=True)
