"""What became of everything: each saved submission and each row, held against what nobody's fault could change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from evaluator.encoders.words import WordsEncoder
from evaluator.engines.base import EngineSpec
from evaluator.engines.deterministic import DeterministicEngine
from evaluator.generate import generate
from evaluator.hicupid.contexts import FullContexts
from evaluator.hicupid.scoring import score
from evaluator.hicupid.selection import UserItems
from evaluator.human.asking import HumanAnswers
from evaluator.human.judged.asking import judge_written
from evaluator.human.people import People
from evaluator.human.results import HumanResult
from evaluator.human.setup import HumanSetup
from evaluator.judge import judge
from evaluator.models import PinnedModel, fetch
from evaluator.protocol import HumanProtocol, load_protocol
from evaluator.records import Generation, Verdict
from evaluator.results import Result
from evaluator.setup import users_of
from leaderboard.human_scorecards import human_result
from leaderboard.records import Plan, ShardReport, State, Submission, protocol_of
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.scorecards import RunRows, scorecard_id
from leaderboard.settings import Settings
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions.history import History
from leaderboard.submissions.states import ENDED
from tests.faults.notes import Notes, batches_in, rows_in
from tests.faults.public import wrong_in_public
from tests.faults.site import Site
from worker.planning import prepare

DETERMINISTIC = "deterministic"
_WITH_CAUSE = frozenset({State.FAILED, State.CANCELLED})


class Account(NamedTuple):
    """How a campaign ended; every list names what went wrong."""

    submissions: int
    runs: int
    """Of these, one a protocol."""
    published: int
    """Runs, as of the next."""
    failed_with_cause: int
    """Those that were cancelled among them: that is a cause."""
    lost: tuple[str, ...]
    """Submissions that were called saved and are not in the store, and rows that were taken in and are not."""
    duplicated: tuple[str, ...]
    """Rows that stand twice in one run, and two submissions of one model."""
    mixed: tuple[str, ...]
    """Rows of another model, run or content than the one they stand under."""
    stuck: tuple[str, ...]
    """Runs that have not ended, and those that ended without a result or a cause."""
    wrong_scorecards: tuple[str, ...]
    """Runs whose published result is not that of the same rows undisturbed."""
    wrong_in_public: tuple[str, ...]
    """What everyone may read and does not follow from the archive."""

    @property
    def bad(self) -> tuple[str, ...]:
        """All that went wrong."""
        return tuple(sentence for value in self if isinstance(value, tuple) for sentence in value)


class Rows(NamedTuple):
    """All rows of a run."""

    generations: Sequence[Generation]
    verdicts: Sequence[Verdict]

    def said(self) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
        """What was said under which keys, and how often it stands there."""
        return (
            Counter((row.input_key, str(row.content_hash)) for row in self.generations),
            Counter((row.verdict_key, str(row.attempt), row.completion) for row in self.verdicts),
        )


def undisturbed(submission: Submission, plan: Plan, settings: Settings) -> Rows:
    """Returns the rows that a run has if nothing ever happens, made in this process by the deterministic engine."""
    setup = prepare(submission, plan.run_id, settings, plan)
    asked = _engine(setup.model, settings)
    if isinstance(setup, HumanSetup):
        return _of_people(setup, plan, asked, settings)
    users = [UserItems(*user) for shard in plan.shards for user in shard.users]
    generations = list(generate(setup, users, asked, FullContexts(), done={}))
    judging = _engine(PinnedModel(setup.judge.model, setup.judge_revision), settings)
    return Rows(generations, list(judge(setup, users, generations, judging, ())))


def _of_people(setup: HumanSetup, plan: Plan, asked: DeterministicEngine, settings: Settings) -> Rows:
    """The same of a human-grounded task."""
    generations = list(HumanAnswers(setup, asked).answers(users_of(plan.labelled), {}))
    if isinstance(setup.judge, People):
        return Rows(generations, [])
    judging = _engine(PinnedModel(setup.judge.model, setup.judge_revision), settings)
    return Rows(generations, list(judge_written(setup, plan.labelled, generations, judging, (), WordsEncoder())))


def _engine(model: PinnedModel, settings: Settings) -> DeterministicEngine:
    name = fetch(model, settings.models).name  # Its name is all that decides, and elsewhere nothing makes it slow.
    return DeterministicEngine(
        EngineSpec(
            engine="deterministic",
            model_path=str(Path("undisturbed") / name),
            dtype="auto",
            max_model_len=settings.context_tokens,
        )
    )


def stored(store: Store, run_id: str) -> Rows:
    """Returns the rows of a run that the store holds."""
    rows = StoredRun(store, run_id).rows()
    return Rows(rows.generations, rows.verdicts)


def result_of(plan: Plan, rows: Rows, reports: Sequence[ShardReport]) -> str:
    """Scores rows, as JSON; what depends on where an engine began anew is left out."""
    protocol, all_of_it = load_protocol(protocol_of(plan.run_id)), RunRows(*rows, reports)
    if isinstance(protocol, HumanProtocol):
        return plain(human_result(plan, all_of_it, protocol))
    return plain(score(plan.questions, *rows, all_of_it.made_on))


def plain(result: Result | HumanResult) -> str:
    """Returns a result without its prefill efficiency: an engine that was killed computes a history once more."""
    return result.model_copy(update={"prefill_efficiency": None}).model_dump_json()


def account(site: Site, notes: Notes) -> Account:
    """Looks at everything once a campaign is over."""
    store, settings = site.store, site.settings
    submissions = sorted({*site.ledger.newest(10**6), *notes.saved})
    entries = {one: entry for one in submissions if (entry := _entry(store, one))}
    lost = [f"submission {one}" for one in notes.saved if one not in entries]
    lost += [f"the withdrawal of {one}" for one in notes.withdrawn if one not in entries or not entries[one].withdrawn]
    states: Counter[State] = Counter()
    found = _Findings([], [], [], [])
    for entry in entries.values():
        for run_id in entry.submission.run_ids():
            last = [step for step in entry.transitions if getattr(step, "run_id", None) == run_id][-1]
            states[last.after] += 1
            if last.after not in ENDED or (last.after in _WITH_CAUSE and last.failure is None):
                found.stuck.append(f"{run_id} is {last.after}")
            if (was := notes.ended.get(run_id, last.after)) is not last.after:
                lost.append(f"{run_id} was {was} and saved, and is {last.after}")
            lost += lost_rows(store, run_id, notes.taken_in.get(run_id, set()))
            if last.after is State.PUBLISHED:
                _look_at(entry.submission, run_id, store, settings, found)
    twice = Counter((of.model, of.revision, of.protocols) for of in (entry.submission for entry in entries.values()))
    found.duplicated.extend(f"{model} has {times} submissions" for (model, *_), times in twice.items() if times > 1)
    return Account(
        submissions=len(entries),
        runs=states.total(),
        published=states[State.PUBLISHED],
        failed_with_cause=states[State.FAILED] + states[State.CANCELLED],
        lost=tuple(lost),
        duplicated=tuple(found.duplicated),
        mixed=tuple(found.mixed),
        stuck=tuple(found.stuck),
        wrong_scorecards=tuple(found.wrong),
        wrong_in_public=tuple(wrong_in_public(site.stores, entries)),
    )


class _Findings(NamedTuple):
    duplicated: list[str]
    mixed: list[str]
    stuck: list[str]
    wrong: list[str]


def _look_at(submission: Submission, run_id: str, store: Store, settings: Settings, found: _Findings) -> None:
    """Compares a published run with the same run undisturbed."""
    run = StoredRun(store, run_id)
    plan = run.plan()
    if plan is None:
        found.wrong.append(f"{run_id}: its plan is missing")
        return
    generations, verdicts, reports = run.rows()
    rows = Rows(generations, verdicts)
    should = undisturbed(submission, plan, settings) if settings.engine == DETERMINISTIC else _alone(rows)
    _look_at_questions(submission, plan, rows, found)
    for said, wanted in zip(rows.said(), should.said(), strict=True):
        found.duplicated.extend(f"{run_id}: {key[0]} stands {times} times" for key, times in said.items() if times > 1)
        found.mixed.extend(f"{run_id}: {key[0]} is not of this run" for key in said.keys() - wanted.keys())
        found.wrong.extend(f"{run_id}: {key[0]} is missing" for key in wanted.keys() - said.keys())
    if plain(_card(store, submission, plan).result) != result_of(plan, should, reports):
        found.wrong.append(f"{run_id}: its result is not that of the rows undisturbed")


def _card(store: Store, submission: Submission, plan: Plan) -> Scorecard | HumanScorecard:
    """Reads the scorecard of a published run."""
    name = submission.model, scorecard_id(plan.run_id, plan.judge)
    if isinstance(load_protocol(protocol_of(plan.run_id)), HumanProtocol):
        return read_record(store.read(path := layout.human_scorecard_path(*name)), HumanScorecard, path)
    return read_record(store.read(path := layout.scorecard_path(*name)), Scorecard, path)


def _alone(rows: Rows) -> Rows:
    """Returns rows each once: a real engine's words may change with what else it was asked at that moment."""
    answers = {row.input_key: row for row in rows.generations}
    verdicts = {(row.verdict_key, row.attempt): row for row in rows.verdicts}
    return Rows(list(answers.values()), list(verdicts.values()))


def _look_at_questions(submission: Submission, plan: Plan, rows: Rows, found: _Findings) -> None:
    """Holds a run's answers and verdicts against what was to be asked, whoever answered."""
    run_id, asked = plan.run_id, {item.question_id for item in plan.items if item.is_asked}
    answered = {row.key.question_id for row in rows.generations}
    attempts = Counter((row.key.question_id, row.key.sample_index) for row in rows.generations)
    found.duplicated.extend(
        f"{run_id}: attempt {attempt} at {name} was answered {times} times"
        for (name, attempt), times in attempts.items()
        if times > 1
    )
    found.mixed.extend(f"{run_id}: {name} was not to be asked" for name in answered - asked)
    found.wrong.extend(f"{run_id}: {name} was not answered" for name in asked - answered)
    whose = {(row.key.model, row.key.model_sha) for row in rows.generations} - {(submission.model, submission.revision)}
    found.mixed.extend(f"{run_id}: {name} at {sha} is another model" for name, sha in whose)
    if isinstance(load_protocol(protocol_of(run_id)), HumanProtocol):
        return  # A judge also reads what the data set holds, and rules name the words that they went by.
    said = {row.content_hash for row in rows.generations}
    of_others = [row.verdict_key for row in rows.verdicts if row.key.content_hash not in said]
    found.mixed.extend(f"{run_id}: {name} judges no answer of it" for name in of_others)


def lost_rows(store: Store, run_id: str, taken_in: set[str]) -> list[str]:
    """Names rows that no file of the store holds, whichever batches they were merged into."""
    there = {each for batch in batches_in(store, run_id) for each in rows_in(batch)} if taken_in else set()
    return [f"{row} of {run_id}" for row in sorted(taken_in - there)]


def _entry(store: Store, submission_id: str) -> History | None:
    """Reads a submission from the journal."""
    path = layout.submission_path(submission_id)
    try:
        return read_record(store.read(path), History, path)
    except NotFound:
        return None
