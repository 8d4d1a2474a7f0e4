"""Rows to figures: a pure function, so that equal rows give a byte-identical result on any machine.

Rows are sorted before anything is summed, and every figure is rounded once, at the end.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias, overload

from evaluator.hicupid.outcomes import CREDIT, JudgedItem, MadeOn, count_clashes, join_rows
from evaluator.hicupid.questions import Item, QuestionType
from evaluator.metrics.efficiency import prefill_efficiency
from evaluator.metrics.intervals import Part, UserSums, clustered_interval, ratio
from evaluator.records import Generation, Outcome, SlotOrder, Verdict
from evaluator.results import Interval, PairwiseScores, Rate, Result, Scores, SplitScores, Total

TOTAL_WEIGHTS = {QuestionType.PERSONA: 25 / 40, QuestionType.PROFILE: 5 / 40, QuestionType.SCHEDULE: 10 / 40 / 2}
"""Total = (25 * persona + 5 * profile + 10 * schedule / 2) / 40, derived from the published rows."""

HIGHEST_TOTAL = 87.5
_DIGITS = 6

User: TypeAlias = tuple[str, int]
"""Split and user id."""
Figure: TypeAlias = Callable[[JudgedItem], float | None]
"""An item's part in a rate in 0..100; None where it does not count."""


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


def score(
    items: Iterable[Item],
    generations: Iterable[Generation],
    verdicts: Iterable[Verdict],
    made_on: MadeOn | None = None,
) -> Result:
    """Returns the result part of a scorecard.

    Args:
        items: Everything that the protocol asks.
        generations: Rows of one model under one protocol.
        verdicts: Rows of one judge.
        made_on: Which rows count where there are several on the same thing; see `join_rows`.
    """
    answered, said = list(generations), list(verdicts)
    entries = join_rows(items, answered, said, made_on)
    answers = [entry.answer for entry in entries if entry.answer is not None]
    pairs = [entry for entry in entries if len(entry.item.orders) == 2 and not entry.lost_by_defect]
    judged = sum(entry.judged for entry in entries)
    splits = sorted({entry.item.split for entry in entries})
    return Result(
        **dict(_scores(entries)),
        items=len(entries),
        generations=sum(row.content_hash is not None for row in answers),
        judged=judged,
        judged_share=rounded(judged / len(entries)) if entries else None,
        defects=_counts(str(row.defect) for row in answers if row.defect),
        verdicts=sum(len(entry.read) for entry in entries if not entry.lost_by_defect),
        missing=sum(len(entry.missing_because) for entry in entries),
        missing_because=_counts(cause for entry in entries for cause in entry.missing_because),
        failures=_counts(str(row.failure) for row in answers if row.failure),
        clashes=count_clashes(answered, said),
        users=len(users_of(entries)),
        by_split=tuple(
            SplitScores(split=split, **dict(_scores([entry for entry in entries if entry.item.split == split])))
            for split in splits
        ),
        bleu=rate_of_items(entries, lambda entry: entry.answer.bleu if entry.answer else None),
        rouge_l=rate_of_items(entries, lambda entry: entry.answer.rouge_l if entry.answer else None),
        evidence_recall=rate_of_items([entry for entry in entries if entry.item.evidence], _recall),
        position_consistency=rate_of_items(pairs, agreement_of),
        slot_a_share=_slot_a_share(pairs),
        prefill_efficiency=rounded(prefill_efficiency(answers)),
    )


def users_of(entries: Iterable[JudgedItem]) -> list[User]:
    """Returns the users of some items, sorted."""
    return sorted({_user(entry) for entry in entries})


def sums_by_user(entries: Iterable[JudgedItem], users: Sequence[User], figure: Figure) -> list[UserSums]:
    """Sums a figure of some items by user, in the order of `users`; items without it do not count."""
    figures: dict[User, list[float]] = defaultdict(list)
    for entry in entries:
        value = figure(entry)
        if value is not None:
            figures[_user(entry)].append(value)
    return [UserSums(math.fsum(figures[user]), len(figures[user])) for user in users]


def score_of(entry: JudgedItem) -> float | None:
    """Returns an item's score in 0..100: the mean of its verdicts; None if one is missing."""
    return 100 * sum(CREDIT[outcome] for outcome in entry.read) / len(entry.read) if entry.judged else None


def cut(interval: Interval | None, lowest: float, highest: float) -> Interval | None:
    """Cuts an interval to the possible range and rounds it."""
    if interval is None:
        return None
    return Interval(
        low=round(max(lowest, interval.low), _DIGITS),
        high=round(min(highest, interval.high), _DIGITS),
        users=interval.users,
    )


@overload
def rounded(value: float) -> float: ...
@overload
def rounded(value: float | None) -> float | None: ...
def rounded(value: float | None) -> float | None:
    """Rounds what is published, so that the last bits of a sum never show."""
    return None if value is None else round(value, _DIGITS)


def _user(entry: JudgedItem) -> User:
    """Names an item's user: ids of different splits may be the same."""
    return entry.item.split, entry.item.user_id


def rate_of_items(entries: Sequence[JudgedItem], figure: Figure) -> Rate:
    """The mean of a figure over the items that have it, with counts and interval."""
    return _rate_of(sums_by_user(entries, users_of(entries), figure), len(entries))


def _rate_of(sums: Sequence[UserSums], items: int) -> Rate:
    """The rate that users' sums come to."""
    return Rate(
        value=rounded(ratio(sums)),
        judged=sum(user.items for user in sums),
        items=items,
        interval=cut(clustered_interval([Part(sums)]), 0.0, 100.0),
    )


def share_of(wanted: Outcome) -> Figure:
    """Returns the figure that says how often an item came out so."""
    return lambda entry: 100 * entry.read.count(wanted) / len(entry.read) if entry.judged else None


def _scores(entries: Sequence[JudgedItem]) -> Scores:
    """The scores of some items."""
    by_type = {type_: [entry for entry in entries if entry.item.type is type_] for type_ in TOTAL_WEIGHTS}
    return Scores(
        persona=_pairwise(by_type[QuestionType.PERSONA]),
        profile=_pairwise(by_type[QuestionType.PROFILE]),
        schedule=rate_of_items(by_type[QuestionType.SCHEDULE], score_of),
        total=_total(by_type),
    )


def _pairwise(entries: Sequence[JudgedItem]) -> PairwiseScores:
    """Win, tie and loss rates and the score of one question type."""
    return PairwiseScores(
        win=rate_of_items(entries, share_of(Outcome.WIN)),
        tie=rate_of_items(entries, share_of(Outcome.TIE)),
        loss=rate_of_items(entries, share_of(Outcome.LOSS)),
        score=rate_of_items(entries, score_of),
    )


def _total(by_type: Mapping[QuestionType, Sequence[JudgedItem]]) -> Total:
    """The paper's Total."""
    entries = [entry for some in by_type.values() for entry in some]
    users = users_of(entries)
    parts = [Part(sums_by_user(by_type[type_], users, score_of), weight) for type_, weight in TOTAL_WEIGHTS.items()]
    rates = [rate for part in parts if (rate := ratio(part.users)) is not None]
    worst = [_worst_case(by_type[type_]) for type_ in TOTAL_WEIGHTS if by_type[type_]]
    return Total(
        value=rounded(total_of(*rates)) if len(rates) == len(parts) else None,
        worst_case=rounded(total_of(*worst)) if len(worst) == len(parts) else None,
        judged=sum(user.items for part in parts for user in part.users),
        items=len(entries),
        interval=cut(clustered_interval(parts), 0.0, HIGHEST_TOTAL),
    )


def _worst_case(entries: Sequence[JudgedItem]) -> float:
    """The mean score in 0..100 if every missing verdict were a loss."""
    earned = (sum(CREDIT[outcome] for outcome in entry.read) / len(entry.outcomes) for entry in entries)
    return 100 * math.fsum(earned) / len(entries)


def _recall(entry: JudgedItem) -> float | None:
    """The share of an item's evidence that its context showed, in 0..100."""
    recall = entry.answer.evidence_recall if entry.answer else None
    return None if recall is None else 100 * recall


def agreement_of(entry: JudgedItem) -> float | None:
    """100 where both verdicts on a pair agree, 0 where they do not."""
    return 100.0 * (len(set(entry.read)) == 1) if entry.judged else None


def _slot_a_share(pairs: Sequence[JudgedItem]) -> Rate:
    """How often slot A was preferred, of all preferences in pairs whose two verdicts were read."""
    preferred: dict[User, list[float]] = {user: [] for user in users_of(pairs)}
    for entry in pairs:
        if entry.judged:
            preferred[_user(entry)] += [
                100.0 * ((outcome is Outcome.WIN) == (order is SlotOrder.ANSWER_FIRST))
                for order, outcome in zip(entry.item.orders, entry.read, strict=True)
                if outcome is not Outcome.TIE
            ]
    return _rate_of([UserSums(math.fsum(slots), len(slots)) for slots in preferred.values()], 2 * len(pairs))


def _counts(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Counts names, sorted."""
    return tuple(sorted(Counter(names).items()))
