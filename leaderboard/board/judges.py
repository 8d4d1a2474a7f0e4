"""The board of judges: what is public of each, its quality and its canaries, for whoever shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias, TypeVar

from evaluator.errors import RapportError
from evaluator.judges.canaries import JudgeCheck
from evaluator.judges.quality.records import JudgeQuality
from leaderboard.open_data import layout
from leaderboard.open_data.columns import columns_of, from_columns
from leaderboard.open_data.judges import OpenJudge, OpenJudgeCheck, OpenJudgeQuality
from leaderboard.open_data.records import OpenRecord
from leaderboard.store.base import NotFound, Revision, Store, StoreError
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import read_record

Row = TypeVar("Row", bound=OpenRecord)
Version: TypeAlias = tuple[str, str, str]
"""Commit, digest of the configuration, and prompts of a judge."""

_ORDER = ("official", "candidate", "retired", "demo")
"""In which judges are shown, by status."""
_TOLD_IN = (layout.JUDGES, layout.JUDGE_QUALITY, layout.JUDGE_CHECKS)
"""The files that tell of all judges."""


class JudgeRow(NamedTuple):
    """One version of a judge; one of which nothing is known yet has one row."""

    judge: OpenJudge
    """What the judge is by now; `quality` and `checks` name the commit and configuration that they are of."""
    quality: JudgeQuality | None
    """None where nobody has worked it out for this version."""
    checks: tuple[JudgeCheck, ...]
    """What canaries said of this version, engine by engine."""
    computed_at: datetime | None
    """When the quality was worked out; None where it was not."""
    files: tuple[str, ...] = ()
    """Public files of judges and the folder of this one's verdicts, those that are there; folders end with `/`."""

    @property
    def version(self) -> Version | None:
        """Commit, configuration and prompts that quality and checks are of; None where there are neither."""
        if self.quality is not None:
            return self.quality.revision, self.quality.config, self.quality.prompt_pack
        return _version_of(self.checks[0]) if self.checks else None

    @property
    def is_present(self) -> bool:
        """Whether that is the judge as it is by now, as far as its configuration tells."""
        return self.version is None or self.version[1] == self.judge.judge_config


class JudgeBoard(NamedTuple):
    """All judges, as they are public."""

    revision: Revision
    rows: tuple[JudgeRow, ...]
    """By status (official, candidate, retired, demo), then id, then what has judged most answers first."""
    problems: tuple[str, ...]
    """What could not be read, a sentence each."""


class _Known(NamedTuple):
    """What is known of one version."""

    quality: JudgeQuality | None
    computed_at: datetime | None
    checks: tuple[JudgeCheck, ...]


def build_judge_board(results: Store) -> JudgeBoard:
    """Reads the board of judges from the public results alone.

    A file that is not there yet is empty; one that cannot be read costs itself, a row that cannot be read the row, and
    both are named in `problems`.

    Raises:
        StoreError: If the store as a whole cannot be read.

    Example:
        >>> build_judge_board(stores.results).rows  # doctest: +SKIP
        ()
    """
    problems: list[str] = []
    revision = results.head()
    judges = {row.id: row for row in _read(results, layout.JUDGES, OpenJudge, problems)}
    known = _known(results, problems)
    problems += [
        f"Something is told of the judge {name}, which {layout.JUDGES} does not name."
        for name in sorted(known.keys() - judges.keys())
    ]
    told, judging = _files(results)
    rows = [
        JudgeRow(
            judge,
            version.quality,
            version.checks,
            version.computed_at,
            (*told, f"{layout.VERDICTS}/{name}/") if name in judging else told,
        )
        for name, judge in judges.items()
        for version in known.get(name) or [_Known(None, None, ())]
    ]
    return JudgeBoard(revision, tuple(sorted(rows, key=_order)), tuple(problems))


def _known(results: Store, problems: list[str]) -> Mapping[str, Sequence[_Known]]:
    """Reads what is told of each version of each judge."""
    qualities: dict[tuple[str, Version], tuple[JudgeQuality, datetime]] = {}
    for row in _read(results, layout.JUDGE_QUALITY, OpenJudgeQuality, problems):
        try:
            quality = read_record(row.quality, JudgeQuality, f"{layout.JUDGE_QUALITY}#{row.judge}")
        except RapportError as error:
            problems.append(error.message)
            continue
        version = quality.revision, quality.config, quality.prompt_pack
        qualities[quality.judge, version] = quality, row.computed_at
    checks: dict[tuple[str, Version], list[JudgeCheck]] = defaultdict(list)
    wholes = {row.whole: None for row in _read(results, layout.JUDGE_CHECKS, OpenJudgeCheck, problems)}
    for whole in wholes:
        try:
            check = read_record(whole, JudgeCheck, layout.JUDGE_CHECKS)
        except RapportError as error:
            problems.append(error.message)
            continue
        checks[check.judge, _version_of(check)].append(check)
    found: dict[str, list[_Known]] = defaultdict(list)
    for place in sorted(qualities.keys() | checks.keys()):
        told = qualities.get(place)
        own = tuple(checks.get(place, ()))
        found[place[0]].append(_Known(*told, own) if told else _Known(None, None, own))
    return found


def _files(results: Store) -> tuple[tuple[str, ...], frozenset[str]]:
    """Lists which of the files of judges are there, and the judges of which there are verdicts."""
    there = {path for folder in sorted({path.split("/")[0] for path in _TOLD_IN}) for path in results.list(folder)}
    judging = frozenset(path.split("/")[1] for path in results.list(layout.VERDICTS))
    return tuple(path for path in _TOLD_IN if path in there), judging


def _read(results: Store, path: str, kind: type[Row], problems: list[str]) -> list[Row]:
    """Reads the rows of a file; none if it is not there, or cannot be read, which is noted."""
    try:
        return [from_columns(row, kind) for row in decode_parquet(results.read(path), columns_of(kind), path)]
    except NotFound:
        return []
    except (RapportError, StoreError) as error:
        problems.append(error.message if isinstance(error, RapportError) else f"{path} cannot be read: {error}.")
        return []


def _order(row: JudgeRow) -> tuple[int, str, bool, int, Version]:
    """Says where a row stands."""
    answers = row.quality.answers if row.quality else 0
    return _ORDER.index(row.judge.status), row.judge.id, not row.is_present, -answers, row.version or ("", "", "")


def _version_of(check: JudgeCheck) -> Version:
    """Returns the version that a check is of."""
    return check.judge_revision, check.judge_config, check.prompt_pack
