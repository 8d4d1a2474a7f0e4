"""Tasks in which a model writes and a judge reads, done shard by shard, come to what one loop comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.ask import AnswerSource
from evaluator.encoders.words import WordsEncoder
from evaluator.engines.base import Engine, Request
from evaluator.errors import RapportError
from evaluator.human.asking import HumanAnswers
from evaluator.human.judged.scoring import score_judged
from evaluator.human.setup import HumanSetup
from evaluator.human.stages.wording import CURRENT
from evaluator.judges.spec import load_judge
from evaluator.models import LOCAL, PinnedModel, pin
from evaluator.protocol import human_protocol
from leaderboard.human_scorecards import make_human_scorecard
from leaderboard.records import Batch, Lane, Plan
from leaderboard.results import HumanScorecard
from leaderboard.scorecards import RunRows
from leaderboard.settings import Settings
from leaderboard.store.base import Write
from leaderboard.store.layout import plan_path
from leaderboard.store.local import LocalStore
from leaderboard.store.runs import StoredRun, compact
from tests.builders import NOON, make_report, make_submission
from tests.human.written import is_personalised, make_setup, run_written
from tests.model_folders import make_model_folder
from tests.scripted import ScriptedEngine
from worker import engines, planning
from worker.draining import files_of
from worker.engines import RunEngines
from worker.local.asking import _lacking
from worker.local.folder import Evaluation, Folder, open_rows
from worker.planning import Candidate, Conditions
from worker.shard import Work, run_task
from worker.tasks import finished

TASKS = ("comparison", "uplift", "extraction")
LIST = '{"attributes": [{"text": "The user bakes bread.", "confidence": 0.9}]}'
EMPTY_LIST = '{"attributes": []}'


def writes(request: Request) -> str:
    """A model that does what each task asks."""
    if '{"attributes"' in request.messages[-1].content:
        return LIST
    return "Bake bread, as you do." if is_personalised(request) else "Bake bread."


def judges(request: Request) -> str:
    """A judge of all kinds that says the same of everything."""
    return {"comparison": "Better Response: A", "uplift": "4", "extraction": "accepted"}[request.group.split("/")[1]]


class Loaded(RunEngines):
    """Engines that are there already; the one that is missing must not be asked for."""

    def __init__(self, setup: HumanSetup, source: AnswerSource | None = None, judge: Engine | None = None) -> None:
        super().__init__(setup, Settings(), Path("engine"))
        self.of_model, self.of_judge = source, judge

    def source(self) -> AnswerSource:
        assert self.of_model is not None
        return self.of_model

    def judge(self) -> Engine:
        assert self.of_judge is not None
        return self.of_judge


@pytest.mark.parametrize(
    ("task", "writes"),
    [*((task, writes) for task in TASKS), ("extraction", lambda _: EMPTY_LIST)],
    ids=[*TASKS, "empty lists"],
)
def test_shards_in_two_lanes_come_to_the_scorecard_of_one_loop(
    redis, ledger, leases, outbox, run_id, task, writes, store
):
    setup = make_setup(task)
    plan = ledger.put_plan(planning.make_plan(run_id, setup))
    assert len(plan.shards) > 1
    work = Work(setup, plan, Settings(), redis, ledger, None, outbox)
    loaded = {
        Lane.GENERATE: Loaded(setup, source=HumanAnswers(setup, ScriptedEngine(writes))),
        Lane.JUDGE: Loaded(setup, judge=ScriptedEngine(judges)),
    }
    for lane in Lane:
        while lease := leases.claim(plan, "gpu-1", [lane]):
            run_task(work._replace(engines=loaded[lane]), leases, lease)
            leases.release(lease, forgive=True)
    assert finished(redis, plan)
    progress = ledger.progress(run_id)
    assert progress.generations == progress.items
    assert progress.verdicts == len([row for row in _rows(outbox, plan).verdicts if row.rater_kind == "model"])
    whole = run_written(setup, writes, judges, (), WordsEncoder()).result
    card = card_of(plan, _rows(outbox, plan), setup)
    assert card.result.model_dump_json() == whole.model_dump_json()
    assert card_of(*stored(store, outbox, plan), setup).result == card.result


def _rows(outbox, plan: Plan) -> RunRows:
    batches = outbox.kept(plan.run_id)
    return RunRows(
        [row for batch in batches for row in batch.generations],
        [row for batch in batches for row in batch.verdicts],
        [batch.report for batch in batches if batch.report],
    )


def card_of(plan: Plan, rows: RunRows, setup: HumanSetup) -> HumanScorecard:
    return make_human_scorecard(make_submission(1), plan, rows, setup.protocol, (), NOON)


def stored(store: LocalStore, outbox, plan: Plan) -> tuple[Plan, RunRows]:
    """The plan and rows as they are after they were compacted."""
    batches: list[Batch] = outbox.kept(plan.run_id)
    files = [file for batch in batches for file in files_of([batch])]
    store.commit([Write(plan_path(plan.run_id), plan.model_dump_json().encode()), *files], "rows")
    store.commit(compact(StoredRun(store, plan.run_id)), "compacted")
    after = StoredRun(store, plan.run_id)
    return after.plan(), after.rows()


@pytest.mark.parametrize("task", TASKS)
def test_a_folder_takes_up_its_rows_again_and_knows_what_is_left(tmp_path, task):
    setup = make_setup(task)
    submission = make_submission(1, model="org/model", revision="a" * 40, protocols=(setup.protocol.id,))
    plan = planning.make_plan(submission.run_ids()[0], setup)
    evaluation = Evaluation(submission=submission, conditions=(), limit=None)
    run = run_written(setup, writes, judges, (), WordsEncoder())
    with open_rows(Folder(tmp_path), plan, evaluation) as rows:
        list(rows.generations.append(run.generations))
        list(rows.verdicts.append(run.verdicts[:-1]))
        assert _lacking(plan, rows, frozenset(Lane))
        assert not _lacking(plan, rows, frozenset({Lane.GENERATE}))
    with open_rows(Folder(tmp_path), plan, evaluation) as rows:
        assert len(rows.verdicts.rows) == len(run.verdicts) - 1
        list(rows.verdicts.append(run.verdicts[-1:]))
        assert not _lacking(plan, rows, frozenset(Lane))
    other = plan.model_copy(update={"judge_revision": "r2"})
    with (
        pytest.raises(RapportError, match="was made under other conditions"),
        open_rows(Folder(tmp_path), other, evaluation),
    ):
        pass


def test_why_a_result_stays_out_of_comparisons_is_said(run_id):
    setup = make_setup("comparison")
    plan = planning.make_plan(run_id, setup)
    run = run_written(setup, writes, lambda _: "Hard to say.")
    rows = RunRows(run.generations, run.verdicts, [make_report(Lane.GENERATE), make_report(Lane.JUDGE)])
    reasons = card_of(plan, rows, setup).unranked_because
    assert {"simulated labels", "demo judge", "built-in prompts", "incomplete"} <= set(reasons)
    assert "mixed engines" in reasons, "the reports of this test name another engine than its rows"
    result = score_judged(plan.labelled, run.generations, [], task=setup.protocol.task, judge="demo", epsilon=0.1)
    assert dict(result.judging.missing_because) == {"not_judged": 2 * result.judging.items}


def test_what_compares_attributes_is_pinned_with_the_plan_and_loaded_at_that_state(tmp_path, monkeypatch):
    for name in ("tiny", "encoder", load_judge("demo-verifier").model.removeprefix(LOCAL)):
        make_model_folder(tmp_path, name)
    settings = Settings(models=tmp_path)
    shipped = human_protocol("human-extraction-demo-v1")
    told = shipped.extraction.model_copy(update={"encoder": "local/encoder", "revision": None})
    asked = {"words": shipped, "weights": shipped.model_copy(update={"extraction": told})}
    candidate = Candidate(pin("local/tiny", None, tmp_path), None, thinking=False)
    loaded: list[PinnedModel] = []
    monkeypatch.setattr(engines, "load_encoder", lambda pinned, models, log: loaded.append(pinned) or WordsEncoder())
    found = {}
    for name, protocol in asked.items():
        conditions = Conditions(protocol, load_judge(protocol.judge), CURRENT, "demo")
        setup = planning.make_setup(candidate, conditions, settings)
        with RunEngines(setup, settings, tmp_path / "log") as running:
            found[name] = running.encoder()
            assert running.encoder() is found[name]
        planning.check_unchanged(planning.make_plan("s-20260301-00000001.x", setup), setup)
    assert isinstance(found["words"], WordsEncoder)
    assert loaded == [pin("local/encoder", None, tmp_path)]
    with RunEngines(make_setup("uplift"), settings, tmp_path / "log") as running:
        assert running.encoder() is None
