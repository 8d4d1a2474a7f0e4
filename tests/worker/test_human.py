"""A run of people's labels through worker and publisher, the engine scripted: from the plan to the stored scorecard."""

from __future__ import annotations

import pytest

from evaluator.engines.base import Request
from evaluator.hicupid.data import _HUB_TERMS as HUB
from evaluator.hicupid.data import HicupidData, demo_set
from evaluator.hicupid.selection import UserItems
from evaluator.human.asking import HumanAnswers
from evaluator.human.records import RaterKind
from evaluator.human.setup import HumanSetup
from evaluator.human.synthetic import TRUTH
from evaluator.protocol import PEOPLE, load_protocol, protocol_ids
from leaderboard.open_data.views import open_generation
from leaderboard.records import Lane, State
from leaderboard.results import HumanScorecard
from leaderboard.settings import Settings
from leaderboard.store import layout
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions.ledger import Ledger
from tests.builders import make_declaration, make_submission
from tests.human_runs import answer_to, make_human_run, make_synthetic_run
from tests.scripted import ScriptedEngine
from tests.worker.test_shard import Bench
from worker import planning
from worker.needs import measured
from worker.publisher import Publisher
from worker.shard import Work
from worker.tasks import finished

PROTOCOL = "human-relevance-v1"


@pytest.fixture
def bench(redis, ledger: Ledger, leases, outbox) -> Bench:
    submission = make_submission(model="org/model", protocols=(PROTOCOL,))
    ledger.create(submission)
    (run_id,) = submission.run_ids()
    ledger.advance(run_id, State.QUEUED, "alice")
    setup = planning.prepare(submission, run_id, Settings())
    plan = ledger.put_plan(planning.make_plan(run_id, setup))
    return Bench(plan, setup, leases, outbox, Work(setup, plan, Settings(), redis, ledger, None, outbox))


def say(request: Request) -> str:
    """One answer in two cannot be read at first."""
    return "Perhaps." if int(request.key[:2], 16) % 2 else "NO"


def test_a_run_is_asked_shard_by_shard_and_published_with_its_figures(redis, ledger, store, bench):
    assert isinstance(bench.setup, HumanSetup)
    run_id, items = bench.plan.run_id, bench.plan.labelled
    assert (len(items), len(bench.plan.shards), bench.plan.judge) == (128, 3, "people")
    source = HumanAnswers(bench.setup, ScriptedEngine(say))
    assert bench.do(Lane.GENERATE, source=source) == 3
    assert bench.do(Lane.JUDGE) == 3, "no judge is loaded: people have said it all"
    assert finished(redis, bench.plan)
    answers, verdicts = bench.rows()
    assert len(answers) > len(items)
    assert verdicts == []
    progress = ledger.progress(run_id)
    assert (progress.items, progress.generations, progress.verdicts_wanted) == (128, 128, 0), "a second try is no item"
    publisher = Publisher(redis, ledger, store, journal_seconds=20, clock=lambda: 0.0)
    while publisher.step():
        pass
    assert ledger.state(run_id) is State.PUBLISHED
    path = layout.human_scorecard_path("org/model", f"{run_id}@people")
    card = read_record(store.read(path), HumanScorecard, path)
    assert (card.judge, card.judge_engine, card.judge_revision) == ("people", "people", bench.plan.data_sha)
    result = card.result
    assert result.retried == len(answers) - len(items)
    assert result.answered + sum(count for _, count in result.invalid) == 128
    assert "simulated labels" in card.unranked_because
    assert result.figure("selection_ratio").value == 0
    run = StoredRun(store, run_id)
    assert run.is_compacted
    assert run.plan() == bench.plan


def test_what_was_answered_before_a_worker_was_lost_is_not_asked_again(bench, leases):
    whole = HumanAnswers(bench.setup, ScriptedEngine(say))
    bench.do(Lane.GENERATE, source=whole)
    answers, _ = bench.rows()
    again = ScriptedEngine(say)
    known = {row.input_key: row for row in answers}
    groups = [(split, number) for shard in bench.plan.shards for split, number in shard.users]
    assert list(HumanAnswers(bench.setup, again).answers([UserItems(*group) for group in groups], known)) == []


def test_a_protocol_of_labels_needs_the_room_of_its_longest_prompt(bench):
    need = measured(bench.setup, bench.plan)
    assert (need.items, need.users) == (128, 6)
    assert 500 < need.longest_characters < 20_000


@pytest.mark.parametrize("task", ["verification", "relevance"])
def test_made_up_users_are_those_of_hicupid_at_the_commit_of_the_plan(task, monkeypatch):
    opened: list[tuple[str, str | None]] = []

    def note(cls, source: str, revision: str | None = None) -> HicupidData:
        opened.append((source, revision))
        return HicupidData(source, "c" * 40, HUB, demo_set())

    submission = make_submission(model="org/model", protocols=(f"human-{task}-synthetic-v1",))
    (run_id,) = submission.run_ids()
    settings = Settings(data_set="12kimih/HiCUPID", human_data_set="org/labels")
    monkeypatch.setattr(HicupidData, "open", classmethod(note))
    setup = planning.prepare(submission, run_id, settings)
    plan = planning.make_plan(run_id, setup)
    assert (plan.data_source, plan.data_sha, plan.judge_revision) == ("12kimih/HiCUPID", "c" * 40, "c" * 40)
    assert (plan.judge, plan.terms, {item.kind for item in plan.labelled}) == ("people", HUB, {RaterKind.TRUTH})
    planning.check_unchanged(plan, planning.prepare(submission, run_id, settings, plan))
    assert opened == [("12kimih/HiCUPID", None), ("12kimih/HiCUPID", "c" * 40)]


@pytest.mark.parametrize(
    "name", ["verification-synthetic-v1", "relevance-synthetic-v1", "extraction-synthetic-demo-v1"]
)
def test_no_text_of_hicupid_stands_in_a_plan_or_a_public_row_and_no_truth_in_the_latter(name):
    submission = make_submission(model="org/model", protocols=(f"human-{name}",))
    (run_id,) = submission.run_ids()
    setup = planning.prepare(submission, run_id, Settings())
    plan = planning.make_plan(run_id, setup)
    data = setup.data.tables
    texts = {row.text for row in (*data.attributes, *data.prompts)}
    texts |= {turn.text for row in data.conversations for turn in row.turns}
    whole = plan.model_dump_json()
    assert not [text for text in texts if text in whole]
    item = plan.labelled[0]
    answer = answer_to(item, "YES", terms=HUB)
    row = open_generation(answer, item, True, make_declaration(), run_id)
    assert row is not None
    assert (row.question_id, row.personal_data) == (item.question_id, "synthetic")
    told = {name: value for name, value in row if name not in ("answer", "question_id")}
    assert not {TRUTH, "truth", "labels"} & {str(value) for value in (*told, *told.values())}


def test_a_run_on_made_up_users_says_so_and_takes_part_in_no_comparison():
    assert make_synthetic_run().card.unranked_because[0] == "made-up users"
    assert "made-up users" not in make_human_run().card.unranked_because


@pytest.mark.parametrize("name", [name for name in protocol_ids() if load_protocol(name).judge == PEOPLE])
def test_every_task_can_be_planned_on_the_set_that_ships(name):
    submission = make_submission(model="org/model", protocols=(name,))
    (run_id,) = submission.run_ids()
    plan = planning.make_plan(run_id, planning.prepare(submission, run_id, Settings()))
    assert plan.labelled
    assert plan.data_source == "demo"
    assert plan.model_validate_json(plan.model_dump_json()) == plan
