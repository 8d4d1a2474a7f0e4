"""Re-scores: every run judged by another judge, whatever happens meanwhile, and nothing is asked twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.judges.spec import load_judge
from leaderboard.people import Person
from leaderboard.records import Lane, State, now
from leaderboard.rescoring.desk import RescoreDesk, RescoreMovedMeanwhile
from leaderboard.rescoring.records import Rescore, RescoreEvent, RescoreStatus, RescoreStep, judging_id
from leaderboard.results import Scorecard
from leaderboard.scorecards import scorecard_id
from leaderboard.settings import Settings
from leaderboard.store import Delete, LocalStore, layout
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration
from tests.losing import let_hold_run_out
from tests.model_folders import make_model_folder
from worker import judging
from worker.jobs import evaluate
from worker.publisher import Publisher
from worker.reaper import Reaper
from worker.survey import Surveyor

DEMO = load_judge("demo")
MODELS = ("first", "second", "third")
RESCORE = "r-20260301-0a1b2c3d"


@pytest.fixture
def settings(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As a worker reads them from its environment; models are made up by the deterministic engine."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    told = {"REDIS_URL": redis_url, "DATA": tmp_path / "data", "MODELS": tmp_path / "models", "ENGINE": "deterministic"}
    for name, value in told.items():
        monkeypatch.setenv(f"RAPPORT_{name}", str(value))
    monkeypatch.setattr(judging, "LINGER_SECONDS", 0.0)
    return Settings()


@pytest.fixture
def publisher(redis: Redis, ledger: Ledger, store: LocalStore) -> Publisher:
    return Publisher(redis, ledger, store, journal_seconds=0)


def settle(publisher: Publisher) -> None:
    """Lets the publisher do all that there is to do."""
    for _ in range(200):
        if not publisher.step():
            return
    raise AssertionError("the publisher does not come to rest")


@pytest.fixture
def runs(settings: Settings, redis: Redis, ledger: Ledger, publisher: Publisher) -> tuple[str, ...]:
    """Three published runs."""
    service = SubmissionService(settings, redis)
    make_model_folder(settings.models, DEMO.model.removeprefix("local/"))
    found = []
    for name in MODELS:
        make_model_folder(settings.models, name)
        (run,) = service.submit(f"local/{name}", None, make_declaration(), Person("alice")).runs
        evaluate(run.id)
        found.append(run.id)
    settle(publisher)
    assert [ledger.state(run_id) for run_id in found] == [State.PUBLISHED] * 3
    return tuple(found)


def make_rescore(runs: tuple[str, ...], store: LocalStore) -> Rescore:
    plan = StoredRun(store, runs[0]).plan()
    assert plan
    at = now()
    return Rescore(
        id=RESCORE,
        judge=plan.judge,
        judge_revision=plan.judge_revision,
        judge_config=plan.judge_config,
        prompt_pack=plan.prompt_pack,
        prompt_pack_status=plan.prompt_pack_status,
        runs=runs,
        created_by="carol",
        created_at=at,
        events=(RescoreEvent(sequence=1, step=RescoreStep.STARTED, at=at, actor="carol"),),
    )


@pytest.fixture
def rescore(redis: Redis, store: LocalStore, publisher: Publisher, runs: tuple[str, ...]) -> Rescore:
    """A re-score of all of them, laid out for workers."""
    rescore = make_rescore(runs, store)
    RescoreDesk(redis).enter(rescore)
    settle(publisher)
    return rescore


@pytest.fixture
def work(settings: Settings, redis: Redis, rescore: Rescore) -> Callable[[], None]:
    return lambda: evaluate(rescore.work_id)


def cards(store: LocalStore) -> list[str]:
    return [path for path in store.list(layout.RESCORES) if "/scorecards/" in path]


def card_of(store: LocalStore, run_id: str) -> Scorecard:
    path = layout.rescored_card_path(RESCORE, scorecard_id(run_id, DEMO.id))
    return read_record(store.read(path), Scorecard, path)


def result_as_published(store: LocalStore, run_id: str) -> str:
    (path,) = [path for path in store.list(layout.SCORECARDS) if scorecard_id(run_id, DEMO.id) in path]
    return read_record(store.read(path), Scorecard, path).result.model_dump_json()


def test_the_same_judge_comes_to_the_same_results_and_nothing_is_generated(
    redis: Redis,
    store: LocalStore,
    publisher: Publisher,
    runs: tuple[str, ...],
    rescore: Rescore,
    work: Callable[[], None],
) -> None:
    work()
    settle(publisher)
    desk = RescoreDesk(redis)
    assert desk.get(RESCORE).status is RescoreStatus.COMPLETED
    assert desk.progress(desk.get(RESCORE)) == (3, 0, 3, 0, 0)
    for run_id in runs:
        own = StoredRun(store, judging_id(RESCORE, run_id))
        assert not own.rows().generations
        assert own.is_compacted
        assert sorted(row.verdict_key for row in own.rows().verdicts) == sorted(
            row.verdict_key for row in StoredRun(store, run_id).rows().verdicts
        )
        assert card_of(store, run_id).result.model_dump_json() == result_as_published(store, run_id)
        assert card_of(store, run_id).run_id == run_id
    assert not list(redis.scan_iter(f"rapport:*{RESCORE}.s-*")), "nothing of it stays in Redis"


def test_what_is_not_promoted_shows_nowhere(store: LocalStore, publisher: Publisher, work: Callable[[], None]) -> None:
    before = [path for path in store.list() if not path.startswith((layout.RESCORES, layout.RUNS))]
    work()
    settle(publisher)
    assert [path for path in store.list() if not path.startswith((layout.RESCORES, layout.RUNS))] == before
    assert len(cards(store)) == 3


def test_the_judge_is_loaded_once_for_all_runs(
    monkeypatch: pytest.MonkeyPatch, publisher: Publisher, work: Callable[[], None]
) -> None:
    loaded = []

    class Counting(judging.RunEngines):
        def _load(self, *told):  # type: ignore[no-untyped-def]
            if told[0] not in self._loaded:
                loaded.append(told[0])
            return super()._load(*told)

    monkeypatch.setattr(judging, "RunEngines", Counting)
    work()
    settle(publisher)
    assert len(loaded) == 1


def test_a_worker_lost_in_the_middle_costs_what_it_had_not_handed_over_and_nothing_is_asked_twice(
    monkeypatch: pytest.MonkeyPatch,
    redis: Redis,
    store: LocalStore,
    publisher: Publisher,
    runs: tuple[str, ...],
    work: Callable[[], None],
) -> None:
    asked = Counter[str]()
    real, left = judging.ask_shard, [2]

    def ask(task, leases, lease):  # type: ignore[no-untyped-def]
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        before = {row.verdict_key for batch in task.outbox.kept(task.plan.run_id) for row in batch.verdicts}
        report = real(task, leases, lease)
        asked.update(
            row.verdict_key
            for batch in task.outbox.kept(task.plan.run_id)
            for row in batch.verdicts
            if row.verdict_key not in before
        )
        return report

    monkeypatch.setattr(judging, "ask_shard", ask)
    with pytest.raises(KeyboardInterrupt):
        work()
    settle(publisher)
    assert len(cards(store)) == 2
    left[0] = 100
    work()
    settle(publisher)
    assert len(cards(store)) == 3
    wanted = {row.verdict_key for run_id in runs for row in StoredRun(store, run_id).rows().verdicts}
    assert set(asked) == wanted
    assert set(asked.values()) == {1}


def test_after_redis_has_lost_everything_the_archive_goes_on_where_it_was(
    redis: Redis, store: LocalStore, publisher: Publisher, runs: tuple[str, ...], work: Callable[[], None]
) -> None:
    work()
    for _ in range(3):
        publisher.step()
    there = len(cards(store))
    redis.flushall()
    let_hold_run_out(redis)
    again = Publisher(redis, Ledger(redis), store, journal_seconds=0)
    settle(again)
    assert RescoreDesk(redis).get(RESCORE).status in {RescoreStatus.RUNNING, RescoreStatus.COMPLETED}
    assert len(cards(store)) >= there
    work()
    settle(again)
    assert RescoreDesk(redis).get(RESCORE).status is RescoreStatus.COMPLETED
    for run_id in runs:
        assert card_of(store, run_id).result.model_dump_json() == result_as_published(store, run_id)


def test_a_paused_re_score_waits_and_goes_on(
    redis: Redis, store: LocalStore, publisher: Publisher, work: Callable[[], None]
) -> None:
    desk = RescoreDesk(redis)
    desk.note(RESCORE, RescoreStep.PAUSED, "carol", "The GPU is needed.")
    work()
    settle(publisher)
    assert not cards(store)
    assert not Surveyor(redis).look().waiting
    desk.note(RESCORE, RescoreStep.RESUMED, "carol")
    work()
    settle(publisher)
    assert len(cards(store)) == 3


def test_a_judge_that_is_gone_pauses_the_re_score_with_that_cause(
    settings: Settings, redis: Redis, store: LocalStore, publisher: Publisher, work: Callable[[], None]
) -> None:
    (settings.models / DEMO.model.removeprefix("local/")).rename(settings.models / "elsewhere")
    work()
    settle(publisher)
    rescore = RescoreDesk(redis).get(RESCORE)
    assert rescore.status is RescoreStatus.PAUSED or len(rescore.failed) == 3
    assert not cards(store)
    failure = rescore.events[-1].failure or next(iter(rescore.failed.values()))
    assert failure.cause is Cause.JUDGE_ERROR


def test_a_run_that_cannot_be_read_fails_alone(
    redis: Redis, store: LocalStore, publisher: Publisher, runs: tuple[str, ...]
) -> None:
    store.commit([Delete(path) for path in store.list(layout.run_folder(runs[1]))], "damage")
    intact = make_rescore(runs[:1], store)
    RescoreDesk(redis).enter(intact.model_copy(update={"runs": runs}))
    settle(publisher)
    evaluate(intact.work_id)
    settle(publisher)
    found = RescoreDesk(redis).get(RESCORE)
    assert found.status is RescoreStatus.COMPLETED
    assert {run_id: failure.cause for run_id, failure in found.failed.items()} == {runs[1]: Cause.DATA_ERROR}
    assert len(cards(store)) == 2


def test_a_discarded_re_score_leaves_nothing_open_and_its_rows_stay(
    redis: Redis, store: LocalStore, publisher: Publisher, work: Callable[[], None]
) -> None:
    work()
    for _ in range(2):
        publisher.step()
    desk = RescoreDesk(redis)
    desk.note(RESCORE, RescoreStep.DISCARDED, "carol", "It prefers long answers.")
    settle(publisher)
    assert not desk.judgings(RESCORE)
    assert any(RESCORE in path for path in store.list(layout.RUNS))
    with pytest.raises(RescoreMovedMeanwhile, match="discarded"):
        desk.note(RESCORE, RescoreStep.RESUMED, "carol")


def test_of_two_maintainers_who_decide_at_once_one_is_told(redis: Redis, rescore: Rescore) -> None:
    desk = RescoreDesk(redis)
    seen = desk.get(RESCORE)
    desk.note(RESCORE, RescoreStep.PAUSED, "carol", seen=seen)
    with pytest.raises(RescoreMovedMeanwhile, match="paused"):
        desk.note(RESCORE, RescoreStep.DISCARDED, "dave", seen=seen)


def test_workers_of_the_judges_lane_are_invited_like_to_one_more_submitters_run(redis: Redis, rescore: Rescore) -> None:
    (waiting,) = Surveyor(redis).look().waiting
    assert (waiting.run_id, waiting.lanes, waiting.workers) == (rescore.work_id, (Lane.JUDGE,), 0)
    assert Reaper(redis, longest_job=21_600).step() == 0, "nobody listens"


def test_the_archive_holds_a_re_score_with_all_its_steps(
    redis: Redis, store: LocalStore, publisher: Publisher, rescore: Rescore, work: Callable[[], None]
) -> None:
    work()
    settle(publisher)
    path = layout.rescore_path(RESCORE)
    saved = read_record(store.read(path), Rescore, path)
    assert [event.step for event in saved.events] == [RescoreStep.STARTED, RescoreStep.COMPLETED]
    assert not redis.exists(keys.RESCORES_UNSAVED)
    redis.delete(keys.RESCORES)
    assert RescoreDesk(redis).restore([saved]) == 1
    assert RescoreDesk(redis).get(RESCORE) == saved


def test_a_step_that_cannot_follow_is_no_re_score(redis: Redis, rescore: Rescore) -> None:
    with pytest.raises(RapportError, match="running"):
        RescoreDesk(redis).note(RESCORE, RescoreStep.PROMOTED, "carol")
