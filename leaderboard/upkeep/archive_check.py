"""Looks at the whole archive, one run in memory at a time; what is broken is set aside, and the rest is looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from evaluator.records import Record
from leaderboard.labelling.journal import read_events
from leaderboard.records import State, Tombstone
from leaderboard.rescoring.records import judged_run_of, judging_id
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.store import layout
from leaderboard.store.base import Delete, Store
from leaderboard.store.items import decode_items, digest_of
from leaderboard.store.rows import read_record
from leaderboard.submissions.history import History
from leaderboard.submissions.journal import files_of
from leaderboard.upkeep.acts_check import check_acts
from leaderboard.upkeep.findings import BACKUP, ITS_OWN, FindingKind, Found, found, unreadable
from leaderboard.upkeep.judge_board_check import check_judge_board
from leaderboard.upkeep.judging_check import check_judging
from leaderboard.upkeep.objections_check import check_objections
from leaderboard.upkeep.places import Place, Sort, is_half_written, place_of
from leaderboard.upkeep.records import Takedown, takedown_path
from leaderboard.upkeep.rescore_check import check_rescores
from leaderboard.upkeep.run_check import AnyCard, check_run
from leaderboard.upkeep.traces import Traces

Kind = TypeVar("Kind", bound=Record)
_CARD = "README.md"
"""What the Hub shows of a data set."""
_CARDS: Mapping[Sort, type[Scorecard] | type[HumanScorecard]] = {
    Sort.SCORECARD: Scorecard,
    Sort.HUMAN_SCORECARD: HumanScorecard,
    Sort.RESCORED_CARD: Scorecard,
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
    places: dict[str, Place] = {}
    for path in archive.list():
        if (place := place_of(path)) is None:
            yield from _strange(path)
            continue
        places[path] = place
        if place.submission:
            by_submission[place.submission][path] = place
    traces = Traces()
    yield from _check_others(archive, places, traces)
    yield from check_rescores(archive, places, traces)
    yield from check_judge_board(archive, places)
    yield from check_acts(archive, places)
    yield from check_objections(archive, places, traces)
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


def _check_others(archive: Store, places: Mapping[str, Place], traces: Traces) -> Iterator[Found]:
    """Yields what is wrong with what runs asked, with notes, and with people's labels; notes what was taken down."""
    for path, place in places.items():
        if place.sort is Sort.ITEMS:
            yield from _check_items(archive, path, place)
        elif place.sort is Sort.TAKEDOWN:
            yield from _noted(archive, path, traces)
    for person in sorted({place.name for place in places.values() if place.sort is Sort.PERSON}):
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
        for run_id in sorted(self._names(Sort.RUN)):
            of_run = {path: card for path, card in cards.items() if card.run_id == run_id and not _judging_of(card)}
            self._found += check_run(self._archive, run_id, of_run, self._users(run_id), self._traces)
        for name in sorted(self._names(Sort.JUDGING)):
            self._check_judging(name, cards)
        self._check_references(cards)
        self._check_published(cards, history)
        self._check_users()
        self._found += self._traces.of_submission(self._name, self._places)
        return self._found

    def _of(self, sort: Sort) -> dict[str, Place]:
        """Returns its files of a sort."""
        return {path: place for path, place in self._places.items() if place.sort is sort}

    def _names(self, sort: Sort) -> set[str]:
        """Returns what its files of a sort are called after."""
        return {place.name for place in self._of(sort).values()}

    def _users(self, run_id: str) -> list[str]:
        """Returns the paths of all users' sums of a run, whoever judged it."""
        sums = (Sort.USER_SCORES, Sort.RESCORED_USERS)
        return [path for sort in sums for path, at in self._of(sort).items() if at.name.startswith(f"{run_id}@")]

    def _check_judging(self, name: str, cards: Mapping[str, AnyCard]) -> None:
        """Looks at a judging, if there is what it judged."""
        run_id = judged_run_of(name)
        if run_id not in self._names(Sort.RUN):
            message = f"There are no rows of its run {run_id}."
            self._found.append(found(FindingKind.REFERENCE, layout.run_folder(name), message, BACKUP))
            return
        own = {path: card for path, card in cards.items() if isinstance(card, Scorecard) and _judging_of(card) == name}
        self._found += check_judging(self._archive, name, own, self._users(run_id), self._traces)

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
                if not _lies_right(card, place):
                    self._found.append(found(FindingKind.MISPLACED, path, f"It is {card.id} of {card.model}."))
                else:
                    cards[path] = card
        return cards

    def _check_references(self, cards: Mapping[str, AnyCard]) -> None:
        """Finds scorecards without rows."""
        runs, judgings = self._names(Sort.RUN), self._names(Sort.JUDGING)
        for path, card in cards.items():
            if card.run_id not in runs:
                message = f"There are no rows of its run {card.run_id}."
                self._found.append(found(FindingKind.REFERENCE, path, message, BACKUP))
            if (judging := _judging_of(card)) and judging not in judgings:
                message = f"There are no rows of its judging {judging}."
                self._found.append(found(FindingKind.REFERENCE, path, message, BACKUP))

    def _check_published(self, cards: Mapping[str, AnyCard], history: History | None) -> None:
        """Finds published runs without a scorecard under the judge that they were published with."""
        promoted = {path for path, card in cards.items() if _judging_of(card)}
        scored = {
            place.name.partition("@")[0]
            for sort in (Sort.SCORECARD, Sort.HUMAN_SCORECARD)
            for path, place in self._of(sort).items()
            if path not in promoted
        }
        for run_id, state in history.states.items() if history and not history.withdrawn else ():
            if state is State.PUBLISHED and run_id not in scored:
                path = layout.submission_path(self._name)
                message = f"Its run {run_id} was published, but there is no scorecard of it."
                self._found.append(found(FindingKind.REFERENCE, path, message))

    def _check_users(self) -> None:
        """Finds users' sums without a scorecard."""
        for sort, of in ((Sort.USER_SCORES, Sort.SCORECARD), (Sort.RESCORED_USERS, Sort.RESCORED_CARD)):
            named = {(place.name, place.model, place.rescore) for place in self._of(of).values()}
            for path, place in self._of(sort).items():
                if (place.name, place.model, place.rescore) not in named:
                    message = "There is no scorecard that these users' sums belong to."
                    self._found.append(found(FindingKind.USER_SCORES, path, message, "", Delete(path)))


def _judging_of(card: AnyCard) -> str:
    """Returns the judging that a scorecard came from; empty if its run was judged by itself."""
    rescore_id = card.rescore_id if isinstance(card, Scorecard) else None
    return judging_id(rescore_id, card.run_id) if rescore_id else ""


def _lies_right(card: AnyCard, place: Place) -> bool:
    """Says whether a scorecard is the one that its path names."""
    if place.sort is Sort.RESCORED_CARD:
        return (card.id, _judging_of(card)) == (place.name, place.judging)
    return (card.id, card.model) == (place.name, place.model)
