"""From scorecards to public rows, and back: figures are public, whatever they were made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from evaluator.facts import ModelFacts
from evaluator.hicupid.user_scores import UserScore
from evaluator.identity import canonical_json
from evaluator.metrics.intervals import UserSums
from evaluator.results import Gap, Interval, Rate, Total
from leaderboard.open_data.board import FACTS, OpenGap, OpenRate, OpenScorecard, OpenTotal
from leaderboard.open_data.cleaning import NO_SECRETS, Secrets, clean
from leaderboard.open_data.records import OpenCard, OpenUserScore, WholeCard
from leaderboard.results import Provenance, Scorecard, model_family
from leaderboard.scorecards import UserScores
from leaderboard.store.rows import read_record

if TYPE_CHECKING:
    from leaderboard.board.build import BoardRow

REASONS = "; "
"""What parts the reasons why a scorecard does not rank."""
_AS_THEY_ARE = (
    "submission_id",
    "run_id",
    "model",
    "revision",
    "adapter",
    "adapter_revision",
    "submitter",
    "protocol",
    "protocol_config",
    "judge",
    "judge_revision",
    "judge_config",
    "judge_status",
    "prompt_pack",
    "prompt_pack_status",
    "data_source",
    "data_sha",
    "instruction_moved",
    "engine",
    "engine_version",
    "dtype",
    "hardware",
    "judge_engine",
    "judge_engine_version",
    "judge_dtype",
    "judge_hardware",
    "rows_sha",
    "peak_rss_mb",
    "created_at",
)
_AS_OBJECTS = ("context", "chat_template_arguments", "engine_flags", "stage_seconds")
_COUNTS = ("items", "users", "generations", "judged", "judged_share", "verdicts", "missing", "clashes")
_RATES = ("schedule", "bleu", "rouge_l", "evidence_recall", "position_consistency", "slot_a_share")
_TERMS = ("season", "licence", "redistributable", "personal_data")


def open_scorecard(row: BoardRow, card: Scorecard, secrets: Secrets = NO_SECRETS) -> OpenScorecard:
    """Returns the public row of the board.

    Args:
        row: The scorecard's row on the board: its rank, and the figures that take several scorecards.
        card: The scorecard itself.
        secrets: Texts that must not appear.
    """
    public = clean(card, secrets)
    low, high = row.rank_interval or (None, None)
    low_there, high_there = row.rank_under_judge_interval or (None, None)
    return OpenScorecard.model_validate(
        {
            "scorecard_id": card.id,
            "rank": row.rank,
            "rank_low": low,
            "rank_high": high,
            "rank_under_judge": row.rank_under_judge,
            "rank_under_judge_low": low_there,
            "rank_under_judge_high": high_there,
            "judge_status_since": row.judge_status_since,
            "unranked_because": REASONS.join(row.unranked_because),
            **{name: getattr(public, name) for name in _AS_THEY_ARE},
            **{name: canonical_json(dict(getattr(public, name))) for name in _AS_OBJECTS},
            **{name: getattr(public.terms, name) for name in _TERMS},
            **dict(public.declaration),
            **facts_of(public),
            **_figures(row, card),
            "prefill_efficiency": card.result.prefill_efficiency,
        }
    )


def facts_of(card: Provenance) -> dict[str, Any]:
    """Returns what is known of the model that a scorecard is of, by column; see `FACTS`."""
    facts = card.facts or ModelFacts()
    own = {"model_licence": facts.licence, "model_family": model_family(card)}
    return {name: own[name] if name in own else getattr(facts, name) for name in FACTS}


def _figures(row: BoardRow, card: Scorecard) -> dict[str, Any]:
    """Returns all figures and counts of a scorecard by column."""
    result, found = card.result, row.desiderata
    because = {"missing": result.missing_because, "defects": result.defects, "failures": result.failures}
    return {
        **{name: getattr(result, name) for name in _COUNTS},
        **{name: _rate(getattr(result, name)) for name in _RATES},
        **{f"persona_{name}": _rate(rate) for name, rate in result.persona},
        **{f"profile_{name}": _rate(rate) for name, rate in result.profile},
        **{f"{name}_because": canonical_json(dict(pairs)) for name, pairs in because.items()},
        "total": _total(result.total),
        "aui": found.aui.value,
        "uii": found.uii.value,
        "mi": found.mi.value,
        "pr": found.pr.value,
        "lc": found.lc and _gap(found.lc),
        "generalisation": found.generalisation and _gap(found.generalisation),
        "defects": sum(count for _, count in result.defects),
        "failures": sum(count for _, count in result.failures),
    }


def _rate(rate: Rate) -> OpenRate:
    return OpenRate(value=rate.value, judged=rate.judged, items=rate.items, **_ends(rate.interval))


def _total(total: Total) -> OpenTotal:
    return OpenTotal(
        value=total.value,
        worst_case=total.worst_case,
        judged=total.judged,
        items=total.items,
        **_ends(total.interval),
    )


def _gap(gap: Gap) -> OpenGap:
    return OpenGap(
        value=gap.value,
        first=gap.between[0],
        first_judged=gap.judged[0],
        second=gap.between[1],
        second_judged=gap.judged[1],
        **_ends(gap.interval) | {"users": gap.users},
    )


def gap_of(gap: OpenGap) -> Gap:
    """Returns the gap that was laid out as a public one."""
    low, high = gap.low, gap.high
    return Gap(
        value=gap.value,
        interval=None if low is None or high is None else Interval(low=low, high=high, users=gap.users),
        judged=(gap.first_judged, gap.second_judged),
        users=gap.users,
        between=(gap.first, gap.second),
    )


def _ends(interval: Interval | None) -> dict[str, Any]:
    """Returns the ends of an interval, and the users that it rests on."""
    return asdict(interval) if interval else {"low": None, "high": None, "users": None}


def open_card(card: Scorecard, secrets: Secrets = NO_SECRETS) -> OpenCard:
    """Returns a whole scorecard as a public row; what looks like a secret in it is taken out.

    Args:
        card: The scorecard.
        secrets: Texts that must not appear.
    """
    return OpenCard(
        id=card.id,
        model=card.model,
        protocol=card.protocol,
        judge=card.judge,
        created_at=card.created_at,
        scorecard=clean(card, secrets).model_dump_json(),
    )


def card_of(row: WholeCard | OpenCard) -> Scorecard:
    """Returns the scorecard of a public row.

    Raises:
        RapportError: `data_error` if the row holds none.
    """
    return read_record(row.scorecard, Scorecard, f"scorecard {row.id}")


def open_user_scores(card: Scorecard, scores: UserScores) -> list[OpenUserScore]:
    """Returns the public rows of a scorecard's users.

    Args:
        card: The scorecard.
        scores: Its users' sums.
    """
    return [
        OpenUserScore(
            scorecard_id=card.id,
            rows_sha=scores.rows_sha,
            model=card.model,
            protocol=card.protocol,
            judge=card.judge,
            split=user.split,
            user_id=user.user_id,
            persona_sum=user.persona.total,
            persona_items=user.persona.items,
            profile_sum=user.profile.total,
            profile_items=user.profile.items,
            schedule_sum=user.schedule.total,
            schedule_items=user.schedule.items,
        )
        for user in scores.users
    ]


def sums_of(rows: Iterable[OpenUserScore]) -> Mapping[str, tuple[UserScore, ...]]:
    """Returns the users' sums of public rows by scorecard, each in the order of splits and user ids."""
    found: dict[str, list[UserScore]] = defaultdict(list)
    for row in rows:
        persona = UserSums(row.persona_sum, row.persona_items)
        profile = UserSums(row.profile_sum, row.profile_items)
        schedule = UserSums(row.schedule_sum, row.schedule_items)
        found[row.scorecard_id].append(UserScore(row.split, row.user_id, persona, profile, schedule))
    return {name: tuple(sorted(users, key=lambda user: user.user)) for name, users in found.items()}
