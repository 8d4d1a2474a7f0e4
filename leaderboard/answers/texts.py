"""What stands in single answers and verdicts, as far as it is public, and why not where it is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from evaluator.protocol import is_reference
from evaluator.records import SlotOrder
from leaderboard.answers.choosing import Outcomes, holds_words
from leaderboard.answers.columns import read_columns, read_rows
from leaderboard.answers.sources import NoText, Source, SourceText, text_of
from leaderboard.answers.table import NOT_OWED, SLOTS, ItemTable, Standing
from leaderboard.open_data import layout
from leaderboard.open_data.records import OpenGeneration, OpenVerdict
from leaderboard.results import Scorecard
from leaderboard.store.base import Store

_ANSWER = ("question_id", "answer_status", "answer", "thought", "content_hash", "defect", "failure", "finish_reason")
_NUMBERS = ("output_tokens", "thought_tokens", "prompt_tokens", "evidence_recall")
_SAID = ("question_id", "slot_order", "outcome", "word", "failure", "completion")
_TAKEN_OUT = "It holds what looks like a secret, or was taken down."
_DEFECTS = {
    "empty": "it is empty",
    "control_tokens": "control signs or the markup of a chat template stand in it",
    "repetition": "it ends in endless repetition",
}


class Said(NamedTuple):
    """One verdict that is owed, or why there is none."""

    slot_order: SlotOrder
    outcome: str | None
    """`win`, `tie`, `loss`, `satisfied` or `unsatisfied`; None if it is missing or the answer lost without a judge."""
    word: str | None
    """The judge's verdict word."""
    completion: str | None
    """The judge's own words."""
    why_not: str | None
    """A sentence: why the verdict is missing, or why the judge's own words are not shown; None if they are."""


class Answered(NamedTuple):
    """One item: what was answered, what was said of it, and what was asked as far as that may be shown."""

    question_id: str
    type: str
    split: str
    user_id: int
    category: str | None
    sentiment: str | None
    """`POS` or `NEG`."""
    standing: Standing
    score: float | None
    """0..100; None where a verdict is missing."""
    flipped: bool
    answer: str | None
    thought: str | None
    """What the model wrote before its answer; never judged."""
    why_no_answer: str | None
    """A sentence; None if the answer is shown."""
    lost_because: str | None
    """A sentence: why the answer lost without a judge; None if it was judged."""
    content_hash: str | None
    finish_reason: str
    output_tokens: int
    thought_tokens: int
    prompt_tokens: int
    evidence_recall: float | None
    """Share of the needed dialogues of which a part stood in the context, 0..1."""
    verdicts: tuple[Said, ...]
    """One for each that is owed."""
    text: SourceText | NoText
    """What was asked, or why it is not shown."""


def answers_page(
    results: Store, card: Scorecard, table: ItemTable, question_ids: Sequence[str], source: Source | NoText
) -> tuple[Answered, ...]:
    """Returns what was answered to some questions, in their order; one that was not asked is left out.

    Args:
        results: The public data set of results.
        card: Whose answers.
        table: Its items, as of `read_item_table`.
        question_ids: Which questions.
        source: Where the questions' text comes from, or why it does not; as of `source_of`.

    Raises:
        RapportError: `data_error` if a file, or the data set, is broken.
        StoreError: If the results cannot be read.
    """
    wanted = [name for name, place in zip(question_ids, table.places(list(question_ids)), strict=True) if place >= 0]
    if not wanted:
        return ()
    answers_path = layout.generations_path(card.model, card.run_id)
    said_path = layout.verdicts_path(card.judge, card.model, card.run_id)
    rows = read_rows(results.read(answers_path), OpenGeneration, (*_ANSWER, *_NUMBERS), answers_path, wanted)
    said = read_rows(results.read(said_path), OpenVerdict, _SAID, said_path, wanted)
    by_question = {row["question_id"]: row for row in rows}
    verdicts = {(row["question_id"], row["slot_order"]): row for row in said}
    places = table.places(wanted).tolist()
    return tuple(
        _answered(card, table, place, by_question[name], verdicts, text_of(source, table, place))
        for name, place in zip(wanted, places, strict=True)
        if name in by_question
    )


def answers_with(results: Store, card: Scorecard, words: str) -> list[str]:
    """Returns the questions whose shown answers hold all of some words, whatever their case.

    Args:
        results: The public data set of results.
        card: Whose answers.
        words: The words.

    Raises:
        RapportError: `data_error` if the file is broken.
        StoreError: If the results cannot be read.
    """
    path = layout.generations_path(card.model, card.run_id)
    table = read_columns(results.read(path), OpenGeneration, ("question_id", "counts", "answer"), path)
    table = table.filter(table.column("counts"))
    found = holds_words(table.column("answer").combine_chunks(), words)
    ids: list[str] = table.column("question_id").to_numpy()[found].tolist()
    return ids


def outcomes_of(answered: Answered) -> Iterable[Outcomes]:
    """Yields the filters that find an item."""
    yield answered.standing
    if answered.flipped:
        yield "flipped"


def _answered(
    card: Scorecard,
    table: ItemTable,
    place: int,
    row: Mapping[str, Any],
    verdicts: Mapping[tuple[str, str], Mapping[str, Any]],
    text: SourceText | NoText,
) -> Answered:
    """Puts one item together."""
    standing, defect = table.standing(place), row["defect"]
    owed = [order for order, code in zip(SLOTS, table.outcomes[place].tolist(), strict=True) if code != NOT_OWED]
    lost = None if defect is None else f"It lost without a judge: {_DEFECTS.get(defect, defect)}."
    return Answered(
        question_id=row["question_id"],
        type=table.type.at(place) or "",
        split=table.split.at(place) or "",
        user_id=table.users[table.user[place]][1],
        category=table.category.at(place),
        sentiment=table.sentiment.at(place),
        standing=standing,
        score=None if standing == "missing" else float(table.score[place]),
        flipped=bool(table.flipped[place]),
        answer=row["answer"],
        thought=row["thought"],
        why_no_answer=_why_no_answer(card, row),
        lost_because=lost,
        verdicts=tuple(_said(card, row, order, verdicts.get((row["question_id"], order)), lost) for order in owed),
        text=text,
        **{name: row[name] for name in ("content_hash", "finish_reason", *_NUMBERS)},
    )


def _why_no_answer(card: Scorecard, row: Mapping[str, Any]) -> str | None:
    """Says why an answer is not shown; None if it is."""
    if row["answer_status"] == "shown":
        return None
    if row["answer_status"] == "none":
        return f"The model gave no answer: {_plain(row['failure'])}."
    if is_reference(card.model):
        return _TAKEN_OUT if card.terms.redistributable else f"It is text of {card.data_source}, not to be passed on."
    return _TAKEN_OUT if card.declaration.publish_answers else "Its submitter did not agree to have answers shown."


def _said(
    card: Scorecard, row: Mapping[str, Any], order: SlotOrder, verdict: Mapping[str, Any] | None, lost: str | None
) -> Said:
    """Returns one verdict that is owed."""
    if lost is not None:
        return Said(order, None, None, None, lost)
    if verdict is None:
        unanswered = row["content_hash"] is None
        return Said(order, None, None, None, "There was no answer to judge." if unanswered else "It was not judged.")
    why = _why_no_words(card, row, verdict)
    if verdict["outcome"] is None:
        failed = verdict["failure"]
        unread = "No verdict could be read in the judge's words."
        why = f"The judge gave no verdict: {_plain(failed)}." if failed else " ".join(filter(None, (unread, why)))
    return Said(order, verdict["outcome"], verdict["word"], verdict["completion"], why)


def _why_no_words(card: Scorecard, row: Mapping[str, Any], verdict: Mapping[str, Any]) -> str | None:
    """Says why a judge's own words are not shown; None if they are."""
    if verdict["completion"] is not None:
        return None
    if not card.terms.redistributable:
        return f"The judge's words quote {card.data_source}, which may not be passed on."
    if row["answer_status"] == "withheld":
        return "The judge's words quote the answer, which is withheld."
    return _TAKEN_OUT.replace("It holds", "The judge's words hold").replace("was taken", "were taken")


def _plain(cause: object) -> str:
    """Returns a cause as words."""
    return str(cause or "no reason is known").replace("_", " ")
