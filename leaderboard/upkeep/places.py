"""What lies at a path of the archive, told from the path alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from evaluator.records import Generation, Record, Verdict
from leaderboard.records import ShardReport, submission_of
from leaderboard.store import layout
from leaderboard.upkeep.records import TAKEDOWNS

ROWS: Mapping[str, type[Record]] = {"generations": Generation, "verdicts": Verdict, "reports": ShardReport}
"""Rows of runs, by the names of their folders and files."""


class Sort(StrEnum):
    """What a file of the archive may be."""

    HISTORY = "history"
    TOMBSTONE = "tombstone"
    TAKEDOWN = "takedown"
    ITEMS = "items"
    RUN = "run"
    """Plan or rows of a run."""
    PERSON = "person"
    """What a person did on the labelling page."""
    SCORECARD = "scorecard"
    HUMAN_SCORECARD = "human_scorecard"
    USER_SCORES = "user_scores"


class Place(NamedTuple):
    """What lies at a path."""

    sort: Sort
    name: str
    """The submission, the run, the scorecard, the person, or the digest that it is called after."""
    model: str = ""
    """Of a scorecard and its users' sums."""
    old: bool = False
    """Whether things of this sort lay there in older versions, and lie elsewhere by now."""

    @property
    def submission(self) -> str:
        """The submission that it belongs to; empty if it belongs to none."""
        return submission_of(self.name) if self.sort not in (Sort.TAKEDOWN, Sort.ITEMS, Sort.PERSON) else ""


_ID = r"s-\d{8}-[0-9a-f]{8}"
_RUN = re.compile(rf"({_ID}\.[^/]+)/(?:plan\.json|(?:generations|verdicts|reports)(?:\.parquet|/[^/]+\.jsonl))")
_CARD = re.compile(rf"{_ID}\.[^/@]+@[^/]+")
_HASHED = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})\.(?:parquet|json)")
_OF_PERSON = re.compile(r"[0-9a-f]{2}/(annotator-[0-9a-z]{5,40})/([0-9]{6})\.jsonl")
_HALF_WRITTEN = re.compile(r".*(?:\.(?:tmp|temp|part|partial|new|incomplete|lock|swp)|~)", re.IGNORECASE)


def place_of(path: str) -> Place | None:
    """Returns what lies at a path; None if nothing of ours does.

    Example:
        >>> place_of("submissions/202601/01/s-20260101-0a1b2c3d.json").name
        's-20260101-0a1b2c3d'
        >>> place_of("submissions/202602/01/s-20260101-0a1b2c3d.json") is None
        True
    """
    folder, _, rest = path.partition("/")
    if folder in (layout.SUBMISSIONS, layout.TOMBSTONES):
        return _of_submission(folder, path)
    if folder in (layout.SCORECARDS, layout.USER_SCORES):
        return _of_card(folder, path, rest.split("/"))
    if folder == layout.HUMAN_SCORECARDS:
        return _of_human_card(path, rest.split("/"))
    if folder == layout.RUNS:
        return _of_run(path, rest)
    if folder == layout.ITEMS and (named := _HASHED.fullmatch(rest)) and path == layout.items_path(named[2]):
        return Place(Sort.ITEMS, named[2])
    if folder == layout.PEOPLE and (named := _OF_PERSON.fullmatch(rest)):
        return Place(Sort.PERSON, named[1]) if path == layout.person_path(named[1], int(named[2])) else None
    if folder == TAKEDOWNS and (named := _HASHED.fullmatch(rest.partition("/")[2])):
        return Place(Sort.TAKEDOWN, named[2])
    return None


def is_half_written(path: str) -> bool:
    """Says whether a name is one that tools give to what they have not finished.

    Example:
        >>> is_half_written("runs/plan.json.tmp"), is_half_written("runs/plan.json")
        (True, False)
    """
    return _HALF_WRITTEN.fullmatch(path) is not None


def _of_submission(folder: str, path: str) -> Place | None:
    """Tells histories and tombstones."""
    name = path.rpartition("/")[2].removesuffix(".json")
    if not re.fullmatch(_ID, name):
        return None
    if folder == layout.SUBMISSIONS:
        return Place(Sort.HISTORY, name) if path == layout.submission_path(name) else None
    if path == layout.tombstone_path(name):
        return Place(Sort.TOMBSTONE, name)
    return Place(Sort.TOMBSTONE, name, old=True) if path == layout.old_tombstone_path(name) else None


def _of_card(folder: str, path: str, parts: list[str]) -> Place | None:
    """Tells scorecards and users' sums."""
    name = parts[-1].removesuffix(".json")
    if not _CARD.fullmatch(name):
        return None
    is_card = folder == layout.SCORECARDS
    sort = Sort.SCORECARD if is_card else Sort.USER_SCORES
    new, old = (
        (layout.scorecard_path, layout.old_scorecard_path)
        if is_card
        else (layout.user_scores_path, layout.old_user_scores_path)
    )
    if path == new(model := "/".join(parts[1:-1]), name):
        return Place(sort, name, model)
    return Place(sort, name, model, old=True) if path == old(model := "/".join(parts[:-1]), name) else None


def _of_human_card(path: str, parts: list[str]) -> Place | None:
    """Tells scorecards of human-grounded tasks."""
    name, model = parts[-1].removesuffix(".json"), "/".join(parts[1:-1])
    if not _CARD.fullmatch(name) or path != layout.human_scorecard_path(model, name):
        return None
    return Place(Sort.HUMAN_SCORECARD, name, model)


def _of_run(path: str, rest: str) -> Place | None:
    """Tells the files of runs."""
    named = _RUN.fullmatch(rest.partition("/")[2].partition("/")[2])
    return Place(Sort.RUN, named[1]) if named and path.startswith(f"{layout.run_folder(named[1])}/") else None
