"""From users' sums to the figures of a scorecard: the same as `evaluator.hicupid.scoring.score` gives of the rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import HIGHEST_TOTAL, TOTAL_WEIGHTS, cut, rounded, total_of
from evaluator.hicupid.user_scores import UserScore
from evaluator.metrics import student
from evaluator.metrics.intervals import Array, Estimate, UserSums, linearise
from evaluator.results import Interval, PairwiseScores, Rate, Result, Scores, SplitScores, Total
from leaderboard.board.tallies import FIGURES, TYPES, RunTally

_SCORES = [FIGURES.index(f"{type_}_score") for type_ in TYPES]
_WEIGHTS = np.array([TOTAL_WEIGHTS[QuestionType(type_)] for type_ in TYPES])


def result_of(tally: RunTally) -> Result:
    """Returns the result part of a scorecard."""
    counts = {kind: tally.counts.get(kind, {}) for kind in ("totals", "defects", "failures", "missing", "prefill")}
    totals = counts["totals"]
    everyone = np.ones(len(tally.users), dtype=np.bool_)
    splits = sorted({split for split, _ in tally.users})
    rates = _rates(tally, everyone)
    items, judged = totals.get("items", 0), totals.get("judged", 0)
    return Result(
        **dict(_scores(tally, everyone, rates)),
        items=items,
        generations=totals.get("generations", 0),
        judged=judged,
        judged_share=rounded(judged / items) if items else None,
        defects=tuple(counts["defects"].items()),
        verdicts=totals.get("verdicts", 0),
        missing=sum(counts["missing"].values()),
        missing_because=tuple(counts["missing"].items()),
        failures=tuple(counts["failures"].items()),
        clashes=sum(tally.counts.get("clashes", {}).values()),
        users=len(tally.users),
        by_split=tuple(_split_scores(tally, split) for split in splits),
        **{name: rates[name] for name in FIGURES[-5:]},
        prefill_efficiency=_prefill_efficiency(counts["prefill"]),
    )


def user_scores_of(tally: RunTally) -> tuple[UserScore, ...]:
    """Returns every asked user's sums, in the order of splits and user ids."""
    totals, items = tally.totals[:, _SCORES].tolist(), tally.items[:, _SCORES].astype(np.int64).tolist()
    return tuple(
        UserScore(*user, *map(UserSums, own, numbers))
        for user, own, numbers in zip(tally.users, totals, items, strict=True)
    )


def _split_scores(tally: RunTally, split: str) -> SplitScores:
    """The scores of one split."""
    mine = np.array([user[0] == split for user in tally.users])
    return SplitScores(split=split, **dict(_scores(tally, mine, _rates(tally, mine))))


def _scores(tally: RunTally, mine: NDArray[np.bool_], rates: dict[str, Rate]) -> Scores:
    """The scores of some users."""
    persona, profile = (
        PairwiseScores(**{share: rates[f"{type_}_{share}"] for share in ("win", "tie", "loss", "score")})
        for type_ in TYPES[:2]
    )
    total = _total(tally.totals[mine], tally.items[mine], tally.asked[mine], tally.earned[mine])
    return Scores(persona=persona, profile=profile, schedule=rates["schedule_score"], total=total)


def _rates(tally: RunTally, mine: NDArray[np.bool_]) -> dict[str, Rate]:
    """All rates of some users by name."""
    totals, items, asked = (sums[mine].T for sums in (tally.totals, tally.items, tally.asked))
    found = linearise(totals[..., None], items[..., None], np.ones(1))
    return {
        name: Rate(
            value=_value(totals[place], items[place]),
            judged=int(items[place].sum()),
            items=int(asked[place].sum()),
            interval=cut(interval, 0.0, 100.0),
        )
        for place, (name, interval) in enumerate(zip(FIGURES, _intervals(found), strict=True))
    }


def _total(totals: Array, items: Array, asked: Array, earned: Array) -> Total:
    """The paper's Total."""
    totals, items, asked = totals[:, _SCORES], items[:, _SCORES], asked[:, _SCORES].sum(axis=0)
    rates = [math.fsum(own) / number for own, number in zip(totals.T, items.sum(axis=0), strict=True) if number]
    worst = [100 * math.fsum(own) / number for own, number in zip(earned.T, asked, strict=True) if number]
    (interval,) = _intervals(linearise(totals[None], items[None], _WEIGHTS))
    return Total(
        value=rounded(total_of(*rates)) if len(rates) == len(TYPES) else None,
        worst_case=rounded(total_of(*worst)) if len(worst) == len(TYPES) else None,
        judged=int(items.sum()),
        items=int(asked.sum()),
        interval=cut(interval, 0.0, HIGHEST_TOTAL),
    )


def _value(totals: Array, items: Array) -> float | None:
    """The mean over all items of all users."""
    number = float(items.sum())
    return rounded(math.fsum(totals) / number) if number else None


def _intervals(found: Estimate) -> Sequence[Interval | None]:
    """The 95 % intervals of several estimates; see `clustered_interval`."""
    reach = student.ppf(0.975, found.freedom) * found.deviation
    return [
        Interval(low=value - far, high=value + far, users=users) if enough else None
        for value, far, users, enough in zip(
            *(figures.tolist() for figures in (found.value, reach, found.users, found.enough)), strict=True
        )
    ]


def _prefill_efficiency(counts: dict[str, int] | object) -> float | None:
    """Distinct over computed prompt tokens; see `prefill_efficiency`."""
    assert isinstance(counts, dict)
    if counts.get("untold") or not counts.get("computed"):
        return None
    return rounded(min(1.0, counts.get("distinct", 0) / counts["computed"]))
