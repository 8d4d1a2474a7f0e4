"""From a data set to its own report: a pure function of its rows."""

from __future__ import annotations

from evaluator.human.data import HumanData
from evaluator.human.labelled import PROBLEMATIC, RELEVANT
from evaluator.human.layout import HumanTables
from evaluator.human.records import RaterKind
from evaluator.human.report.annotators import annotator_reports
from evaluator.human.report.labels import TaskLabels, balance, labels_per_item, mean_rating, task_labels
from evaluator.human.report.planning import precision
from evaluator.human.report.records import HumanReport, Task, TaskReport
from evaluator.human.scoring import HumanFigures, human_classes, human_ratings

_OF = {Task.VERIFICATION: PROBLEMATIC, Task.RELEVANCE: RELEVANT}


def human_report(data: HumanData) -> HumanReport:
    """Returns a data set's own report, over people's single labels, or over simulated ones if no person labelled it.

    Labels of both kinds are never mixed, and a consensus shows no disagreement: what is left out is counted.

    Args:
        data: The data set.

    Example:
        >>> from evaluator.human.data import demo_set
        >>> report = human_report(HumanData.open(str(demo_set())))
        >>> report.simulated, [(task.task.value, task.items, task.labels) for task in report.tasks]
        (True, [('verification', 52, 174), ('relevance', 128, 451), ('rating', 20, 73)])
    """
    simulated = data.is_simulated and RaterKind.PERSON not in data.kinds
    kind = RaterKind.SIMULATED if simulated else RaterKind.PERSON
    return HumanReport(
        title=data.about.title,
        sha=data.sha,
        simulated=simulated,
        tasks=tuple(_task_report(data.tables, task, kind) for task in Task),
    )


def _task_report(tables: HumanTables, task: Task, kind: RaterKind) -> TaskReport:
    """Returns the report of one task."""
    given = task_labels(tables, task, kind)
    labelled = given.labelled
    return TaskReport(
        task=task,
        labels_of=kind,
        left_out=given.left_out,
        items=len(labelled.items),
        users=len(set(labelled.users.tolist())),
        annotators=len(labelled.annotators),
        labels=len(given.words),
        labels_per_item=labels_per_item(labelled),
        balance=balance(given),
        mean_rating=mean_rating(given),
        agreement=_agreement(given),
        by_annotator=annotator_reports(given),
        precision=precision(given),
    )


def _agreement(given: TaskLabels) -> HumanFigures:
    """How far annotators agree, and what no rater can pass."""
    if given.task is Task.RATING:
        return human_ratings(given.task, given.labelled)
    return human_classes(given.task, given.labelled, of=_OF[given.task])
