"""Turns the rows of one run of a human-grounded task into its scorecard: a pure function of what is stored."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from evaluator.errors import RapportError
from evaluator.human.judged.scoring import score_judged
from evaluator.human.outcomes import score
from evaluator.human.records import RaterKind
from evaluator.human.results import HumanResult
from evaluator.human.tasks import JudgedTask
from evaluator.judges.rater import Rater, load_rater
from evaluator.protocol import HumanProtocol, human_protocol
from leaderboard.records import Plan, Submission, Transition
from leaderboard.results import INCOMPLETE, HumanScorecard
from leaderboard.scorecards import (
    LEAST_JUDGED_SHARE,
    PROMPTS,
    RunRows,
    chat_template_arguments,
    mixtures,
    provenance,
    scorecard_id,
    stage_seconds,
)

LEAST_ANSWERED_SHARE = 0.98
"""Below this share of items with an answer that can be read, a scorecard is incomplete: what a model does not answer
may be what it finds hard."""


def make_human_scorecard(
    submission: Submission,
    plan: Plan,
    rows: RunRows,
    protocol: HumanProtocol,
    transitions: Iterable[Transition],
    created_at: datetime.datetime,
    judge: Rater | None = None,
) -> HumanScorecard:
    """Scores a run whose shards are all done.

    Args:
        submission: The submission that the run belongs to.
        plan: What the run asked.
        rows: What came out.
        protocol: The run's protocol.
        transitions: The run's history, for the time it waited.
        created_at: The scorecard's date.
        judge: Who judged; None is looked up among the judges that ship.

    Raises:
        RapportError: `not_found` if the plan's judge is not there any more.
    """
    result, judge = human_result(plan, rows, protocol), judge or load_rater(plan.judge)
    return HumanScorecard(
        id=scorecard_id(plan.run_id, judge.id),
        **provenance(submission, plan, rows, judge),
        instruction_moved=("system_role", "first_user") in chat_template_arguments(rows.generations),
        result=result,
        unranked_because=_unranked_because(result, plan, protocol, judge, rows),
        stage_seconds=stage_seconds(rows.reports, transitions),
        created_at=created_at,
        terms=plan.terms,
    )


def human_result(plan: Plan, rows: RunRows, protocol: HumanProtocol) -> HumanResult:
    """Returns what the rows of a run come to.

    Args:
        plan: What the run asked.
        rows: What came out.
        protocol: The run's protocol.
    """
    task, epsilon = protocol.task, protocol.epsilon
    if not isinstance(task, JudgedTask):
        return score(plan.labelled, rows.generations, task=task, epsilon=epsilon)
    return score_judged(
        plan.labelled,
        rows.generations,
        rows.verdicts,
        task=task,
        judge=plan.judge,
        epsilon=epsilon,
        made_on=rows.made_on,
    )


def protocol_as_run(card: HumanScorecard) -> HumanProtocol | None:
    """Returns the protocol of a scorecard's run; None if it is not shipped any more, or is another one by now."""
    try:
        protocol = human_protocol(card.protocol)
    except RapportError:
        return None
    return protocol if protocol.digest() == card.protocol_config else None


def _unranked_because(
    result: HumanResult, plan: Plan, protocol: HumanProtocol, judge: Rater, rows: RunRows
) -> tuple[str, ...]:
    """Lists the reasons that keep a result from being compared with others."""
    asked = protocol.items or 0
    packed = protocol.task is JudgedTask.COMPARISON
    models = rows._replace(verdicts=[row for row in rows.verdicts if row.rater_kind == "model"])
    checks = (
        ("simulated labels", result.kind is RaterKind.SIMULATED),
        ("made-up users", result.kind is RaterKind.TRUTH),
        (f"{judge.status} judge", judge.status != "official"),
        (f"{PROMPTS[plan.prompt_pack_status]} prompts", packed and plan.prompt_pack_status != "official"),
        (f"protocol {protocol.id}", not protocol.official),
        ("other data", protocol.data_set not in (None, plan.data_source)),
        (f"{result.items:,} of {asked:,} items", result.items < asked),
        *mixtures(models),
        (INCOMPLETE, _is_incomplete(result)),
    )
    return tuple(reason for reason, holds in checks if holds)


def _is_incomplete(result: HumanResult) -> bool:
    """Says whether too little was answered, or judged, for a result to be compared with others.

    An answer with a defect loses its comparison, which is a result; nothing else can be said of what cannot be read.
    """
    judged = result.judging.judged_share if result.judging else None
    if judged is not None and judged < LEAST_JUDGED_SHARE:
        return True
    answered = (result.answered_share or 0) >= LEAST_ANSWERED_SHARE
    return not answered and result.task is not JudgedTask.COMPARISON
