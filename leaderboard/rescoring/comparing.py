"""Makes the comparison of two judges: run by run, so that what is kept does not grow with rows.

A run's rows are let go of once they are counted. What stays is one table a user, the users' sums of each scorecard, and
a bounded sample of flips.

Example:
    >>> comparing = Comparing("official-v1", old="hicupid-llama-3.2-3b", new="better-judge")
    >>> for run in runs:  # doctest: +SKIP
    ...     comparing.add(run)
    >>> comparing.finish().agreement.kappa.value  # doctest: +SKIP
    0.81
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from leaderboard.rescoring.comparing_flips import FlipSample
from leaderboard.rescoring.comparing_people import PeopleTally
from leaderboard.rescoring.comparing_ranks import Standings, move_of, order_agreement
from leaderboard.rescoring.comparing_rows import RunOfBoth, Scored, read_both
from leaderboard.rescoring.comparing_tally import Person, Tally
from leaderboard.rescoring.comparison import (
    ComparedJudge,
    Comparison,
    ModelComparison,
    Uncompared,
    VerdictAgreement,
)
from leaderboard.results import Scorecard

FLIPS_OF_A_KIND = 20
"""Flips that are kept of each question type and pair of outcomes."""


class _Added(NamedTuple):
    """What is kept of one run."""

    old: Scorecard
    new: Scorecard
    agreement: VerdictAgreement


class Comparing:
    """Adds up what two judges said of the same answers."""

    def __init__(
        self,
        protocol: str,
        old: str,
        new: str,
        *,
        flips: int = FLIPS_OF_A_KIND,
        disregarded: Collection[str] = (),
    ) -> None:
        """Has no run yet.

        Args:
            protocol: The protocol of all runs.
            old: Id of the judge whose scorecards stand.
            new: Id of the one that may take its place; the same where it is another revision or configuration of it.
            flips: How many flips are kept of each question type and pair of outcomes, at least 0.
            disregarded: Reasons that keep no run from being ranked here, such as `protocol demo-v1`; a judge's own
                status never does.
        """
        self._protocol, self._judges = protocol, (old, new)
        self._tally, self._people, self._flips = Tally(), PeopleTally(), FlipSample(flips)
        self._standings = Standings(disregarded), Standings(disregarded)
        self._added: dict[str, _Added] = {}
        self._alone: dict[str, Uncompared] = {}

    def add(self, run: RunOfBoth) -> None:
        """Adds a run; one that only one of the judges has judged is listed, and counts in no figure.

        Raises:
            RapportError: `data_error` if it was added before, has no scorecard, or its parts do not belong together;
                then nothing of it is counted.
        """
        for scored, judge in zip((run.old, run.new), self._judges, strict=True):
            if scored is not None:
                self._check(scored.card, judge)
        if run.old is not None and run.new is not None:
            self._add(run, run.old, run.new)
            return
        scored = run.old or run.new
        if scored is None:
            raise RapportError(
                Cause.DATA_ERROR, "A run was given without any scorecard.", "Give runs that a judge has judged."
            )
        card = scored.card
        self._alone[card.run_id] = Uncompared(
            run_id=card.run_id, model=card.model, scorecard_id=card.id, lacks="old" if run.old is None else "new"
        )

    def _add(self, run: RunOfBoth, old: Scored, new: Scored) -> None:
        """Counts a run that both judges have judged."""
        entries, own = list(read_both(run, old, new)), Tally()
        votes = self._people.start(run.people)
        for read in entries:
            user: Person = (old.card.data_sha, read.item.split, read.item.user_id)
            for place in own.add(user, read):
                outcomes = read.outcomes(place)
                self._flips.add(old.card, read, place, outcomes, run.texts.get(read.item.question_id))
            self._people.add(user, read, votes)
        self._tally.take(own)
        for standings, scored in zip(self._standings, (old, new), strict=True):
            standings.add(scored)
        self._added[old.card.run_id] = _Added(old.card, new.card, own.agreement())

    def finish(self, tell: Callable[[str], None] = lambda _: None) -> Comparison:
        """Returns the comparison of all runs that were added, in whatever order.

        Args:
            tell: Is told how far it is, in a sentence: ranking a thousand runs takes minutes.

        Raises:
            RapportError: `not_found` if there is no run that both judges have judged.
        """
        if not self._added:
            waiting = f" {len(self._alone):,} have a scorecard of one of them." if self._alone else ""
            raise RapportError(
                Cause.NOT_FOUND,
                f"No run of {self._protocol} has been judged by both judges.{waiting}",
                "Wait until the new judge has judged a run, and compare then.",
            )
        models, (people, no_people_because) = self._models(tell), self._people.found()
        old_position, new_position = self._tally.positions()
        return Comparison(
            protocol=self._protocol,
            old=_judge([run.old for run in self._added.values()]),
            new=_judge([run.new for run in self._added.values()]),
            models=models,
            uncompared=tuple(self._alone[run_id] for run_id in sorted(self._alone)),
            agreement=self._tally.agreement(),
            counts=self._tally.counts(),
            by_type=self._tally.by_type(),
            old_position=old_position,
            new_position=new_position,
            order_agreement=order_agreement((model.old, model.new) for model in models),
            flips=self._flips.groups(),
            people=people,
            no_people_because=no_people_because,
        )

    def _models(self, tell: Callable[[str], None]) -> tuple[ModelComparison, ...]:
        """Returns all runs that both have judged, by run id."""
        before, now = self._standings
        tell(f"ranking {len(self._added):,} runs under the old judge")
        old = before.sides()
        tell(f"ranking {len(self._added):,} runs under the new judge")
        new = now.sides()
        tell("comparing their Totals")
        return tuple(
            ModelComparison(
                run_id=run_id,
                model=run.old.model,
                revision=run.old.revision,
                adapter=run.old.adapter,
                adapter_revision=run.old.adapter_revision,
                thinking=run.old.declaration.thinking,
                old=old[run_id],
                new=new[run_id],
                difference=now.less(before, run.new, run.old),
                move=move_of(old[run_id], new[run_id]),
                agreement=run.agreement,
            )
            for run_id, run in sorted(self._added.items())
        )

    def _check(self, card: Scorecard, judge: str) -> None:
        """Refuses a scorecard that has no place here."""
        why = None
        if card.run_id in self._added or card.run_id in self._alone:
            why = f"{card.run_id} was added before."
        elif card.protocol != self._protocol:
            why = f"{card.id} is of the protocol {card.protocol}, not of {self._protocol}."
        elif card.judge != judge:
            why = f"{card.id} is of the judge {card.judge}, not of {judge}."
        if why:
            raise RapportError(Cause.DATA_ERROR, why, "Compare runs of one protocol under two judges, each run once.")


def _judge(cards: Sequence[Scorecard]) -> ComparedJudge:
    """Returns the judge of some scorecards."""
    return ComparedJudge(
        id=cards[0].judge,
        revisions=tuple(sorted({card.judge_revision for card in cards})),
        configs=tuple(sorted({card.judge_config for card in cards})),
        engines=tuple(sorted({f"{card.judge_engine} {card.judge_dtype}" for card in cards})),
    )
