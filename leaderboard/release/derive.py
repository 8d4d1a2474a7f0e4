"""What of a submission stands in the public data sets: a function of what the archive holds of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from leaderboard.board.human import cards_of
from leaderboard.decided import as_it_stands, is_shown
from leaderboard.open_data import files, layout
from leaderboard.open_data.cleaning import Secrets
from leaderboard.open_data.figures import open_card, open_user_scores
from leaderboard.open_data.human import OpenHumanScorecard
from leaderboard.open_data.human_figures import open_human_figures, open_human_scorecard
from leaderboard.open_data.records import OpenCard, OpenUserScore, OpenWithdrawal
from leaderboard.open_data.views import open_request
from leaderboard.records import AmendmentKind
from leaderboard.release.news import news_in
from leaderboard.release.pending import PendingFiles
from leaderboard.release.people import PeopleDerivation
from leaderboard.release.rows import RowDerivation
from leaderboard.rescoring.promotions import NOTHING_PROMOTED, Promotions, as_promoted, is_promoted
from leaderboard.results import AnyScorecard, HumanScorecard, Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import NotFound, Store
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import Row, decode_rows, read_record
from leaderboard.submissions.history import History, amendments_of, withdrawal_of


class Target(NamedTuple):
    """The public data sets, as they will be."""

    results: PendingFiles
    requests: PendingFiles

    def copy(self) -> Target:
        """Returns what can go on without this one."""
        return Target(self.results.copy(), self.requests.copy())

    @property
    def written(self) -> int:
        """How many files are to be written in the fuller of the two."""
        return max(self.results.written, self.requests.written)


class Derivation(NamedTuple):
    """Brings submissions from the archive into the public data sets.

    Example:
        >>> Derivation(archive, secrets).bring("s-20260101-0a1b2c3d", target)  # doctest: +SKIP
        True
    """

    archive: Store
    secrets: Secrets
    """Texts that must not appear in public."""
    promotions: Promotions = NOTHING_PROMOTED
    """Whose judge decides ranks."""

    def bring(self, submission_id: str, target: Target, *, rows: bool = True) -> bool:
        """Puts into the public data sets what belongs there of a submission, and takes out what does not.

        Args:
            submission_id: The submission.
            target: The public data sets.
            rows: Whether rows that are public already may differ from those of the archive by now; they are read again
                in any case where the figures or the declaration have changed.

        Returns:
            Whether the board changes by it.

        Raises:
            RapportError: `data_error` naming the file of the archive that cannot be read.
            StoreError: If a file is missing or damaged, or a store as a whole cannot be read.
        """
        path = layout.request_path(submission_id)
        history = self._read(archive_layout.submission_path(submission_id), History)
        request = open_request(history, self.secrets) if history else None
        target.requests.put(path, files.encode_request(request) if request else None)
        if history is None:
            return False  # Its first save is still to come: until then nobody knows whose it is.
        _note_withdrawal(history, target.results)
        shown = is_shown(history)
        cards = self._cards(history) if shown else []
        human = self._human_cards(history) if shown else []
        changed = self._put_figures(history, cards, target.results)
        human_changed = self._put_human_figures(history, human, target.results)
        # A correction says whether answers may be shown, and may come to the archive before or after the scorecard.
        anew = rows or bool(amendments_of(history.events, AmendmentKind.CORRECTED))
        every: list[AnyScorecard] = [*cards, *human]
        again = {*changed, *human_changed, *(card.id for card in every if anew)}
        RowDerivation(self.archive, self.secrets).bring(history, every, target.results, again)
        if changed and every and amendments_of(history.events, AmendmentKind.SHOWN):
            # Hidden, its runs lost what people said of them; only those people's own histories still tell.
            PeopleDerivation(self.archive).bring_back(history.submission.run_ids(), target.results)
        return bool(changed)

    def withhold(self, submission_id: str, target: Target) -> None:
        """Takes out the rows of a submission that cannot be brought, unless its owner still lets them be shown.

        Args:
            submission_id: The submission.
            target: The public data sets.

        Raises:
            RapportError: `data_error` if its history cannot be read.
            StoreError: If a store as a whole cannot be read.
        """
        history = self._read(archive_layout.submission_path(submission_id), History)
        if history and not (is_shown(history) and history.declaration.publish_answers):
            model = history.submission.model
            public = [row.id for row in _rows(target.results, layout.scorecards_path(model), OpenCard)]
            human = _rows(target.results, layout.human_scorecards_path(model), OpenHumanScorecard)
            public += [row.scorecard_id for row in human]
            own = {name for name in public if name.startswith(f"{submission_id}.")}
            RowDerivation(self.archive, self.secrets).bring(history, (), target.results, own)

    def _cards(self, history: History) -> list[Scorecard]:
        """Reads the scorecards of a submission as they stand by now, and under the judge that decides ranks by now."""
        folders = reversed(archive_layout.scorecards_folders(history.submission.model))  # The newer place last.
        return [
            as_it_stands(as_promoted(card, self.promotions), history)
            for card in self._in_folders(folders, history, Scorecard)
            if is_promoted(card, self.promotions)
        ]

    def _human_cards(self, history: History) -> list[HumanScorecard]:
        """Reads the scorecards of a submission's human-grounded tasks, likewise."""
        folder = archive_layout.human_scorecards_folder(history.submission.model)
        return [as_it_stands(card, history) for card in self._in_folders([folder], history, HumanScorecard)]

    def _in_folders(self, folders: Iterable[str], history: History, kind: type[Row]) -> list[Row]:
        """Reads the files of some folders that are named after a submission; of two of one name the later one."""
        begins = f"{history.submission.id}."
        paths = {path.rsplit("/", 1)[1]: path for folder in folders for path in self.archive.list(folder)}
        wanted = sorted(path for name, path in paths.items() if name.startswith(begins) and name.endswith(".json"))
        return [read_record(self.archive.read(path), kind, path) for path in wanted]

    def _put_figures(self, history: History, cards: Sequence[Scorecard], results: PendingFiles) -> set[str]:
        """Puts scorecards, and the users' sums that go with each; returns the ids of those that changed or went."""
        model, all_cards = history.submission.model, {card.id: card for card in cards}
        path, users_path = layout.scorecards_path(model), layout.user_scores_path(model)
        rows = _rows(results, path, OpenCard)
        old = {row.id: row for row in rows if row.id.startswith(f"{history.submission.id}.")}
        new = {card.id: open_card(card, self.secrets) for card in cards}
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        if changed:
            put = [new[name] for name in changed if name in new]
            _exchange(results, files.CARDS, path, changed, put)
            users = [user for row in put for user in self._users(all_cards[row.id])]
            _exchange(results, files.USER_SCORES, users_path, changed, users)
        return changed

    def _put_human_figures(
        self, history: History, cards: Sequence[HumanScorecard], results: PendingFiles
    ) -> Collection[str]:
        """Puts scorecards of human-grounded tasks, and the figures of each; returns the ids of those that changed.

        A gap is made of two scorecards of a model, maybe of two submissions: with the one the other's figures change.
        """
        model = history.submission.model
        path, figures_path = layout.human_scorecards_path(model), layout.human_figures_path(model)
        rows = _rows(results, path, OpenHumanScorecard)
        old = {row.scorecard_id: row for row in rows if row.submission_id == history.submission.id}
        new = {card.id: open_human_scorecard(card, self.secrets) for card in cards}
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        if changed:
            put = [new[name] for name in changed if name in new]
            _exchange(results, files.HUMAN_CARDS, path, changed, put)
            names = {row.model for row in (*old.values(), *put)}
            before = [row for row in rows if row.model in names]
            after = [row for row in before if row.scorecard_id not in changed] + put
            there, here = (_with_gaps(some, path) for some in (before, after))
            anew = changed | {name for name in {*there, *here} if there.get(name) != here.get(name)}
            figures = [row for name in anew & here.keys() for row in open_human_figures(here[name], self.secrets)]
            _exchange(results, files.HUMAN_FIGURES, figures_path, anew, figures)
        return changed

    def _users(self, card: Scorecard) -> list[OpenUserScore]:
        """Reads the users' sums behind a scorecard."""
        for place in (archive_layout.user_scores_path, archive_layout.old_user_scores_path):
            if scores := self._read(place(card.model, card.id), UserScores):
                return open_user_scores(card, scores)
        return []

    def _read(self, path: str, kind: type[Row]) -> Row | None:
        """Reads a record of the archive; None if it does not lie there."""
        try:
            return read_record(self.archive.read(path), kind, path)
        except NotFound:
            return None


def _note_withdrawal(history: History, results: PendingFiles) -> None:
    """Puts a submission among those that were withdrawn, if it was."""
    if withdrawal := withdrawal_of(history.events):
        own = OpenWithdrawal(submission_id=history.submission.id, at=withdrawal.at)
        path = layout.WITHDRAWN
        noted = decode_rows(results.read(path) or b"", OpenWithdrawal, path)
        others = [row for row in noted if row.submission_id != own.submission_id]
        results.put(path, files.encode_withdrawals([*others, own]))


def _exchange(
    results: PendingFiles, parts: files.Parts[files.Row], path: str, gone: Collection[str], new: Sequence[files.Row]
) -> None:
    """Takes the rows of some scorecards out of a part, and puts others in."""
    results.put(path, parts.exchange(results.read(path), gone, new, path))


def _with_gaps(rows: Iterable[OpenHumanScorecard], path: str) -> dict[str, HumanScorecard]:
    """Returns a model's public scorecards with their gaps, by id; one that cannot be read has no part in them."""
    return {card.id: card for card in cards_of(rows, path).cards}


def _rows(results: PendingFiles, path: str, kind: type[Row]) -> list[Row]:
    """Reads a public file of rows; one that is not there has none."""
    content = results.read(path)
    return [] if content is None else decode_parquet(content, kind, path)


def all_submissions(archive: Store) -> list[str]:
    """Returns the ids of all submissions that the archive holds, the oldest first."""
    return sorted(news_in(archive.list(archive_layout.SUBMISSIONS)))
