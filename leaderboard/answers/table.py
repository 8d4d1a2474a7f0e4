"""All items of one run under one judge as columns, from the public rows: no record is made for a row.

Which of several rows on one thing counts was decided when they were published; here it is only read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import User
from evaluator.metrics.intervals import Array
from evaluator.records import Defect, Outcome, SlotOrder
from leaderboard.answers.columns import Codes, Lists, Mask, Words, broken, read_columns, the_one
from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.results import Scorecard
from leaderboard.store.base import NotFound, Store

SLOTS = tuple(SlotOrder)
"""Columns of `ItemTable.outcomes`."""
LOST, TIED, WON = 0, 1, 2
"""What an answer got in one slot order, as half points: a schedule answer that satisfied has won."""
MISSING, NOT_OWED = -1, -2
"""A verdict that is owed and not there, and one that was never asked for."""

Standing = Literal["won", "tied", "lost", "missing"]
"""An item as a whole: better than the reference answer by both orders together, as good, worse, or not judged in full.
Of a schedule answer, whether it satisfied."""

_CODE = {
    Outcome.LOSS: LOST,
    Outcome.UNSATISFIED: LOST,
    Outcome.TIE: TIED,
    Outcome.WIN: WON,
    Outcome.SATISFIED: WON,
}
_NAMES = ("run_id", "model", "protocol", "data_sha")
_NEWER = ("persona_category", "sentiment", "evidence_position")
_ANSWERS = (
    *_NAMES,
    *_NEWER,
    "question_id",
    "split",
    "user_id",
    "type",
    "orders",
    "counts",
    "answer_status",
    "content_hash",
    "defect",
    "failure",
)
_VERDICTS = (
    *_NAMES,
    "question_id",
    "content_hash",
    "rater",
    "rater_kind",
    "slot_order",
    "counts",
    "outcome",
    "failure",
)


class ItemTable(NamedTuple):
    """One run under one judge: a row an item, in the order of question ids."""

    run_id: str
    model: str
    protocol: str
    data_sha: str
    judge: str
    question_id: NDArray[np.object_]
    """(items,): strings, ascending."""
    type: Words
    """`persona`, `profile` or `schedule`."""
    split: Words
    users: tuple[User, ...]
    """Everyone who was asked for, sorted: split and number."""
    user: Codes
    """(items,): place of the item's user in `users`."""
    category: Words
    """What the question's taste is for; none where there is no taste, or it is not told."""
    sentiment: Words
    """`POS` or `NEG`, likewise."""
    newest_evidence: Array
    """(items,): share of the user's dialogues that come after the newest one that the question needs, 0..1; NaN where
    none is needed, or it is not told."""
    oldest_evidence: Array
    """(items,): likewise of the oldest one: a model that does not reach back so far lacks something."""
    outcomes: NDArray[np.int8]
    """(items, slot orders): `LOST`, `TIED`, `WON`, `MISSING` or `NOT_OWED`, in the order of `SLOTS`. An answer with a
    defect lost in all that are owed."""
    score: Array
    """(items,): the mean of the item's verdicts in 0..100; NaN where one is missing."""
    flipped: Mask
    """(items,): whether the verdicts in both orders are there and disagree."""
    defect: Words
    """Why the answer lost without being judged."""
    missing: Words
    """Why its first missing verdict is missing, as in `Result.missing_because`; none where nothing is missing."""
    answer_status: Words
    """`shown`, `withheld` or `none`."""

    @property
    def owed(self) -> NDArray[np.int64]:
        """(items,): verdicts that are owed, 1 or 2."""
        return np.asarray((self.outcomes != NOT_OWED).sum(axis=1))

    @property
    def judged(self) -> Mask:
        """(items,): whether no verdict is missing."""
        return ~np.isnan(self.score)

    def share_of(self, outcome: int) -> Array:
        """Returns how often each item came out so, (items,), in 0..100; NaN where a verdict is missing."""
        return np.where(self.judged, 100.0 * (self.outcomes == outcome).sum(axis=1) / self.owed, np.nan)

    @property
    def worst_score(self) -> Array:
        """(items,): the score if every missing verdict were a loss."""
        return np.asarray(50.0 * np.maximum(self.outcomes, 0).sum(axis=1) / self.owed)

    def are(self, standing: Standing) -> Mask:
        """Tells which items came out so as a whole, (items,)."""
        if standing == "missing":
            return ~self.judged
        won, lost = self.score > 50, self.score < 50
        return won if standing == "won" else lost if standing == "lost" else self.judged & ~won & ~lost

    def standing(self, item: int) -> Standing:
        """Returns how an item came out as a whole."""
        score = float(self.score[item])
        if np.isnan(score):
            return "missing"
        return "won" if score > 50 else "lost" if score < 50 else "tied"

    def places(self, question_ids: Sequence[str] | NDArray[np.object_]) -> Codes:
        """Returns where questions stand, (questions,), whatever they are called; -1 for one that was not asked."""
        own, wanted = self.question_id, np.array(question_ids, dtype=np.object_)
        if len(own) == len(wanted) and (own == wanted).all():  # As it is where runs have been asked the same.
            return np.arange(len(own), dtype=np.intp)
        if not len(own):
            return np.full(len(wanted), -1, dtype=np.intp)
        place = np.minimum(np.searchsorted(own, wanted), len(own) - 1)
        return np.where(own[place] == wanted, place, -1)


class NoItems(NamedTuple):
    """Why there is no table."""

    reason: str
    """A sentence for readers."""


def read_item_table(results: Store, card: Scorecard) -> ItemTable | NoItems:
    """Returns the items behind a scorecard, or why they cannot be shown.

    Args:
        results: The public data set of results.
        card: The scorecard.

    Raises:
        RapportError: `data_error` if a file is broken.
        StoreError: If the data set cannot be read.
    """
    if card.terms.visibility == "private":
        return NoItems("The rows of private data stay private: the figures are public, single answers are not.")
    answers = layout.generations_path(card.model, card.run_id)
    said = layout.verdicts_path(card.judge, card.model, card.run_id)
    try:
        files = results.read(answers), results.read(said)
    except NotFound:
        return NoItems("Its answers and verdicts are not public, or not yet.")
    table = item_table(*files, card.judge, (answers, said))
    if (table.run_id, table.data_sha) != (card.run_id, card.data_sha):
        return NoItems("The public rows are of another run than the scorecard.")
    if len(table.question_id) != card.result.items:
        there, asked = len(table.question_id), card.result.items
        return NoItems(f"The scorecard is of {asked:,} items, and the public rows are of {there:,}.")
    return table


def item_table(
    generations: bytes, verdicts: bytes, judge: str, names: tuple[str, str] = ("The answers", "The verdicts")
) -> ItemTable:
    """Returns the items of a run under a judge; only rows that count are looked at.

    Args:
        generations: File of the run's `OpenGeneration`s.
        verdicts: File of the judge's `OpenVerdict`s on them.
        judge: Id of the judge.
        names: What the files are called in errors.

    Raises:
        RapportError: `data_error` if a file is broken, or the two are not of one run under this judge.
    """
    answers = _answers(generations, names[0])
    about = {name: the_one(answers, name, names[0]) for name in _NAMES}
    said = _verdicts(verdicts, judge, about, names[1])
    outcomes = _owed(Lists.of(answers.column("orders")), len(answers), names[0])
    defect = _words(answers, "defect", tuple(Defect), names[0])
    missing = _put_verdicts(outcomes, answers, said, names[1])
    lost = (defect.code >= 0) & ~pc.is_null(answers.column("content_hash")).to_numpy()
    outcomes[lost] = np.where(outcomes[lost] == NOT_OWED, NOT_OWED, LOST)
    missing = Words.chosen(missing.names, np.where((outcomes == MISSING).any(axis=1), missing.code, -1))
    newest, oldest = _positions(Lists.of(answers.column("evidence_position")), len(answers), names[0])
    users, user = _users(answers)
    owed, there = outcomes != NOT_OWED, np.maximum(outcomes, 0).sum(axis=1)
    full = ~(outcomes == MISSING).any(axis=1)
    return ItemTable(
        **about,
        judge=judge,
        question_id=answers.column("question_id").to_numpy(),
        type=_words(answers, "type", tuple(QuestionType), names[0]),
        split=Words.of(answers.column("split")),
        users=users,
        user=user,
        category=Words.of(answers.column("persona_category")),
        sentiment=_words(answers, "sentiment", ("POS", "NEG"), names[0]),
        newest_evidence=newest,
        oldest_evidence=oldest,
        outcomes=outcomes,
        score=np.where(full, 50.0 * there / owed.sum(axis=1), np.nan),
        flipped=full & (owed.sum(axis=1) == 2) & (outcomes[:, 0] != outcomes[:, 1]),
        defect=defect,
        missing=missing,
        answer_status=_words(answers, "answer_status", ("shown", "withheld", "none"), names[0]),
    )


def _answers(content: bytes, name: str) -> Any:
    """Reads the answers that count, in the order of question ids."""
    table = read_columns(content, OpenGeneration, _ANSWERS, name, newer=_NEWER)
    table = table.filter(table.column("counts"))
    table = table.take(pc.sort_indices(table.column("question_id")))
    ids = table.column("question_id")
    if len(ids) > 1 and pc.any(pc.equal(ids.slice(0, len(ids) - 1), ids.slice(1))).as_py():
        raise broken(f"{name} count two rows on one question.")
    return table


def _verdicts(content: bytes, judge: str, about: dict[str, str], name: str) -> Any:
    """Reads the verdicts of a judge that count."""
    table = read_columns(content, OpenVerdict, _VERDICTS, name)
    if not len(table):
        return table  # Of a run all of whose answers failed.
    if {column: the_one(table, column, name) for column in _NAMES} != about:
        raise broken(f"{name} are on another run than the answers.")
    if the_one(table, "rater", name) != judge or the_one(table, "rater_kind", name) != "model":
        raise broken(f"{name} are not those of the judge {judge[:100]}.")
    return table.filter(table.column("counts"))


def _words(answers: Any, column: str, known: Collection[str], name: str) -> Words:
    """Returns a column that holds some words and no others."""
    words = Words.of(answers.column(column))
    if not set(words.names) <= set(known):
        raise broken(f"{name} hold a word under {column} that there is none of.")
    return words


def _owed(orders: Lists, items: int, name: str) -> NDArray[np.int8]:
    """Returns the outcomes, (items, slot orders), as if all verdicts that are owed were missing."""
    outcomes = np.full((items, len(SLOTS)), NOT_OWED, dtype=np.int8)
    slot = _place(orders.values, [str(each) for each in SLOTS])
    if (slot < 0).any():
        raise broken(f"{name} name a slot order that there is none of.")
    outcomes[orders.row, slot] = MISSING
    asked = (outcomes == MISSING).sum(axis=1)
    if len(slot) != asked.sum() or (asked == 0).any() or (asked[outcomes[:, -1] == MISSING] > 1).any():
        raise broken(f"{name} name no slot order, one twice, or others beside `single`.")
    return outcomes


def _put_verdicts(outcomes: NDArray[np.int8], answers: Any, said: Any, name: str) -> Words:
    """Puts verdicts into their places, and returns why the first one of each item that is missing is."""
    item = _place(said.column("question_id"), answers.column("question_id").combine_chunks())
    slot = _place(said.column("slot_order"), [str(each) for each in SLOTS])
    if (item < 0).any() or (slot < 0).any() or (outcomes[item, slot] == NOT_OWED).any():
        raise broken(f"{name} count a row that nothing was asked for.")
    if len(np.unique(item * len(SLOTS) + slot)) < len(item):
        raise broken(f"{name} count two rows on one thing.")
    judged = answers.column("content_hash").take(pa.array(item))
    if not pc.all(pc.fill_null(pc.equal(judged, said.column("content_hash")), False), min_count=0).as_py():
        raise broken(f"{name} are on other answers than those that count.")
    words = [str(each) for each in _CODE]
    code = _place(said.column("outcome"), words)
    known = code >= 0
    if (known != ~pc.is_null(said.column("outcome")).to_numpy()).any():
        raise broken(f"{name} hold an outcome that no judge of HiCUPID gives.")
    satisfied = np.isin(code, [words.index(Outcome.SATISFIED), words.index(Outcome.UNSATISFIED)])
    if (satisfied != (SLOTS.index(SlotOrder.SINGLE) == slot))[known].any():
        raise broken(f"{name} hold an outcome of another kind of question.")
    outcomes[item[known], slot[known]] = np.array(list(_CODE.values()), dtype=np.int8)[code[known]]
    return _why_missing(outcomes, answers, said.filter(pa.array(~known)), item[~known], slot[~known])


def _why_missing(outcomes: NDArray[np.int8], answers: Any, unread: Any, item: Codes, slot: Codes) -> Words:
    """Returns why the first missing verdict of each item is missing."""
    failed, silent = Words.of(answers.column("failure")), Words.of(unread.column("failure"))
    names = ["not_judged", "unparsed", *failed.names, *(f"judge_{word}" for word in silent.names)]
    each = np.zeros(outcomes.shape, dtype=np.intp)
    each[item, slot] = np.where(silent.code < 0, 1, 2 + len(failed.names) + silent.code)
    lacking = outcomes == MISSING
    first = each[np.arange(len(each)), lacking.argmax(axis=1)]
    first = np.where(failed.code >= 0, 2 + failed.code, first)
    return Words.chosen(names, np.where(lacking.any(axis=1), first, -1))


def _positions(given: Lists, items: int, name: str) -> tuple[Array, Array]:
    """Returns the newest and the oldest place of each item's evidence, (items,) both."""
    place = given.values.to_numpy(zero_copy_only=False)
    if not ((place >= 0) & (place <= 1)).all():
        raise broken(f"{name} place evidence outside of 0 to 1.")
    newest, oldest = np.full((2, items), np.nan)
    np.fmin.at(newest, given.row, place)
    np.fmax.at(oldest, given.row, place)
    return newest, oldest


def _users(answers: Any) -> tuple[tuple[User, ...], Codes]:
    """Returns everyone who was asked for, sorted, and the place of each item's user among them."""
    split = Words.of(answers.column("split"))
    number = answers.column("user_id").to_numpy()
    ids, place = np.unique(number, return_inverse=True)
    both, user = np.unique(split.code * len(ids) + place, return_inverse=True)
    users = tuple((split.names[one // len(ids)], int(ids[one % len(ids)])) for one in both.tolist())
    return users, user.astype(np.intp)


def _place(values: Any, among: Any) -> Codes:
    """Returns the place of each string in a list, (values,); -1 for one that is not there."""
    listed = pa.array(among, type=pa.string()) if isinstance(among, list) else among
    place = pc.fill_null(pc.index_in(values, value_set=listed), -1)
    return np.asarray(place.to_numpy(zero_copy_only=False), dtype=np.intp)
