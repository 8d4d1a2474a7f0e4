"""What a run that was made again has in common with the published one: rows in, a typed report out.

Nothing is asked here, and nothing is guessed: what a side does not have is missing, and what rows do not tell is
unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple, TypeAlias

from evaluator.errors import Cause
from evaluator.hicupid.questions import Item, QuestionType
from evaluator.hicupid.selection import UserItems
from evaluator.metrics.intervals import UserSums
from evaluator.metrics.sameness import Agreement, agreement
from evaluator.records import Defect, Generation, Outcome, Record, SlotOrder, Verdict
from evaluator.reproduced_scores import Shift, shift_of

NEAR_TIE = 0.05
"""A verdict is a near-tie if its two likeliest words are closer than this, as probabilities."""


_DIGITS = 6


class Answer(NamedTuple):
    """What an answer's row tells of it."""

    question_id: str
    prompt_hash: str
    content_hash: str | None
    """None where there is no answer."""
    text: str | None
    """None where there is no answer, or it is withheld."""
    defect: Defect | None
    failure: Cause | None

    @classmethod
    def of(cls, row: Generation) -> Answer:
        """Returns what a row tells."""
        return cls(row.key.question_id, row.prompt_hash, row.content_hash, row.answer, row.defect, row.failure)


class Said(NamedTuple):
    """What a verdict's row tells of it."""

    question_id: str
    content_hash: str
    """Of the answer that it is about."""
    order: SlotOrder
    prompt_hash: str
    outcome: Outcome | None
    """None where it could not be read."""
    failure: Cause | None
    probabilities: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, row: Verdict) -> Said:
        """Returns what a row tells."""
        key = row.key
        what = (row.prompt_hash, row.outcome, row.failure, row.word_probabilities)
        return cls(key.question_id, key.content_hash, key.slot_order, *what)

    @property
    def margin(self) -> float | None:
        """The likeliest word's probability less that of the next; None unless two are known."""
        found = sorted((share for _, share in self.probabilities), reverse=True)
        return round(found[0] - found[1], _DIGITS) if len(found) > 1 else None


class Side(NamedTuple):
    """One of the two runs: of several rows on the same thing, the one that counts."""

    answers: Mapping[str, Answer]
    """By question id."""
    said: Mapping[tuple[str, str, SlotOrder], Said]
    """By question id, content hash and slot order."""


class Compared(NamedTuple):
    """What was made again."""

    answers: bool
    verdicts: bool


EVERYTHING = Compared(answers=True, verdicts=True)


class Finding(StrEnum):
    """What became of one comparison."""

    EQUAL = "equal"
    DIFFERENT = "different"
    MISSING_HERE = "missing_here"
    """The published run has it, the repeated one does not."""
    MISSING_THERE = "missing_there"
    """The repeated run has it, the published one does not."""
    MISSING = "missing"
    """Neither has what both should have."""
    NOT_COMPARED = "not_compared"
    """It was not made again, or what it hangs on differs already."""


class NearTie(StrEnum):
    """Whether a small difference in arithmetic could have decided otherwise."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """The rows do not tell the probabilities. Of answers they never do."""


class VerdictFinding(Record):
    """The verdicts on one item in one slot order."""

    order: SlotOrder
    prompt: Finding
    """The judge's prompt; compared where both are there."""
    finding: Finding
    """What they say; compared where both are about the same answer."""
    there: Outcome | None
    """What the published verdict says; None where there is none or it could not be read."""
    here: Outcome | None
    margin_there: float | None
    """Probability of the likeliest verdict word less that of the next, 0 to 1; None where the row does not tell."""
    margin_here: float | None
    near_tie: NearTie
    """Whether either margin is below `NEAR_TIE`."""


class ItemFinding(Record):
    """Everything about one item. `there` is the published run, `here` the repeated one."""

    question_id: str
    split: str
    user_id: int
    type: QuestionType
    prompt: Finding
    answer: Finding
    """By the hash of the text; two failed items have equal answers, none."""
    fate: Finding
    """Defect and failure; compared where the answers are equal."""
    differs_at: int | None
    """The first character in which two different answers differ, from 0; None where one of them is not known."""
    near_tie: NearTie
    """Whether the first different token of the answers was a near-tie; `no` where they are equal."""
    verdicts: tuple[VerdictFinding, ...]

    @property
    def findings(self) -> tuple[tuple[str, Finding], ...]:
        """All that was found, by what it is about."""
        own = (("prompt", self.prompt), ("answer", self.answer), ("fate", self.fate))
        prompts = ((f"judge_prompt {each.order}", each.prompt) for each in self.verdicts)
        return (*own, *prompts, *((f"verdict {each.order}", each.finding) for each in self.verdicts))

    @property
    def agrees(self) -> bool:
        """Whether all that was compared is equal, and nothing is missing."""
        return all(found in (Finding.EQUAL, Finding.NOT_COMPARED) for _, found in self.findings)


class Report(Record):
    """What two runs of the same items have in common."""

    items: int
    agreeing: int
    """Items of which all that was compared is equal and nothing is missing."""
    prompts: Agreement
    answers: Agreement
    judge_prompts: Agreement
    """Of the verdicts on equal answers that both have."""
    verdicts: Agreement
    """On equal answers, each slot order by itself: how far the judge alone can be reproduced."""
    counts: tuple[tuple[str, int], ...]
    """Comparisons by what they are about and what was found, such as `answer different`; sorted."""
    near_ties: int
    """Different verdicts on equal answers that are near-ties."""
    near_tie_below: float = NEAR_TIE
    shift: Shift | None
    """The scores of these items, and how far apart they are; None where nothing was judged."""
    rows: tuple[ItemFinding, ...]
    """One for each item, in the order of question ids."""

    @property
    def agrees(self) -> bool:
        """Whether every item agrees."""
        return self.agreeing == self.items


Place: TypeAlias = Callable[[ItemFinding], Iterable[Finding]]


def compare(items: Iterable[Item], there: Side, here: Side, made: Compared = EVERYTHING) -> Report:
    """Compares two runs item by item.

    Args:
        items: What was to be made again.
        there: The published run.
        here: The repeated one.
        made: What of it was made again; nothing else is compared.

    Example:
        >>> report = compare([], Side({}, {}), Side({}, {}))
        >>> report.agrees, report.answers.percent
        (True, None)
    """
    asked = sorted(items, key=lambda item: item.question_id)
    rows = tuple(_item(item, there, here, made) for item in asked)
    counts = Counter(f"{name.partition(' ')[0]} {found}" for row in rows for name, found in row.findings)
    verdicts = [verdict for row in rows for verdict in row.verdicts]
    return Report(
        items=len(rows),
        agreeing=sum(row.agrees for row in rows),
        prompts=_rate(rows, lambda row: [row.prompt]),
        answers=_rate(rows, lambda row: [row.answer]),
        judge_prompts=_rate(rows, lambda row: [each.prompt for each in row.verdicts]),
        verdicts=_rate(rows, lambda row: [each.finding for each in row.verdicts]),
        counts=tuple(sorted(counts.items())),
        near_ties=sum(each.finding is Finding.DIFFERENT and each.near_tie is NearTie.YES for each in verdicts),
        shift=shift_of(asked, *(_outcomes(asked, side) for side in (there, here))) if made.verdicts else None,
        rows=rows,
    )


def _item(item: Item, there: Side, here: Side, made: Compared) -> ItemFinding:
    """Compares one item."""
    name = item.question_id
    old, new = there.answers.get(name), here.answers.get(name)
    found = _found(old, new, lambda row: row.content_hash)
    both = old is not None and new is not None
    return ItemFinding(
        question_id=name,
        split=item.split,
        user_id=item.user_id,
        type=item.type,
        prompt=_found(old, new, lambda row: row.prompt_hash) if made.answers else Finding.NOT_COMPARED,
        answer=found if made.answers else Finding.NOT_COMPARED,
        fate=_found(old, new, lambda row: (row.defect, row.failure))
        if made.answers and found is Finding.EQUAL
        else Finding.NOT_COMPARED,
        differs_at=_first_difference(old.text, new.text) if old and new and found is Finding.DIFFERENT else None,
        near_tie=NearTie.NO if both and found is Finding.EQUAL else NearTie.UNKNOWN,
        verdicts=tuple(_verdict(item, order, there, here, made) for order in item.orders),
    )


def _verdict(item: Item, order: SlotOrder, there: Side, here: Side, made: Compared) -> VerdictFinding:
    """Compares the verdicts in one slot order."""
    old, new = (_said(item, order, side) for side in (there, here))
    margins = [row and row.margin for row in (old, new)]
    finding = _verdict_finding(item, there, here, old, new, made)
    both = finding in (Finding.EQUAL, Finding.DIFFERENT)
    return VerdictFinding(
        order=order,
        prompt=_found(old, new, lambda row: row.prompt_hash) if both else Finding.NOT_COMPARED,
        finding=finding,
        there=old and old.outcome,
        here=new and new.outcome,
        margin_there=margins[0],
        margin_here=margins[1],
        near_tie=_near_tie(margins),
    )


def _verdict_finding(
    item: Item, there: Side, here: Side, old: Said | None, new: Said | None, made: Compared
) -> Finding:
    """Compares two verdicts, if both are owed and about the same answer."""
    if not made.verdicts:
        return Finding.NOT_COMPARED
    answers = _found(
        there.answers.get(item.question_id),
        here.answers.get(item.question_id),
        lambda row: (row.content_hash, row.content_hash is not None and row.defect is None),
    )
    if answers is not Finding.EQUAL:  # It stands with the answers, if these were made again.
        return Finding.NOT_COMPARED if made.answers or answers is Finding.DIFFERENT else answers
    answer = here.answers[item.question_id]
    if answer.content_hash is None or answer.defect is not None:
        return Finding.NOT_COMPARED
    return _found(old, new, lambda row: (row.outcome, row.failure))


def _said(item: Item, order: SlotOrder, side: Side) -> Said | None:
    """Returns what a side's judge says of that side's answer."""
    answer = side.answers.get(item.question_id)
    return None if answer is None else side.said.get((item.question_id, answer.content_hash or "", order))


def _found(old: NamedTuple | None, new: NamedTuple | None, content: Callable[..., object]) -> Finding:
    """Compares what two rows hold; a row that is not there is equal to nothing, least of all to another such."""
    if old is None or new is None:
        return Finding.MISSING if old is new else Finding.MISSING_HERE if new is None else Finding.MISSING_THERE
    return Finding.EQUAL if content(old) == content(new) else Finding.DIFFERENT


def _first_difference(old: str | None, new: str | None) -> int | None:
    """Returns the first character in which two different texts differ, from 0.

    Example:
        >>> _first_difference("ramen", "radish"), _first_difference("rice", "rice!"), _first_difference(None, "rice")
        (2, 4, None)
    """
    if old is None or new is None:
        return None
    return next(place for place, (one, other) in enumerate(zip_longest(old, new)) if one != other)


def _near_tie(margins: Sequence[float | None]) -> NearTie:
    """Says whether either of two verdicts is a near-tie.

    Example:
        >>> [_near_tie(margins).value for margins in ((0.9, 0.01), (0.9, 0.2), (0.9, None), (None, 0.01))]
        ['yes', 'no', 'unknown', 'yes']
    """
    if any(margin is not None and margin < NEAR_TIE for margin in margins):
        return NearTie.YES
    return NearTie.UNKNOWN if None in margins else NearTie.NO


def _rate(rows: Iterable[ItemFinding], place: Place) -> Agreement:
    """Returns how often something agrees, user by user."""
    users: dict[UserItems, list[Finding]] = {}
    for row in rows:
        users.setdefault(UserItems(row.split, row.user_id), []).extend(place(row))
    compared = [[found for found in user if found in (Finding.EQUAL, Finding.DIFFERENT)] for user in users.values()]
    missing = sum(found.value.startswith("missing") for user in users.values() for found in user)
    return agreement([UserSums(user.count(Finding.EQUAL), len(user)) for user in compared], missing)


def _outcomes(items: Iterable[Item], side: Side) -> dict[str, tuple[Outcome | None, ...]]:
    """Returns each item's outcomes on one side in the order of its slot orders; an answer with a defect loses."""
    found: dict[str, tuple[Outcome | None, ...]] = {}
    for item in items:
        answer = side.answers.get(item.question_id)
        if answer is not None and answer.defect is not None:
            lost = Outcome.UNSATISFIED if item.type is QuestionType.SCHEDULE else Outcome.LOSS
            found[item.question_id] = (lost,) * len(item.orders)
        else:
            said = [_said(item, order, side) for order in item.orders]
            found[item.question_id] = tuple(each and each.outcome for each in said)
    return found
