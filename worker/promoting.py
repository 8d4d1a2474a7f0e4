"""Promotions, as the publisher carries them out: the scorecards go to where all others lie, then one file switches."""

from __future__ import annotations

from redis import Redis

from leaderboard.records import protocol_of
from leaderboard.rescoring.promotions import Promotion, Promotions, read_promotions
from leaderboard.rescoring.records import Rescore, RescoreStep
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store import layout
from leaderboard.store.base import Operation, Store, Write
from leaderboard.store.rows import read_record
from leaderboard.submissions import keys
from worker.parts import Part

CARDS_A_COMMIT = 20


class Promoter:
    """Carries out promotions.

    Until the last scorecard lies with the others nothing ranks under the new judge, and ranks under the old one stay;
    the commit that names the new judge switches all of them. Whatever it is cut off by, doing it again changes nothing.

    Example:
        >>> part = Promoter(redis, store).gather(rescore)  # doctest: +SKIP
    """

    def __init__(self, redis: Redis, store: Store) -> None:
        """Reads `store`."""
        self._redis, self._store = redis, store
        self._known: Promotions | None = None
        self._copied: dict[str, set[str]] = {}
        """For each re-score, the files of scorecards that were copied by this process."""

    def gather(self, rescore: Rescore) -> Part | None:
        """Returns the next commit of a promotion; None if it was carried out."""
        promotions = self._promotions()
        if any(each.rescore_id == rescore.id for each in promotions.promotions):
            return None
        copied = self._copied.setdefault(rescore.id, set())
        left = [path for path in self._store.list(layout.rescored_cards_folder(rescore.id)) if path not in copied]
        if not left:
            return self._switch(rescore, promotions)
        turn = left[:CARDS_A_COMMIT]
        writes = tuple(operation for path in turn for operation in self._copies(path, rescore.id))
        return Part(f"{len(turn)} scorecards of {rescore.id}", writes, lambda: copied.update(turn))

    def restore(self) -> None:
        """Reads from the archive which judges were promoted, and tells workers."""
        self._known = None
        self._tell(self._promotions())

    def _copies(self, path: str, rescore_id: str) -> tuple[Operation, ...]:
        """Returns what puts a scorecard and its users' sums with all others."""
        content = self._store.read(path)
        card = read_record(content, Scorecard, path)
        users_path = layout.rescored_users_path(rescore_id, card.id)
        users = self._store.read(users_path)
        read_record(users, UserScores, users_path)
        return (
            Write(layout.scorecard_path(card.model, card.id), content),
            Write(layout.user_scores_path(card.model, card.id), users),
        )

    def _switch(self, rescore: Rescore, promotions: Promotions) -> Part:
        """Returns the commit from which on the judge of a re-score decides ranks."""
        decided = next(event for event in rescore.events if event.step is RescoreStep.PROMOTED)
        new = tuple(
            Promotion(
                protocol=protocol,
                judge=rescore.judge,
                judge_revision=rescore.judge_revision,
                judge_config=rescore.judge_config,
                rescore_id=rescore.id,
                at=decided.at,
                actor=decided.actor,
                reason=decided.reason,
            )
            for protocol in sorted({protocol_of(run_id) for run_id in rescore.runs})
        )
        after = Promotions(promotions=(*promotions.promotions, *new))
        write = Write(layout.PROMOTIONS, after.model_dump_json().encode())
        return Part(f"promotion of {rescore.judge}", (write,), lambda: self._tell(after))

    def _tell(self, promotions: Promotions) -> None:
        """Tells workers by whom new runs are judged."""
        self._known = promotions
        self._redis.set(keys.PROMOTIONS, promotions.model_dump_json())

    def _promotions(self) -> Promotions:
        """Returns the promotions that the archive holds."""
        if self._known is None:
            self._known = read_promotions(self._store)
        return self._known
