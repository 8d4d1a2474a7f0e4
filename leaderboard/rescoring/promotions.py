"""Which judge decides ranks: what a judge's own file says, until a re-score under another one is promoted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from redis import Redis

from evaluator.judges.spec import JudgeSpec
from evaluator.protocol import load_protocol, protocol_ids
from evaluator.records import Record
from leaderboard.records import Moment
from leaderboard.results import JUDGE_REASONS, Scorecard
from leaderboard.store import layout
from leaderboard.store.base import NotFound, Store
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys

RETIRED = JUDGE_REASONS["retired"]
"""Why a result does not rank whose judge decided ranks before another one was promoted."""


class Promotion(Record):
    """A judge that decides the ranks of a protocol from some moment on."""

    protocol: str
    judge: str
    judge_revision: str
    judge_config: str
    rescore_id: str
    at: Moment
    actor: str
    reason: str

    def is_of(self, card: Scorecard) -> bool:
        """Says whether a scorecard is one of this judge, as it was promoted."""
        own = (card.protocol, card.judge, card.judge_revision, card.judge_config)
        return own == (self.protocol, self.judge, self.judge_revision, self.judge_config)


class Promotions(Record):
    """All promotions there ever were, the oldest first; of a protocol the last one holds."""

    schema_version: Literal[1] = 1
    promotions: tuple[Promotion, ...] = ()

    def of(self, protocol: str) -> Promotion | None:
        """Returns the promotion that holds for a protocol; None if its own judge does."""
        return next((each for each in reversed(self.promotions) if each.protocol == protocol), None)


NOTHING_PROMOTED = Promotions()
"""Every protocol has the judge that its own file names."""


def told_promotions(redis: Redis) -> Promotions:
    """Returns the promotions of which the publisher tells workers.

    Raises:
        RapportError: `data_error` if they cannot be read.
    """
    value = redis.get(keys.PROMOTIONS)
    return NOTHING_PROMOTED if value is None else read_record(value, Promotions, keys.PROMOTIONS)


def read_promotions(store: Store) -> Promotions:
    """Reads the promotions that an archive holds; none where nothing was ever promoted.

    Raises:
        RapportError: `data_error` if the file cannot be read.
        StoreError: If the store cannot be read.
    """
    try:
        return read_record(store.read(layout.PROMOTIONS), Promotions, layout.PROMOTIONS)
    except NotFound:
        return NOTHING_PROMOTED


def is_promoted(card: Scorecard, promotions: Promotions) -> bool:
    """Says whether a scorecard counts: one that came of a re-score does once that was promoted.

    Before, it may lie with all others already, as they are copied some at a time; readers see all of them or none.
    """
    return card.rescore_id is None or any(each.rescore_id == card.rescore_id for each in promotions.promotions)


def as_promoted(card: Scorecard, promotions: Promotions) -> Scorecard:
    """Returns a scorecard with the status that its judge has by now, and what follows from that.

    The scorecard of a promoted judge ranks unless something else is in its way; what its predecessor judged does not.
    """
    if (promotion := promotions.of(card.protocol)) is None:
        return card
    told = JUDGE_REASONS.get(card.judge_status)
    left = tuple(reason for reason in card.unranked_because if reason != told)
    if promotion.is_of(card):
        return card.model_copy(update={"judge_status": "official", "unranked_because": left})
    if card.judge_status != "official" and not any(each.is_of(card) for each in promotions.promotions):
        return card
    return card.model_copy(update={"judge_status": "retired", "unranked_because": (RETIRED, *left)})


def status_since(card: Scorecard, promotions: Promotions) -> Moment | None:
    """Returns when promotions gave a scorecard's judge the status that it has by now; None where none did.

    Args:
        card: The scorecard, as `as_promoted` returns it.
        promotions: All promotions.
    """
    of_protocol = [each for each in promotions.promotions if each.protocol == card.protocol]
    since = None
    for before, each in zip([None, *of_protocol], of_protocol, strict=False):
        own, owned = each.is_of(card), before is not None and before.is_of(card)
        # A judge that is promoted again for what it left decides as before.
        if own != owned or (before is None and card.judge_status == "retired"):
            since = each.at
    return since if card.judge_status in ("official", "retired") else None


def judges_as_promoted(judges: Iterable[JudgeSpec], promotions: Promotions) -> list[JudgeSpec]:
    """Returns judges with the status that each has by now: one that others took over from everywhere is retired."""
    held = {each.protocol: each.judge for each in promotions.promotions}
    once = {each.judge for each in promotions.promotions}
    own = [(protocol.id, protocol.judge) for protocol in map(load_protocol, protocol_ids())]

    def status(judge: JudgeSpec) -> str:
        if judge.id in held.values():
            return "official"
        if judge.status == "official":
            lost = [protocol in held for protocol, named in own if named == judge.id]
            return "retired" if lost and all(lost) else "official"
        return "retired" if judge.id in once else judge.status

    return [judge.model_copy(update={"status": status(judge)}) for judge in judges]
