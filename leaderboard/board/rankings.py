"""Which results are ranked together: those that differ in nothing but the model."""

from __future__ import annotations

from typing import NamedTuple

from leaderboard.results import JUDGE_REASONS, Provenance, Scorecard

OF_JUDGE = frozenset(JUDGE_REASONS.values())
"""Reasons that are about the judge's status alone: they keep a result out of the official ranking, and of no other."""


class Ranking(NamedTuple):
    """What two results must share to be ranked against each other; fields are those of `Provenance`."""

    protocol: str
    judge: str
    judge_revision: str
    prompt_pack: str
    data_sha: str
    protocol_config: str
    judge_config: str
    judge_engine: str
    judge_dtype: str
    context: tuple[tuple[str, str], ...]


def ranking_of(row: Provenance) -> Ranking:
    """Names the ranking that a result belongs to: whatever differs in one of these is not comparable."""
    return Ranking(*(getattr(row, name) for name in Ranking._fields))


def takes_part(card: Scorecard) -> bool:
    """Says whether a scorecard takes part in its ranking."""
    return not card.unranked_because and card.result.total.value is not None


def takes_part_under_judge(card: Scorecard) -> bool:
    """Says whether a scorecard takes part in its ranking, or would if its judge decided ranks."""
    return OF_JUDGE.issuperset(card.unranked_because) and card.result.total.value is not None
