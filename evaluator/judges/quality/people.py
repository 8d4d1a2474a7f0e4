"""How far a judge agrees with people who labelled the same answers: as one more of them, and with what most say.

All statistics are those of `evaluator.metrics.agreement` and `evaluator.metrics.alternative_annotator`; labels of
different kinds (single people, a consensus, a program) are never in one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from evaluator.hicupid.outcomes import CREDIT, JudgedItem
from evaluator.hicupid.questions import Item, QuestionType
from evaluator.hicupid.scoring import rounded
from evaluator.human.labelled import Label, Labelled, labelled_of
from evaluator.human.records import RaterKind
from evaluator.judges.quality.between import agreement_between
from evaluator.judges.quality.figures import of_entries, without
from evaluator.judges.quality.judged import Combined, ItemName, Judged, combined
from evaluator.judges.quality.labelled import LabelledVerdict
from evaluator.judges.quality.records import (
    Agreement,
    Compared,
    PeopleAgreement,
    PeoplePart,
    QualityFigure,
    Training,
    Why,
)
from evaluator.metrics import agreement
from evaluator.metrics.agreement import HeldOut, Labels, Measure
from evaluator.metrics.alternative_annotator import (
    advantage_probability,
    alternative_annotator_test,
    duels,
    duels_tested,
)
from evaluator.metrics.clustered import Method
from evaluator.records import Outcome

_WIN = 2.0
"""Label of a win, or of what is satisfied, as `Combined.label` has it: the class that F1 is of."""
_OUTCOMES = {
    "pairs": {0.0: Outcome.LOSS, 1.0: Outcome.TIE, _WIN: Outcome.WIN},
    "schedule": {0.0: Outcome.UNSATISFIED, _WIN: Outcome.SATISFIED},
}


class PeopleSaid(NamedTuple):
    """Labels of one source."""

    source: str
    """Name of the data set, of the file, or of the site's own labels."""
    labels: Sequence[LabelledVerdict]
    """An annotator labels an answer once."""

    @property
    def kinds(self) -> list[RaterKind]:
        """Whose labels there are."""
        return [kind for kind in RaterKind if any(row.kind is kind for row in self.labels)]

    def of_kind(self, kind: RaterKind) -> list[LabelledVerdict]:
        """Returns the labels of one kind."""
        return [row for row in self.labels if row.kind is kind]


def people_agreement(
    own: Sequence[Judged], said: PeopleSaid, items: Mapping[str, Item], training: Training, epsilon: float
) -> tuple[PeopleAgreement, ...]:
    """Returns how far a judge agrees with people, by the kind of their labels.

    Args:
        own: What the judge said, of any models.
        said: What people said.
        items: Items by question id; every label is about one of them.
        training: What the judge was trained on.
        epsilon: What the alternative annotator test grants the judge: 0.2 next to experts, 0.15 to skilled annotators,
            0.1 to others.

    Raises:
        KeyError: If a label is about another question.
    """
    judge, _ = combined(own)
    return tuple(
        _of_kind(own, judge, PeopleSaid(said.source, said.of_kind(kind)), items, training, epsilon)
        for kind in said.kinds
    )


def majority_of(labels: Iterable[LabelledVerdict], items: Mapping[str, Item]) -> tuple[list[Judged], int]:
    """Returns what most annotators say of each answer, as one rater, and how many answers are tied and left out.

    Args:
        labels: Of one kind.
        items: Items by question id.
    """
    by_name: dict[str, ItemName] = {}
    judged: list[Judged] = []
    tied = 0
    every = list(labels)
    for questions, outcomes in _OUTCOMES.items():
        table = _table(every, items, questions, by_name)
        votes = agreement.majority(table.table)
        tied += int(votes.tied.sum())
        for name, label in zip(table.items, votes.labels.tolist(), strict=True):
            if label in outcomes:
                question_id, content_hash = by_name[name]
                entry = JudgedItem(items[question_id], None, (outcomes[label],), ())
                judged.append(Judged(entry, content_hash, None, None, None))
    return judged, tied


def majority_by_source(people: Iterable[PeopleSaid], items: Mapping[str, Item]) -> dict[str, list[Judged]]:
    """Returns what most annotators of each source say, by its name; one with labels of several kinds once a kind.

    Args:
        people: Labels, source by source.
        items: Items by question id.
    """
    return {
        f"{some.source} ({kind})" if some.kinds[1:] else some.source: majority_of(some.of_kind(kind), items)[0]
        for some in people
        for kind in some.kinds
    }


def _of_kind(
    own: Sequence[Judged],
    judge: Mapping[ItemName, Combined],
    said: PeopleSaid,
    items: Mapping[str, Item],
    training: Training,
    epsilon: float,
) -> PeopleAgreement:
    """The agreement with labels of one kind."""
    most, tied = majority_of(said.labels, items)
    parts = []
    for questions in _OUTCOMES:
        by_name: dict[str, ItemName] = {}
        table = _table(said.labels, items, questions, by_name)
        if table.items:
            labels = {name: judge[each].label for name, each in by_name.items() if each in judge}
            parts.append(people_part(questions, table, labels, epsilon=epsilon))
    told: Agreement = agreement_between(own, said.source, most, training)
    return PeopleAgreement(
        source=said.source,
        kind=said.labels[0].kind,
        parts=tuple(parts),
        majority=told,
        tied=tied,
        unjudged=len({(row.question_id, row.content_hash) for row in said.labels} - judge.keys()),
    )


def _table(
    labels: Iterable[LabelledVerdict], items: Mapping[str, Item], questions: str, by_name: dict[str, ItemName]
) -> Labelled:
    """What annotators said of one kind of questions; `by_name` learns what the names of its items stand for."""
    rows = []
    for row in labels:
        item = items[row.question_id]
        if (item.type is QuestionType.SCHEDULE) != (questions == "schedule"):
            continue
        name = f"{row.question_id} {row.content_hash}"
        by_name[name] = row.question_id, row.content_hash
        rows.append(Label(name, f"{item.split} {item.user_id}", row.annotator, _WIN * CREDIT[row.outcome]))
    return labelled_of(rows)


def people_part(questions: str, labelled: Labelled, said: Mapping[str, float], *, epsilon: float) -> PeoplePart:
    """Returns how far a rater agrees with annotators of the same items, and what these reach among themselves.

    Args:
        questions: `pairs` or `schedule`.
        labelled: What people said: 0 for a loss or what is unsatisfied, 1 for a tie, 2 for a win or what is satisfied.
        said: What the rater said, by item, in the same numbers; one that is missing is unanswered.
        epsilon: What the alternative annotator test grants the rater.
    """
    table, rater = labelled.table, labelled.rater(said)
    scores, wins = _Rows(table / _WIN, rater / _WIN), _Rows(_wins(table), _wins(rater))
    majority, singles = agreement.against_majority(table, rater), agreement.against_singles(table, rater)
    means, of_wins = agreement.against_mean(*scores), agreement.against_singles(*wins)
    every, by_annotator, ratings = majority.comparisons, agreement.class_measures(_WIN), agreement.RATING_MEASURES
    trivial = agreement.is_trivial(every)
    counts = (~np.isnan(table)).sum(axis=1)
    labels, pairs = _Held(labelled, int(counts.sum())), _Held(labelled, int((counts * (counts - 1)).sum()))
    kappa, least = agreement.single_kappa, agreement.least_absolute_error(means.comparisons)
    return PeoplePart(
        questions="schedule" if questions == "schedule" else "pairs",
        items=len(labelled.items),
        labels=labels.possible,
        annotators=len(labelled.annotators),
        kappa=labels.compared(by_annotator["kappa"], majority, agreement.kappa_ceiling(every), trivial),
        single_kappa=pairs.compared(kappa, singles, agreement.single_kappa_ceiling(singles.comparisons)),
        win_kappa=pairs.compared(kappa, of_wins, agreement.single_kappa_ceiling(of_wins.comparisons)),
        f1=labels.compared(
            by_annotator["f1"], majority, agreement.f1_ceiling(every, _WIN), trivial, method=Method.SCORE
        ),
        mean_absolute_error=labels.compared(ratings["mean_absolute_error"], means, least),
        bias=labels.figure(ratings["bias"], means.comparisons.rater, means),
        advantage_probability=_advantage(labelled, rater, labels.possible),
        test=alternative_annotator_test(table, rater, epsilon=epsilon, clusters=labelled.users),
    )


class _Rows(NamedTuple):
    """Annotators' labels and the rater's, as other numbers."""

    table: Labels
    rater: Labels


def _wins(labels: Labels) -> Labels:
    """Labels of two classes: 1 for a win or what is satisfied, 0 for all else, NaN for gaps."""
    return np.where(np.isnan(labels), np.nan, (labels == _WIN).astype(np.float64))


class _Held(NamedTuple):
    """Labels, for figures on them."""

    labelled: Labelled
    possible: int
    """Labels, or pairs of labels of one answer, that there are."""

    def compared(
        self,
        measure: Measure,
        held: HeldOut,
        ceiling: float | None,
        trivial: bool = False,
        method: Method = Method.STUDENT,
    ) -> Compared:
        """A figure of the rater beside both ceilings."""
        return Compared(
            judge=self.figure(measure, held.comparisons.rater, held, method),
            one_more_human=self.figure(measure, held.comparisons.human, held, method),
            noise_ceiling=self._ceiling(held, ceiling, trivial),
        )

    def figure(self, measure: Measure, own: Labels, held: HeldOut, method: Method = Method.STUDENT) -> QualityFigure:
        """A figure of some labels against the others."""
        users = self.labelled.users[held.comparisons.items]
        return of_entries(partial(_measured, measure, own, held), users, method, self.possible)

    def _ceiling(self, held: HeldOut, ceiling: float | None, trivial: bool) -> QualityFigure:
        """What no rater can pass."""
        items = held.comparisons.items
        if trivial or ceiling is None:
            return without(Why.TRIVIAL if trivial and len(items) else Why.UNDEFINED, self.possible)
        return QualityFigure(
            value=rounded(ceiling),
            interval=None,
            counted=len(items),
            possible=self.possible,
            users=len(np.unique(self.labelled.users[items])),
            reason=Why.NO_METHOD,
        )


def _measured(measure: Measure, own: Labels, held: HeldOut, left: agreement.Places) -> float | None:
    return measure(own[left], held.comparisons.take(left))


def _advantage(labelled: Labelled, rater: Labels, labels: int) -> QualityFigure:
    """How often a rater agrees at least as well as the annotators who can be tested."""
    tested = duels_tested(duels(labelled.table, rater, "classes"), labelled.users)
    users = labelled.users[tested.items]
    return of_entries(lambda left: advantage_probability(tested.take(left)), users, Method.SCORE, labels)
