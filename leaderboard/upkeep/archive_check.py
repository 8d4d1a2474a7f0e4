"""Looks at the whole archive, one run in memory at a time; what is broken is set aside, and the rest is looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from evaluator.records import Record
from leaderboard.labelling.journal import read_events
from leaderboard.records import State, Tombstone
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.store import layout
from leaderboard.store.base import Delete, Store
from leaderboard.store.items import decode_items, digest_of
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from leaderboard.submissions.journal import files_of
from leaderboard.upkeep.findings import BACKUP, ITS_OWN, FindingKind, Found, found, unreadable
from leaderboard.upkeep.places import Place, Sort, is_half_written, place_of
from leaderboard.upkeep.records import Takedown, takedown_path
from leaderboard.upkeep.run_check import AnyCard, check_run
from leaderboard.upkeep.traces import Traces

Kind = TypeVar("Kind", bound=Record)
_CARD = "README.md"
"""What the Hub shows of a data set."""
_CARDS: Mapping[Sort, type[Scorecard] | type[HumanScorecard]] = {
    Sort.SCORECARD: Scorecard,
    Sort.HUMAN_SCORECARD: HumanScorecard,
}


class Progress(NamedTuple):
    """How far the looking has come."""

    looked_at: int
    submissions: int


def check_archive(archive: Store, tell: Callable[[Progress], None] = lambda progress: None) -> Iterator[Found]:
    """Yields everything that is wrong in the archive.

    Args:
        archive: The store.
        tell: Told after each submission.

    Raises:
        StoreError: If the store as a whole cannot be read.
    """
    by_submission: dict[str, dict[str, Place]] = defaultdict(dict)
    others: dict[str, Place] = {}
    for path in archive.list():
        if (place := place_of(path)) is None:
            yield from _strange(path)
        elif place.submission:
            by_submission[place.submission][path] = place
        else:
            others[path] = place
    traces = Traces()
    yield from _check_others(archive, others, traces)
    for count, (name, places) in enumerate(sorted(by_submission.items()), start=1):
        yield from _Looked(archive, name, places, traces).findings()
        tell(Progress(count, len(by_submission)))


def _strange(path: str) -> Iterator[Found]:
    """Yields the finding of a file that is none of ours."""
    if is_half_written(path):
        yield found(FindingKind.HALF_WRITTEN, path, "Somebody began to write it and did not finish.", "Delete it.")
    elif path != _CARD:
        yield found(FindingKind.FOREIGN, path, "No part of Rapport writes such a file.", "Delete it, or move it away.")


def _check_items(archive: Store, path: str, place: Place) -> Iterator[Found]:
    """Yields what is wrong with a file of items."""
    try:
        items = decode_items(archive.read(path), path)
    except ITS_OWN as error:
        yield unreadable(path, error)
        return
    if digest_of(items) != place.name:
        yield found(FindingKind.UNREADABLE, path, "Its items are others than those that it is named by.")


def _noted(archive: Store, path: str, traces: Traces) -> Iterator[Found]:
    """Notes what was taken down; yields what is wrong with the note."""
    try:
        takedown = read_record(archive.read(path), Takedown, path)
    except ITS_OWN as error:
        yield unreadable(path, error)
        return
    traces.add(takedown)
    if path != takedown_path(takedown.kind, takedown.name):
        yield found(FindingKind.MISPLACED, path, "It is about something else than its path says.")


def _check_others(archive: Store, others: dict[str, Place], traces: Traces) -> Iterator[Found]:
    """Yields what is wrong with files that belong to no submission; notes what was taken down."""
    for path, place in others.items():
        if place.sort is not Sort.PERSON:
            yield from _check_items(archive, path, place) if place.sort is Sort.ITEMS else _noted(archive, path, traces)
    for person in sorted({place.name for place in others.values() if place.sort is Sort.PERSON}):
        yield from _check_person(archive, person, traces)


def _check_person(archive: Store, person: str, traces: Traces) -> Iterator[Found]:
    """Yields what is wrong with what a person did on the labelling page."""
    yield from traces.of_person(person)
    try:
        read_events(archive, person)
    except ITS_OWN as error:
        yield unreadable(layout.person_folder(person), error)


class _Looked:
    """One submission with all of its files, being looked at."""

    def __init__(self, archive: Store, name: str, places: dict[str, Place], traces: Traces) -> None:
        self._archive, self._name, self._places, self._traces = archive, name, places, traces
        self._found: list[Found] = []

    def findings(self) -> list[Found]:
        """Returns what is wrong."""
        history = self._history()
        self._check_tombstones(history)
        cards = self._cards()
        if history is None and not self._of(Sort.HISTORY):
            path = layout.submission_path(self._name)
            self._found.append(found(FindingKind.REFERENCE, path, "It is missing, but there are files that need it."))
        for run_id in sorted({place.name for place in self._of(Sort.RUN).values()}):
            users = [path for path, place in self._of(Sort.USER_SCORES).items() if place.name.startswith(f"{run_id}@")]
            of_run = {path: card for path, card in cards.items() if card.run_id == run_id}
            self._found += check_run(self._archive, run_id, of_run, users, self._traces)
        self._check_references(cards, history)
        self._found += self._traces.of_submission(self._name, self._places)
        return self._found

    def _of(self, sort: Sort) -> dict[str, Place]:
        """Returns its files of a sort."""
        return {path: place for path, place in self._places.items() if place.sort is sort}

    def _read(self, path: str, kind: type[Kind]) -> Kind | None:
        """Reads a file, or sets it aside."""
        try:
            return read_record(self._archive.read(path), kind, path)
        except ITS_OWN as error:
            self._found.append(unreadable(path, error))
            return None

    def _history(self) -> History | None:
        """Reads its history."""
        for path in self._of(Sort.HISTORY):
            history = self._read(path, History)
            if history is not None and history.submission.id != self._name:
                self._found.append(found(FindingKind.MISPLACED, path, f"It is that of {history.submission.id}."))
                return None
            return history
        return None

    def _check_tombstones(self, history: History | None) -> None:
        """Compares the tombstones with the history."""
        paths = self._of(Sort.TOMBSTONE)
        self._check_one_place(Sort.TOMBSTONE)
        readable = [stone for path in paths if (stone := self._read(path, Tombstone))]
        if history is None:
            return
        if history.withdrawn and not readable:
            path = layout.tombstone_path(self._name)
            message = "It is missing, although the submission was withdrawn."
            self._found.append(found(FindingKind.WITHDRAWAL, path, message, "", *files_of(history)))
        elif readable and not history.withdrawn:
            message = "The submission was not withdrawn, by its history."
            self._found.append(found(FindingKind.WITHDRAWAL, min(paths), message))

    def _check_one_place(self, sort: Sort) -> None:
        """Finds what lies in its old and in its present place."""
        now = {place.name for place in self._of(sort).values() if not place.old}
        for path, place in self._of(sort).items():
            if place.old and place.name in now:
                message = "It lies in its present place as well, and that counts."
                self._found.append(found(FindingKind.OLD_PLACE, path, message, "", Delete(path)))

    def _cards(self) -> dict[str, AnyCard]:
        """Reads its scorecards by path."""
        self._check_one_place(Sort.SCORECARD)
        self._check_one_place(Sort.USER_SCORES)
        cards: dict[str, AnyCard] = {}
        for sort, kind in _CARDS.items():
            for path, place in self._of(sort).items():
                card = self._read(path, kind)
                if card is None:
                    continue
                if (card.id, card.model) != (place.name, place.model):
                    self._found.append(found(FindingKind.MISPLACED, path, f"It is {card.id} of {card.model}."))
                else:
                    cards[path] = card
        return cards

    def _check_references(self, cards: dict[str, AnyCard], history: History | None) -> None:
        """Finds scorecards without rows, results without a scorecard, and users' sums without one."""
        runs = {place.name for place in self._of(Sort.RUN).values()}
        for path, card in cards.items():
            if card.run_id not in runs:
                message = f"There are no rows of its run {card.run_id}."
                self._found.append(found(FindingKind.REFERENCE, path, message, BACKUP))
        scored = {place.name.partition("@")[0] for sort in _CARDS for place in self._of(sort).values()}
        for run_id, state in history.states.items() if history and not history.withdrawn else ():
            if state is State.PUBLISHED and run_id not in scored:
                path = layout.submission_path(self._name)
                message = f"Its run {run_id} was published, but there is no scorecard of it."
                self._found.append(found(FindingKind.REFERENCE, path, message))
        named = {(place.name, place.model) for place in self._of(Sort.SCORECARD).values()}
        for path, place in self._of(Sort.USER_SCORES).items():
            if (place.name, place.model) not in named:
                message = "There is no scorecard that these users' sums belong to."
                self._found.append(found(FindingKind.USER_SCORES, path, message, "", Delete(path)))
