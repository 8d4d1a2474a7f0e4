"""What Redis holds of judgings: those that a takedown concerns are closed, and no row of theirs is taken in any more.

Which judgings are open stands in Redis alone. The publisher lays those that it misses out anew, from what the archive
holds by then: of a run that is gone it notes a failure, and an answer whose text is gone is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from redis import Redis

from evaluator.errors import Cause
from leaderboard.connection import text
from leaderboard.records import Failure, submission_of
from leaderboard.rescoring.desk import RescoreDesk, RescoreMovedMeanwhile
from leaderboard.rescoring.records import NEXT, RescoreStep, judged_run_of, rescore_of
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.submissions import keys

TAKEN_DOWN = Failure(
    cause=Cause.CANCELLED,
    message="It was taken down.",
    remedy="Begin another re-score without it: what is judged by now is not judged again.",
)
"""Why a run that was taken down is not judged."""
_ANY = "r-*"
"""Names of judgings."""


def open_judgings_of(redis: Redis, submission_id: str) -> list[str]:
    """Returns the judgings of a submission's runs of which Redis holds anything, sorted."""
    found = set[str]()
    for name in (keys.plan, keys.batches):
        begin = len(name(""))
        found |= {text(key)[begin:] for key in redis.scan_iter(name(_ANY), count=1000)}
    return sorted(name for name in found if submission_of(judged_run_of(name)) == submission_id)


def close_judgings(redis: Redis, names: Collection[str]) -> None:
    """Drops judgings with all that Redis holds of them, and ends their leases.

    Who judges one at this moment cannot hand it over any more, and nobody can claim a shard of it.
    """
    leases = [text(key) for key in redis.scan_iter(keys.lease(_ANY, "*"), count=1000)] if names else []
    desk = RescoreDesk(redis)
    for name in names:
        begins = keys.lease(f"{name}.", "").removesuffix(":")
        if ended := [key for key in leases if key.startswith(begins)]:
            redis.delete(*ended)
        desk.close([name], rescore_of(name))


def note_taken_down(redis: Redis, run_ids: Iterable[str], actor: str) -> None:
    """Notes in re-scores that go on, or are paused, that some of their runs were taken down; once of each."""
    desk, gone = RescoreDesk(redis), set(run_ids)
    for rescore in desk.all():
        for run_id in gone.intersection(rescore.runs) - rescore.failed.keys():
            if RescoreStep.RUN_FAILED not in NEXT[rescore.status]:
                break
            try:
                desk.note(rescore.id, RescoreStep.RUN_FAILED, actor, run_id=run_id, failure=TAKEN_DOWN)
            except RescoreMovedMeanwhile:
                break  # It has ended, so that nobody judges the run for it.


def count_cards(redis: Redis, archive: Store) -> None:
    """Counts anew how many scorecards each re-score has."""
    for rescore in RescoreDesk(redis).all():
        redis.set(keys.rescored(rescore.id), len(archive.list(layout.rescored_cards_folder(rescore.id))))
