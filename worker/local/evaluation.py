"""Evaluates a model on this machine from beginning to end, and goes on where an earlier call stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from evaluator.ask import AnswerSource, KnownRows, StageClock, ask_users, owed
from evaluator.engines.base import EndpointSpec, Engine
from evaluator.engines.load import best_engine
from evaluator.errors import Cause, RapportError
from evaluator.identity import digest
from evaluator.judge import changed_since
from evaluator.records import Generation, Verdict
from evaluator.setup import RunSetup, items
from leaderboard.records import (
    Declaration,
    Lane,
    Plan,
    Relation,
    Scorecard,
    Submission,
    TrainingData,
    now,
)
from leaderboard.scorecards import RunRows, make_scorecard, make_user_scores
from leaderboard.settings import Settings
from worker.engines import Endpoints, RunEngines
from worker.local.folder import Evaluation, Folder, Rows, evaluation_name, open_rows, read_kept, write_whole
from worker.local.progress import Progress
from worker.planning import Candidate, Conditions, make_plan, make_setup
from worker.shard import make_report


class Wanted(NamedTuple):
    """What a person asks for."""

    candidate: Candidate
    conditions: Conditions
    endpoints: Endpoints
    limit: int | None
    """Items that are asked at most."""
    out: Path | None
    """Folder of the evaluation; None is one below the data folder."""


class Evaluated(NamedTuple):
    """What an evaluation came to."""

    scorecard: Scorecard
    folder: Path


class _JournalSink(NamedTuple):
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


def evaluate(wanted: Wanted, settings: Settings, progress: Progress) -> Evaluated:
    """Asks and judges what is not there yet, and scores what is there.

    A folder that `wanted` names goes on with the commits of data set and judge that it began with.

    Raises:
        RapportError: With a typed cause; what was answered and judged by then is kept.
        KeyboardInterrupt: As it comes; the same holds.
    """
    planned = read_kept(Folder(wanted.out).plan, Plan) if wanted.out else None
    setup = make_setup(wanted.candidate, wanted.conditions, settings, planned)
    told = conditions_of(setup, wanted, settings)
    folder = Folder(wanted.out or settings.data / "evaluations" / evaluation_name(told))
    with folder.held():
        evaluation, plan = _begin(folder, setup, told, wanted.limit)
        setup = setup._replace(only=frozenset(item.question_id for item in plan.items))
        with open_rows(folder, plan, evaluation) as rows:
            _ask_what_is_owed(setup, plan, rows, wanted, settings, folder, progress)
            card = _score(folder, evaluation, plan, rows, wanted)
    return Evaluated(card, folder.path)


def conditions_of(setup: RunSetup, wanted: Wanted, settings: Settings) -> tuple[tuple[str, str], ...]:
    """Returns everything that makes two evaluations one, as sorted names and values."""
    own, endpoints = best_engine(settings.engine), wanted.endpoints
    adapter, model = setup.adapter, setup.model
    told = {
        "model": model.model,
        "model_sha": model.sha,
        "adapter": adapter.model if adapter else "",
        "adapter_sha": adapter.sha if adapter else "",
        "thinking": str(setup.thinking).lower(),
        "protocol": setup.protocol.id,
        "protocol_config": setup.protocol.digest(),
        "judge": setup.judge.id,
        "judge_revision": setup.judge_revision,
        "judge_config": setup.judge.digest(),
        "data_sha": setup.data.sha,
        "prompt_pack": setup.pack.id,
        "limit": str(wanted.limit or ""),
        "engine": "reference" if model.is_reference else "openai" if endpoints.model else own,
        "judge_engine": "openai" if endpoints.judge else own,
        "context_tokens": str(settings.context_tokens),
        "model_server": _described(endpoints.model),
        "judge_server": _described(endpoints.judge),
    }
    return tuple(sorted(told.items()))


def _described(server: EndpointSpec | None) -> str:
    """Names a server by what decides its answers; empty if there is none."""
    if server is None:
        return ""
    declared = f", {server.context_length} tokens" if server.context_length else ""
    return f"{server.model} at {server.base_url} ({server.flavour}{declared})"


def _begin(
    folder: Folder, setup: RunSetup, told: tuple[tuple[str, str], ...], limit: int | None
) -> tuple[Evaluation, Plan]:
    """Returns what the folder is about, writing it down if it is new.

    Raises:
        RapportError: `data_error` if the folder is about something else.
    """
    evaluation = read_kept(folder.evaluation, Evaluation)
    if evaluation is None:
        evaluation = Evaluation(submission=_submission(setup, told), conditions=told, limit=limit)
        write_whole(folder.evaluation, evaluation)
    if changed := sorted({name for name, _ in set(evaluation.conditions) ^ set(told)}):
        raise RapportError(
            Cause.DATA_ERROR,
            f"{folder.path} holds another evaluation: {', '.join(changed)} differ.",
            "Name another folder with --out.",
        )
    plan = read_kept(folder.plan, Plan)
    if plan is None:
        if limit is not None:
            setup = setup._replace(only=frozenset(item.question_id for item in islice(items(setup), limit)))
        plan = make_plan(evaluation.submission.run_ids()[0], setup)
        write_whole(folder.plan, plan)
    return evaluation, plan


def _submission(setup: RunSetup, told: tuple[tuple[str, str], ...]) -> Submission:
    """Returns the record under which results are kept, as if the model had been handed in."""
    at = now()
    declaration = Declaration(
        relation=Relation.NONE,
        training_data=TrainingData.UNKNOWN,
        thinking=setup.thinking,
        publish_answers=False,
    )
    return Submission(
        id=f"s-{at:%Y%m%d}-{digest(told)[:8]}",
        model=setup.model.model,
        revision=setup.model.sha,
        adapter=setup.adapter and setup.adapter.model,
        adapter_revision=setup.adapter and setup.adapter.sha,
        submitter="local",
        declaration=declaration,
        protocols=(setup.protocol.id,),
        created_at=at,
        terms=setup.terms,
    )


def _ask_what_is_owed(
    setup: RunSetup,
    plan: Plan,
    rows: Rows,
    wanted: Wanted,
    settings: Settings,
    folder: Folder,
    progress: Progress,
) -> None:
    """Loads engines and asks, if anything is left to ask."""
    answers = {row.key.question_id: row for row in rows.generations.rows}
    if rows.reports.rows and not owed(plan.items, answers, rows.verdicts.rows):
        return
    log = folder.path / "logs" / "engine"
    with RunEngines(setup, settings, log, wanted.endpoints) as loading:
        clock = StageClock()
        with clock.stage("load"):
            source, judge = loading.source(), loading.judge()
        _refuse_other_conditions(source, judge, plan, rows, folder)
        _report(rows, loading, clock, plan)  # Before the first row, so that none stands without one.
        clock = StageClock()
        try:
            with progress.over(plan.items, rows.generations.rows, rows.verdicts.rows):
                ask_users(setup, plan.items, source, judge, _JournalSink(rows, progress), clock)
        finally:
            _report(rows, loading, clock, plan)


def _report(rows: Rows, loading: RunEngines, clock: StageClock, plan: Plan) -> None:
    """Keeps what was done in each lane, and on what; the time of loading both is told of the model's."""
    source = loading.source()
    context = next((source.key(item.question_id).context for item in plan.items), ())
    of_judge = [(name, seconds) for name, seconds in clock.stages() if name == "judge"]
    of_model = [(name, seconds) for name, seconds in clock.stages() if name != "judge"]
    reports = [
        make_report(Lane.GENERATE, source.info, loading, of_model, plan, context),
        make_report(Lane.JUDGE, loading.judge().info, loading, of_judge, plan),
    ]
    list(rows.reports.append(reports))


def _refuse_other_conditions(source: AnswerSource, judge: Engine, plan: Plan, rows: Rows, folder: Folder) -> None:
    """Refuses to mix answers, or verdicts, of a model that runs in another way than before.

    Raises:
        RapportError: `data_error`.
    """
    expected = {source.key(item.question_id).digest() for item in plan.items}
    for row in rows.generations.rows:
        if row.input_key not in expected:
            present = dict(source.key(row.key.question_id))
            changed = sorted(name for name, value in dict(row.key).items() if value != present[name])
            raise _made_otherwise(f"answers in {folder.path}", changed)
    for verdict in rows.verdicts.rows:
        if changed := changed_since(verdict, judge.info):
            raise _made_otherwise(f"verdicts in {folder.path}", changed)


def _made_otherwise(what: str, changed: Iterable[str]) -> RapportError:
    """Says that some rows cannot be gone on with."""
    return RapportError(
        Cause.DATA_ERROR,
        f"The {what} were made under other conditions: {', '.join(changed)} differ.",
        "Go on where they were made, or name another folder with --out.",
    )


def _score(folder: Folder, evaluation: Evaluation, plan: Plan, rows: Rows, wanted: Wanted) -> Scorecard:
    """Scores all rows and writes down what they add up to."""
    found = RunRows(rows.generations.rows, rows.verdicts.rows, rows.reports.rows)
    protocol, judge = wanted.conditions.protocol, wanted.conditions.judge
    card = make_scorecard(evaluation.submission, plan, found, protocol, judge, (), now())
    card = card.model_copy(update={"unranked_because": (*card.unranked_because, *_own_reasons(evaluation, wanted))})
    write_whole(folder.user_scores, make_user_scores(card, plan, found))
    write_whole(folder.scorecard, card)
    return card


def _own_reasons(evaluation: Evaluation, wanted: Wanted) -> Iterator[str]:
    """Yields what keeps results of this machine from being compared with others."""
    if evaluation.limit is not None and wanted.conditions.protocol.items is None:  # Else the scorecard says it.
        yield f"limited to {evaluation.limit} items"
    if wanted.endpoints.model:
        yield "model behind a server"
    if wanted.endpoints.judge:
        yield "judge behind a server"
