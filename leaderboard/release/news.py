"""Which submissions, and which people who label, have news, by the files of the archive that were written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from leaderboard.store import layout

_SUBMISSION = re.compile(r"s-\d{8}-[0-9a-f]{8}")
_PERSON = re.compile(r"annotator-[0-9a-z]{5,40}")
_NAMED = (
    layout.SUBMISSIONS,
    layout.TOMBSTONES,
    layout.SCORECARDS,
    layout.USER_SCORES,
    layout.HUMAN_SCORECARDS,
)
"""Folders of files that are named after their submissions."""
_ROWS = ("generations.parquet", "verdicts.parquet")
"""Files of a published run that public rows are made from."""


def news_in(paths: Iterable[str]) -> dict[str, bool]:
    """Returns the submissions and the people that something public follows from in files of the archive, by name.

    What workers write while a run is open matters to nobody outside: of a run's files those count that it has once it
    is published.

    Returns:
        Each with whether its rows are among the files.

    Example:
        >>> news_in(["submissions/202601/01/s-20260101-0a1b2c3d.json", "items/3f/3f00.parquet"])
        {'s-20260101-0a1b2c3d': False}
        >>> news_in(["runs/202601/01/s-20260101-0a1b2c3d.demo-v1/verdicts.parquet"])
        {'s-20260101-0a1b2c3d': True}
        >>> news_in(["people/7a/annotator-0a1b2c3d/000000.jsonl"])
        {'annotator-0a1b2c3d': True}
    """
    found: dict[str, bool] = {}
    for path in paths:
        *folders, name = path.split("/")
        if folders[:1] == [layout.PEOPLE] and is_person(folders[-1]):
            found[folders[-1]] = True
            continue
        rows = folders[:1] == [layout.RUNS] and name in _ROWS
        # A model may be called like a submission, so it matters in which part of the path the name stands.
        place = folders[-1] if rows else name if folders and folders[0] in _NAMED else ""
        if named := _SUBMISSION.match(place):
            found[named[0]] = found.get(named[0], False) or rows
    return found


def concerns_all(paths: Iterable[str]) -> bool:
    """Says whether something public of every submission follows from files of the archive.

    Example:
        >>> concerns_all(["promotions.json"]), concerns_all(["submissions/202601/01/s-20260101-0a1b2c3d.json"])
        (True, False)
    """
    return layout.PROMOTIONS in paths


def tells_of_judges(paths: Iterable[str]) -> bool:
    """Says whether files of the archive are about judges themselves.

    Example:
        >>> tells_of_judges(["judges/quality/demo/0a1b2c3d4e5f6071.json"]), tells_of_judges(["promotions.json"])
        (True, False)
    """
    return any(path.startswith(f"{layout.JUDGES}/") for path in paths)


def is_person(name: str) -> bool:
    """Says whether what has news is a person who labels.

    Example:
        >>> is_person("annotator-0a1b2c3d"), is_person("s-20260101-0a1b2c3d")
        (True, False)
    """
    return _PERSON.fullmatch(name) is not None
