"""Rows to figures: a pure function, so that equal rows give a byte-identical result on any machine.

Rows are sorted before anything is summed, and every rate is rounded once, at the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.hicupid.questions import Item, QuestionType
from evaluator.metrics.efficiency import prefill_efficiency
from evaluator.metrics.intervals import Part, UserSums, clustered_interval, ratio
from evaluator.records import Generation, Outcome, SlotOrder, Verdict
from evaluator.results import Interval, PairwiseScores, Rate, Result, Total

TOTAL_WEIGHTS = {QuestionType.PERSONA: 25 / 40, QuestionType.PROFILE: 5 / 40, QuestionType.SCHEDULE: 10 / 40 / 2}
"""Total = (25 * persona + 5 * profile + 10 * schedule / 2) / 40, derived from the published rows."""

HIGHEST_TOTAL = 87.5
_DIGITS = 6
_CREDIT = {Outcome.WIN: 1.0, Outcome.TIE: 0.5, Outcome.LOSS: 0.0, Outcome.SATISFIED: 1.0, Outcome.UNSATISFIED: 0.0}


class Judged(NamedTuple):
    """One item with the outcomes of those of its orders that have a verdict, in the order of `item.orders`."""

    item: Item
    outcomes: tuple[Outcome, ...]


def total_of(persona: float, profile: float, schedule: float) -> float:
    """Returns the paper's Total of three rates in 0..100.

    Example:
        >>> round(total_of(44.7, 10.8, 8.8), 1)
        30.4
    """
    return (
        TOTAL_WEIGHTS[QuestionType.PERSONA] * persona
        + TOTAL_WEIGHTS[QuestionType.PROFILE] * profile
        + TOTAL_WEIGHTS[QuestionType.SCHEDULE] * schedule
    )


def score(items: Iterable[Item], generations: Iterable[Generation], verdicts: Iterable[Verdict]) -> Result:
    """Returns the result part of a scorecard.

    Args:
        items: Everything that the protocol asks.
        generations: Rows of one model under one protocol; of several attempts at a question the last counts.
        verdicts: Rows of one judge; of several attempts at the same content and order the last
            readable one counts.
    """
    wanted = sorted(items, key=lambda item: item.question_id)
    answers = _latest(generations)
    outcomes = _outcomes(verdicts)
    judged = [_judge(item, answers.get(item.question_id), outcomes) for item in wanted]
    asked = sum(len(item.orders) for item in wanted)
    read = sum(len(entry.outcomes) for entry in judged)
    return Result(
        items=len(wanted),
        generations=sum(1 for generation in answers.values() if generation.answer is not None),
        verdicts=read,
        missing=asked - read,
        users=len({item.user_id for item in wanted}),
        persona=_pairwise(judged, QuestionType.PERSONA),
        profile=_pairwise(judged, QuestionType.PROFILE),
        schedule=_rate([entry for entry in judged if entry.item.type is QuestionType.SCHEDULE], _CREDIT),
        total=_total(judged),
        by_split=tuple(
            (split, _total([entry for entry in judged if entry.item.split == split]))
            for split in sorted({item.split for item in wanted})
        ),
        position_consistency=_consistency(judged),
        prefill_efficiency=_rounded(prefill_efficiency(answers.values())),
        failures=tuple(sorted(Counter(str(row.failure) for row in answers.values() if row.failure).items())),
    )


def _latest(generations: Iterable[Generation]) -> dict[str, Generation]:
    """The last attempt at each question, in the order of question ids; between equal ones the content decides."""
    by_question: dict[str, Generation] = {}
    for row in sorted(generations, key=lambda row: (row.key.question_id, row.attempt, row.model_dump_json())):
        by_question[row.key.question_id] = row
    return by_question


def _outcomes(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, SlotOrder], Outcome]:
    """The last readable verdict on each content in each order; between equal attempts the word decides."""
    found = {}
    for row in sorted(verdicts, key=lambda row: (row.verdict_key, row.attempt, row.word or "")):
        if row.outcome is not None:
            found[row.key.question_id, row.key.content_hash, row.key.slot_order] = row.outcome
    return found


def _judge(item: Item, answer: Generation | None, outcomes: Mapping[tuple[str, str, SlotOrder], Outcome]) -> Judged:
    """Joins an item with the verdicts on its answer."""
    if answer is None or answer.content_hash is None:
        return Judged(item, ())
    found = (outcomes.get((item.question_id, answer.content_hash, order)) for order in item.orders)
    return Judged(item, tuple(outcome for outcome in found if outcome is not None))


def _credit(entry: Judged, credit: Mapping[Outcome, float]) -> float:
    """An item's score in 0..100: the mean over its orders."""
    return 100 * sum(credit.get(outcome, 0.0) for outcome in entry.outcomes) / len(entry.outcomes)


def _user_sums(entries: Sequence[Judged], users: Sequence[int], credit: Mapping[Outcome, float]) -> list[UserSums]:
    """Sums the scores of judged items by user."""
    scores: dict[int, list[float]] = defaultdict(list)
    for entry in entries:
        if entry.outcomes:
            scores[entry.item.user_id].append(_credit(entry, credit))
    return [UserSums(sum(scores[user]), len(scores[user])) for user in users]


def _users(entries: Sequence[Judged]) -> list[int]:
    """The users of some items, sorted."""
    return sorted({entry.item.user_id for entry in entries})


def _rate(entries: Sequence[Judged], credit: Mapping[Outcome, float]) -> Rate:
    """The mean score of some items, with counts and interval."""
    sums = _user_sums(entries, _users(entries), credit)
    return Rate(
        value=_rounded(ratio(sums)),
        judged=sum(1 for entry in entries if entry.outcomes),
        items=len(entries),
        interval=_cut(clustered_interval([Part(sums)]), 100.0) if sums else None,
    )


def _pairwise(judged: Sequence[Judged], type_: QuestionType) -> PairwiseScores:
    """Win, tie and loss rates and the score of one question type."""
    entries = [entry for entry in judged if entry.item.type is type_]
    return PairwiseScores(
        win=_rate(entries, {Outcome.WIN: 1.0}),
        tie=_rate(entries, {Outcome.TIE: 1.0}),
        loss=_rate(entries, {Outcome.LOSS: 1.0}),
        score=_rate(entries, _CREDIT),
    )


def _total(judged: Sequence[Judged]) -> Total:
    """The paper's Total; None unless every question type has a judged item."""
    users = _users(judged)
    by_type = {type_: [entry for entry in judged if entry.item.type is type_] for type_ in TOTAL_WEIGHTS}
    parts = [Part(_user_sums(by_type[type_], users, _CREDIT), weight) for type_, weight in TOTAL_WEIGHTS.items()]
    rates = [ratio(part.users) for part in parts]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(TOTAL_WEIGHTS):
        return Total(value=None, worst_case=None, interval=None)
    worst = [_worst_case(by_type[type_]) for type_ in TOTAL_WEIGHTS]
    return Total(
        value=_rounded(total_of(known[0], known[1], known[2])),
        worst_case=_rounded(total_of(worst[0], worst[1], worst[2])),
        interval=_cut(clustered_interval(parts), HIGHEST_TOTAL),
    )


def _worst_case(entries: Sequence[Judged]) -> float:
    """The mean score in 0..100 if every missing verdict were a loss."""
    return sum(
        100 * sum(_CREDIT[outcome] for outcome in entry.outcomes) / len(entry.item.orders) for entry in entries
    ) / len(entries)


def _consistency(judged: Sequence[Judged]) -> Rate:
    """Share of two-order items, both orders judged, whose verdicts agree."""
    pairs = [entry for entry in judged if len(entry.item.orders) == 2]
    whole = [entry for entry in pairs if len(entry.outcomes) == 2]
    users = _users(whole)
    agreeing: dict[int, list[float]] = defaultdict(list)
    for entry in whole:
        agreeing[entry.item.user_id].append(100.0 if entry.outcomes[0] is entry.outcomes[1] else 0.0)
    sums = [UserSums(sum(agreeing[user]), len(agreeing[user])) for user in users]
    return Rate(
        value=_rounded(ratio(sums)),
        judged=len(whole),
        items=len(pairs),
        interval=_cut(clustered_interval([Part(sums)]), 100.0) if sums else None,
    )


def _cut(interval: Interval | None, highest: float) -> Interval | None:
    """Cuts an interval to the possible range."""
    if interval is None:
        return None
    return Interval(
        low=round(max(0.0, interval.low), _DIGITS),
        high=round(min(highest, interval.high), _DIGITS),
        users=interval.users,
    )


def _rounded(value: float | None) -> float | None:
    """Rounds what is published, so that the last bits of a sum never show."""
    return None if value is None else round(value, _DIGITS)
