"""Brings the public data sets up to date: what follows from the archive, in commits of some files."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, cast

from evaluator.errors import RapportError
from evaluator.judges.spec import judge_ids, load_judge
from evaluator.protocol import load_protocol, protocol_ids
from leaderboard.board.build import board_rows
from leaderboard.board.places import Ranks, work_out_places
from leaderboard.board.public import read_cards
from leaderboard.open_data import files, layout
from leaderboard.open_data.card import requests_card, results_card
from leaderboard.open_data.cleaning import Secrets
from leaderboard.open_data.figures import open_scorecard
from leaderboard.records import now
from leaderboard.release.changes import Now, Recorded, record, standings
from leaderboard.release.decisions import decided
from leaderboard.release.derive import Derivation, Target
from leaderboard.release.judges import judge_files
from leaderboard.release.news import is_person
from leaderboard.release.pending import ITS_OWN, PendingFiles
from leaderboard.release.people import PeopleDerivation
from leaderboard.rescoring.promotions import (
    Promotions,
    as_promoted,
    judges_as_promoted,
    read_promotions,
    status_since,
)
from leaderboard.store.base import NotFound, Revision, Store, StoreCorrupt, StoreError, Write
from leaderboard.store.open import Names, Stores

log = logging.getLogger("rapport.release")

FILES_A_COMMIT = 80
"""A commit is made once it writes as many files; one submission adds a few more at most."""
_SEARCHED_COMMITS = 1000
_PARTS_AT_ONCE = 16
"""Files of users' sums in memory at once; with 10,000 models each has some 2 MB."""


class Brought(NamedTuple):
    """What one commit to each of the public data sets has brought there."""

    done: frozenset[str]
    """Submissions that were looked at."""
    broken: frozenset[str]
    """Those of them that could not be derived."""


class _Fetched(NamedTuple):
    """As much of a store as a board is built from, read as a whole."""

    revision: Revision
    files: Mapping[str, bytes]

    def head(self) -> Revision:
        """See `Store.head`."""
        return self.revision

    def read(self, path: str) -> bytes:
        """See `Store.read`."""
        if path not in self.files:
            raise NotFound(path)
        return self.files[path]

    def list(self, prefix: str) -> list[str]:
        """See `Store.list`."""
        return sorted(path for path in self.files if path.startswith(f"{prefix}/"))


class Release:
    """Derives the public data sets from the archive; whoever writes to them in between is noticed.

    Example:
        >>> Release(stores, names, frozenset()).bring(["s-20260101-0a1b2c3d"])  # doctest: +SKIP
    """

    def __init__(
        self,
        stores: Stores,
        names: Names,
        secrets: Secrets,
        judges: Path | None = None,
        clock: Callable[[], datetime.datetime] = now,
    ) -> None:
        """Writes to results and requests.

        Args:
            stores: The three data sets.
            names: What they are called where others read it.
            secrets: Texts that must not appear in public.
            judges: A folder of judges beside those that ship.
            clock: Tells the present moment in UTC, by which changes of the board are dated.
        """
        self._judge_folder, self._clock = judges, clock
        self._stores, self._names, self._secrets = stores, names, secrets
        self._derivation = Derivation(stores.archive, secrets)
        self._people = PeopleDerivation(stores.archive)
        self._told: Mapping[str, bytes] = {}
        """What was last written of the judges, by path."""
        self._problems: Mapping[str, str] = {}
        self._ranks: Ranks = {}
        self.ranked = False
        """Whether the board is known to follow from all scorecards that are public."""

    @property
    def incomplete(self) -> bool:
        """Whether the board leaves out something that could not be read."""
        return bool(self._problems)

    @property
    def commit_in(self) -> float:
        """Seconds until both public data sets take a commit; 0 if they do now."""
        return max(store.condition().commit_in for store in (self._stores.results, self._stores.requests))

    @property
    def heads(self) -> tuple[Revision, Revision]:
        """The newest revisions of results and requests."""
        return self._stores.results.head(), self._stores.requests.head()

    def goes_on_from(self, results: Revision, requests: Revision) -> bool:
        """Says whether both public data sets have come from some revisions to where they are: none was made anew.

        Raises:
            StoreError: If one does not tell.
        """
        pairs = ((self._stores.results, results), (self._stores.requests, requests))
        return all(store.head() == old or _led_from(store, old) for store, old in pairs)

    def bring(self, submission_ids: Iterable[str]) -> frozenset[str]:
        """Brings some submissions and people up to date, all that belongs to them; returns those that were not derived.

        Raises:
            StoreError: As of `bring_some`; what was committed before stays.
        """
        self.look_at_promotions()
        left, broken = dict.fromkeys(submission_ids, True), frozenset[str]()
        while left:
            brought = self.bring_some(left)
            left = {name: rows for name, rows in left.items() if name not in brought.done}
            broken |= brought.broken
        return broken

    def bring_some(self, news: Mapping[str, bool], stopped: Callable[[], bool] = lambda: False) -> Brought:
        """Brings the first of some submissions up to date, as many as fit into a commit.

        Whose judge decides ranks is as it was when it was last looked at: who brings some of them, and then others, is
        to see to it that all are brought under one judge before the board is ranked; see `look_at_promotions`.

        One that cannot be derived is named in the log and holds up no other. What is public of it stays as it is, but
        for rows that its owner no longer lets be shown.

        Args:
            news: Their ids, each with whether its rows may have changed.
            stopped: Says whether to give up; nothing is committed then.

        Raises:
            Conflict: If somebody else wrote to a public data set meanwhile.
            StoreError: If a store takes nothing now.
        """
        heads = self.heads
        target = Target(PendingFiles(self._stores.results), PendingFiles(self._stores.requests))
        done, broken, changed = set[str](), set[str](), False
        for name, rows in news.items():
            if stopped():
                return Brought(frozenset(), frozenset())
            if target.written >= FILES_A_COMMIT:
                break
            if (derived := self._derived(name, target, rows)) is None:
                broken.add(name)
                target = self._withheld(name, target)
            else:
                target, differs = derived
                changed = changed or differs
            done.add(name)
        self.ranked = self.ranked and not changed  # Before it is known whether the commit arrives.
        self._commit(target, *heads, _words(done))
        return Brought(frozenset(done), frozenset(broken))

    def describe(self) -> None:
        """Writes what the results and requests say of themselves: their cards, and the judges.

        Where a judge was ever promoted, what tells of judges' status is left to `rank`: a promotion may not be on the
        board yet.

        Raises:
            RapportError: `data_error` if a judge cannot be read; nothing is written then.
            StoreError: As of `bring_some`.
        """
        promoted, of_judges = self.look_at_promotions().promotions, self._of_judges()
        self._told = {} if promoted else of_judges
        results = self._stores.results
        head = results.head()
        self._stores.results.commit(
            [
                *(Write(path, content) for path, content in self._told.items()),
                *(Write(path, content) for path, content in judge_files(self._stores.archive).items()),
                Write(layout.WITHDRAWN, PendingFiles(results).read(layout.WITHDRAWN) or b""),
            ],
            "card and judges",
            head,
        )
        self._stores.requests.commit(
            [Write(layout.CARD, requests_card(self._names.requests, self._names.results).encode())], "card"
        )

    def tell_of_judges(self) -> None:
        """Writes what is known of judges, and what canaries say of them, where that is not public yet.

        Of a judge that came after the last board it says what the judge is, too. Where the board is about to follow,
        that is left to `rank`: nobody's status may be ahead of the ranks.

        Raises:
            StoreError: As of `bring_some`.
        """
        results = self._stores.results
        head, there = results.head(), PendingFiles(results)
        of_judges = self._judges_told()[0] if self.ranked else self._told
        found = {**judge_files(self._stores.archive), **(of_judges if self.ranked else {})}
        if news := [Write(path, content) for path, content in found.items() if there.read(path) != content]:
            results.commit(news, "what is known of judges", head)
            self._told = of_judges

    def rank(self) -> None:
        """Writes the board: all scorecards as they are public by now, with their ranks, and what changed by that.

        Where a judge cannot be read, all of them stay as they were last told, and the board is `incomplete`; so it is
        where it cannot be read what has changed before, which then stays as it is.

        Raises:
            StoreError: As of `bring_some`.
        """
        results = self._stores.results
        head = results.head()
        # The board leaves out what cannot be read. A store that is away for a moment must not cost anyone a place.
        whole = _Fetched(head, results.read_all(results.list(layout.SCORECARDS)))
        found = read_cards(cast(Store, whole))
        # One that could not be brought since is public as it was before a promotion; its judge is retired all the same.
        promotions = self._derivation.promotions
        cards = {card.id: as_promoted(card, promotions) for card in found.cards}
        placed = work_out_places(cards.values(), _parts(results), self._ranks)
        self._ranks = placed.ranks
        places = {
            name: place._replace(since=status_since(cards[name], promotions)) for name, place in placed.places.items()
        }
        ordered = board_rows(cards.values(), places)
        rows = [open_scorecard(row, cards[row.scorecard_id], self._secrets) for row in ordered]
        of_judges, unread = self._judges_told()
        there = standings(ordered, cards)
        changed = self._changed(Now(there, promotions, self._clock(), {*found.problems, *placed.problems}))
        left_out = {layout.CHANGES: changed.problem} if changed.problem else {}
        self._tell_problems({**found.problems, **placed.problems, **unread, **left_out})
        # In one commit, so that no reader sees ranks under another judge than the one that is said to decide them, and
        # no change is told twice or lost.
        told = [Write(path, content) for path, content in of_judges.items() if self._told.get(path) != content]
        told += [] if changed.content is None else [Write(layout.CHANGES, changed.content)]
        board = Write(layout.BOARD, files.encode_board(rows))
        results.commit([board, *told], f"board of {len(rows)} scorecards", head)
        self._told = of_judges
        self.ranked = True

    def _changed(self, board: Now) -> Recorded:
        """Returns what becomes of the record of changes by a new board."""
        try:
            old = self._stores.results.read(layout.CHANGES)
        except NotFound:
            old = None
        except StoreCorrupt as error:
            return Recorded(problem=f"what changed on the board, which is not told: {error}. {error.remedy}")
        return record(old, board, lambda gone, new: decided(self._stores.archive, gone, new))

    def look_at_promotions(self) -> Promotions:
        """Reads whose judge decides ranks by now; what is brought and ranked from here on goes by it.

        Raises:
            RapportError: As of `read_promotions`.
            StoreError: Likewise.
        """
        promotions = read_promotions(self._stores.archive)
        self.ranked = self.ranked and promotions == self._derivation.promotions
        self._derivation = self._derivation._replace(promotions=promotions)
        return promotions

    def _of_judges(self) -> Mapping[str, bytes]:
        """Returns the files that tell of all judges, each with the status that it has by now, by path.

        A judge stands under the digest of its own file whatever its status is by now.

        Raises:
            RapportError: `data_error` if one cannot be read.
        """
        own = [load_judge(name, self._judge_folder) for name in judge_ids(self._judge_folder)]
        judges = judges_as_promoted(own, self._derivation.promotions)
        protocols = [load_protocol(name) for name in protocol_ids()]
        card = results_card(self._names.results, self._names.requests, protocols, judges)
        configs = {judge.id: judge.digest() for judge in own}
        return {layout.CARD: card.encode(), layout.JUDGES: files.encode_judges(judges, configs)}

    def _judges_told(self) -> tuple[Mapping[str, bytes], Mapping[str, str]]:
        """Returns what is to be told of judges, and what is wrong; where one cannot be read, what was told last."""
        try:
            return self._of_judges(), {}
        except RapportError as error:
            return self._told, {
                layout.JUDGES: f"news of judges, since one cannot be read. {error.message} {error.remedy}"
            }

    def _tell_problems(self, problems: Mapping[str, str]) -> None:
        """Logs what could not be read for the board, each once for as long as it stays the same."""
        for path, problem in problems.items():
            if self._problems.get(path) != problem:
                log.error("left out of the board: %s", problem)
        self._problems = problems

    def _derived(self, submission_id: str, target: Target, rows: bool) -> tuple[Target, bool] | None:
        """Derives a submission, wholly or not at all; says whether the board changes by it. None if it is broken."""
        tried = target.copy()
        try:
            if is_person(submission_id):
                self._people.bring(submission_id, tried.results)
                return tried, False
            return tried, self._derivation.bring(submission_id, tried, rows=rows)
        except (RapportError, *ITS_OWN) as error:
            log.error("%s is not released: %s", submission_id, error)
        except StoreError:
            raise
        except Exception:  # Our fault, and of this submission: all others go on.
            log.exception("%s is not released", submission_id)
        return None

    def _withheld(self, submission_id: str, target: Target) -> Target:
        """Takes out what must not be shown of a submission that is broken, as far as that can be told."""
        tried = target.copy()
        if is_person(submission_id):
            return target
        try:
            self._derivation.withhold(submission_id, tried)
        except (RapportError, *ITS_OWN) as error:
            log.error("what is public of %s stays: %s", submission_id, error)
            return target
        return tried

    def _commit(self, target: Target, results: Revision, requests: Revision, words: str) -> None:
        """Writes what was worked out: first where it is, then what came of it.

        Args:
            target: What is to be written.
            results: The head that it was worked out from.
            requests: Likewise.
            words: Why, for readers of the histories.
        """
        if operations := target.requests.operations:
            self._stores.requests.commit(operations, words, requests)
        if operations := target.results.operations:
            self._stores.results.commit(operations, words, results)


def _words(done: Collection[str]) -> str:
    """Says what a commit brings."""
    people = sum(map(is_person, done))
    return f"{len(done) - people} submissions" + (f", {people} people" if people else "")


def _parts(results: Store) -> Iterator[tuple[str, bytes]]:
    """Reads the files of users' sums, some at a time."""
    paths = results.list(layout.USER_SCORES)
    for start in range(0, len(paths), _PARTS_AT_ONCE):
        yield from results.read_all(paths[start : start + _PARTS_AT_ONCE]).items()


def _led_from(store: Store, revision: Revision) -> bool:
    """Says whether a revision stands in a store's history, as far as it is looked at."""
    return any(revision == commit.revision for commit in store.history(_SEARCHED_COMMITS))
