"""Looks at one run: whether its rows can be read, fit its plan and one another, and add up to its scorecards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from evaluator.human.items import HumanItem
from evaluator.human.tasks import JudgedTask
from evaluator.records import Generation, Verdict
from leaderboard.records import Plan
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.scorecards import RunRows, UserScores
from leaderboard.store import layout
from leaderboard.store.base import Delete, Operation, Store, Write
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import decode_rows, read_record
from leaderboard.store.runs import CompactPlan, StoredRun, is_compact
from leaderboard.upkeep.findings import ITS_OWN, FindingKind, Found, found, unreadable
from leaderboard.upkeep.places import ROWS
from leaderboard.upkeep.recount import Recounted, recount, recount_human
from leaderboard.upkeep.traces import Traces

_DOUBLE = "Of several rows on one thing fixed rules choose one; look at how they came to be stored."


AnyCard: TypeAlias = Scorecard | HumanScorecard
"""A scorecard of a run of either suite."""


def check_run(
    archive: Store,
    run_id: str,
    cards: Mapping[str, AnyCard],
    users: Iterable[str],
    traces: Traces,
) -> Iterator[Found]:
    """Yields what is wrong with a run, its scorecards and the users' sums behind them.

    Args:
        archive: Where all of it lies.
        run_id: The run.
        cards: Its scorecards that can be read, by path; none that came from a re-score.
        users: Paths of users' sums of this run.
        traces: What was taken down.
    """
    stored = StoredRun(archive, run_id)
    try:
        plan, rows = stored.plan(), stored.rows()
    except ITS_OWN as error:
        named = list(unreadable_files(archive, run_id))
        yield from named or [unreadable(layout.run_folder(run_id), error)]
        return
    yield from check_plan(run_id, plan)
    if plan is None or plan.run_id != run_id:
        return
    folder = layout.run_folder(run_id)
    yield from _check_rows(folder, plan, rows)
    yield from traces.in_run(folder, plan, rows)
    there = set(users)
    of_people = any(isinstance(item, HumanItem) for item in plan.items)
    for path, card in cards.items():
        if isinstance(card, HumanScorecard) != of_people:
            yield found(FindingKind.REFERENCE, path, "Its run asks something of another suite.")
        elif isinstance(card, HumanScorecard):
            yield from _compare(path, card, recount_human(card, plan, rows) or card)
        else:
            yield from check_card(archive, path, card, plan, rows, there)


def check_plan(run_id: str, plan: Plan | None) -> Iterator[Found]:
    """Yields what is wrong with the plan of a run, or of a judging."""
    path = layout.plan_path(run_id)
    if plan is None:
        yield found(FindingKind.REFERENCE, path, "It is missing, so nothing says what was asked.")
    elif plan.run_id != run_id:
        yield found(FindingKind.MISPLACED, path, f"It is the plan of {plan.run_id}.")


def check_card(
    archive: Store, path: str, card: Scorecard, plan: Plan, rows: RunRows, there: Collection[str]
) -> Iterator[Found]:
    """Compares a scorecard, and the users' sums behind it, with what its rows come to.

    Args:
        archive: Where all of it lies.
        path: Of the scorecard.
        card: What it says.
        plan: What was asked.
        rows: What came out.
        there: Paths of users' sums.
    """
    if (counted := recount(card, plan, rows)) is None:
        folder = layout.run_folder(plan.run_id)
        yield found(FindingKind.REFERENCE, folder, "No report says what its rows were made on.")
        return
    yield from _compare(path, card, counted.card)
    places = users_places(path, card)
    yield from _check_users(archive, counted, places, next((each for each in places if each in there), None))


def users_places(path: str, card: Scorecard) -> tuple[str, ...]:
    """Returns where the users' sums behind a scorecard lie, and after that where they lay before."""
    if path.startswith(f"{layout.RESCORES}/"):
        return (layout.rescored_users_path(str(card.rescore_id), card.id),)
    return tuple(place(card.model, card.id) for place in (layout.user_scores_path, layout.old_user_scores_path))


def _check_rows(folder: str, plan: Plan, rows: RunRows) -> Iterator[Found]:
    """Yields what is wrong with rows beside one another."""
    asked = {item.question_id for item in plan.items}
    # What a judge reads at these tasks is a pair of answers or a part of one; scoring anew looks for each of those.
    verdicts = [] if any(isinstance(item.task, JudgedTask) for item in _labelled(plan)) else rows.verdicts
    strange = sum(row.key.question_id not in asked for row in rows.generations)
    if strange := strange + sum(row.key.question_id not in asked for row in verdicts):
        yield found(FindingKind.REFERENCE, folder, f"{strange} rows are on questions that its plan does not ask.")
    yield from check_answers(folder, rows.generations, verdicts)
    yield from check_doubled(folder, "answers", ((row.input_key, row.attempt) for row in rows.generations))
    yield from check_doubled(folder, "verdicts", ((row.verdict_key, row.attempt) for row in rows.verdicts))


def check_answers(folder: str, generations: Iterable[Generation], verdicts: Iterable[Verdict]) -> Iterator[Found]:
    """Yields the finding of verdicts on answers that nobody gave."""
    answers = {(row.key.question_id, row.content_hash) for row in generations}
    orphans = [row for row in verdicts if (row.key.question_id, row.key.content_hash) not in answers]
    if orphans:
        example = orphans[0].verdict_key
        yield found(FindingKind.ORPHAN, folder, f"{len(orphans)} verdicts are on answers that it has not: {example}.")


def check_doubled(folder: str, word: str, names: Iterable[tuple[Hashable, int]]) -> Iterator[Found]:
    """Yields the finding of rows that stand there more than once."""
    if doubled := [name for name, count in Counter(names).items() if count > 1]:
        message = f"{len(doubled)} {word} stand there more than once: {doubled[0][0]}."
        yield found(FindingKind.DOUBLE, folder, message, _DOUBLE)


def _labelled(plan: Plan) -> Iterator[HumanItem]:
    """Yields the items of people's labels that a plan has."""
    return (item for item in plan.items if isinstance(item, HumanItem))


def _compare(path: str, card: AnyCard, counted: AnyCard) -> Iterator[Found]:
    """Compares a scorecard with what its rows come to."""
    if card == counted:
        return
    what = "result" if card.result != counted.result else "digest of its rows"
    message = f"Its {what} is not what its rows come to."
    yield found(FindingKind.SCORECARD, path, message, "", Write(path, counted.model_dump_json().encode()))


def _check_users(archive: Store, counted: Recounted, places: Sequence[str], lies: str | None) -> Iterator[Found]:
    """Compares the users' sums of a scorecard with what its rows come to."""
    if lies is None:
        message = "It is missing, and the scorecard with it from all comparisons."
        yield found(FindingKind.USER_SCORES, places[0], message, "", *_put_users(counted, places[0], None))
        return
    try:
        users: UserScores | None = read_record(archive.read(lies), UserScores, lies)
    except ITS_OWN as error:
        finding, _ = unreadable(lies, error)
        yield found(finding.kind, lies, finding.message, "", *_put_users(counted, places[0], lies))
        return
    if users != counted.users:
        message = "It is not what the rows come to."
        yield found(FindingKind.USER_SCORES, lies, message, "", *_put_users(counted, places[0], lies))


def _put_users(counted: Recounted, path: str, lies: str | None) -> list[Operation]:
    """Returns what puts users' sums where they belong, and away from where they lay."""
    write = Write(path, counted.users.model_dump_json().encode())
    return [write] if lies in (None, path) else [write, Delete(str(lies))]


def unreadable_files(archive: Store, run_id: str) -> Iterator[Found]:
    """Yields every file of a run, or of a judging, that cannot be read by itself."""
    for path in archive.list(layout.run_folder(run_id)):
        try:
            _read(archive.read(path), path, run_id)
        except ITS_OWN as error:
            yield unreadable(path, error)


def _read(content: bytes, path: str, run_id: str) -> None:
    """Reads a file of a run.

    Raises:
        RapportError: `data_error` if it cannot be read.
    """
    name = path.removeprefix(f"{layout.run_folder(run_id)}/")
    kind = ROWS.get(name.partition("/")[0].removesuffix(".parquet"))
    if kind is not None and name.endswith(".parquet"):
        decode_parquet(content, kind, path)
    elif kind is not None:
        decode_rows(content, kind, path)
    elif name == "plan.json":
        read_record(content, CompactPlan if is_compact(content) else Plan, path)
