"""What lies at a path of the archive, told from the path alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from evaluator.records import Generation, Record, Verdict
from leaderboard.maintaining.journal import span_of
from leaderboard.records import ShardReport, submission_of
from leaderboard.rescoring.records import is_of_rescore, judged_run_of, judging_id
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
    RESCORE = "rescore"
    JUDGING = "judging"
    """Plan or rows of a run as a re-score judges it."""
    RESCORED_CARD = "rescored_card"
    """A scorecard that a re-score has come to, whether or not it counts by now."""
    RESCORED_USERS = "rescored_users"
    PROMOTIONS = "promotions"
    ACTS = "acts"
    """Entries of the log of what maintainers did."""
    OBJECTION = "objection"
    """What a reader objects to, and what was said to it."""
    JUDGE_CHECK = "judge_check"
    """What canaries said of a judge."""
    JUDGE_QUALITY = "judge_quality"
    """What was worked out of a judge."""
    LABELLED_SET = "labelled_set"
    """Terms of a labelled verdict file."""
    LABELLED_ROWS = "labelled_rows"
    """Its labels."""


_OF_NO_SUBMISSION = frozenset(
    {
        Sort.TAKEDOWN,
        Sort.ITEMS,
        Sort.PERSON,
        Sort.RESCORE,
        Sort.PROMOTIONS,
        Sort.ACTS,
        Sort.OBJECTION,
        Sort.JUDGE_CHECK,
        Sort.JUDGE_QUALITY,
        Sort.LABELLED_SET,
        Sort.LABELLED_ROWS,
    }
)


class Place(NamedTuple):
    """What lies at a path."""

    sort: Sort
    name: str
    """The submission, run, judging, scorecard, person, re-score, check, version of a judge, labelled verdict file,
    objection, or digest that it is called after."""
    model: str = ""
    """Of a scorecard and its users' sums, where the path tells it."""
    old: bool = False
    """Whether things of this sort lay there in older versions, and lie elsewhere by now."""
    rescore: str = ""
    """The re-score in whose folder it lies."""

    @property
    def is_check(self) -> bool:
        """Whether it is what canaries said of a judge."""
        return self.sort is Sort.JUDGE_CHECK

    @property
    def submission(self) -> str:
        """The submission that it belongs to; empty if it belongs to none."""
        if self.sort in _OF_NO_SUBMISSION:
            return ""
        return submission_of(judged_run_of(self.name) if self.sort is Sort.JUDGING else self.name)

    @property
    def judging(self) -> str:
        """The judging that it is, or that it comes from; empty if its path names none.

        Example:
            >>> Place(Sort.RESCORED_CARD, "s-1.demo-v1@demo", rescore="r-1").judging
            'r-1.s-1.demo-v1'
        """
        if self.sort is Sort.JUDGING:
            return self.name
        return judging_id(self.rescore, self.name.partition("@")[0]) if self.rescore else ""


_ID = r"s-\d{8}-[0-9a-f]{8}"
_RESCORE = r"r-\d{8}-[0-9a-f]{8}"
_RUN = re.compile(
    rf"((?:{_RESCORE}\.)?{_ID}\.[^/]+)/(?:plan\.json|(?:generations|verdicts|reports)(?:\.parquet|/[^/]+\.jsonl))"
)
_CARD = re.compile(rf"{_ID}\.[^/@]+@[^/]+")
_HASHED = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})\.(?:parquet|json)")
_OF_PERSON = re.compile(r"[0-9a-f]{2}/(annotator-[0-9a-z]{5,40})/([0-9]{6})\.jsonl")
_CHECK = re.compile(r"([a-z0-9][a-z0-9.-]{0,62}/[0-9a-f]{16}-[0-9a-f]{12})\.json")
_QUALITY = re.compile(r"([a-z0-9][a-z0-9.-]{0,62}/[0-9a-f]{16})\.json")
_OBJECTION = re.compile(r"[0-9a-f]{2}/(o-[0-9a-f]{24})\.json")
_LABELLED = re.compile(r"([a-z0-9][a-z0-9.-]{0,62})/(?:set\.json|labels\.parquet)")
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
    tell = _TOLD_BY.get(folder)
    return tell(path, rest) if tell else None


def is_half_written(path: str) -> bool:
    """Says whether a name is one that tools give to what they have not finished.

    Example:
        >>> is_half_written("runs/plan.json.tmp"), is_half_written("runs/plan.json")
        (True, False)
    """
    return _HALF_WRITTEN.fullmatch(path) is not None


def _of_submission(path: str, rest: str) -> Place | None:
    """Tells histories and tombstones."""
    name = rest.rpartition("/")[2].removesuffix(".json")
    if not re.fullmatch(_ID, name):
        return None
    if path == layout.submission_path(name):
        return Place(Sort.HISTORY, name)
    if path == layout.tombstone_path(name):
        return Place(Sort.TOMBSTONE, name)
    return Place(Sort.TOMBSTONE, name, old=True) if path == layout.old_tombstone_path(name) else None


def _of_card(path: str, rest: str) -> Place | None:
    """Tells scorecards and users' sums."""
    parts = rest.split("/")
    name = parts[-1].removesuffix(".json")
    if not _CARD.fullmatch(name):
        return None
    is_card = path.startswith(f"{layout.SCORECARDS}/")
    sort = Sort.SCORECARD if is_card else Sort.USER_SCORES
    new, old = (
        (layout.scorecard_path, layout.old_scorecard_path)
        if is_card
        else (layout.user_scores_path, layout.old_user_scores_path)
    )
    if path == new(model := "/".join(parts[1:-1]), name):
        return Place(sort, name, model)
    return Place(sort, name, model, old=True) if path == old(model := "/".join(parts[:-1]), name) else None


def _of_human_card(path: str, rest: str) -> Place | None:
    """Tells scorecards of human-grounded tasks."""
    parts = rest.split("/")
    name, model = parts[-1].removesuffix(".json"), "/".join(parts[1:-1])
    if not _CARD.fullmatch(name) or path != layout.human_scorecard_path(model, name):
        return None
    return Place(Sort.HUMAN_SCORECARD, name, model)


def _of_run(path: str, rest: str) -> Place | None:
    """Tells the files of runs and of judgings."""
    named = _RUN.fullmatch(rest.partition("/")[2].partition("/")[2])
    if not named or not path.startswith(f"{layout.run_folder(named[1])}/"):
        return None
    return Place(Sort.JUDGING if is_of_rescore(named[1]) else Sort.RUN, named[1])


def _of_rescore(path: str, rest: str) -> Place | None:
    """Tells re-scores, and what they have come to."""
    parts = rest.split("/")
    if len(parts) < _PARTS_OF_RESCORE or not re.fullmatch(_RESCORE, rescore := parts[2]):
        return None
    if path == layout.rescore_path(rescore):
        return Place(Sort.RESCORE, rescore)
    if not _CARD.fullmatch(name := parts[-1].removesuffix(".json")):
        return None
    if path == layout.rescored_card_path(rescore, name):
        return Place(Sort.RESCORED_CARD, name, rescore=rescore)
    is_users = path == layout.rescored_users_path(rescore, name)
    return Place(Sort.RESCORED_USERS, name, rescore=rescore) if is_users else None


def _of_items(path: str, rest: str) -> Place | None:
    """Tells what compacted runs asked."""
    named = _HASHED.fullmatch(rest)
    return Place(Sort.ITEMS, named[2]) if named and path == layout.items_path(named[2]) else None


def _of_person(path: str, rest: str) -> Place | None:
    """Tells what people did on the labelling page."""
    named = _OF_PERSON.fullmatch(rest)
    if not named or path != layout.person_path(named[1], int(named[2])):
        return None
    return Place(Sort.PERSON, named[1])


def _of_takedown(_: str, rest: str) -> Place | None:
    """Tells notes of what was taken down."""
    named = _HASHED.fullmatch(rest.partition("/")[2])
    return Place(Sort.TAKEDOWN, named[2]) if named else None


def _of_judge(path: str, rest: str) -> Place | None:
    """Tells what canaries said of judges, and what was worked out of them."""
    if named := _CHECK.fullmatch(rest):
        return Place(Sort.JUDGE_CHECK, named[1])
    named = _QUALITY.fullmatch(path.removeprefix(f"{layout.JUDGE_QUALITY}/"))
    return Place(Sort.JUDGE_QUALITY, named[1]) if named else None


def _of_labelled(path: str, rest: str) -> Place | None:
    """Tells labelled verdict files."""
    if not (named := _LABELLED.fullmatch(rest)):
        return None
    is_set = path == layout.labelled_set_path(named[1])
    return Place(Sort.LABELLED_SET if is_set else Sort.LABELLED_ROWS, named[1])


def _of_promotions(path: str, _: str) -> Place | None:
    """Tells the one file that says which judges were promoted."""
    return Place(Sort.PROMOTIONS, "") if path == layout.PROMOTIONS else None


def _of_acts(path: str, _: str) -> Place | None:
    """Tells entries of the log of what maintainers did."""
    return Place(Sort.ACTS, path) if span_of(path) else None


def _of_objection(path: str, rest: str) -> Place | None:
    """Tells objections of readers."""
    named = _OBJECTION.fullmatch(rest)
    return Place(Sort.OBJECTION, named[1]) if named and path == layout.objection_path(named[1]) else None


_PARTS_OF_RESCORE = 4
"""Of a path below `rescores`, at least: month, day, re-score, and what lies in its folder."""
_TOLD_BY: Mapping[str, Callable[[str, str], Place | None]] = {
    layout.SUBMISSIONS: _of_submission,
    layout.TOMBSTONES: _of_submission,
    layout.SCORECARDS: _of_card,
    layout.USER_SCORES: _of_card,
    layout.HUMAN_SCORECARDS: _of_human_card,
    layout.RUNS: _of_run,
    layout.RESCORES: _of_rescore,
    layout.ITEMS: _of_items,
    layout.PEOPLE: _of_person,
    TAKEDOWNS: _of_takedown,
    layout.JUDGES: _of_judge,
    layout.LABELLED: _of_labelled,
    layout.PROMOTIONS: _of_promotions,
    layout.ACTS: _of_acts,
    layout.OBJECTIONS: _of_objection,
}
"""By the first part of a path, what tells the rest."""
