"""Where a re-score stands, in words for a terminal."""

from __future__ import annotations

from leaderboard.rescoring.desk import RescoreProgress
from leaderboard.rescoring.records import Rescore, RescoreEvent

_FAILURES_SHOWN = 20


def rescore_lines(rescore: Rescore, progress: RescoreProgress, *, whole: bool) -> list[str]:
    """Returns where a re-score stands; with all that happened to it if `whole`.

    Example:
        >>> rescore_lines(rescore, progress, whole=False)  # doctest: +SKIP
        ['r-20260101-0a1b2c3d  running  judge other at 0a1b2c3d4e5f: 12 of 30 runs judged, 1 failed']
    """
    judged = f"{progress.done:,} of {progress.runs:,} runs judged"
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    under_way = (
        f", {progress.verdicts:,} of {progress.verdicts_wanted:,} verdicts of those under way"
        if progress.verdicts_wanted
        else ""
    )
    revision = rescore.judge_revision[:12]
    lines = [f"{rescore.id}  {rescore.status}  judge {rescore.judge} at {revision}: {judged}{failed}{under_way}"]
    if not whole:
        return lines
    lines += [f"  {rescore.words}"] if rescore.words else []
    lines += [f"  {line}" for event in rescore.events if event.run_id is None for line in _event_lines(event)]
    for run_id, failure in list(rescore.failed.items())[:_FAILURES_SHOWN]:
        lines.append(f"  failed: {run_id}: {failure.cause}: {failure.message} {failure.remedy}")
    if len(rescore.failed) > _FAILURES_SHOWN:
        lines.append(f"  and {len(rescore.failed) - _FAILURES_SHOWN:,} more; --json has them all")
    return lines


def _event_lines(event: RescoreEvent) -> list[str]:
    """Writes one thing that happened."""
    at = f"{event.at:%Y-%m-%d %H:%M} UTC"
    lines = [f"{at}  {event.step} by {event.actor}" + (f": {event.reason}" if event.reason else "")]
    if event.failure:
        lines.append(f"    {event.failure.cause}: {event.failure.message} {event.failure.remedy}")
    return lines
