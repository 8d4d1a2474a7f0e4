"""What of a submission stands in the public data sets: a function of what the archive holds of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import which_count
from evaluator.hicupid.questions import Item
from evaluator.human.items import HumanItem
from evaluator.judges.spec import judge_ids
from evaluator.records import Generation
from evaluator.setup import AnyItem, OneItem
from leaderboard.open_data import files, layout
from leaderboard.open_data.cleaning import Secrets
from leaderboard.open_data.figures import open_card, open_user_scores
from leaderboard.open_data.human import OpenHumanScorecard
from leaderboard.open_data.human_figures import open_human_figures, open_human_scorecard
from leaderboard.open_data.records import OpenCard, OpenUserScore, OpenWithdrawal
from leaderboard.open_data.views import open_generation, open_request, open_verdict
from leaderboard.records import AmendmentKind, Plan
from leaderboard.release.attempts import which_stand
from leaderboard.release.news import news_in
from leaderboard.release.pending import PendingFiles
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.scorecards import UserScores
from leaderboard.store import layout as archive_layout
from leaderboard.store.base import NotFound, Store
from leaderboard.store.parquet import decode_parquet
from leaderboard.store.rows import Row, decode_rows, read_record
from leaderboard.store.runs import StoredRun
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
        cards = [] if history.withdrawn else self._cards(history)
        human = [] if history.withdrawn else self._human_cards(history)
        changed = self._put_figures(history, cards, target.results)
        human_changed = self._put_human_figures(history, human, target.results)
        # A correction says whether answers may be shown, and may come to the archive before or after the scorecard.
        anew = rows or bool(amendments_of(history.events, AmendmentKind.CORRECTED))
        kept = self._put_answers(history, human, target.results, None if anew else human_changed)
        again = changed | ({card.id for card in cards} if anew else set())
        self._put_rows(history, cards, target.results, again, kept)
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
        if history and (history.withdrawn or not history.declaration.publish_answers):
            path = layout.scorecards_path(history.submission.model)
            public = (row.id for row in _rows(target.results, path, OpenCard))
            own = {name for name in public if name.startswith(f"{submission_id}.")}
            self._put_rows(history, (), target.results, own, set())

    def _cards(self, history: History) -> list[Scorecard]:
        """Reads the scorecards of a submission; all tell what is declared by now."""
        folders = reversed(archive_layout.scorecards_folders(history.submission.model))  # The newer place last.
        return [
            card.model_copy(update={"declaration": history.declaration})
            for card in self._in_folders(folders, history, Scorecard)
        ]

    def _human_cards(self, history: History) -> list[HumanScorecard]:
        """Reads the scorecards of a submission's human-grounded tasks, likewise."""
        folder = archive_layout.human_scorecards_folder(history.submission.model)
        return [
            card.model_copy(update={"declaration": history.declaration})
            for card in self._in_folders([folder], history, HumanScorecard)
        ]

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
        """Puts scorecards of human-grounded tasks, and the figures of each; returns the ids of those that changed."""
        model, by_id = history.submission.model, {card.id: card for card in cards}
        path, figures_path = layout.human_scorecards_path(model), layout.human_figures_path(model)
        rows = _rows(results, path, OpenHumanScorecard)
        old = {row.scorecard_id: row for row in rows if row.submission_id == history.submission.id}
        new = {card.id: open_human_scorecard(card, self.secrets) for card in cards}
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        if changed:
            put = [name for name in changed if name in new]
            _exchange(results, files.HUMAN_CARDS, path, changed, [new[name] for name in put])
            figures = [figure for name in put for figure in open_human_figures(by_id[name], self.secrets)]
            _exchange(results, files.HUMAN_FIGURES, figures_path, changed, figures)
        return changed

    def _put_answers(
        self,
        history: History,
        cards: Iterable[HumanScorecard],
        results: PendingFiles,
        anew: Collection[str] | None,
    ) -> set[str]:
        """Puts the answers behind scorecards of human-grounded tasks; of those not `anew` only what is missing.

        Returns:
            Where they lie.
        """
        kept = set[str]()
        for card in cards:
            kept.add(path := layout.generations_path(card.model, card.run_id))
            if anew is not None and card.id not in anew and results.holds(path):
                continue
            run = StoredRun(self.archive, card.run_id)
            plan, rows = run.plan(), run.rows().generations
            items = _items(card.run_id, plan, rows, HumanItem)
            counts = which_stand(items.values(), rows)
            results.put(path, self._answers(history, card.run_id, items, rows, counts))
        return kept

    def _users(self, card: Scorecard) -> list[OpenUserScore]:
        """Reads the users' sums behind a scorecard."""
        for place in (archive_layout.user_scores_path, archive_layout.old_user_scores_path):
            if scores := self._read(place(card.model, card.id), UserScores):
                return open_user_scores(card, scores)
        return []

    def _put_rows(
        self,
        history: History,
        cards: Iterable[Scorecard],
        results: PendingFiles,
        anew: Collection[str],
        others: Collection[str],
    ) -> None:
        """Puts the public rows of scorecards, of those not `anew` what is missing, and takes out all but `others`."""
        model, kept = history.submission.model, set(others)
        runs: dict[str, list[Scorecard]] = defaultdict(list)
        for card in cards:
            runs[card.run_id].append(card)
        for run_id, judged in runs.items():
            answers = layout.generations_path(model, run_id)
            verdicts = {card.judge: layout.verdicts_path(card.judge, model, run_id) for card in judged}
            kept |= {answers, *verdicts.values()}
            if any(card.id in anew for card in judged) or not all(map(results.holds, (answers, *verdicts.values()))):
                self._put_run(history, run_id, answers, verdicts, results)
        # People's own stay as long as the run is public; those of a withdrawn one go with it.
        kept |= {layout.verdicts_path(layout.HUMAN_RATERS, model, run_id) for run_id in runs}
        judges = {*judge_ids(), layout.HUMAN_RATERS, *(name.rsplit("@", 1)[1] for name in anew)}
        folders = [layout.generations_folder(model), *(layout.verdicts_folder(judge, model) for judge in judges)]
        for path in (path for folder in folders for path in results.list(folder)):
            if path.rsplit("/", 1)[1].startswith(f"{history.submission.id}.") and path not in kept:
                results.put(path, None)

    def _put_run(
        self, history: History, run_id: str, answers: str, verdicts: dict[str, str], results: PendingFiles
    ) -> None:
        """Puts the rows of a run: its answers, and by judge what was said of them.

        Which answers count is the same under all judges.
        """
        run, declared, model = StoredRun(self.archive, run_id), history.declaration, history.submission.model
        stored = run.rows()
        items = _items(run_id, run.plan(), stored.generations, Item)
        for judge, path in verdicts.items():
            mine = [row for row in stored.verdicts if row.key.rater == judge]
            counting = which_count(tuple(items.values()), stored.generations, mine, stored.made_on)
            results.put(answers, self._answers(history, run_id, items, stored.generations, counting.generations))
            said = (
                open_verdict(row, counts, model, declared, run_id, self.secrets)
                for row, counts in zip(mine, counting.verdicts, strict=True)
            )
            results.put(path, files.encode_verdicts(row for row in said if row))

    def _answers(
        self,
        history: History,
        run_id: str,
        items: Mapping[str, AnyItem],
        rows: Sequence[Generation],
        counts: Iterable[bool],
    ) -> bytes:
        """Returns the file of a run's answers."""
        given = (
            open_generation(row, items[row.key.question_id], each, history.declaration, run_id, self.secrets)
            for row, each in zip(rows, counts, strict=True)
        )
        return files.encode_generations(row for row in given if row)

    def _read(self, path: str, kind: type[Row]) -> Row | None:
        """Reads a record of the archive; None if it does not lie there."""
        try:
            return read_record(self.archive.read(path), kind, path)
        except NotFound:
            return None


def _items(run_id: str, plan: Plan | None, rows: Iterable[Generation], kind: type[OneItem]) -> dict[str, OneItem]:
    """Returns what a run asks by question.

    Raises:
        RapportError: `data_error` if the archive does not hold it, or it asks something else than its rows answer.
    """
    if plan is None:
        raise _gone(run_id, "its plan")
    items = {item.question_id: item for item in plan.items if isinstance(item, kind)}
    if strange := {row.key.question_id for row in rows} - items.keys():
        raise _gone(run_id, f"the item of {min(strange)}")
    return items


def _gone(run_id: str, what: str) -> RapportError:
    """Says that the archive lacks a part of a run."""
    return RapportError(
        Cause.DATA_ERROR, f"The archive does not hold {what} of {run_id}.", "Restore the run's files from a backup."
    )


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


def _rows(results: PendingFiles, path: str, kind: type[Row]) -> list[Row]:
    """Reads a public file of rows; one that is not there has none."""
    content = results.read(path)
    return [] if content is None else decode_parquet(content, kind, path)


def all_submissions(archive: Store) -> list[str]:
    """Returns the ids of all submissions that the archive holds, the oldest first."""
    return sorted(news_in(archive.list(archive_layout.SUBMISSIONS)))
