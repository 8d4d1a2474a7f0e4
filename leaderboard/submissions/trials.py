"""Tries that came to nothing, as events of a submission: nothing that people said, and no step of a run."""

from __future__ import annotations

from redis import Redis

from leaderboard.records import Amendment, AmendmentKind, Trial, now, submission_of
from leaderboard.submissions import keys
from leaderboard.submissions.scripts import NUMBERED

_NOTE = f"""
-- KEYS: events, unsaved. ARGV: event, submission id. It is saved with the next journal: nobody waits for it.
{NUMBERED}
local length = redis.call('LLEN', KEYS[1])
if length == 0 or is_last(KEYS[1], ARGV[1], length) then return 0 end
redis.call('RPUSH', KEYS[1], numbered(ARGV[1], length + 1))
redis.call('SADD', KEYS[2], ARGV[2])
return length + 1
"""


def note_trial(redis: Redis, actor: str, trial: Trial) -> None:
    """Adds a try to the history of its submission; does nothing if the ledger does not know that.

    Args:
        redis: An open connection.
        actor: Who tried.
        trial: What came of it.
    """
    submission_id = submission_of(trial.run_id)
    event = Amendment(
        kind=AmendmentKind.TRIED,
        submission_id=submission_id,
        sequence=1,
        at=now(),
        actor=actor,
        text="",
        trial=trial,
    )
    note = redis.register_script(_NOTE)
    note(keys=[keys.events(submission_id), keys.UNSAVED], args=[event.model_dump_json(), submission_id])
