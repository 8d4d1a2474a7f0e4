"""The answers of the annotation tool of arXiv 2606.06614, all three stages.

The tool names attributes by their text and items by their number, so its items are needed beside its answers: which
file has those of which task is for the caller to say, since the same number means another item in another round.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.errors import Cause, RapportError
from evaluator.human.importers.events import Draft, Event, Missed, Noted, Reason, Remark
from evaluator.human.importers.moments import read_moment
from evaluator.human.importers.pseudonyms import Salt
from evaluator.human.importers.reading import Row, read_jsonl
from evaluator.human.importers.tool_items import Items
from evaluator.human.importers.tool_shapes import (
    PromptAnswer,
    Relevance,
    ResponseAnswer,
    UserAnswer,
    shaped,
)

Answer = UserAnswer | PromptAnswer | ResponseAnswer

ADMIN = "admin"
"""The name under which the tool's administrator looks at other people's answers."""
_VERIFICATION = {"ok": "accepted", "unsure": "uncertain", "bad": "rejected"}
_FILE_NAME = re.compile(r"(?P<annotator>.+)_task(?P<task>[0-9]+)\.jsonl")
_TABLES = {1: "attribute_labels", 2: "relevance_labels", 3: "response_ratings"}
_SHAPES: Mapping[int, type[Answer]] = {1: UserAnswer, 2: PromptAnswer, 3: ResponseAnswer}
_FIELDS = {"attr_judgments": 1, "relevance_judgments": 2, "ratings": 3}


class ToolOptions(NamedTuple):
    """What the tool's files do not say themselves."""

    salt: Salt
    items: Mapping[str, Path]
    """File of items by task, such as 4 for the second round of stage 1."""
    evidence: Path | None = None
    """The tool's file of evidence; without it no attribute has any."""
    zone: datetime.tzinfo | None = None
    """Where the clock of the tool's machine stood; without it no label has a moment."""
    keep_notes: bool = False


def read_tool(source: Path, options: ToolOptions) -> Iterator[Event]:
    """Yields the rows of the tool's items and answers.

    Args:
        source: A file of answers, or a folder of them.
        options: The items to which they belong, and the rest.

    Raises:
        RapportError: `not_found` if there are no answers, `data_error` if the items are not those of one stage a task.
    """
    items = Items(options.salt)
    if options.evidence is not None:
        yield from items.read_evidence(options.evidence)
    for task, path in options.items.items():
        yield from items.read(task, path)
    for path in _answer_files(source):
        for row in read_jsonl(path):
            if isinstance(row, Missed):
                yield row
            else:
                yield from _Reader(items, options, path.name).read(row)


def _answer_files(source: Path) -> list[Path]:
    found = sorted(source.glob("*.jsonl")) if source.is_dir() else [source]
    if not found:
        raise RapportError(
            Cause.NOT_FOUND, f"There is no .jsonl file in {source.name}.", "Name the tool's folder of annotations."
        )
    return found


class _Reader:
    """Turns the answers of one file into labels."""

    def __init__(self, items: Items, options: ToolOptions, file_name: str) -> None:
        self._items, self._options = items, options
        self._named = _FILE_NAME.fullmatch(file_name)

    def read(self, row: Row) -> Iterator[Event]:
        stage = next((stage for field, stage in _FIELDS.items() if field in row.fields), 0)
        if not stage:
            yield Missed(Reason.INVALID, row.place, said="It is no answer of the tool.")
            return
        answer: Answer | Missed = shaped(_SHAPES[stage], row)
        if isinstance(answer, Missed):
            yield answer._replace(table=_TABLES[stage])
            return
        labels = list(self._labels(answer, stage, row.place))
        name = (answer.annotator or (self._named["annotator"] if self._named else "")).strip()
        reason, said = _closed(answer, name)
        if reason:
            yield from (Missed(reason, label.place, _TABLES[stage], said) for label in labels)
            return
        yield from self._moment_and_notes(answer, row.place)
        for label in labels:
            yield self._signed(label, answer, name) if isinstance(label, Draft) else label

    def _labels(self, answer: Answer, stage: int, place: str) -> Iterator[Draft | Missed]:
        """Yields what the answer says of each attribute, without who said it."""
        task = self._task(answer, stage)
        if task is None:
            yield Missed(Reason.UNKNOWN_ITEM, place, _TABLES[stage], "No items of its task were given.")
        elif isinstance(answer, UserAnswer):
            yield from self._verifications(answer, task, place)
        elif isinstance(answer, PromptAnswer):
            yield from self._relevance(answer, task, place)
        else:
            yield from self._ratings(answer, task, place)

    def _task(self, answer: Answer, stage: int) -> str | None:
        """Returns the task whose items are meant.

        Where neither row nor file says so, it is the one task of the stage of which there are items.
        """
        told = answer.task or (self._named["task"] if self._named else None)
        given = [task for task, of in self._items.tasks.items() if of == stage]
        if told is None:
            return given[0] if len(given) == 1 else None
        return told if told in given else None

    def _verifications(self, answer: UserAnswer, task: str, place: str) -> Iterator[Draft | Missed]:
        table, item = _TABLES[1], self._items.users.get((task, str(answer.index)))
        judgments = answer.attr_judgments
        if item is None or len(judgments) != len(item.names):
            said = "" if item is None else f"It judges {len(judgments)} attributes of {len(item.names)}."
            reason = Reason.UNKNOWN_ITEM if item is None else Reason.MISMATCH
            yield from (Missed(reason, f"{place} attribute {i}", table, said) for i in range(len(judgments)))
            return
        for number, (judgment, text, name) in enumerate(zip(judgments, item.texts, item.names, strict=True)):
            where = f"{place} attribute {number}"
            if judgment.attribute is not None and judgment.attribute.strip() != text:
                yield Missed(Reason.MISMATCH, where, table, "The item has another attribute in this place.")
            elif not judgment.judgment:
                yield Missed(Reason.UNANSWERED, where, table)
            elif judgment.judgment not in _VERIFICATION:
                yield Missed(Reason.UNKNOWN_VALUE, where, table, "Its judgment is none of ok, unsure and bad.")
            else:
                label = _VERIFICATION[judgment.judgment]
                yield Draft(table, {"attribute_id": name, "label": label, "note": judgment.note}, where)

    def _relevance(self, answer: PromptAnswer, task: str, place: str) -> Iterator[Draft | Missed]:
        table = _TABLES[2]
        item = self._items.prompts.get((task, str(answer.prompt_index), str(answer.user_id)))
        for number, judgment in enumerate(answer.relevance_judgments):
            where = f"{place} attribute {number}"
            if item is None:
                yield Missed(Reason.UNKNOWN_ITEM, where, table)
                continue
            name = item.attributes.get(judgment.attribute.strip())
            if name is None:
                yield Missed(Reason.UNKNOWN_REFERENCE, where, table, "The item has no such attribute.")
            elif judgment.relevant is None:
                yield Missed(Reason.UNANSWERED, where, table, _unanswered(judgment))
            else:
                fields = {"prompt_id": item.prompt_id, "attribute_id": name, "relevant": judgment.relevant}
                yield Draft(table, fields | {"note": answer.note}, where)

    def _ratings(self, answer: ResponseAnswer, task: str, place: str) -> Iterator[Draft | Missed]:
        table, item = _TABLES[3], self._items.responses.get((task, str(answer.item_index)))
        fault = Reason.UNKNOWN_ITEM if item is None else None
        if item is not None:
            repeated = {field: getattr(answer, field) for field in item.told}
            if any(value is not None and str(value) != item.told[field] for field, value in repeated.items()):
                fault = Reason.MISMATCH
        for number, (text, rating) in enumerate(answer.ratings.items()):
            where = f"{place} attribute {number}"
            name = item.attributes.get(text.strip()) if item else None
            if item is None or fault:
                yield Missed(fault or Reason.UNKNOWN_ITEM, where, table)
            elif name is None:
                yield Missed(Reason.UNKNOWN_REFERENCE, where, table, "The item has no such relevant attribute.")
            elif rating is None:
                yield Missed(Reason.UNANSWERED, where, table)
            else:
                fields = {"response_id": item.response_id, "attribute_id": name, "rating": rating}
                yield Draft(table, fields | {"note": answer.note}, where)

    def _moment_and_notes(self, answer: Answer, place: str) -> Iterator[Noted]:
        """Yields remarks on what no label takes over."""
        if read_moment(answer.timestamp, self._options.zone).dropped:
            yield Noted(Remark.MOMENT_DROPPED, place, "Its time has no zone.")
        if isinstance(answer, UserAnswer):
            if answer.missing_attrs or (answer.overall_note or "").strip():
                yield Noted(Remark.NOTE_WITHOUT_PLACE, place)
            notes = [judgment.note for judgment in answer.attr_judgments]
        else:
            notes = [answer.note]
        if not self._options.keep_notes and any(note and note.strip() for note in notes):
            yield Noted(Remark.NOTE_DROPPED, place)

    def _signed(self, label: Draft, answer: Answer, name: str) -> Draft:
        """Adds who said it, and when."""
        note: Any = label.fields["note"] if self._options.keep_notes else None
        return label._replace(
            fields={
                **label.fields,
                "note": note.strip() or None if isinstance(note, str) else None,
                "annotator_id": self._options.salt.pseudonym("annotator", name),
                "labelled_at": read_moment(answer.timestamp, self._options.zone).moment,
            }
        )


def _closed(answer: Answer, name: str) -> tuple[Reason | None, str]:
    """Returns why none of an answer's labels counts."""
    if answer.flagged:
        return Reason.FLAGGED, ""
    if name == ADMIN:
        return Reason.ADMIN, ""
    if not name:
        return Reason.INVALID, "Neither the row nor its file says whose it is."
    return None, ""


def _unanswered(judgment: Relevance) -> str:
    return "" if "relevant" in judgment.model_fields_set else "It does not say whether the attribute is relevant."
