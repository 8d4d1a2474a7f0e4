"""Takes an archive to the form that is written today: old places, old versions, and results in many small files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from evaluator.judges.canaries import JudgeCheck
from evaluator.parquet import read_table
from evaluator.records import Record, UpgradedRecord
from leaderboard.objections.records import Objection
from leaderboard.records import Plan, Tombstone
from leaderboard.rescoring.promotions import Promotions
from leaderboard.rescoring.records import Rescore
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store import layout
from leaderboard.store.base import Delete, Operation, Store, Write
from leaderboard.store.parquet import decode_parquet, encode_parquet
from leaderboard.store.rows import decode_rows, encode_rows, read_record
from leaderboard.store.runs import CompactPlan, StoredRun, compact, is_compact
from leaderboard.submissions.history import History
from leaderboard.upkeep.findings import ITS_OWN
from leaderboard.upkeep.places import ROWS, Place, Sort, place_of
from leaderboard.upkeep.records import Takedown
from leaderboard.upkeep.writing import Writer

_KINDS: Mapping[Sort, type[Record]] = {
    Sort.HISTORY: History,
    Sort.TOMBSTONE: Tombstone,
    Sort.TAKEDOWN: Takedown,
    Sort.SCORECARD: Scorecard,
    Sort.HUMAN_SCORECARD: HumanScorecard,
    Sort.USER_SCORES: UserScores,
    Sort.RESCORE: Rescore,
    Sort.RESCORED_CARD: Scorecard,
    Sort.RESCORED_USERS: UserScores,
    Sort.PROMOTIONS: Promotions,
    Sort.JUDGE_CHECK: JudgeCheck,
    Sort.OBJECTION: Objection,
}
_CARDS = (Sort.SCORECARD, Sort.HUMAN_SCORECARD, Sort.RESCORED_CARD)
_ROWS = (Sort.RUN, Sort.JUDGING)


class Reason(StrEnum):
    """Why something is rewritten."""

    MOVED = "moved"
    """It lies where it lay in older versions."""
    UPGRADED = "upgraded"
    """It is written as older versions wrote it."""
    COMPACTED = "compacted"
    """It is a published run, or one that a re-score has judged, in many small files."""


class Migration(NamedTuple):
    """One thing that is rewritten, as one commit or together with others."""

    reason: Reason
    path: str
    operations: tuple[Operation, ...]


class Skipped(NamedTuple):
    """Something that cannot be read and stays as it is."""

    path: str
    because: str


def migrations(archive: Store, tell: Callable[[int], None] = lambda count: None) -> Iterator[Migration | Skipped]:
    """Yields what is to be rewritten; nothing of what was.

    Args:
        archive: The store.
        tell: Told how many files and runs were looked at.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    places = {path: place for path in archive.list() if (place := place_of(path))}
    cards = (place for place in places.values() if place.sort in _CARDS)
    scored = {card.judging or card.name.partition("@")[0] for card in cards}
    compacted = set[str]()
    for count, (path, place) in enumerate(places.items(), start=1):
        try:
            if place.sort in _KINDS:
                found = _of_file(archive, path, place, places)
            elif place.sort not in _ROWS or place.name in compacted:
                found = None
            elif place.name in scored and (found := _of_run(archive, place.name)):
                compacted.add(place.name)
            else:
                found = _of_rows(archive, path)
        except ITS_OWN as error:
            yield Skipped(path, str(error))
        else:
            yield from [found] if found else []
        tell(count)


def migrate(archive: Store, mark: str, found: Iterator[Migration | Skipped]) -> Iterator[Migration | Skipped]:
    """Rewrites what was found, and yields it; who is interrupted begins again with what is left.

    Args:
        archive: The store; its publisher is at rest.
        mark: What stands at the end of each message.
        found: What is to be rewritten.

    Raises:
        Conflict: If somebody else writes to the store meanwhile.
        StoreError: If the store fails.
    """
    writer, words = Writer(archive, mark), "rewritten in the present form"
    for each in found:
        if isinstance(each, Migration):
            writer.put(each.operations, words)
        yield each
    writer.flush(words)


def _of_file(archive: Store, path: str, place: Place, places: Mapping[str, Place]) -> Migration | None:
    """Returns what becomes of a record in a file of its own."""
    content = archive.read(path)
    written = read_record(content, _KINDS[place.sort], path).model_dump_json().encode()
    if place.old:
        new = _present_path(place)
        # Where both are there, the one in the present place counts.
        moved: tuple[Operation, ...] = () if new in places else (Write(new, written),)
        return Migration(Reason.MOVED, path, (*moved, Delete(path)))
    return Migration(Reason.UPGRADED, path, (Write(path, written),)) if written != content else None


def _present_path(place: Place) -> str:
    """Returns where something lies today."""
    if place.sort is Sort.TOMBSTONE:
        return layout.tombstone_path(place.name)
    of = layout.scorecard_path if place.sort is Sort.SCORECARD else layout.user_scores_path
    return of(place.model, place.name)


def _of_run(archive: Store, run_id: str) -> Migration | None:
    """Returns what becomes of a run, or of a judging, that has its scorecard."""
    operations = compact(StoredRun(archive, run_id))
    return Migration(Reason.COMPACTED, layout.run_folder(run_id), tuple(operations)) if operations else None


def _of_rows(archive: Store, path: str) -> Migration | None:
    """Returns what becomes of a plan or rows that are written as an older version wrote them."""
    name = PurePosixPath(path)
    if name.name == "plan.json":
        return _of_plan(archive, path)
    kind = ROWS.get(name.parent.name if name.suffix == ".jsonl" else name.stem)
    if kind is None or not issubclass(kind, UpgradedRecord):
        return None
    content = archive.read(path)
    if name.suffix == ".jsonl":
        written = encode_rows(decode_rows(content, kind, path))
    else:
        versions = read_table(content, ["schema_version"])["schema_version"].unique().to_pylist()
        is_old = not kind.upgrades.keys().isdisjoint(versions)
        written = encode_parquet(decode_parquet(content, kind, path), kind) if is_old else content
    return Migration(Reason.UPGRADED, path, (Write(path, written),)) if written != content else None


def _of_plan(archive: Store, path: str) -> Migration | None:
    """Returns what becomes of a plan, in whichever form it lies there."""
    content = archive.read(path)
    kind = CompactPlan if is_compact(content) else Plan
    written = read_record(content, kind, path).model_dump_json().encode()
    return Migration(Reason.UPGRADED, path, (Write(path, written),)) if written != content else None
