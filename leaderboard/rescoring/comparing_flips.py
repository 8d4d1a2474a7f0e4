"""Some of the verdicts that flipped, bounded in number and the same ones in whatever order runs come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import heappush, heappushpop
from typing import TypeAlias

from evaluator.hicupid.questions import Question, QuestionType
from evaluator.identity import digest
from evaluator.records import Generation, Outcome, SlotOrder, Verdict
from leaderboard.rescoring.comparing_rows import BothRead
from leaderboard.rescoring.comparison import BothSaid, Flip, FlipGroup, Said
from leaderboard.results import Scorecard

_Kind: TypeAlias = tuple[QuestionType, Outcome, Outcome]
"""Question type, what the old judge said, and what the new one said."""


class FlipSample:
    """Counts flips of each kind and keeps those whose names have the smallest digests.

    Such a choice favours no model, no judge and no order of runs, and a flip that is kept among more is kept among
    fewer. What is kept of a kind is bounded: at most `most` answers with the words of both judges.
    """

    def __init__(self, most: int) -> None:
        """Holds none yet.

        Args:
            most: How many of each kind are kept, at least 0.
        """
        self._most = most
        self._counts: dict[_Kind, int] = defaultdict(int)
        self._kept: dict[_Kind, list[tuple[int, Flip]]] = defaultdict(list)
        """Heaps whose first entry has the largest digest, which is held as a negative number."""

    def add(
        self, card: Scorecard, read: BothRead, place: int, outcomes: tuple[Outcome, Outcome], text: Question | None
    ) -> None:
        """Counts a flip, and keeps it if its digest is among the smallest.

        Args:
            card: A scorecard of its run.
            read: The item with all that was said of it.
            place: Which of the item's slot orders it is in.
            outcomes: What the old judge said, and the new one.
            text: The question; None if it is not at hand.
        """
        kind = (read.item.type, *outcomes)
        self._counts[kind] += 1
        name = -int(digest([card.run_id, read.item.question_id, read.item.orders[place]]), 16)
        kept = self._kept[kind]
        if len(kept) >= self._most and (not kept or name <= kept[0][0]):
            return
        entry = name, _flip(card, read, place, text)
        if len(kept) < self._most:
            heappush(kept, entry)
        else:
            heappushpop(kept, entry)

    def groups(self) -> tuple[FlipGroup, ...]:
        """Returns the flips by kind: types in their order, then what was said in that of `Outcome`."""
        return tuple(self._groups())

    def _groups(self) -> Iterator[FlipGroup]:
        types, outcomes = list(QuestionType), list(Outcome)
        order = sorted(
            self._counts, key=lambda kind: (types.index(kind[0]), *(outcomes.index(outcome) for outcome in kind[1:]))
        )
        for kind in order:
            type_, old, new = kind
            kept = sorted(self._kept[kind], key=lambda entry: -entry[0])
            yield FlipGroup(
                type=type_, old=old, new=new, count=self._counts[kind], shown=tuple(flip for _, flip in kept)
            )


def _flip(card: Scorecard, read: BothRead, place: int, text: Question | None) -> Flip:
    """Returns a flip with all that was said of the answer; the source's own text only where it may be passed on."""
    item, answer = read.item, read.answer
    assert isinstance(answer, Generation)
    assert answer.content_hash is not None
    may_show = text if card.terms.redistributable else None
    return Flip(
        run_id=card.run_id,
        model=card.model,
        question_id=item.question_id,
        split=item.split,
        user_id=item.user_id,
        order=item.orders[place],
        content_hash=answer.content_hash,
        answer=answer.answer,
        question=may_show and may_show.question,
        gold=may_show and may_show.gold,
        said=tuple(_both(*row) for row in zip(item.orders, read.old, read.new, strict=True)),
        terms=card.terms,
    )


def _both(order: SlotOrder, old: Verdict | None, new: Verdict | None) -> BothSaid:
    return BothSaid(order=order, old=_said(old), new=_said(new))


def _said(row: Verdict | None) -> Said | None:
    """What a judge's row says; None without one."""
    if row is None:
        return None
    return Said(
        outcome=row.outcome,
        word=row.word,
        completion=row.completion,
        taken_down=row.taken_down is not None,
        failure=row.failure,
    )
