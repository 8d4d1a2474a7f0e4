"""Which answers and verdicts of a submission stand in the public data set: those behind its public scorecards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import which_count
from evaluator.hicupid.questions import Item
from evaluator.human.items import HumanItem
from evaluator.human.judged.behind import which_verdicts_count
from evaluator.human.tasks import JudgedTask
from evaluator.judges.spec import judge_ids
from evaluator.records import Generation, Verdict
from evaluator.setup import AnyItem, OneItem
from leaderboard.open_data import files, layout
from leaderboard.open_data.cleaning import Secrets
from leaderboard.open_data.views import open_generation, open_verdict, public_row_paths
from leaderboard.records import Plan
from leaderboard.release.attempts import which_stand
from leaderboard.release.pending import PendingFiles
from leaderboard.rescoring.rows import rows_under
from leaderboard.results import AnyScorecard, HumanScorecard, Scorecard
from leaderboard.scorecards import RunRows
from leaderboard.store.base import Store
from leaderboard.store.runs import StoredRun
from leaderboard.submissions.history import History


class _Behind(NamedTuple):
    """What a scorecard is made of."""

    items: Mapping[str, AnyItem]
    """By question."""
    generations: Sequence[bool]
    """Which of the run's answers count."""
    verdicts: Sequence[tuple[Verdict, bool]]
    """What its judge said, and what rules found beside it, each with whether it counts."""


class RowDerivation(NamedTuple):
    """Brings the rows of submissions from the archive into the public results.

    Example:
        >>> RowDerivation(archive, secrets).bring(history, cards, results, {"s-1.demo-v1@demo"})  # doctest: +SKIP
    """

    archive: Store
    secrets: Secrets
    """Texts that must not appear in public."""

    def bring(
        self, history: History, cards: Iterable[AnyScorecard], results: PendingFiles, anew: Collection[str]
    ) -> None:
        """Puts the rows behind scorecards of either suite, and takes out all others of a submission.

        Args:
            history: The submission.
            cards: All of its scorecards that are public.
            results: The public results.
            anew: Ids of the scorecards whose rows may have changed, and of those that have gone; of all others is put
                what is missing.

        Raises:
            RapportError: `data_error` if the archive lacks a part of a run, or it cannot be read.
            StoreError: If a file is damaged, or a store as a whole cannot be read.
        """
        model, kept = history.submission.model, set[str]()
        runs: dict[str, list[AnyScorecard]] = defaultdict(list)
        for card in cards:
            runs[card.run_id].append(card)
        for run_id, judged in runs.items():
            paths = {path for card in judged for path in public_row_paths(card)}
            if any(card.id in anew for card in judged) or not all(map(results.holds, paths)):
                self._put_run(history, StoredRun(self.archive, run_id), judged, results)
            # People's own stay as long as the run is public; those of a withdrawn one go with it.
            kept |= {*paths, layout.verdicts_path(layout.HUMAN_RATERS, model, run_id)}
        own = {card.judge for judged in runs.values() for card in judged}
        judges = {*judge_ids(), layout.HUMAN_RATERS, *own, *(name.rsplit("@", 1)[1] for name in anew)}
        folders = [layout.generations_folder(model), *(layout.verdicts_folder(judge, model) for judge in judges)]
        for path in (path for folder in folders for path in results.list(folder)):
            if path.rsplit("/", 1)[1].startswith(f"{history.submission.id}.") and path not in kept:
                results.put(path, None)

    def _put_run(self, history: History, run: StoredRun, judged: Iterable[AnyScorecard], results: PendingFiles) -> None:
        """Puts the rows of a run: its answers, and by judge what was said of them.

        Which answers count is the same under all judges.
        """
        plan, declared, model = run.plan(), history.declaration, history.submission.model
        for card in judged:
            rows = rows_under(self.archive, run, card.rescore_id if isinstance(card, Scorecard) else None)
            behind = _behind(card, plan, rows)
            answers = (
                open_generation(row, behind.items[row.key.question_id], counts, declared, run.run_id, self.secrets)
                for row, counts in zip(rows.generations, behind.generations, strict=True)
            )
            said = (
                open_verdict(row, counts, model, declared, run.run_id, self.secrets) for row, counts in behind.verdicts
            )
            path, *of_judge = public_row_paths(card)
            results.put(path, files.encode_generations(row for row in answers if row))
            for path in of_judge:
                results.put(path, files.encode_verdicts(row for row in said if row))


def _behind(card: AnyScorecard, plan: Plan | None, rows: RunRows) -> _Behind:
    """Returns what a scorecard is made of.

    Raises:
        RapportError: As of `_items`.
    """
    return _behind_human(card, plan, rows) if isinstance(card, HumanScorecard) else _behind_hicupid(card, plan, rows)


def _behind_hicupid(card: Scorecard, plan: Plan | None, rows: RunRows) -> _Behind:
    """The same of one of HiCUPID."""
    items = _items(card.run_id, plan, rows.generations, Item)
    mine = [row for row in rows.verdicts if row.key.rater == card.judge]
    counting = which_count(tuple(items.values()), rows.generations, mine, rows.made_on)
    return _Behind(items, counting.generations, list(zip(mine, counting.verdicts, strict=True)))


def _behind_human(card: HumanScorecard, plan: Plan | None, rows: RunRows) -> _Behind:
    """The same of one of a human-grounded task."""
    items, task = _items(card.run_id, plan, rows.generations, HumanItem), card.result.task
    asked, stand = tuple(items.values()), which_stand(items.values(), rows.generations)
    if not isinstance(task, JudgedTask):
        return _Behind(items, stand, ())
    mine = [row for row in rows.verdicts if row.rater_kind == "rule" or row.key.rater == card.judge]
    counts = which_verdicts_count(asked, rows.generations, mine, task=task, judge=card.judge, made_on=rows.made_on)
    return _Behind(items, stand, list(zip(mine, counts, strict=True)))


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
