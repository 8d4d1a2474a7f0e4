"""Loads the engines of an evaluation and asks what is not in its folder yet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from evaluator.ask import AnswerSource, KnownRows, StageClock, ask_answers, ask_users, owed
from evaluator.encoders.base import Encoder
from evaluator.engines.base import Engine, EngineInfo
from evaluator.errors import Cause, RapportError
from evaluator.human.answers import lacking
from evaluator.human.items import HumanItem
from evaluator.human.judged.asking import ask_written_verdicts, is_owed
from evaluator.human.people import INFO as PEOPLE_INFO
from evaluator.human.people import People
from evaluator.human.setup import HumanSetup
from evaluator.human.tasks import JudgedTask
from evaluator.judge import changed_since
from evaluator.kept_answers import KeptAnswers
from evaluator.records import Generation, Verdict
from evaluator.setup import HicupidSetup
from evaluator.suites import RunSetup
from leaderboard.records import Lane, Plan
from leaderboard.settings import Settings
from worker.engines import RunEngines
from worker.local.folder import Folder, Rows
from worker.local.progress import Progress
from worker.local.wanted import Wanted
from worker.shard import make_report


class JournalSink(NamedTuple):
    """Rows into the journals of an evaluation."""

    rows: Rows
    progress: Progress

    def known_rows(self) -> KnownRows:
        """See `RowSink.known_rows`."""
        return KnownRows({row.input_key: row for row in self.rows.generations.rows}, tuple(self.rows.verdicts.rows))

    def generations(self, rows: Iterable[Generation]) -> list[Generation]:
        """See `RowSink.generations`."""
        everything: list[Generation] = []
        for group in self.rows.generations.append(rows):
            self.progress.answered(group)
            everything += group
        return everything

    def verdicts(self, rows: Iterable[Verdict]) -> None:
        """See `RowSink.verdicts`."""
        for group in self.rows.verdicts.append(rows):
            self.progress.judged(group)


def ask_what_is_owed(
    setup: RunSetup,
    plan: Plan,
    rows: Rows,
    wanted: Wanted,
    settings: Settings,
    folder: Folder,
    progress: Progress,
) -> None:
    """Loads engines and asks, if anything is left to ask.

    Args:
        setup: The run, with the questions that it asks.
        plan: What is asked.
        rows: Where rows go, and which are there.
        wanted: What a person asks for.
        settings: Those of this machine.
        folder: Of the evaluation.
        progress: Is told how far it has come.

    Raises:
        RapportError: With a typed cause; what was answered and judged by then is kept.
    """
    again = wanted.again
    if again:
        there = {row.input_key for row in rows.generations.rows}
        list(rows.generations.append(row for row in again.answers if row.input_key not in there))
    if rows.reports.rows and not _lacking(plan, rows, wanted.lanes):
        return
    log = folder.path / "logs" / "engine"
    with RunEngines(setup, settings, log, wanted.endpoints, wanted.lanes) as loading:
        clock = StageClock()
        with clock.stage("load"):
            source = KeptAnswers.of(again.answers) if again and again.answers else loading.source()
            people = isinstance(setup.judge, People)
            judge = loading.judge() if Lane.JUDGE in wanted.lanes and not people else None
            encoder = loading.encoder() if judge else None
        judged_on = PEOPLE_INFO if people else judge.info if judge else None
        refuse_other_conditions(source, judge, plan, rows, folder)
        _report(rows, loading, source, judged_on, clock, plan)  # Before the first row, so that none stands without one.
        if again:
            again.loaded(rows.reports.rows)
        clock = StageClock()
        try:
            with progress.over(plan.items, rows.generations.rows, rows.verdicts.rows, judging=judge is not None):
                _ask(setup, plan, source, judge, JournalSink(rows, progress), clock, encoder)
        finally:
            _report(rows, loading, source, judged_on, clock, plan)


def _lacking(plan: Plan, rows: Rows, lanes: frozenset[Lane]) -> bool:
    """Says whether an answer or a verdict is left to ask for."""
    answers = {row.key.question_id: row for row in rows.generations.rows}
    task = next((item.task for item in plan.items if isinstance(item, HumanItem)), None)
    if isinstance(task, JudgedTask) and Lane.JUDGE in lanes:
        return is_owed(task, plan.labelled, rows.generations.rows, rows.verdicts.rows)
    if task is not None:
        return bool(lacking(plan.labelled, rows.generations.rows))
    if Lane.JUDGE not in lanes:
        return any(item.question_id not in answers for item in plan.items)
    return bool(owed(plan.items, answers, rows.verdicts.rows))


def _ask(
    setup: RunSetup,
    plan: Plan,
    source: AnswerSource,
    judge: Engine | None,
    sink: JournalSink,
    clock: StageClock,
    encoder: Encoder | None,
) -> None:
    """Asks for answers, and for verdicts if there is a judge."""
    if judge is not None and isinstance(setup, HicupidSetup):
        ask_users(setup, plan.questions, source, judge, sink, clock)
        return
    for _ in ask_answers(plan.items, source, sink.known_rows(), sink, clock):
        pass
    if judge is not None and isinstance(setup, HumanSetup):
        known = sink.known_rows()
        ask_written_verdicts(
            setup, plan.labelled, known.generations.values(), judge, known.verdicts, sink, clock, encoder
        )


def _report(
    rows: Rows, loading: RunEngines, source: AnswerSource, judged_on: EngineInfo | None, clock: StageClock, plan: Plan
) -> None:
    """Keeps what was done in each lane, and on what; the time of loading both is told of the model's."""
    context = next((source.key(item.question_id).context for item in plan.items), ())
    of_judge = [(name, seconds) for name, seconds in clock.stages() if name == "judge"]
    of_model = [(name, seconds) for name, seconds in clock.stages() if name != "judge"]
    reports = [make_report(Lane.GENERATE, source.info, loading, of_model, plan, context)]
    if judged_on is not None:
        reports.append(make_report(Lane.JUDGE, judged_on, loading, of_judge, plan))
    list(rows.reports.append(reports))


def refuse_other_conditions(source: AnswerSource, judge: Engine | None, plan: Plan, rows: Rows, folder: Folder) -> None:
    """Refuses to mix answers, or verdicts, of a model that runs in another way than before.

    Raises:
        RapportError: `data_error`.
    """
    expected = {source.key(item.question_id) for item in plan.items}
    for row in rows.generations.rows:
        first = row.key.model_copy(update={"sample_index": 0})
        if first not in expected:
            present = dict(source.key(row.key.question_id))
            changed = sorted(name for name, value in dict(first).items() if value != present[name])
            raise _made_otherwise(f"answers in {folder.path}", changed)
    for verdict in rows.verdicts.rows if judge else ():
        if judge and verdict.rater_kind == "model" and (changed := changed_since(verdict, judge.info)):
            raise _made_otherwise(f"verdicts in {folder.path}", changed)


def _made_otherwise(what: str, changed: Iterable[str]) -> RapportError:
    """Says that some rows cannot be gone on with."""
    return RapportError(
        Cause.DATA_ERROR,
        f"The {what} were made under other conditions: {', '.join(changed)} differ.",
        "Go on where they were made, or name another folder with --out.",
    )
