"""From the rows of a run to what a model wrote comes to: pure functions of plan and rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from evaluator.hicupid.outcomes import MadeOn
from evaluator.hicupid.scoring import rounded
from evaluator.human.items import HumanItem, Part
from evaluator.human.judged.counting import Rows, Scored, rows_of
from evaluator.human.judged.extraction_scores import extracted
from evaluator.human.judged.writing_scores import compared, uplifted
from evaluator.human.outcomes import counted, labelled
from evaluator.human.records import RaterKind
from evaluator.human.results import HumanResult
from evaluator.human.tasks import JudgedTask
from evaluator.metrics.efficiency import prefill_efficiency
from evaluator.records import Generation, Verdict

_TASKS: dict[JudgedTask, Callable[[Sequence[HumanItem], Rows, float], Scored]] = {
    JudgedTask.EXTRACTION: extracted,
    JudgedTask.COMPARISON: compared,
    JudgedTask.UPLIFT: uplifted,
}


def score_judged(
    items: Sequence[HumanItem],
    generations: Iterable[Generation],
    verdicts: Iterable[Verdict],
    *,
    task: JudgedTask,
    judge: str,
    epsilon: float,
    made_on: MadeOn | None = None,
) -> HumanResult:
    """Returns what a run comes to.

    Args:
        items: All that it asks, of one task.
        generations: Its answers, every attempt.
        verdicts: Its verdicts, every attempt, and what rules found.
        task: The task.
        judge: Id of the judge whose verdicts count.
        epsilon: What the alternative annotator test grants the judge, where it stands beside people.
        made_on: What the run was made on; None prefers no engine.
    """
    return score_rows(items, rows_of(items, generations, verdicts, judge, made_on), task=task, epsilon=epsilon)


def score_rows(items: Sequence[HumanItem], rows: Rows, *, task: JudgedTask, epsilon: float) -> HumanResult:
    """Returns what a run comes to whose rows are sorted already.

    Args:
        items: All that it asks, of one task.
        rows: What its rows say.
        task: The task.
        epsilon: As of `score_judged`.
    """
    asked = [item for item in items if item.part is not Part.GIVEN]
    scored = _TASKS[task](items, rows, epsilon)
    answered = sum(item.question_id in rows.said.sound for item in asked)
    people = labelled(items)
    return HumanResult(
        task=task,
        kind=_kind_of(items),
        items=len(asked),
        answered=answered,
        answered_share=rounded(answered / len(asked)) if asked else None,
        invalid=counted(rows.said.invalid.values()),
        retried=rows.said.retried,
        failures=counted(rows.said.failed.values()),
        clashes=rows.said.clashes,
        users=len({item.person for item in asked}),
        annotators=len(people.annotators),
        labels=sum(len(item.labels) for item in items),
        figures=tuple(figure for _, figure in sorted(scored.figures.items())),
        prefill_efficiency=rounded(prefill_efficiency(rows.said.counted)),
        judging=scored.judging,
    )


def _kind_of(items: Sequence[HumanItem]) -> RaterKind:
    """Returns whose labels decide what is asked and what the judge is set beside: a program's if any are."""
    kinds = [item.kind for item in items]
    return RaterKind.SIMULATED if RaterKind.SIMULATED in kinds else next(iter(kinds), RaterKind.PERSON)
