"""Finishes runs: one whose shards are all judged and stored is scored, published and compacted, all in one commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from evaluator.judges.rater import load_rater
from evaluator.judges.spec import load_judge
from evaluator.protocol import HumanProtocol, hicupid_protocol, load_protocol
from leaderboard.human_scorecards import make_human_scorecard
from leaderboard.records import Lane, Plan, State, now, protocol_of, submission_of
from leaderboard.results import AnyScorecard, HumanScorecard, Scorecard
from leaderboard.scorecards import make_scorecard, make_user_scores
from leaderboard.store import layout
from leaderboard.store.base import Delete, NotFound, Operation, Store, StoreError, Write
from leaderboard.store.runs import StoredRun, compact
from leaderboard.submissions import keys
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.reading import NotInLedger
from leaderboard.submissions.views import steps_of
from worker.parts import Part
from worker.saving import ACTOR
from worker.setbacks import KEPT, Setbacks
from worker.suspecting import look_through
from worker.tasks import finished, reopen, unanswered

log = logging.getLogger("rapport.publisher")

RUNS_A_COMMIT = 3
"""A result is seven files."""
SCORING_SECONDS = 5.0
"""A run that is done after this time waits for the next commit: histories must not wait for many results."""

MOST_REOPENED = 3
"""A run with answers that nobody handed over is asked for them so often."""


class Finisher:
    """Scores runs from what the store holds, so that what is published is what is kept.

    Example:
        >>> finisher = Finisher(redis, ledger, store, fail, setbacks, clock)  # doctest: +SKIP
        >>> parts = finisher.gather(finisher.done(ledger.open_runs()))  # doctest: +SKIP
    """

    def __init__(
        self,
        redis: Redis,
        ledger: Ledger,
        store: Store,
        fail: Callable[[str, RapportError], None],
        setbacks: Setbacks,
        clock: Callable[[], float],
        judges: Path | None = None,
    ) -> None:
        """Reads `store`; `fail` ends a run that cannot be scored, and `clock` gives seconds.

        `judges` is a folder of judges beside those that ship.
        """
        self._judges = judges
        self._redis, self._ledger, self._store = redis, ledger, store
        self._fail, self._setbacks, self._clock = fail, setbacks, clock

    def done(self, runs: Sequence[str]) -> list[str]:
        """Returns which of the open runs have all shards judged, in one round trip however many are open."""
        with self._redis.pipeline(transaction=False) as pipe:
            for run_id in runs:
                pipe.hget(keys.progress(run_id), "shards")
                pipe.scard(keys.done(run_id, Lane.JUDGE))
            answers = pipe.execute()
        found = zip(runs, answers[::2], answers[1::2], strict=True)
        return [run_id for run_id, shards, done in found if shards is not None and done >= int(shards)]

    def gather(self, run_ids: Sequence[str]) -> list[Part]:
        """Returns the results of runs that are done and whose rows are all stored, as many as there is time for."""
        parts, until = list[Part](), self._clock() + SCORING_SECONDS
        for run_id in run_ids:
            if part := self._result(run_id):
                parts.append(part)
            if len(parts) == RUNS_A_COMMIT or self._clock() >= until:
                break
        return parts

    def _result(self, run_id: str) -> Part | None:
        """Scores a run; None if it turns out not to be done, has left the publisher's hands, or cannot be scored."""
        plan = self._ledger.plan(run_id)
        if plan is None or not finished(self._redis, plan):
            return None
        try:
            with self._setbacks.blaming((run_id,)):
                stored = StoredRun(self._store, run_id)
                if lacking := unanswered(plan, stored.rows().generations):
                    self._ask_again(run_id, lacking)
                    return None
                for state in (State.GENERATING, State.JUDGING, State.SCORING):
                    self._ledger.advance(run_id, state, ACTOR)
                return self._scored(run_id, plan, stored)
        except (StoreError, RedisError, NotInLedger):
            raise
        except RapportError as error:  # What is stored cannot be scored: no other run has to wait for that.
            self._fail(run_id, error)
        except Exception as error:
            # One run that cannot be scored must not keep all others from the board.
            log.exception("scoring %s failed", run_id)
            self._fail(run_id, _unexpected(error))
        return None

    def _ask_again(self, run_id: str, shards: Sequence[str]) -> None:
        """Has shards asked again that were closed although some question has no answer: such a run is not published.

        Raises:
            RapportError: `infrastructure` if that was to no avail.
        """
        names = ", ".join(shards[:3]) + (" and others" if len(shards) > 3 else "")
        if reopen(self._redis, run_id, shards) > MOST_REOPENED:
            raise RapportError(
                Cause.INFRASTRUCTURE,
                f"Answers are missing in {len(shards)} shards ({names}), which were asked {MOST_REOPENED} times more.",
                f"Our fault: see the logs of the workers and of the publisher. {KEPT}",
            )
        log.error(
            "%s: %d shards were closed with answers missing (%s); they are asked again", run_id, len(shards), names
        )

    def _scored(self, run_id: str, plan: Plan, stored: StoredRun) -> Part | None:
        """Returns the scorecard of a run with what becomes of its rows; None if it has left the publisher's hands."""
        history = self._ledger.history(submission_of(run_id))
        protocol, steps = load_protocol(protocol_of(run_id)), steps_of(history.events, run_id)
        card: AnyScorecard
        if isinstance(protocol, HumanProtocol):
            rater = load_rater(plan.judge, self._judges)
            card = make_human_scorecard(history.corrected, plan, stored.rows(), protocol, steps, now(), rater)
            files = self._human_card_file(card)
        else:
            judge = load_judge(plan.judge, self._judges)
            asked = hicupid_protocol(protocol.id)
            card = make_scorecard(history.corrected, plan, stored.rows(), asked, judge, steps, now())
            files = self._card_files(card, plan, stored)
        changes = (*files, *compact(stored))
        self._ledger.advance(run_id, State.PUBLISHING, ACTOR)
        if self._ledger.state(run_id) is not State.PUBLISHING:
            return None
        look_through(self._ledger, history, plan, stored.rows(), ACTOR)
        return Part(f"scorecard {card.id}", changes, lambda: self._end(run_id), frozenset({run_id}))

    def _card_files(self, card: Scorecard, plan: Plan, stored: StoredRun) -> Iterator[Operation]:
        """Yields what publishes a scorecard, unless the same rows' was published before a crash."""
        path, old = (place(card.model, card.id) for place in (layout.scorecard_path, layout.old_scorecard_path))
        if self._stands(path, card.rows_sha) or self._stands(old, card.rows_sha):
            return
        sums = make_user_scores(card, plan, stored.rows())
        yield Write(path, card.model_dump_json().encode())
        yield Write(layout.user_scores_path(card.model, card.id), sums.model_dump_json().encode())
        yield Delete(old)
        yield Delete(layout.old_user_scores_path(card.model, card.id))

    def _human_card_file(self, card: HumanScorecard) -> Iterator[Operation]:
        """Yields what publishes a scorecard of a human-grounded task, under the same condition."""
        path = layout.human_scorecard_path(card.model, card.id)
        if not self._stands(path, card.rows_sha):
            yield Write(path, card.model_dump_json().encode())

    def _stands(self, path: str, rows_sha: str) -> bool:
        """Says whether a scorecard of these rows lies there."""
        try:
            return f'"rows_sha":"{rows_sha}"'.encode() in self._store.read(path)
        except NotFound:
            return False

    def _end(self, run_id: str) -> None:
        """Takes a run to its end, now that its result is stored."""
        if self._ledger.advance(run_id, State.PUBLISHED, ACTOR):
            log.info("published %s", run_id)


def _unexpected(error: Exception) -> RapportError:
    """Says that the failure is ours, without showing its insides."""
    return RapportError(
        Cause.INFRASTRUCTURE, f"The publisher met an unexpected error ({type(error).__name__}).", f"Our fault. {KEPT}"
    )
