"""Takes something out of the stores for good, from all earlier contents too, and leaves a note that it did.

The note comes first, with all that is concerned: who was interrupted calls the same again, and it goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from redis import Redis

from evaluator.errors import Cause, RapportError
from leaderboard.board.changes import build_changes
from leaderboard.labelling.desk import Desk
from leaderboard.open_data.changes import REMEDY
from leaderboard.open_data.cleaning import Secrets
from leaderboard.release.news import is_person
from leaderboard.release.release import Release
from leaderboard.store import layout
from leaderboard.store.base import Delete, NotFound, Operation, Write
from leaderboard.store.open import Names, Stores
from leaderboard.store.rows import read_record
from leaderboard.submissions import journal
from leaderboard.submissions.history import History
from leaderboard.upkeep.ledger_rows import (
    change_batches,
    check_batches,
    check_ledger,
    judgings_with,
    labels_of,
    unsaved_of,
    withdraw_in_ledger,
    withdrawn,
)
from leaderboard.upkeep.objections_taken import forget_objections, objections_of, waiting_in
from leaderboard.upkeep.open_judgings import close_judgings, count_cards, note_taken_down, open_judgings_of
from leaderboard.upkeep.reach import Reach, files_of_results, items_with, labels_without, look, runs_with
from leaderboard.upkeep.records import Takedown, TakedownKind, takedown_path
from leaderboard.upkeep.row_changes import changes_of
from leaderboard.upkeep.writing import Writer, last_mark, unknown_mark

_DELETIONS_A_COMMIT = 1000


class Site(NamedTuple):
    """All that a takedown reaches; its publisher is at rest."""

    stores: Stores
    names: Names
    """What the stores are called."""
    secrets: Secrets
    """Texts that must not appear in public."""
    redis: Redis | None
    """None where none is configured: the ledger then follows from the archive when it is next opened."""
    judges: Path | None = None
    """A folder of judges beside those that ship."""


def noted(site: Site, takedown: Takedown) -> Takedown:
    """Returns the note of an earlier try at the same takedown; if there was none, the takedown itself."""
    path = takedown_path(takedown.kind, takedown.name)
    try:
        return read_record(site.stores.archive.read(path), Takedown, path)
    except NotFound:
        return takedown


def take_down(site: Site, takedown: Takedown, tell: Callable[[str], None] = lambda words: None) -> Reach:
    """Takes something down and returns what that concerned.

    Args:
        site: Where from.
        takedown: What, and why.
        tell: Told what is being done.

    Raises:
        RapportError: `infrastructure` if something concerned is under way, `data_error` if something cannot be read
            that may be concerned. Nothing of the archive was changed unless it was said that it is being changed.
        Conflict: If somebody else writes to the stores meanwhile.
        StoreError: If a store fails; the same call goes on from there.
    """
    return _TakingDown(site, takedown, tell).done()


class _TakingDown:
    """One takedown."""

    def __init__(self, site: Site, takedown: Takedown, tell: Callable[[str], None]) -> None:
        self._site, self._tell = site, tell
        self._archive = site.stores.archive
        self._asked = takedown
        self._changes = changes_of(takedown.kind, takedown.name)
        mark = unknown_mark() if site.redis is None else last_mark(self._archive)
        self._writer = Writer(self._archive, mark)
        self._words = f"takedown of {takedown.kind} {takedown.name}"

    def done(self) -> Reach:
        """See `take_down`."""
        if self._site.redis is not None:
            check_ledger(self._site.redis)
            if self._changes:
                check_batches(self._site.redis, self._changes)
        reach = self._reach()
        takedown = self._noted(reach)
        self._tell("changing the archive")
        if self._changes is None:
            for name in takedown.submissions:
                self._take_results(name, takedown)
        else:
            self._change_rows()
        self._take_objections(takedown)
        self._publish(takedown)
        self._forget_the_past()
        return reach

    def _reach(self) -> Reach:
        """Finds what is concerned, in the ledger too.

        Raises:
            RapportError: `not_found` if nothing is, and nothing was at an earlier try.
        """
        results, asked = self._site.stores.results, self._asked
        reach = look(self._archive, results, asked, lambda name: self._tell(f"reading {name}"))
        if self._site.redis is not None:
            unsaved = unsaved_of(self._site.redis, asked.kind, asked.name)
            changes: dict[str, object] = {"submissions": tuple(sorted({*reach.submissions, *unsaved}))}
            said = labels_of(self._site.redis, asked.kind, asked.name)
            if not reach.files and (said or waiting_in(self._site.redis, asked.kind, asked.name)):
                changes["files"] = 1  # What the publisher would have made of what Redis alone holds.
            reach = reach.model_copy(update=changes)
        if reach == Reach() and noted(self._site, asked) is asked:
            raise RapportError(
                Cause.NOT_FOUND, f"Nothing is stored of the {asked.kind} {asked.name}.", "Check how it is written."
            )
        return reach

    def _noted(self, reach: Reach) -> Takedown:
        """Notes the takedown with all that it concerns; an earlier note stays, and may grow."""
        before = noted(self._site, self._asked)
        concerned = tuple(sorted({*before.submissions, *reach.submissions}))
        takedown = before.model_copy(update={"submissions": concerned})
        path = takedown_path(takedown.kind, takedown.name)
        self._writer.commit([Write(path, takedown.model_dump_json().encode())], f"{self._words}: begun")
        return takedown

    def _take_results(self, name: str, takedown: Takedown) -> None:
        """Withdraws a submission, and takes out its rows and scorecards."""
        history = self._withdrawn(name, takedown)
        if self._site.redis is not None:
            close_judgings(self._site.redis, open_judgings_of(self._site.redis, name))
            note_taken_down(self._site.redis, history.submission.run_ids(), takedown.actor)
        self._writer.commit(list(journal.files_of(history)), f"{self._words}: {name} is withdrawn")
        paths = files_of_results(self._archive, history)
        for start in range(0, len(paths), _DELETIONS_A_COMMIT):
            gone: list[Operation] = [Delete(path) for path in paths[start : start + _DELETIONS_A_COMMIT]]
            self._writer.commit(gone, f"{self._words}: {len(gone)} files of {name}")
        if self._site.redis is not None:
            count_cards(self._site.redis, self._archive)

    def _withdrawn(self, name: str, takedown: Takedown) -> History:
        """Returns the history of a submission, withdrawn in the ledger too where there is one."""
        if self._site.redis is not None and (history := withdraw_in_ledger(self._site.redis, name, takedown)):
            return history
        path = layout.submission_path(name)
        return withdrawn(read_record(self._archive.read(path), History, path), takedown)

    def _change_rows(self) -> None:
        """Changes rows, wherever they stand."""
        assert self._changes is not None
        for name, operations in runs_with(self._archive, self._changes, lambda name: None):
            self._writer.commit(operations, f"{self._words}: {name}")
        if self._site.redis is not None:
            close_judgings(self._site.redis, judgings_with(self._site.redis, self._changes))
            change_batches(self._site.redis, self._changes)
        if self._asked.kind is TakedownKind.PERSON:
            self._take_labels()

    def _take_labels(self) -> None:
        """Takes out what a person did on the labelling page."""
        assert self._changes is not None
        if asked := items_with(self._archive, self._changes):
            self._writer.commit(asked, f"{self._words}: what runs asked before")
        paths = self._archive.list(layout.person_folder(self._asked.name))
        self._writer.commit([Delete(path) for path in paths], f"{self._words}: {len(paths)} files of labels")
        if self._site.redis is not None:
            Desk(self._site.redis).forget(self._asked.name)

    def _take_objections(self, takedown: Takedown) -> None:
        """Takes out what a person objected to, or what was objected to in what is taken down."""
        told = (takedown.kind, takedown.name, takedown.submissions)
        if paths := objections_of(self._archive, *told):
            self._writer.commit([Delete(path) for path in paths], f"{self._words}: {len(paths)} objections")
        if self._site.redis is not None:
            forget_objections(self._site.redis, *told)

    def _publish(self, takedown: Takedown) -> None:
        """Brings the public data sets up to date.

        Raises:
            RapportError: `data_error` if something concerned could not be, or nobody can tell.
        """
        self._tell("bringing results and requests up to date")
        results = self._site.stores.results
        if takedown.kind is TakedownKind.PERSON and (labels := labels_without(results, takedown.name)):
            Writer(results).commit(labels, "labels were taken down")
        release = Release(self._site.stores, self._site.names, self._site.secrets, self._site.judges)
        person = [takedown.name] if is_person(takedown.name) else []
        broken = release.bring([*takedown.submissions, *person])
        release.describe()
        release.rank()
        if problem := build_changes(results).problems:
            raise RapportError(Cause.DATA_ERROR, f"{problem[0]} It may name what was taken down.", REMEDY)
        if broken:
            raise RapportError(
                Cause.DATA_ERROR,
                f"{', '.join(sorted(broken))} cannot be brought up to date in public; the log says why.",
                "Run `rapport store check`, put right what it finds, and call the same again.",
            )

    def _forget_the_past(self) -> None:
        """Takes all earlier contents out of the stores."""
        self._tell("forgetting all earlier contents")
        self._writer.squash(f"{self._words}: nothing before is kept")
        for public in (self._site.stores.results, self._site.stores.requests):
            Writer(public).squash("something was taken down: nothing before is kept")
