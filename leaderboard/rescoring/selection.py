"""Which runs of the archive a re-score covers: those of HiCUPID that have a scorecard and were not withdrawn."""

from __future__ import annotations

import datetime
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from pydantic import ConfigDict

from evaluator.errors import Cause, RapportError
from evaluator.protocol import is_human_grounded
from evaluator.records import Record
from leaderboard.records import Moment, protocol_of
from leaderboard.scorecards import scorecard_id
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from leaderboard.upkeep.findings import ITS_OWN, Finding, FindingKind, found, unreadable
from leaderboard.upkeep.places import Place, Sort, place_of

log = logging.getLogger("rapport.rescoring")

_AT_ONCE = 500
"""Files that are read together."""
_WITHDRAWN = b'"withdrawn"'
"""Stands in every history of a submission that was withdrawn, and in hardly any other."""


class Filters(Record):
    """Which runs are wanted; what is left out filters nothing.

    Example:
        >>> Filters(models=("org/model",)).since is None
        True
    """

    models: tuple[str, ...] = ()
    """Names as they were handed in."""
    since: datetime.date | None = None
    """Day in UTC on which a run's first scorecard was made, or a later one."""
    protocols: tuple[str, ...] = ()


class SelectedRun(Record):
    """A run of HiCUPID that was published."""

    run_id: str
    submission_id: str
    model: str
    revision: str
    """SHA of the model's files."""
    protocol: str
    created_at: Moment
    """When its first scorecard was made."""
    judges: tuple[str, ...]
    """Ids of the judges whose scorecards of it count or counted, sorted; those of a re-score that was not promoted lie
    elsewhere."""


class _Card(Record):
    """What a selection needs of a scorecard."""

    model_config = ConfigDict(extra="ignore")

    schema_version: Literal[1, 2]
    id: str
    submission_id: str
    run_id: str
    model: str
    revision: str
    judge: str
    created_at: Moment


def log_finding(finding: Finding) -> None:
    """Puts a finding into the log."""
    log.error("%s", finding.line())


def select(store: Store, filters: Filters, note: Callable[[Finding], None] = log_finding) -> tuple[SelectedRun, ...]:
    """Returns the published runs of HiCUPID that some filters let through, by id.

    Runs of submissions that were withdrawn are left out. So are those whose scorecard or history cannot be read, each
    of which is a finding.

    Args:
        store: The archive.
        filters: Which are wanted.
        note: Is told what cannot be read.

    Raises:
        RapportError: `not_found` if no run is left of a model or protocol that was named.
        StoreError: If the store as a whole cannot be read.

    Example:
        >>> select(store, Filters(models=("org/model",)))  # doctest: +SKIP
    """
    runs = [run for run in _shown(store, _runs_of(_cards(store, note)), note) if _passes(run, filters)]
    _require("model", filters.models, {run.model for run in runs})
    _require("protocol", filters.protocols, {run.protocol for run in runs})
    return tuple(sorted(runs, key=lambda run: run.run_id))


def _passes(run: SelectedRun, filters: Filters) -> bool:
    """Says whether the filters let a run through."""
    return (
        (not filters.models or run.model in filters.models)
        and (not filters.protocols or run.protocol in filters.protocols)
        and (filters.since is None or run.created_at.date() >= filters.since)
    )


def _require(what: str, named: Iterable[str], there: set[str]) -> None:
    """Refuses names of which there is no run: a name with a slip in it must not pass for nothing to do."""
    if lacking := [name for name in dict.fromkeys(named) if name not in there]:
        raise RapportError(
            Cause.NOT_FOUND,
            f"There is no published run of the {what} {', '.join(lacking)} that fits the other filters.",
            f"Check the spelling, or leave the {what} out.",
        )


def _cards(store: Store, note: Callable[[Finding], None]) -> list[_Card]:
    """Reads the scorecards of HiCUPID; of one that lies in its old and in its present place the present one."""
    paths: dict[str, str] = {}
    for path, place in _places(store, layout.SCORECARDS, note):
        if place.sort is Sort.SCORECARD and not (place.old and place.name in paths):
            paths[place.name] = path
    wanted = [path for name, path in paths.items() if not is_human_grounded(protocol_of(name))]
    cards = []
    for path, content in _contents(store, wanted, note):
        try:
            card = read_record(content, _Card, path)
        except RapportError as error:
            note(unreadable(path, error).finding)
            continue
        places = (layout.scorecard_path(card.model, card.id), layout.old_scorecard_path(card.model, card.id))
        if path in places and card.id == scorecard_id(card.run_id, card.judge):
            cards.append(card)
        else:
            note(found(FindingKind.MISPLACED, path, f"It is {card.id} of {card.model}.").finding)
    return cards


def _places(store: Store, folder: str, note: Callable[[Finding], None]) -> Iterator[tuple[str, Place]]:
    """Yields what lies in a folder, what lies in its present place first; a file of nobody's is a finding."""
    known = []
    for path in store.list(folder):
        place = place_of(path)
        if place is None:
            note(found(FindingKind.FOREIGN, path, "No part of Rapport writes such a file.").finding)
        else:
            known.append((path, place))
    yield from sorted(known, key=lambda pair: pair[1].old)


def _runs_of(cards: Iterable[_Card]) -> Iterator[SelectedRun]:
    """Yields the runs that scorecards are of."""
    by_run: dict[str, list[_Card]] = defaultdict(list)
    for card in cards:
        by_run[card.run_id].append(card)
    for run_id, own in by_run.items():
        first = min(own, key=lambda card: (card.created_at, card.judge))
        yield SelectedRun(
            run_id=run_id,
            submission_id=first.submission_id,
            model=first.model,
            revision=first.revision,
            protocol=protocol_of(run_id),
            created_at=first.created_at,
            judges=tuple(sorted({card.judge for card in own})),
        )


def _shown(store: Store, runs: Iterable[SelectedRun], note: Callable[[Finding], None]) -> Iterator[SelectedRun]:
    """Yields the runs of submissions that were not withdrawn, by tombstones and by histories."""
    buried = {place.name for _, place in _places(store, layout.TOMBSTONES, note)}
    left = [run for run in runs if run.submission_id not in buried]
    standing = _standing(store, {run.submission_id for run in left}, note)
    yield from (run for run in left if standing.get(run.submission_id))


def _standing(store: Store, submissions: Iterable[str], note: Callable[[Finding], None]) -> Mapping[str, bool]:
    """Returns which submissions stand, by their histories; one whose history cannot be read is left out."""
    there = set(store.list(layout.SUBMISSIONS))
    names = {layout.submission_path(name): name for name in sorted(submissions)}
    for path in names.keys() - there:
        note(found(FindingKind.REFERENCE, path, "It is missing, but there are files that need it.").finding)
    standing: dict[str, bool] = {}
    for path, content in _contents(store, [path for path in names if path in there], note):
        try:
            withdrawn = _WITHDRAWN in content and read_record(content, History, path).withdrawn
        except RapportError as error:
            note(unreadable(path, error).finding)
            continue
        standing[names[path]] = not withdrawn
    return standing


def _contents(store: Store, paths: list[str], note: Callable[[Finding], None]) -> Iterator[tuple[str, bytes]]:
    """Yields the contents of files, many at a time; one that the store cannot give costs itself alone."""
    for start in range(0, len(paths), _AT_ONCE):
        some = paths[start : start + _AT_ONCE]
        try:
            yield from store.read_all(some).items()
        except ITS_OWN:
            for path in some:
                try:
                    content = store.read(path)
                except ITS_OWN as error:
                    note(unreadable(path, error).finding)
                else:
                    yield path, content
