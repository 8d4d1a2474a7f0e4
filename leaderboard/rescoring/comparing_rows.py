"""What a run brings to a comparison, and each of its items with the rows of both judges that count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import MadeOn, latest_rows, why_missing
from evaluator.hicupid.questions import Item, Question
from evaluator.records import Generation, Outcome, Verdict
from leaderboard.results import Scorecard
from leaderboard.scorecards import UserScores


class Scored(NamedTuple):
    """A run under one judge."""

    card: Scorecard
    users: UserScores
    """The users' sums behind the scorecard."""
    verdicts: Sequence[Verdict]
    """All rows of this judge on the run's answers, and of nobody else."""


class RunOfBoth(NamedTuple):
    """One run with all that its comparison needs; let go of once it is added."""

    items: Sequence[Item]
    """Everything that it asks."""
    generations: Sequence[Generation]
    old: Scored | None
    """None where the old judge has not judged it."""
    new: Scored | None
    """None where the new judge has not judged it yet."""
    people: Sequence[Verdict] = ()
    """Verdicts of people on its answers."""
    texts: Mapping[str, Question] = MappingProxyType({})
    """Questions by id, where they are at hand; shown only where the data set may be passed on."""


class BothRead(NamedTuple):
    """One item with what both judges said of its answer."""

    item: Item
    answer: Generation | None
    old: tuple[Verdict | None, ...]
    """The old judge's rows that count, in the order of `item.orders`; none where the answer has a defect."""
    new: tuple[Verdict | None, ...]
    no_answer: str | None
    """Why there is no answer; None where there is one."""

    @property
    def lost_by_defect(self) -> bool:
        """Whether the answer lost without a judge."""
        return self.answer is not None and self.answer.defect is not None

    def outcomes(self, place: int) -> tuple[Outcome, Outcome]:
        """Returns what the old judge said in one of the slot orders, and what the new one did.

        Raises:
            ValueError: If either said nothing.
        """
        old, new = self.old[place], self.new[place]
        if old is None or new is None or old.outcome is None or new.outcome is None:
            raise ValueError("a verdict is missing")
        return old.outcome, new.outcome

    def why_missing(self, verdict: Verdict | None) -> str:
        """Says why a verdict of one of the judges is missing."""
        return self.no_answer or why_missing(verdict)


def read_both(run: RunOfBoth, old: Scored, new: Scored) -> Iterator[BothRead]:
    """Yields every item with the rows that count, as scoring takes them; see `evaluator.hicupid.outcomes.join_rows`.

    Args:
        run: The run.
        old: What the old judge makes of it.
        new: The same of the new one.

    Raises:
        RapportError: `data_error` if the two are not of the same answers.
    """
    check_run(run, old, new)
    answers, said_before = latest_rows(run.generations, old.verdicts, made_on(old.card))
    _, said_now = latest_rows((), new.verdicts, made_on(new.card))
    for item in run.items:
        answer, nothing = answers.get(item.question_id), (None,) * len(item.orders)
        if answer is None or answer.content_hash is None:
            cause = "not_generated" if answer is None else str(answer.failure)
            yield BothRead(item, answer, nothing, nothing, cause)
        elif answer.defect is not None:
            yield BothRead(item, answer, nothing, nothing, None)
        else:
            about = [(item.question_id, answer.content_hash, order) for order in item.orders]
            before, now = (tuple(map(said.get, about)) for said in (said_before, said_now))
            yield BothRead(item, answer, before, now, None)


def made_on(card: Scorecard) -> MadeOn:
    """Returns what a scorecard's rows were made on."""
    return MadeOn(card.engine, card.dtype, card.judge_engine, card.judge_dtype)


def check_run(run: RunOfBoth, old: Scored, new: Scored) -> None:
    """Returns if two scorecards are of the same answers, each with its own judge's rows.

    Raises:
        RapportError: `data_error` if not.
    """
    name = old.card.run_id
    for field in ("run_id", "model", "revision", "adapter", "adapter_revision", "data_sha", "engine", "dtype"):
        if getattr(old.card, field) != getattr(new.card, field):
            raise _broken(f"The two scorecards of {name} differ in {field}: they are not of the same answers.")
    for scored in (old, new):
        card = scored.card
        if (scored.users.scorecard_id, scored.users.rows_sha) != (card.id, card.rows_sha):
            raise _broken(f"The users' sums beside {card.id} are of other rows than the scorecard.")
        judge = card.judge, card.judge_revision
        if any((row.key.rater, row.key.rater_revision) != judge for row in scored.verdicts):
            raise _broken(f"A verdict given for {card.id} is of another judge, or of another revision of it.")
    if any(row.rater_kind != "human" for row in run.people):
        raise _broken(f"A verdict given as one of people on {name} is none.")


def _broken(message: str) -> RapportError:
    return RapportError(Cause.DATA_ERROR, message, "Give each scorecard its own rows, as the store holds them.")
