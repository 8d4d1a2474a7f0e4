"""Evaluates a model on this machine from beginning to end, and goes on where an earlier call stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.identity import digest
from evaluator.judges.spec import JudgeSpec
from evaluator.protocol import HicupidProtocol, HumanProtocol
from evaluator.suites import RunSetup, items_of
from leaderboard.human_scorecards import make_human_scorecard
from leaderboard.records import Declaration, Plan, Relation, Submission, TrainingData, now
from leaderboard.results import AnyScorecard, HumanScorecard
from leaderboard.scorecards import RunRows, make_scorecard, make_user_scores
from leaderboard.settings import Settings
from worker.local.asking import ask_what_is_owed
from worker.local.folder import Evaluation, Folder, Rows, evaluation_name, open_rows, read_kept, write_whole
from worker.local.progress import Progress
from worker.local.wanted import Wanted, conditions_of
from worker.planning import make_plan, make_setup


class Asked(NamedTuple):
    """A run that is all asked, while its folder is held."""

    folder: Folder
    evaluation: Evaluation
    plan: Plan
    rows: Rows


class Evaluated(NamedTuple):
    """What an evaluation came to."""

    scorecard: AnyScorecard
    folder: Path


def evaluate(wanted: Wanted, settings: Settings, progress: Progress) -> Evaluated:
    """Asks and judges what is not there yet, and scores what is there.

    A folder that `wanted` names goes on with the commits of data set and judge that it began with.

    Raises:
        RapportError: With a typed cause; what was answered and judged by then is kept.
        KeyboardInterrupt: As it comes; the same holds.
    """
    planned = read_kept(Folder(wanted.out).plan, Plan) if wanted.out else None
    setup = make_setup(wanted.candidate, wanted.conditions, settings, planned)
    with asked(setup, wanted, settings, progress) as done:
        return Evaluated(_score(done, wanted), done.folder.path)


@contextmanager
def asked(setup: RunSetup, wanted: Wanted, settings: Settings, progress: Progress) -> Iterator[Asked]:
    """Asks and judges what is not there yet, and holds the folder until the context is left.

    Raises:
        RapportError: As of `evaluate`.
        KeyboardInterrupt: As of `evaluate`.
    """
    if wanted.again:
        setup = setup._replace(only=wanted.again.questions)
    told = conditions_of(setup, wanted, settings)
    folder = Folder(wanted.out or settings.data / "evaluations" / evaluation_name(told))
    with folder.held():
        evaluation, plan = _begin(folder, setup, told, wanted.limit)
        setup = setup._replace(only=frozenset(item.question_id for item in plan.items))
        with open_rows(folder, plan, evaluation) as rows:
            ask_what_is_owed(setup, plan, rows, wanted, settings, folder, progress)
            yield Asked(folder, evaluation, plan, rows)


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
            setup = setup._replace(only=frozenset(item.question_id for item in islice(items_of(setup), limit)))
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


def _score(done: Asked, wanted: Wanted) -> AnyScorecard:
    """Scores all rows and writes down what they add up to."""
    protocol, judge = wanted.conditions.protocol, wanted.conditions.judge
    if isinstance(protocol, HumanProtocol):
        return _human_score(done, wanted, protocol)
    if not isinstance(protocol, HicupidProtocol) or not isinstance(judge, JudgeSpec):
        raise TypeError(f"{protocol.id} is of no suite that can be scored")
    folder, evaluation, plan, rows = done
    found = RunRows(rows.generations.rows, rows.verdicts.rows, rows.reports.rows)
    card = make_scorecard(evaluation.submission, plan, found, protocol, judge, (), now())
    card = card.model_copy(update={"unranked_because": (*card.unranked_because, *_own_reasons(evaluation, wanted))})
    write_whole(folder.user_scores, make_user_scores(card, plan, found))
    write_whole(folder.scorecard, card)
    return card


def _human_score(done: Asked, wanted: Wanted, protocol: HumanProtocol) -> HumanScorecard:
    """The same of a human-grounded task."""
    folder, evaluation, plan, rows = done
    found = RunRows(rows.generations.rows, rows.verdicts.rows, rows.reports.rows)
    card = make_human_scorecard(evaluation.submission, plan, found, protocol, (), now(), wanted.conditions.judge)
    card = card.model_copy(update={"unranked_because": (*card.unranked_because, *_own_reasons(evaluation, wanted))})
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
