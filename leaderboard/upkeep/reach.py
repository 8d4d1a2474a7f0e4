"""Finds all that a takedown concerns: submissions, files and rows, wherever in the stores they stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from pydantic import Field

from evaluator.records import Record
from leaderboard.open_data import layout as open_layout
from leaderboard.open_data.files import encode_labels
from leaderboard.open_data.people import OpenLabel
from leaderboard.records import Lane, Plan, submission_of
from leaderboard.release.derive import all_submissions
from leaderboard.rescoring.records import is_of_rescore, judged_run_of, rescore_of
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.scorecards import RunRows
from leaderboard.store import layout
from leaderboard.store.base import Delete, Operation, Store, Write
from leaderboard.store.items import decode_items
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun
from leaderboard.submissions.history import History
from leaderboard.upkeep.objections_taken import objections_of
from leaderboard.upkeep.places import Sort, place_of
from leaderboard.upkeep.records import Takedown, TakedownKind
from leaderboard.upkeep.recount import recount, recount_human
from leaderboard.upkeep.row_changes import Changes, change_run, changes_of
from leaderboard.upkeep.run_check import users_places

_AT_ONCE = 200


class Reach(Record):
    """What a takedown concerns."""

    submissions: tuple[str, ...] = ()
    """Submissions whose results change or go."""
    runs: tuple[str, ...] = ()
    """Their runs of which rows change or go."""
    files: int = Field(default=0, ge=0)
    """Files that change or go."""


def submissions_of(archive: Store, kind: TakedownKind, name: str) -> list[str]:
    """Returns the submissions that are named, or are of the model that is.

    Raises:
        RapportError: `data_error` if a history cannot be read: it may be of the model.
    """
    known = all_submissions(archive)
    if kind is TakedownKind.SUBMISSION:
        return [name] if name in known else []
    paths = [layout.submission_path(each) for each in known]
    return [history.submission.id for history in _histories(archive, paths) if history.submission.model == name]


def files_of_results(archive: Store, history: History) -> list[str]:
    """Returns the paths of all rows, scorecards and users' sums of a submission, whoever judged it."""
    begins, model = f"{history.submission.id}.", history.submission.model
    cards = [
        *layout.scorecards_folders(model),
        *_user_scores_folders(model),
        layout.human_scorecards_folder(model),
    ]
    named = [path for folder in cards for path in archive.list(folder) if path.rpartition("/")[2].startswith(begins)]
    day = layout.run_folder(history.submission.run_ids()[0]).rpartition("/")[0]
    named += [path for path in archive.list(day) if path.startswith(f"{day}/{begins}")]
    rescored = ((path, place_of(path)) for folder in (layout.RUNS, layout.RESCORES) for path in archive.list(folder))
    own = history.submission.id
    return named + [path for path, place in rescored if place and place.judging and place.submission == own]


def runs_with(archive: Store, changes: Changes, tell: Callable[[str], None]) -> Iterator[tuple[str, list[Operation]]]:
    """Yields the runs and judgings whose rows change, each with what changes them and their scorecards, as one commit.

    Args:
        archive: The store.
        changes: What becomes of rows.
        tell: Told of each that is looked at.

    Raises:
        RapportError: `data_error` if one cannot be read: it may hold what is to go.
    """
    places = {path: place for path in archive.list() if (place := place_of(path))}
    cards: dict[str, list[str]] = defaultdict(list)
    for path, place in places.items():
        if place.sort in (Sort.SCORECARD, Sort.HUMAN_SCORECARD):
            cards[place.name.partition("@")[0]].append(path)
        elif place.sort is Sort.RESCORED_CARD:
            cards[place.judging].append(path)
    for name in sorted({place.name for place in places.values() if place.sort in (Sort.RUN, Sort.JUDGING)}):
        tell(name)
        stored = StoredRun(archive, name)
        plan = stored.plan()
        if operations := change_run(stored, plan, changes):
            # A scorecard that was promoted lies among those of its run.
            paths = [*cards[name], *(cards[judged_run_of(name)] if is_of_rescore(name) else ())]
            yield name, [*operations, *_recounted(stored, plan and changes.of_plan(plan), paths)]


def items_with(archive: Store, changes: Changes) -> list[Operation]:
    """Returns what takes out the files of items that change: what runs ask by now stands in others.

    Args:
        archive: The store, all of whose runs were changed.
        changes: What becomes of items.

    Raises:
        RapportError: `data_error` if one cannot be read: it may hold what is to go.
    """
    paths = archive.list(layout.ITEMS)
    return [
        Delete(path)
        for path in paths
        if any(changes.item(item) != item for item in decode_items(archive.read(path), path))
    ]


def labels_without(results: Store, person: str) -> list[Operation]:
    """Returns what takes a person's labels out of the public ones."""
    operations: list[Operation] = []
    for path in results.list(open_layout.LABELS):
        labels = decode_parquet(results.read(path), OpenLabel, path)
        left = [label for label in labels if label.annotator != person]
        if len(left) != len(labels):
            operations.append(Write(path, encode_labels(left)) if left else Delete(path))
    return operations


def look(archive: Store, results: Store, takedown: Takedown, tell: Callable[[str], None]) -> Reach:
    """Returns what a takedown concerns, and changes nothing.

    Raises:
        RapportError: `data_error` if something cannot be read that may be concerned.
    """
    if changes := changes_of(takedown.kind, takedown.name):
        found = {name: len(operations) for name, operations in runs_with(archive, changes, tell)}
        labels = 0
        if takedown.kind is TakedownKind.PERSON:
            of_person = archive.list(layout.person_folder(takedown.name))
            labels = len(labels_without(results, takedown.name)) + len(of_person)
            labels += len(objections_of(archive, takedown.kind, takedown.name, ()))
        files = sum(found.values()) + labels
        runs = tuple(sorted({judged_run_of(name) if is_of_rescore(name) else name for name in found}))
        return Reach(submissions=tuple(sorted(set(map(submission_of, runs)))), runs=runs, files=files)
    named = submissions_of(archive, takedown.kind, takedown.name)
    histories = list(_histories(archive, map(layout.submission_path, named)))
    paths = [path for history in histories for path in files_of_results(archive, history)]
    paths += objections_of(archive, takedown.kind, takedown.name, named)
    runs = tuple(run_id for history in histories for run_id in history.submission.run_ids())
    return Reach(submissions=tuple(named), runs=runs, files=len(paths))


def _histories(archive: Store, paths: Iterable[str]) -> Iterator[History]:
    """Reads histories."""
    wanted = list(paths)
    for start in range(0, len(wanted), _AT_ONCE):
        for path, content in archive.read_all(wanted[start : start + _AT_ONCE]).items():
            yield read_record(content, History, path)


def _recounted(stored: StoredRun, plan: Plan | None, paths: Iterable[str]) -> Iterator[Operation]:
    """Yields the scorecards and users' sums of a run, or of a judging, as its changed plan and rows have them."""
    if plan is None:
        return
    rows, rescore_id = _rows_behind(stored), rescore_of(stored.run_id) if is_of_rescore(stored.run_id) else None
    for path in paths:
        content = stored.store.read(path)
        if path.startswith(f"{layout.HUMAN_SCORECARDS}/"):
            human = read_record(content, HumanScorecard, path)
            yield Write(path, (recount_human(human, plan, rows) or human).model_dump_json().encode())
            continue
        card = read_record(content, Scorecard, path)
        if card.rescore_id == rescore_id and (counted := recount(card, plan, rows)):
            yield Write(path, counted.card.model_dump_json().encode())
            users, *before = users_places(path, card)
            yield Write(users, counted.users.model_dump_json().encode())
            yield from map(Delete, before)


def _rows_behind(stored: StoredRun) -> RunRows:
    """Returns the rows of a run as they are known to `stored`; of a judging, with the answers that it judged."""
    rows = stored.rows()
    if not is_of_rescore(stored.run_id):
        return rows
    run = StoredRun(stored.store, judged_run_of(stored.run_id)).rows()
    return RunRows(run.generations, rows.verdicts, [*run.reports_of(Lane.GENERATE), *rows.reports_of(Lane.JUDGE)])


def _user_scores_folders(model: str) -> list[str]:
    """Returns the folders of a model's users' sums: where they lie, and where they lay before."""
    return [place(model, "x").rpartition("/")[0] for place in (layout.user_scores_path, layout.old_user_scores_path)]
