"""Reads a labelled verdict file as a whole, or refuses it as a whole and names what is wrong, row by row."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.questions import QuestionType
from evaluator.human.records import RaterKind
from evaluator.judges.quality.judged import ItemName
from evaluator.judges.quality.label_rows import RawRow, finding, raw_rows, said
from evaluator.judges.quality.label_words import missing, not_allowed
from evaluator.judges.quality.labelled import COLUMNS, LabelFinding, LabelledVerdict, LabelProblem
from evaluator.records import Outcome, SlotOrder

MOST_FINDINGS = 100
"""After so many nothing more is read."""
_PAIR = frozenset({Outcome.WIN, Outcome.TIE, Outcome.LOSS})
_SCHEDULE = frozenset({Outcome.SATISFIED, Outcome.UNSATISFIED})


class Known(NamedTuple):
    """What a label may be about."""

    types: Mapping[str, QuestionType]
    """The type of each question, by id."""
    answers: Collection[ItemName]
    """Question ids with content hashes of answers; something in which looking one up is quick."""
    types_of_answers: Mapping[ItemName, QuestionType] = MappingProxyType({})
    """The type of the question that was answered, by answer: two data sets may have one id for different questions.
    That of an answer which is not there is told by the id."""


class CheckedLabels(NamedTuple):
    """What a labelled verdict file holds."""

    labels: tuple[LabelledVerdict, ...]
    """In the order of the file; those before the last finding, if there is one."""
    findings: tuple[LabelFinding, ...]
    """What is wrong, in the order of the file; a file with any is refused."""


class _Before(NamedTuple):
    """An earlier label of the same annotator on the same answer."""

    place: str
    outcome: Outcome


def read_labels(path: Path, known: Known, most_findings: int = MOST_FINDINGS) -> tuple[LabelledVerdict, ...]:
    """Returns the labels of a file, each of them checked; a file with anything wrong is refused as a whole.

    Args:
        path: A file that ends in `.jsonl` or `.parquet`.
        known: What a label may be about.
        most_findings: After so many nothing more is read.

    Raises:
        RapportError: `not_found` if there is no such file, `data_error` with all findings if anything is wrong.
    """
    labels, findings = check_labels(path, known, most_findings)
    if findings:
        more = "" if len(findings) < most_findings else " Nothing was read beyond these."
        listed = "\n".join(map(str, findings))
        count = f"{len(findings)} thing{'s are' if len(findings) > 1 else ' is'} wrong with it"
        raise RapportError(
            Cause.DATA_ERROR,
            f"The labelled verdict file {said(path.name)} is refused: {count}.{more}\n{listed}\n",
            "Mend the file; docs/judge-board.md has its format.",
        )
    return labels


def check_labels(path: Path, known: Known, most_findings: int = MOST_FINDINGS) -> CheckedLabels:
    """Returns the labels of a file and all that is wrong with it, up to some number of findings.

    The file is read row by row, and no longer once there are enough findings. What is kept of it are its labels, at
    most 200,000 of a file of at most 64 MiB.

    Args:
        path: A file that ends in `.jsonl` or `.parquet`.
        known: What a label may be about.
        most_findings: After so many nothing more is read.

    Raises:
        RapportError: `not_found` if there is no such file, `infrastructure` if it cannot be read.
    """
    if not path.is_file():
        raise RapportError(Cause.NOT_FOUND, f"There is no file {said(str(path))}.", "Check the spelling.")
    labels: list[LabelledVerdict] = []
    findings: list[LabelFinding] = []
    checks = _Checks(known)
    try:
        for part in raw_rows(path):
            wrong = [part] if isinstance(part, LabelFinding) else checks.understand(part, labels)
            findings += wrong
            if len(findings) >= most_findings:
                return CheckedLabels(tuple(labels), tuple(findings[:most_findings]))
    except OSError as error:
        raise RapportError(
            Cause.INFRASTRUCTURE, f"{said(path.name)} cannot be read ({error.strerror}).", "Try again."
        ) from error
    if not labels and not findings:
        findings.append(finding(LabelProblem.EMPTY, said(path.name), "There is no label in it."))
    return CheckedLabels(tuple(labels), tuple(findings))


class _Checks:
    """What is remembered of the rows before."""

    def __init__(self, known: Known) -> None:
        """Has seen none yet."""
        self._known = known
        self._seen: dict[tuple[str, str, str], _Before] = {}
        self._kind: tuple[RaterKind, str] | None = None

    def understand(self, raw: RawRow, labels: list[LabelledVerdict]) -> list[LabelFinding]:
        """Adds the label of a row, or returns what is wrong with it."""
        foreign = [
            finding(LabelProblem.FOREIGN_COLUMN, raw.place, f"The format has no column {said(column)!r}.")
            for column in raw.values
            if column not in COLUMNS
        ]
        values = {name: value for name, value in raw.values.items() if name in COLUMNS}
        try:
            label = LabelledVerdict.model_validate_json(json.dumps(values), strict=True)
        except ValidationError as error:
            return [*foreign, *_invalid(error, values, raw.place)]
        wrong = [*foreign, *self._about(label, raw.place), *self._beside(label, raw.place)]
        if not wrong:
            labels.append(label)
        return wrong

    def _about(self, label: LabelledVerdict, place: str) -> Iterator[LabelFinding]:
        """Yields where a label does not fit what it is about."""
        about = label.question_id, label.content_hash
        type_ = self._known.types_of_answers.get(about, self._known.types.get(label.question_id))
        if type_ is None:
            message = f"There is no question {said(label.question_id)}."
            yield finding(LabelProblem.UNKNOWN_QUESTION, place, message)
            return
        if about not in self._known.answers:
            message = f"No answer to {said(label.question_id)} has the hash {label.content_hash}."
            yield finding(LabelProblem.UNKNOWN_ANSWER, place, message)
        schedule = type_ is QuestionType.SCHEDULE
        allowed = _SCHEDULE if schedule else _PAIR
        if label.outcome not in allowed:
            message = f"A {type_} question has no outcome {label.outcome}; it has {', '.join(sorted(allowed))}."
            yield finding(LabelProblem.WRONG_OUTCOME, place, message)
        if label.slot_order is not None and (label.slot_order is SlotOrder.SINGLE) != schedule:
            message = f"A {type_} question is not shown in the order {label.slot_order}."
            yield finding(LabelProblem.WRONG_ORDER, place, message)

    def _beside(self, label: LabelledVerdict, place: str) -> Iterator[LabelFinding]:
        """Yields where a label does not fit those before."""
        kind, first = self._kind = self._kind or (label.kind, place)
        if label.kind is not kind:
            message = f"It is a label of kind {label.kind}, and the one at {first} of kind {kind}."
            yield finding(LabelProblem.MIXED_KINDS, place, message)
        now = _Before(place, label.outcome)
        before = self._seen.setdefault((label.annotator, label.question_id, label.content_hash), now)
        if before is now:
            return
        whose = f"{label.annotator} has labelled this answer at {before.place} already"
        if before.outcome == label.outcome:
            yield finding(LabelProblem.DOUBLE, place, f"{whose}, with the same outcome.")
        else:
            message = f"{whose}, as {before.outcome} and now as {label.outcome}."
            yield finding(LabelProblem.CONTRADICTION, place, message)


def _invalid(error: ValidationError, values: Mapping[str, Any], place: str) -> Iterator[LabelFinding]:
    """Yields what is wrong with the values of a row; pydantic's own words are those of a programmer."""
    for each in error.errors(include_url=False, include_input=False):
        yield _wrong(each["type"], str(each["loc"][0]) if each["loc"] else None, values, place)


def _wrong(type_: str, column: str | None, values: Mapping[str, Any], place: str) -> LabelFinding:
    """Returns what is wrong with a value, or with the row as a whole, by what pydantic calls it."""
    if column is None:  # All of it was read as JSON before, by a reader that takes more.
        half = _has_half_a_character(values)
        problem = LabelProblem.CONTROL_CHARACTERS if half else LabelProblem.INVALID
        return finding(problem, place, "A text holds half a character." if half else "A value is nested too deeply.")
    if type_ == "missing":
        return finding(LabelProblem.INVALID, place, missing(column))
    if type_ == "control":
        message = (
            f"{column}: It holds a control character, a break of lines, or a mark that turns the text's direction."
        )
        return finding(LabelProblem.CONTROL_CHARACTERS, place, message)
    if type_ == "pseudonym":
        return finding(LabelProblem.NOT_A_PSEUDONYM, place, f"{column}: It looks like an e-mail address.")
    return finding(LabelProblem.INVALID, place, not_allowed(column, values[column]))


def _has_half_a_character(values: Mapping[str, Any]) -> bool:
    """Says whether a text holds one half of a pair of surrogates alone."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
