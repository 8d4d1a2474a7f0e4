"""Re-scores, as the publisher works on them: a few runs at a time are laid out for workers, and finished ones scored.

A *judging* is one run as one re-score judges it. Its plan is the run's under the new judge, its verdicts lie beside it
in the archive, and the answers are read from the run itself: nothing is generated. Which judgings are open stands in
Redis alone; whatever happens to that, the archive tells which are finished and which verdicts are there already.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.protocol import hicupid_protocol
from leaderboard.fleet import Fleet
from leaderboard.judge_board.desk import JudgeQualities
from leaderboard.records import Failure, Lane, Plan, now, protocol_of, submission_of
from leaderboard.rescoring.checks import JudgeChecks
from leaderboard.rescoring.desk import RescoreDesk, RescoreMovedMeanwhile, Seen
from leaderboard.rescoring.judges import judge_of
from leaderboard.rescoring.records import Rescore, RescoreStatus, RescoreStep, judged_run_of, judging_id, rescore_of
from leaderboard.rescoring.rows import rows_under
from leaderboard.rescoring.selection import Filters, select
from leaderboard.scorecards import make_scorecard, make_user_scores, scorecard_id
from leaderboard.store import layout
from leaderboard.store.base import Operation, Store, StoreError, Write
from leaderboard.store.rows import read_record
from leaderboard.store.runs import StoredRun, compact
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from worker.known_verdicts import KnownVerdicts
from worker.laying_out import judging_batches, judging_plan, lay_out
from worker.parts import Part
from worker.promoting import Promoter
from worker.saving import ACTOR
from worker.turns import Turns

log = logging.getLogger("rapport.publisher")

OPEN_AT_ONCE = 4
"""So many judgings of a re-score are open at least;"""
OPEN_PER_WORKER = 2
"""and so many for each worker, so that none waits while the next run's answers are read."""
CARDS_A_COMMIT = 3
_GONE = "Restore it from a backup; if it was taken down, begin another re-score without it."


class Rescorer:
    """Moves re-scores on.

    Example:
        >>> rescorer = Rescorer(redis, ledger, store)  # doctest: +SKIP
        >>> rescorer.feed()  # doctest: +SKIP
        True
    """

    def __init__(self, redis: Redis, ledger: Ledger, store: Store, judges: Path | None = None) -> None:
        """Reads `store`; `judges` is a folder of judges beside those that ship."""
        self._judges = judges
        self._redis, self._ledger, self._store = redis, ledger, store
        self._desk, self._fleet = RescoreDesk(redis), Fleet(redis)
        self._promoter, self._checks = Promoter(redis, store), JudgeChecks(redis)
        self._qualities = JudgeQualities(redis)
        self._finished: dict[str, set[str]] = {}
        """For each re-score, the runs of which the archive holds its scorecard."""
        self._known: dict[str, KnownVerdicts] = {}
        self._turns = Turns(store)
        self._seen = Seen((), frozenset(), checks_unsaved=False)
        self._put_away = set[str]()
        """Discarded re-scores of which nothing is open any more."""

    def look(self) -> None:
        """Looks around, in one round trip; all else goes by what is seen now."""
        self._seen = self._desk.look()

    @property
    def acts(self) -> int:
        """How many entries the log of maintainers had when it looked around."""
        return self._seen.acts

    @property
    def objections_unsaved(self) -> bool:
        """Whether the archive did not hold an objection as it was when it looked around."""
        return self._seen.objections_unsaved

    def judged(self) -> list[str]:
        """Returns the open judgings whose shards are all judged."""
        open_ones = [name for rescore in self._open() for name in self._desk.judgings(rescore.id)]
        if not open_ones:
            return []
        with self._redis.pipeline(transaction=False) as pipe:
            for name in open_ones:
                pipe.hget(keys.progress(name), "shards")
                pipe.scard(keys.done(name, Lane.JUDGE))
            answers = pipe.execute()
        found = zip(open_ones, answers[::2], answers[1::2], strict=True)
        return [name for name, shards, done in found if shards is not None and done >= int(shards)]

    def gather(self, judged: Sequence[str]) -> list[Part]:
        """Returns what is to be stored: re-scores with news, and the scorecards of some judgings.

        Args:
            judged: Judgings whose verdicts are all stored.
        """
        parts = [part for name in judged[:CARDS_A_COMMIT] if (part := self._result(name))]
        parts += filter(None, (self._promoter.gather(each) for each in self._seen.with_status(RescoreStatus.PROMOTED)))
        if self._seen.checks_unsaved and (checks := self._checks.unsaved()):
            files = tuple(
                Write(layout.judge_check_path(name), check.model_dump_json().encode()) for name, check in checks.items()
            )
            parts.append(Part(f"{len(checks)} checks of judges", files, lambda: self._checks.note_saved(checks)))
        if self._seen.qualities_unsaved and (found := self._qualities.unsaved()):
            told = tuple(
                Write(layout.judge_quality_path(name), each.model_dump_json().encode()) for name, each in found.items()
            )
            parts.append(Part(f"{len(found)} qualities of judges", told, lambda: self._qualities.note_saved(found)))
        if unsaved := [each for each in self._seen.rescores if each.id in self._seen.unsaved]:
            writes = tuple(Write(layout.rescore_path(each.id), each.model_dump_json().encode()) for each in unsaved)
            parts.append(Part(f"{len(unsaved)} re-scores", writes, lambda: self._desk.note_saved(unsaved)))
        return parts

    def feed(self) -> bool:
        """Lays out the next run of a re-score, or ends one that has none left; says whether it did either.

        One at a time: a run has many rows, and the others are to go on in between.
        """
        return any(self._feed(rescore) for rescore in self._seen.with_status(RescoreStatus.RUNNING))

    def fail(self, judging: str, error: RapportError) -> None:
        """Gives up on one run of a re-score; the others go on."""
        rescore_id, run_id = rescore_of(judging), judged_run_of(judging)
        failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy)
        try:
            self._desk.note(rescore_id, RescoreStep.RUN_FAILED, ACTOR, run_id=run_id, failure=failure)
        except RescoreMovedMeanwhile:
            log.info("%s is not wanted any more", judging)
        except RapportError as unreadable:  # The re-score itself cannot be read: its judgings are closed all the same.
            log.error("%s cannot be judged: %s; nor can that be noted: %s", judging, error, unreadable)
        else:
            log.error("%s cannot be judged: %s", judging, error)
        self._desk.close([judging], rescore_id)

    def restore(self, *, holds_all: bool) -> None:
        """Merges re-scores with the archive; open judgings are laid out anew unless Redis holds all that was stored."""
        paths = [path for path in self._store.list(layout.RESCORES) if path.endswith("/rescore.json")]
        contents = self._store.read_all(paths)
        saved = list[Rescore]()
        for path in paths:
            try:
                saved.append(read_record(contents[path], Rescore, path))
            except RapportError as error:
                log.error("%s", error)
        log.info("restored %d re-scores from the store", self._desk.restore(saved))
        self._promoter.restore()
        self._checks.restore(self._store)
        self._qualities.restore(self._store)
        self._finished.clear()
        self._known.clear()
        for rescore in self._desk.readable():
            if not holds_all or rescore.status is RescoreStatus.DISCARDED:
                self._desk.close(self._desk.judgings(rescore.id), rescore.id)

    def _open(self) -> list[Rescore]:
        """Returns the re-scores that may have open judgings; of those that were discarded they are closed."""
        for rescore in self._seen.with_status(RescoreStatus.DISCARDED):
            if rescore.id not in self._put_away:
                self._desk.close(self._desk.judgings(rescore.id), rescore.id)
                self._put_away.add(rescore.id)
        return self._seen.with_status(RescoreStatus.RUNNING, RescoreStatus.PAUSED)

    def _feed(self, rescore: Rescore) -> bool:
        """Does the next thing for one re-score; says whether there was anything to do."""
        open_ones = self._desk.judgings(rescore.id)
        under_way = {judged_run_of(name) for name in open_ones}
        finished, failed = self._finished_of(rescore), rescore.failed
        left = [run for run in rescore.runs if run not in finished and run not in failed and run not in under_way]
        if left and len(open_ones) < max(OPEN_AT_ONCE, OPEN_PER_WORKER * len(self._fleet.alive())):
            if (run_id := self._turns.next_of(left, under_way)) is None:
                return False
            self._lay_out(rescore, run_id)
            return True
        if not left and not open_ones:
            self._complete(rescore, len(finished))
            return True
        return False

    def _lay_out(self, rescore: Rescore, run_id: str) -> None:
        """Lays a run out for workers; one that cannot be read fails, and nothing else."""
        name = judging_id(rescore.id, run_id)
        try:
            run, own = StoredRun(self._store, run_id), StoredRun(self._store, name)
            plan = self._plan_of(rescore, run, name)
            answers = run.rows().generations
            known = self._known_of(rescore).rows_for(plan, answers)
            lay_out(self._redis, plan, judging_batches(plan, answers, own, known), rescore.id)
        except StoreError:
            raise
        except RapportError as error:
            if error.cause is Cause.JUDGE_ERROR:
                self._hold_up(rescore, error)
            else:
                self.fail(name, error)

    def _hold_up(self, rescore: Rescore, error: RapportError) -> None:
        """Pauses a re-score whose judge cannot judge any run."""
        failure = Failure(cause=error.cause, message=error.message, remedy=error.remedy)
        log.error("%s is paused: %s", rescore.id, error)
        try:
            self._desk.note(rescore.id, RescoreStep.PAUSED, ACTOR, "The judge failed.", failure=failure)
        except RescoreMovedMeanwhile as moved:
            log.info("%s", moved)

    def _plan_of(self, rescore: Rescore, run: StoredRun, name: str) -> Plan:
        """Returns the plan of a judging.

        Raises:
            RapportError: `data_error` if the run's cannot be read, or is not there; `judge_error` if the judge is not
                the one with which the re-score began.
        """
        judge = judge_of(rescore, self._judges)
        plan = run.plan()
        if plan is None:
            raise RapportError(Cause.DATA_ERROR, f"The archive does not hold the plan of {run.run_id}.", _GONE)
        return judging_plan(plan, rescore, judge, name)

    def _finished_of(self, rescore: Rescore) -> set[str]:
        """Returns the runs of a re-score whose scorecards the archive holds."""
        if rescore.id not in self._finished:
            paths = self._store.list(layout.rescored_cards_folder(rescore.id))
            cards = {path.rpartition("/")[2].removesuffix(".json") for path in paths}
            self._finished[rescore.id] = {run for run in rescore.runs if scorecard_id(run, rescore.judge) in cards}
            self._redis.set(keys.rescored(rescore.id), len(self._finished[rescore.id]))
        return self._finished[rescore.id]

    def _known_of(self, rescore: Rescore) -> KnownVerdicts:
        """Returns what the judge of a re-score has said already: of published runs, and in every re-score by it."""
        if rescore.id not in self._known:
            known = KnownVerdicts(self._store, rescore.judge, rescore.judge_revision)
            judged = [run.run_id for run in select(self._store, Filters()) if rescore.judge in run.judges]
            others = [each for each in self._desk.readable() if each.judge == rescore.judge]
            for name in (*judged, *(judging_id(each.id, run_id) for each in others for run_id in each.runs)):
                known.add(name)
            self._known[rescore.id] = known
        return self._known[rescore.id]

    def _complete(self, rescore: Rescore, finished: int) -> None:
        """Notes that nothing is left to be judged."""
        words = f"{finished} of {len(rescore.runs)} runs were judged."
        self._known.pop(rescore.id, None)
        try:
            self._desk.note(rescore.id, RescoreStep.COMPLETED, ACTOR, words)
        except RescoreMovedMeanwhile as error:
            log.info("%s", error)

    def _result(self, judging: str) -> Part | None:
        """Scores a judging; None if it cannot be, which is noted."""
        try:
            return self._scored(judging)
        except StoreError:
            raise
        except RapportError as error:
            self.fail(judging, error)
        except Exception as error:
            log.exception("scoring %s failed", judging)
            message = f"The publisher met an unexpected error ({type(error).__name__})."
            self.fail(judging, RapportError(Cause.INFRASTRUCTURE, message, "See the publisher's log."))
        return None

    def _scored(self, judging: str) -> Part | None:
        """Returns the scorecard of a judging, and what makes its many small files a few."""
        rescore, run_id = self._desk.get(rescore_of(judging)), judged_run_of(judging)
        plan = self._ledger.plan(judging)
        if plan is None:
            return None
        history = self._ledger.history(submission_of(run_id))
        rows = rows_under(self._store, StoredRun(self._store, run_id), rescore.id)
        judged = plan.model_copy(update={"run_id": run_id})
        protocol, judge = hicupid_protocol(protocol_of(run_id)), judge_of(rescore, self._judges)
        card = make_scorecard(history.corrected, judged, rows, protocol, judge, (), now())
        card = card.model_copy(update={"rescore_id": rescore.id, "schema_version": 2})
        users = make_user_scores(card, judged, rows)
        changes: list[Operation] = [
            Write(layout.rescored_card_path(rescore.id, card.id), card.model_dump_json().encode()),
            Write(layout.rescored_users_path(rescore.id, card.id), users.model_dump_json().encode()),
            *compact(StoredRun(self._store, judging)),
        ]
        words = f"scorecard {card.id} of {rescore.id}"
        return Part(words, tuple(changes), lambda: self._end(rescore, run_id), frozenset({judging}))

    def _end(self, rescore: Rescore, run_id: str) -> None:
        """Closes a judging whose scorecard is stored."""
        finished = self._finished_of(rescore)
        finished.add(run_id)
        self._known_of(rescore).add(judging_id(rescore.id, run_id))
        self._redis.set(keys.rescored(rescore.id), len(finished))
        self._desk.close([judging_id(rescore.id, run_id)], rescore.id)
        log.info("%s has judged %s", rescore.id, run_id)
