"""The figures of a scorecard one by one, each with all that a reader needs to weigh it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic_core import to_json

from evaluator.results import Gap, Interval, PairwiseScores, Rate, Scores, Total
from leaderboard.exports.entry import Entry

MOST_POINTS = 87.5
"""The highest Total."""
_PERCENT = (0.0, 100.0)


class Score(NamedTuple):
    """One figure."""

    id: str
    name: str
    about: str
    """One sentence for readers."""
    unit: str
    """`percent` or `points`."""
    range: tuple[float, float]
    """The lowest and the highest value that there can be."""
    value: float | None
    interval: Interval | None
    judged: int
    """Items that the value is of."""
    items: int | None
    """Items that the protocol asks for; None of a difference, whose sides have their own."""
    by_judge: bool = True
    """Whether a judge decides it."""
    lower_is_better: bool = False
    details: tuple[tuple[str, str], ...] = ()
    """What else is to be said of it."""
    split: str = ""
    """The one split that it is of; empty for all."""

    @property
    def coverage(self) -> str:
        """Of how many items it is; of a difference, those of either side stand in `details`."""
        return f"{self.judged} items on both sides" if self.items is None else f"{self.judged} of {self.items} items"


def scores_of(entry: Entry) -> Iterator[Score]:
    """Yields every figure of a result that tells of the model; those without a value too."""
    result, found = entry.card.result, entry.row.desiderata
    yield from _of(result)
    yield _rate("bleu", "BLEU", "Mean sentence BLEU of the answers against the reference answers.", result.bleu, False)
    yield _rate("rouge_l", "ROUGE-L", "Mean ROUGE-L F1 against the reference answers.", result.rouge_l, False)
    yield _rate(
        "evidence_recall",
        "Evidence that the context showed",
        "Share of the needed dialogues that the context showed.",
        result.evidence_recall,
        False,
    )
    if found.lc:
        yield _gap("lc", "Long-context capacity", found.lc, _PERCENT[1])
    if found.generalisation:
        yield _gap("generalisation", "Generalisation to unseen users", found.generalisation, MOST_POINTS)
    for part in result.by_split if len(result.by_split) > 1 else ():
        for score in _of(part):
            yield score._replace(id=f"{score.id}.{part.split}", name=f"{score.name}, {part.split}", split=part.split)


def _of(scores: Scores) -> Iterator[Score]:
    """Yields the Total and the scores by type of question."""
    yield _total(scores.total)
    yield from _pairwise("persona", "Persona", scores.persona)
    yield from _pairwise("profile", "Profile", scores.profile)
    about = "Share of requests that clash with an appointment where the answer says so."
    yield _rate("schedule", "Schedule satisfaction", about, scores.schedule)


def _total(total: Total) -> Score:
    about = "(25 x persona + 5 x profile + 10 x schedule / 2) / 40; an answer as good as the reference scores 50."
    worst = "missing" if total.worst_case is None else repr(total.worst_case)
    return Score(
        "total",
        "Total",
        about,
        "points",
        (0.0, MOST_POINTS),
        total.value,
        total.interval,
        total.judged,
        total.items,
        details=(("worst_case", worst),),
    )


def _pairwise(id_: str, name: str, scores: PairwiseScores) -> Iterator[Score]:
    """Yields score, wins and losses against the reference answer; more ties are neither better nor worse."""
    about = f"{name} questions, against the reference answer:"
    score = _rate(f"{id_}_score", f"{name} score", f"{about} a win counts 1, a tie one half.", scores.score)
    yield score._replace(details=(("tie", to_json(scores.tie).decode()),))
    yield _rate(f"{id_}_win", f"{name} wins", f"{about} share of wins.", scores.win)
    yield _rate(f"{id_}_loss", f"{name} losses", f"{about} share of losses.", scores.loss)._replace(
        lower_is_better=True
    )


def _rate(id_: str, name: str, about: str, rate: Rate, by_judge: bool = True) -> Score:
    return Score(id_, name, about, "percent", _PERCENT, rate.value, rate.interval, rate.judged, rate.items, by_judge)


def _gap(id_: str, name: str, gap: Gap, most: float) -> Score:
    """Returns a difference of two scores of the same model."""
    first, second = gap.between
    details = {
        "first": first,
        "first_judged": str(gap.judged[0]),
        "second": second,
        "second_judged": str(gap.judged[1]),
        "users": str(gap.users),
    }
    about, range_ = f"The score of {first}, less that of {second}.", (-most, most)
    judged = sum(gap.judged)
    return Score(
        id_, name, about, "points", range_, gap.value, gap.interval, judged, None, details=tuple(details.items())
    )
