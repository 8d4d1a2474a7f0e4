"""Looks at one judging: its verdicts beside the answers of the run that they are on, and the scorecards they led to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from leaderboard.records import Plan
from leaderboard.rescoring.records import judged_run_of, rescore_of
from leaderboard.rescoring.rows import rows_under
from leaderboard.results import Scorecard
from leaderboard.scorecards import RunRows
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.store.runs import StoredRun
from leaderboard.upkeep.findings import ITS_OWN, FindingKind, Found, found, unreadable
from leaderboard.upkeep.run_check import check_answers, check_card, check_doubled, check_plan, unreadable_files
from leaderboard.upkeep.traces import Traces


def check_judging(
    archive: Store, name: str, cards: Mapping[str, Scorecard], users: Collection[str], traces: Traces
) -> Iterator[Found]:
    """Yields what is wrong with a judging, the scorecards that it led to, and the users' sums behind them.

    Args:
        archive: Where all of it lies, the judged run too: what is wrong with that is not told here.
        name: The judging.
        cards: Its scorecards that can be read, by path: in the re-score's folder and, once promoted, among all others.
        users: Paths of users' sums of the judged run.
        traces: What was taken down.
    """
    folder, run_id = layout.run_folder(name), judged_run_of(name)
    try:
        plan, rows = StoredRun(archive, name).plan(), rows_under(archive, StoredRun(archive, run_id), rescore_of(name))
    except ITS_OWN as error:
        named = list(unreadable_files(archive, name))
        yield from named or ([unreadable(folder, error)] if _is_sound(archive, run_id) else [])
        return
    yield from check_plan(name, plan)
    if plan is None or plan.run_id != name:
        return
    own = RunRows((), rows.verdicts, ())
    yield from _check_verdicts(folder, plan, rows)
    yield from traces.in_run(folder, plan, own)
    for path, card in cards.items():
        yield from check_card(archive, path, card, plan, rows, users)


def _is_sound(archive: Store, run_id: str) -> bool:
    """Says whether a run can be read."""
    try:
        StoredRun(archive, run_id).rows()
    except ITS_OWN:
        return False
    return True


def _check_verdicts(folder: str, plan: Plan, rows: RunRows) -> Iterator[Found]:
    """Yields what is wrong with verdicts beside the answers of the run."""
    asked = {item.question_id for item in plan.items}
    if strange := sum(row.key.question_id not in asked for row in rows.verdicts):
        yield found(FindingKind.REFERENCE, folder, f"{strange} rows are on questions that its plan does not ask.")
    yield from check_answers(folder, rows.generations, rows.verdicts)
    yield from check_doubled(folder, "verdicts", ((row.verdict_key, row.attempt) for row in rows.verdicts))
