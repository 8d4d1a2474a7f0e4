"""Judging for a re-score: whatever happens meanwhile, every run comes to its scorecard and nothing is asked twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.records import Verdict
from leaderboard.people import Person
from leaderboard.records import Lane
from leaderboard.rescoring.desk import RescoreDesk, RescoreMovedMeanwhile
from leaderboard.rescoring.records import Rescore, RescoreStatus, RescoreStep, judging_id
from leaderboard.results import Scorecard
from leaderboard.scorecards import scorecard_id
from leaderboard.store import Delete, LocalStore, layout
from leaderboard.store.base import Operation, Write
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration
from tests.losing import let_hold_run_out
from tests.model_folders import make_model_folder
from tests.rescoring.other_judge import OTHER, write_judge
from tests.rescoring.rescores import CAROL, Bench, settle
from worker import judging
from worker.jobs import evaluate
from worker.publisher import Publisher
from worker.reaper import Reaper
from worker.survey import Surveyor
from worker.turns import Turns


def cards(store: LocalStore) -> list[str]:
    return [path for path in store.list(layout.RESCORES) if "/scorecards/" in path]


def card_of(bench: Bench, rescore: Rescore, run_id: str) -> Scorecard:
    path = layout.rescored_card_path(rescore.id, scorecard_id(run_id, rescore.judge))
    return read_record(bench.store.read(path), Scorecard, path)


def verdicts(bench: Bench, run_id: str) -> list[Verdict]:
    return list(StoredRun(bench.store, run_id).rows().verdicts)


def asked(rows: list[Verdict]) -> Counter[tuple[str, str, str]]:
    return Counter((row.key.question_id, row.key.content_hash, row.key.slot_order.value) for row in rows)


def copy_run(bench: Bench, run_id: str) -> str:
    """Has the archive hold the same answers as those of another submission; returns its run."""
    make_model_folder(bench.settings.models, "twin")
    view = SubmissionService(bench.settings, bench.redis).submit("local/twin", None, make_declaration(), Person("bob"))
    (twin,) = view.submission.run_ids()
    changes: list[Operation] = []
    for path in bench.store.list(layout.run_folder(run_id)):
        content = bench.store.read(path)
        is_plan = path == layout.plan_path(run_id)
        changes.append(
            Write(
                path.replace(layout.run_folder(run_id), layout.run_folder(twin)),
                content.replace(run_id.encode(), twin.encode()) if is_plan else content,
            )
        )
    bench.store.commit(changes, "a twin")
    return twin


def test_every_answer_is_judged_by_the_other_judge_and_none_is_generated(bench: Bench, rescore: Rescore) -> None:
    done = bench.finish(rescore)
    assert done.status is RescoreStatus.COMPLETED
    assert bench.desk.progress(done) == (3, 0, 3, 0, 0)
    for run_id in bench.runs:
        own = StoredRun(bench.store, judging_id(rescore.id, run_id))
        assert own.is_compacted
        assert not own.rows().generations
        rows = list(own.rows().verdicts)
        assert asked(rows) == asked(verdicts(bench, run_id))
        assert {(row.key.rater, row.key.rater_revision) for row in rows} == {(OTHER, rescore.judge_revision)}
        card = card_of(bench, rescore, run_id)
        assert (card.run_id, card.judge, card.rescore_id) == (run_id, OTHER, rescore.id)
        assert card.result.judged == card.result.items > 0
    assert not list(bench.redis.scan_iter(f"rapport:*{rescore.id}.s-*")), "nothing of it stays in Redis"


def test_the_same_judge_under_another_name_comes_to_the_same_results(bench: Bench) -> None:
    (bench.settings.models / OTHER).rename(bench.settings.models / "aside")
    (bench.settings.models / OTHER).symlink_to(bench.settings.models / "SmolLM2-135M-Instruct")
    done = bench.finish(bench.begin())
    for run_id in bench.runs:
        (path,) = [path for path in bench.store.list(layout.SCORECARDS) if scorecard_id(run_id, "demo") in path]
        published = read_record(bench.store.read(path), Scorecard, path).result
        assert card_of(bench, done, run_id).result == published


def test_what_is_not_promoted_shows_nowhere(bench: Bench, rescore: Rescore) -> None:
    def elsewhere() -> list[str]:
        return [path for path in bench.store.list() if not path.startswith((layout.RESCORES, layout.RUNS))]

    before = elsewhere()
    bench.finish(rescore)
    assert elsewhere() == before
    assert len(cards(bench.store)) == 3


def test_the_judge_is_loaded_once_for_all_runs(monkeypatch: pytest.MonkeyPatch, bench: Bench, rescore: Rescore) -> None:
    loaded = []

    class Counting(judging.RunEngines):
        def _load(self, spec: Any, ending: str) -> Any:
            if spec not in self._loaded:
                loaded.append(spec)
            return super()._load(spec, ending)

    monkeypatch.setattr(judging, "RunEngines", Counting)
    bench.finish(rescore)
    assert len(loaded) == 1


def test_a_worker_lost_in_the_middle_costs_nothing_that_it_had_handed_over(
    monkeypatch: pytest.MonkeyPatch, bench: Bench, rescore: Rescore
) -> None:
    given: Counter[str] = Counter()
    real, left = judging.ask_shard, [2]

    def ask(work: Any, leases: Any, lease: Any) -> Any:
        def there() -> set[str]:
            return {row.verdict_key for batch in work.outbox.kept(work.plan.run_id) for row in batch.verdicts}

        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        before = there()
        report = real(work, leases, lease)
        given.update(there() - before)
        return report

    monkeypatch.setattr(judging, "ask_shard", ask)
    with pytest.raises(KeyboardInterrupt):
        evaluate(rescore.work_id)
    settle(bench.publisher)
    assert len(cards(bench.store)) == 2
    left[0] = 100
    bench.finish(rescore)
    assert len(cards(bench.store)) == 3
    wanted = {row.verdict_key for run_id in bench.runs for row in verdicts(bench, judging_id(rescore.id, run_id))}
    assert set(given) == wanted
    assert set(given.values()) == {1}


def test_after_redis_has_lost_everything_the_archive_goes_on_where_it_was(bench: Bench, rescore: Rescore) -> None:
    evaluate(rescore.work_id)
    for _ in range(3):
        bench.publisher.step()
    there = len(cards(bench.store))
    bench.redis.flushall()
    let_hold_run_out(bench.redis)
    again = Publisher(bench.redis, Ledger(bench.redis), bench.store, journal_seconds=0, judges=bench.settings.judges)
    settle(again)
    assert len(cards(bench.store)) >= there
    after = bench._replace(publisher=again).finish(rescore)
    assert after.status is RescoreStatus.COMPLETED
    for run_id in bench.runs:
        assert set(asked(verdicts(bench, judging_id(rescore.id, run_id))).values()) == {1}


def test_what_the_judge_has_said_elsewhere_is_not_asked_again(bench: Bench, rescore: Rescore) -> None:
    bench.finish(rescore)
    bench.service.discard(rescore.id, CAROL, "Another look.")
    again = bench.finish(bench.begin())
    assert again.status is RescoreStatus.COMPLETED
    for run_id in bench.runs:
        own = StoredRun(bench.store, judging_id(again.id, run_id))
        assert {name.split("-")[2] for name, rows in own.verdicts.items() if rows} == {"known"}, "nobody was asked"
        assert own.rows().verdicts == StoredRun(bench.store, judging_id(rescore.id, run_id)).rows().verdicts
        assert card_of(bench, again, run_id).result == card_of(bench, rescore, run_id).result


def test_a_run_whose_answers_are_being_judged_waits_its_turn(bench: Bench) -> None:
    first, second, third = bench.runs
    turns = Turns(bench.store)
    assert turns.next_of([first, second], ()) == first
    assert turns.next_of([first, second], {first}) == second, "equal answers wait, others go on"
    assert turns.next_of([first], {first, third}) is None
    assert turns.next_of(["s-20260101-00000000.demo-v1"], {first}) == "s-20260101-00000000.demo-v1"


def test_a_model_that_was_submitted_twice_is_judged_once(bench: Bench) -> None:
    same = copy_run(bench, bench.runs[0])
    rescore = bench.service.start(OTHER, [bench.runs[0], same], CAROL)
    settle(bench.publisher)
    assert bench.desk.judgings(rescore.id) == [judging_id(rescore.id, bench.runs[0])]
    assert bench.finish(bench.desk.get(rescore.id)).status is RescoreStatus.RUNNING, "the other one is laid out now"
    assert bench.finish(bench.desk.get(rescore.id)).status is RescoreStatus.COMPLETED
    own = StoredRun(bench.store, judging_id(rescore.id, same))
    assert {name.split("-")[2] for name, rows in own.verdicts.items() if rows} == {"known"}, "nobody was asked"
    assert asked(list(own.rows().verdicts)) == asked(verdicts(bench, bench.runs[0]))


def test_two_re_scores_by_one_judge_do_not_judge_the_same_runs(bench: Bench, rescore: Rescore) -> None:
    with pytest.raises(RapportError, match=f"{rescore.id} by other has some of these runs in hand"):
        bench.service.start(OTHER, bench.runs[:1], CAROL)


def test_what_was_judged_to_its_end_is_not_resumed(bench: Bench, rescore: Rescore) -> None:
    done = bench.finish(rescore)
    assert RescoreStep.RESUMED not in done.next
    with pytest.raises(RapportError, match="none is left"):
        bench.service.resume(done.id, CAROL)
    with pytest.raises(RescoreMovedMeanwhile):
        bench.desk.note(done.id, RescoreStep.RESUMED, "carol")
    assert bench.desk.get(done.id) == done


def test_a_paused_re_score_waits_and_goes_on(bench: Bench, rescore: Rescore) -> None:
    bench.service.pause(rescore.id, CAROL, "The GPU is needed.")
    bench.finish(rescore)
    assert not cards(bench.store)
    assert not Surveyor(bench.redis).look().waiting
    bench.service.resume(rescore.id, CAROL)
    bench.finish(rescore)
    assert len(cards(bench.store)) == 3


def test_a_judge_whose_model_is_gone_holds_everything_up_with_that_cause(bench: Bench, rescore: Rescore) -> None:
    (bench.settings.models / OTHER).rename(bench.settings.models / "elsewhere")
    held = bench.finish(rescore)
    assert held.status is RescoreStatus.PAUSED
    assert held.events[-1].failure
    assert held.events[-1].failure.cause is Cause.JUDGE_ERROR
    assert not cards(bench.store)


@pytest.mark.parametrize("laid_out", [True, False])
def test_a_judge_that_was_changed_since_judges_nothing(bench: Bench, laid_out: bool) -> None:
    assert bench.settings.judges
    rescore = bench.begin() if laid_out else bench.service.start(OTHER, bench.runs, CAROL)
    write_judge(bench.settings.judges, status="retired")
    settle(bench.publisher)
    held = bench.finish(rescore)
    assert held.status is RescoreStatus.PAUSED
    assert not held.failed
    assert held.events[-1].failure
    assert held.events[-1].failure.cause is Cause.JUDGE_ERROR
    assert not cards(bench.store)


def test_a_run_that_cannot_be_read_fails_alone(bench: Bench) -> None:
    bench.store.commit([Delete(path) for path in bench.store.list(layout.run_folder(bench.runs[1]))], "damage")
    found = bench.finish(bench.begin())
    assert found.status is RescoreStatus.COMPLETED
    assert {run_id: failure.cause for run_id, failure in found.failed.items()} == {bench.runs[1]: Cause.DATA_ERROR}
    assert len(cards(bench.store)) == 2


def test_a_discarded_re_score_leaves_nothing_open_and_its_rows_stay(bench: Bench, rescore: Rescore) -> None:
    evaluate(rescore.work_id)
    for _ in range(2):
        bench.publisher.step()
    bench.service.discard(rescore.id, CAROL, "It prefers long answers.")
    settle(bench.publisher)
    assert not bench.desk.judgings(rescore.id)
    assert any(rescore.id in path for path in bench.store.list(layout.RUNS))
    with pytest.raises(RescoreMovedMeanwhile, match="discarded"):
        bench.service.resume(rescore.id, CAROL)


def test_of_two_maintainers_who_decide_at_once_one_is_told(bench: Bench, rescore: Rescore) -> None:
    seen = bench.desk.get(rescore.id)
    bench.desk.note(rescore.id, RescoreStep.PAUSED, "carol", seen=seen)
    with pytest.raises(RescoreMovedMeanwhile, match="paused"):
        bench.desk.note(rescore.id, RescoreStep.DISCARDED, "dave", seen=seen)


def test_workers_are_invited_as_to_one_more_submitters_run(redis: Redis, rescore: Rescore) -> None:
    (waiting,) = Surveyor(redis).look().waiting
    assert (waiting.run_id, waiting.lanes, waiting.workers) == (rescore.work_id, (Lane.JUDGE,), 0)
    assert Reaper(redis, longest_job=21_600).step() == 0, "nobody listens"


def test_the_archive_holds_a_re_score_with_all_its_steps(bench: Bench, rescore: Rescore) -> None:
    done = bench.finish(rescore)
    path = layout.rescore_path(rescore.id)
    saved = read_record(bench.store.read(path), Rescore, path)
    assert saved == done
    assert [event.step for event in saved.events] == [RescoreStep.STARTED, RescoreStep.COMPLETED]
    assert not bench.redis.exists(keys.RESCORES_UNSAVED)
    bench.redis.delete(keys.RESCORES)
    assert RescoreDesk(bench.redis).restore([saved]) == 1
    assert bench.desk.get(rescore.id) == saved


def test_nobody_else_begins_or_ends_one(bench: Bench, rescore: Rescore) -> None:
    alice = Person("alice")
    for act in (
        lambda: bench.service.start(OTHER, bench.runs, alice),
        lambda: bench.service.pause(rescore.id, alice),
        lambda: bench.service.discard(rescore.id, alice, "No."),
        lambda: bench.service.promote(rescore.id, alice, "Mine."),
    ):
        with pytest.raises(RapportError, match="Only maintainers") as refused:
            act()
        assert refused.value.cause is Cause.FORBIDDEN
    assert bench.desk.get(rescore.id).status is RescoreStatus.RUNNING


@pytest.mark.parametrize(("judge", "cause"), [("demo-verifier", Cause.JUDGE_ERROR), ("nobody", Cause.NOT_FOUND)])
def test_a_judge_that_cannot_judge_is_refused(bench: Bench, judge: str, cause: Cause) -> None:
    with pytest.raises(RapportError) as refused:
        bench.service.start(judge, bench.runs, CAROL)
    assert refused.value.cause is cause


def test_an_unexpected_error_holds_the_re_score_up_instead_of_repeating_itself(
    monkeypatch: pytest.MonkeyPatch, bench: Bench, rescore: Rescore
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(judging, "ask_shard", broken)
    for _ in range(judging.MOST_RETRIES + 1):
        with pytest.raises(ZeroDivisionError):
            evaluate(rescore.work_id)
    held = bench.desk.get(rescore.id)
    assert held.status is RescoreStatus.PAUSED
    assert held.events[-1].failure
    assert "ZeroDivisionError" in held.events[-1].failure.message


def test_of_two_maintainers_who_begin_the_same_at_once_one_is_told(bench: Bench) -> None:
    def begin(_: int) -> str:
        try:
            return bench.service.start(OTHER, bench.runs, CAROL).id
        except RapportError as error:
            return error.message

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(begin, range(8)))
    assert sum("in hand" not in each for each in said) == 1
    assert len(bench.desk.all()) == 1


def test_an_invitation_to_what_redis_has_lost_is_let_go(bench: Bench, rescore: Rescore) -> None:
    bench.redis.delete(keys.RESCORES)
    evaluate(rescore.work_id)


@pytest.mark.parametrize("laid_out", [True, False])
def test_a_judge_that_publisher_or_workers_do_not_have_holds_everything_up(
    monkeypatch: pytest.MonkeyPatch, bench: Bench, laid_out: bool
) -> None:
    rescore = bench.begin() if laid_out else bench.service.start(OTHER, bench.runs, CAROL)
    if laid_out:
        monkeypatch.delenv("RAPPORT_JUDGES")
        held = bench.finish(rescore)
    else:
        let_hold_run_out(bench.redis)
        settle(Publisher(bench.redis, Ledger(bench.redis), bench.store, journal_seconds=0))
        held = bench.desk.get(rescore.id)
    assert held.status is RescoreStatus.PAUSED
    assert not held.failed
    assert held.events[-1].failure
    assert "RAPPORT_JUDGES" in held.events[-1].failure.remedy
