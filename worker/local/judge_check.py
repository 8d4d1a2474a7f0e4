"""Runs the canaries of a judge on this machine: what they come to is kept beside its verdicts, version by version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from evaluator.engines.base import EndpointSpec, Engine, EngineInfo
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.hicupid.outcomes import JudgedItem, join_rows
from evaluator.hicupid.questions import Item, Question
from evaluator.hicupid.selection import select_users
from evaluator.human.judged.words import words_of
from evaluator.identity import digest
from evaluator.journal import Journal
from evaluator.judge import conditions_of, is_said_by, judge
from evaluator.judges.canaries import PAIRWISE_CANARIES, Canary, JudgeCheck, canary_answers, canary_figures
from evaluator.judges.canaries_words import canaries_of
from evaluator.judges.prompt import slot_orders, wording_of
from evaluator.judges.spec import JudgeSpec
from evaluator.models import PinnedModel, pin
from evaluator.protocol import REFERENCE, Reference, load_protocol
from evaluator.records import Generation, Verdict
from evaluator.references import answer_row
from evaluator.setup import HicupidSetup, questions_of, users_of
from evaluator.suites import RunSetup
from leaderboard.records import Lane, now
from leaderboard.settings import Settings
from leaderboard.store.rows import read_record
from worker.engines import Endpoints, RunEngines
from worker.local.folder import Folder, verdict_name, write_whole
from worker.local.judge_check_words import Telling, ask_words, canary_cases, words_check, words_setup
from worker.planning import Candidate, Conditions, make_hicupid_setup

PROTOCOL = "canaries-v1"
_USERS, _SEED = 25, 42
"""Of the made-up users whose questions a judge is checked on unless a data set is named."""
_USERS_AT_ONCE = 2


class Wanted(NamedTuple):
    """What a person asks for."""

    judge: JudgeSpec
    data_set: str | None
    """A folder or a Hub data set, of HiCUPID's layout for a judge that compares and of people's labels for others; None
    takes made-up users, or the simulated labels that ship."""
    prompts: str
    """Prompt pack: its id, `builtin` or `official`; of judges of other kinds their wording."""
    endpoint: EndpointSpec | None
    """Server that runs the judge; None runs it here."""


class Checked(NamedTuple):
    """What a check came to."""

    check: JudgeCheck
    folder: Path


class _Answers(NamedTuple):
    """What the canaries say."""

    questions: Sequence[Question]
    rows: dict[Canary, list[Generation]]

    def all(self) -> list[Generation]:
        """Every answer, canary by canary."""
        return [row for rows in self.rows.values() for row in rows]


class _Run(NamedTuple):
    """A check of one kind of judge: what it needs to be made, and how."""

    setup: RunSetup
    version: str
    """See `version_of`."""
    ask: Callable[[Engine, Journal[Verdict]], None]
    made_of: Callable[[Sequence[Verdict], EngineInfo], JudgeCheck]


def check_judge(wanted: Wanted, settings: Settings) -> Checked:
    """Asks a judge about all canaries, but for what its folder holds already, and keeps what they come to.

    Raises:
        RapportError: `judge_error` if the judge cannot be had; `not_found` if its prompts are not there; what `Journal`
            raises, and what opening a data set does.
    """
    run = _of_pairs(wanted, settings) if wanted.judge.kind == "pairwise" else _of_words(wanted, settings)
    folder = Folder(settings.data / "judges" / wanted.judge.id / run.version)
    endpoints = Endpoints(None, wanted.endpoint)
    with folder.held(), RunEngines(run.setup, settings, folder.path / "engine", endpoints, {Lane.JUDGE}) as loading:
        engine = loading.judge()
        under = digest(conditions_of(engine.info))[:12]
        path = folder.path / f"verdicts-{under}.jsonl"
        with Journal(path, Verdict, verdict_name, lambda row: is_said_by(row, engine.info)) as journal:
            run.ask(engine, journal)
            check = run.made_of(journal.rows, engine.info)
        path = folder.path / f"check-{under}.json"
        check = check.first_said(_check_in(path), now())
        write_whole(path, check)
    return Checked(check, folder.path)


def _check_in(path: Path) -> JudgeCheck | None:
    """Returns what an earlier call came to; None if there was none.

    Raises:
        RapportError: `data_error` if the file is broken.
    """
    return read_record(path.read_bytes(), JudgeCheck, str(path)) if path.is_file() else None


def _of_pairs(wanted: Wanted, settings: Settings) -> _Run:
    """Prepares the check of a judge that compares."""
    setup = _setup(wanted, settings)
    answers = canary_rows(setup)
    return _Run(
        setup,
        version_of(setup, wording_of(setup.pack), PROTOCOL),
        partial(_ask, setup, answers),
        partial(made_of, setup, answers),
    )


def _of_words(wanted: Wanted, settings: Settings) -> _Run:
    """Prepares the check of a judge that says one word."""
    setup = words_setup(wanted.judge, wanted.data_set, wanted.prompts, settings)
    cases = canary_cases(setup, wanted.judge)
    return _Run(
        setup,
        version_of(setup, words_of(wanted.judge), canaries_of(wanted.judge)),
        partial(ask_words, setup, wanted.judge, cases),
        partial(words_check, setup, wanted.judge, cases),
    )


def version_of(setup: RunSetup, prompts: str, canaries: str) -> str:
    """Names what is checked: another commit, configuration, prompt or question is another check."""
    told = [setup.judge.digest(), setup.judge_revision, prompts, setup.data.sha, canaries]
    return f"{setup.judge_revision[:12]}-{digest(told)[:12]}"


def canary_rows(setup: HicupidSetup) -> _Answers:
    """Returns what each canary says to the questions of a setup."""
    questions = [each for user in select_users(setup.data, setup.protocol) for each in questions_of(setup, user)]
    rows = {}
    for canary in PAIRWISE_CANARIES:
        under = setup._replace(model=setup.model._replace(model=f"{REFERENCE}{canary}"))
        rows[canary] = [answer_row(under, said.question, said.text) for said in canary_answers(canary, questions)]
    return _Answers(questions, rows)


def made_of(setup: HicupidSetup, answers: _Answers, verdicts: Sequence[Verdict], engine: EngineInfo) -> JudgeCheck:
    """Returns what a judge's verdicts on the canaries come to."""
    judged = {canary: _judged(setup, answers, rows, verdicts) for canary, rows in answers.rows.items()}
    missing = sum(len(entry.missing_because) for entries in judged.values() for entry in entries)
    said = sum(len(entry.read) for entries in judged.values() for entry in entries if not entry.lost_by_defect)
    return JudgeCheck(
        kind=setup.judge.kind,
        canaries=PROTOCOL,
        judge=setup.judge.id,
        judge_revision=setup.judge_revision,
        judge_config=setup.judge.digest(),
        judge_engine=engine,
        prompt_pack=wording_of(setup.pack),
        data_sha=setup.data.sha,
        questions=len(answers.questions),
        users=len({(each.split, each.user_id) for each in answers.questions}),
        verdicts=said,
        missing=missing,
        prompt_tokens=sum(row.prompt_tokens for row in verdicts),
        output_tokens=sum(row.output_tokens for row in verdicts),
        rows_sha=digest(sorted([row.verdict_key, row.attempt, row.completion] for row in verdicts)),
        figures=canary_figures(judged),
    )


def _setup(wanted: Wanted, settings: Settings) -> HicupidSetup:
    """Opens questions, prompts and the judge's commit."""
    gold: PinnedModel = pin(f"{REFERENCE}{Reference.GOLD}", None, settings.models)
    data_set = wanted.data_set or str(_made_up(settings.data / "judges"))
    conditions = Conditions(load_protocol(PROTOCOL), wanted.judge, wanted.prompts, data_set)
    return make_hicupid_setup(Candidate(gold, None, thinking=False), conditions, settings)


def _made_up(folder: Path) -> Path:
    """Returns the folder of made-up users, written once; the same seed gives the same bytes."""
    target = folder / f"{_USERS}-made-up-users-seed-{_SEED}"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            write_demo_set(target, DemoSize(_USERS, 0, 1), _SEED)
        except OSError:
            if not target.exists():  # Else another check has written the same at the same moment.
                raise
    return target


def _ask(setup: HicupidSetup, answers: _Answers, engine: Engine, journal: Journal[Verdict]) -> None:
    """Asks for the verdicts that are not there, some users at a time, so that a kill loses little."""
    users = users_of(_items(setup, answers.questions))
    orders = {item.question_id: len(item.orders) for item in _items(setup, answers.questions)}
    rows = [row for row in answers.all() if row.defect is None]
    about = {(row.key.question_id, row.content_hash) for row in rows}
    whole, telling = sum(orders[question_id] for question_id, _ in about), Telling()
    for start in range(0, len(users), _USERS_AT_ONCE):
        wave = users[start : start + _USERS_AT_ONCE]
        for _ in journal.append(judge(setup, wave, rows, engine, tuple(journal.rows))):
            telling.told(journal.rows, whole)


def _items(setup: HicupidSetup, questions: Sequence[Question]) -> list[Item]:
    """Returns what is asked, without its text."""
    return [Item.of(question, slot_orders(question, setup.protocol, setup.judge.orders)) for question in questions]


def _judged(
    setup: HicupidSetup, answers: _Answers, rows: Sequence[Generation], verdicts: Sequence[Verdict]
) -> list[JudgedItem]:
    """Joins one canary's answers with what was said of them."""
    answered = {row.key.question_id for row in rows}
    return join_rows(
        _items(setup, [question for question in answers.questions if question.question_id in answered]), rows, verdicts
    )
