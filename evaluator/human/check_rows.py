"""Findings on single rows: names that stand twice, references to what is not there, and texts that are empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from evaluator.human.findings import Finding, Problem
from evaluator.human.layout import KEYS, LABELS, ROSTER, HumanTables
from evaluator.human.reading import Reading, row_name
from evaluator.human.records import Conversation, Row


class Checked(NamedTuple):
    """A data set that is being checked: its rows, and those of them that have names."""

    reading: Reading
    named: Mapping[str, Mapping[str, Any]]
    """For each table but those of labels, its rows by name; of two with one name the first."""
    users: frozenset[str]

    @classmethod
    def of(cls, reading: Reading) -> Checked:
        """Sorts the rows of a data set by their names."""
        tables = reading.tables
        named = {
            table: {getattr(row, key[0]): row for row in reversed(getattr(tables, table))}
            for table, key in KEYS.items()
            if table not in LABELS
        }
        users = {row.user_id for row in tables.conversations} | {row.user_id for row in tables.attributes}
        return cls(reading, named, frozenset(users) | reading.unread_users)

    def rows(self, table: str) -> Iterator[tuple[int, Any]]:
        """Yields the rows of a table with their numbers."""
        return enumerate(getattr(self.reading.tables, table))

    def finding(self, problem: Problem, table: str, number: int, message: str) -> Finding:
        """Returns a finding on one row."""
        row: Row = getattr(self.reading.tables, table)[number]
        name = row_name(table, {column: getattr(row, column) for column in KEYS[table]})
        place = self.reading.places[table][number]
        return Finding(problem=problem, table=table, place=place, row=name, message=message)

    def misses(self, table: str, name: str) -> bool:
        """Says whether no row of a table has this name, neither one that could be read nor another."""
        return name not in self.named[table] and (name,) not in self.reading.unread[table]


def row_findings(checked: Checked) -> Iterator[Finding]:
    """Yields what is wrong with single rows."""
    for table in HumanTables._fields:
        yield from _names(checked, table)
    for check in (_texts, _attributes, _attribute_labels, _prompts, _relevance_labels, _responses, _ratings):
        yield from check(checked)
    if checked.reading.has_roster:
        yield from _annotators(checked)


def _names(checked: Checked, table: str) -> Iterator[Finding]:
    """Yields rows whose name another has already, and names that say who somebody is."""
    first: dict[tuple[str, ...], str] = {}
    is_label = table in LABELS
    for number, row in checked.rows(table):
        key = tuple(getattr(row, column) for column in KEYS[table])
        place = checked.reading.places[table][number]
        if (other := first.setdefault(key, place)) != place:
            message = f"This annotator has labelled it already, at {other}." if is_label else f"So is {other} called."
            problem = Problem.DUPLICATE_LABEL if is_label else Problem.DUPLICATE_ID
            yield checked.finding(problem, table, number, message)
        column = "annotator_id" if is_label or table == ROSTER else "user_id"
        if "@" in str(getattr(row, column, "")):
            message = f"Its {column} looks like an e-mail address; use a pseudonym."
            yield checked.finding(Problem.NOT_A_PSEUDONYM, table, number, message)


def _texts(checked: Checked) -> Iterator[Finding]:
    """Yields rows with nothing where a text should stand."""
    for number, conversation in checked.rows("conversations"):
        if empty := [str(place) for place, turn in enumerate(conversation.turns) if not turn.text.strip()]:
            message = f"Nothing is said in turn {', '.join(empty)}."
            yield checked.finding(Problem.EMPTY_TEXT, "conversations", number, message)
    for table, column in (("attributes", "origin"), ("responses", "writer")):
        for number, row in checked.rows(table):
            if not getattr(row, column).strip():
                yield checked.finding(Problem.EMPTY_TEXT, table, number, f"Its {column} is empty.")


def _attributes(checked: Checked) -> Iterator[Finding]:
    """Yields attributes whose evidence is not there, or is somebody else's."""
    for number, attribute in checked.rows("attributes"):
        if not attribute.evidence:
            yield checked.finding(Problem.NO_EVIDENCE, "attributes", number, "It has no evidence.")
        for evidence in attribute.evidence:
            name = evidence.conversation_id
            yield from _missing(checked, "attributes", number, "conversations", name)
            if wrong := _wrong_evidence(checked.named["conversations"].get(name), attribute.user_id, evidence.turn):
                yield checked.finding(wrong[0], "attributes", number, wrong[1])
        yield from _repeated(checked, "attributes", number, attribute.evidence)


def _wrong_evidence(conversation: Conversation | None, user: str, turn: int | None) -> tuple[Problem, str] | None:
    """Says what is wrong with evidence in a conversation that is there."""
    if conversation is None:
        return None
    name, turns = conversation.conversation_id, len(conversation.turns)
    if conversation.user_id != user:
        return Problem.WRONG_USER, f"Conversation {name} is of {conversation.user_id}, not of {user}."
    if turn is not None and turn >= turns:
        return Problem.TURN_OUT_OF_RANGE, f"Conversation {name} has no turn {turn}; its last is {turns - 1}."
    return None


def _attribute_labels(checked: Checked) -> Iterator[Finding]:
    """Yields labels of attributes that are not there."""
    for number, label in checked.rows("attribute_labels"):
        yield from _missing(checked, "attribute_labels", number, "attributes", label.attribute_id)


def _prompts(checked: Checked) -> Iterator[Finding]:
    """Yields prompts of users of whom nothing is known."""
    for number, prompt in checked.rows("prompts"):
        for user in prompt.user_ids:
            if user not in checked.users:
                message = f"Of user {user} there is neither a conversation nor an attribute."
                yield checked.finding(Problem.BROKEN_REFERENCE, "prompts", number, message)
        yield from _repeated(checked, "prompts", number, prompt.user_ids)


def _relevance_labels(checked: Checked) -> Iterator[Finding]:
    """Yields labels of pairs that are not there, or do not belong together."""
    table = "relevance_labels"
    for number, label in checked.rows(table):
        yield from _missing(checked, table, number, "prompts", label.prompt_id)
        yield from _missing(checked, table, number, "attributes", label.attribute_id)
        prompt = checked.named["prompts"].get(label.prompt_id)
        attribute = checked.named["attributes"].get(label.attribute_id)
        if prompt and attribute and attribute.user_id not in prompt.user_ids:
            message = f"The prompt is not asked in the name of {attribute.user_id}, whom the attribute is about."
            yield checked.finding(Problem.WRONG_USER, table, number, message)


def _responses(checked: Checked) -> Iterator[Finding]:
    """Yields responses to prompts, or from attributes, that are not there or of somebody else."""
    table = "responses"
    for number, response in checked.rows(table):
        yield from _missing(checked, table, number, "prompts", response.prompt_id)
        prompt = checked.named["prompts"].get(response.prompt_id)
        if prompt and response.user_id not in prompt.user_ids:
            message = f"Prompt {response.prompt_id} is not asked in the name of {response.user_id}."
            yield checked.finding(Problem.WRONG_USER, table, number, message)
        for name in response.attribute_ids:
            yield from _missing(checked, table, number, "attributes", name)
            attribute = checked.named["attributes"].get(name)
            if attribute and attribute.user_id != response.user_id:
                message = f"Attribute {name} is of {attribute.user_id}, not of {response.user_id}."
                yield checked.finding(Problem.WRONG_USER, table, number, message)
        yield from _repeated(checked, table, number, response.attribute_ids)


def _ratings(checked: Checked) -> Iterator[Finding]:
    """Yields ratings of responses that are not there, or were not written from the attribute."""
    table = "response_ratings"
    for number, rating in checked.rows(table):
        yield from _missing(checked, table, number, "responses", rating.response_id)
        yield from _missing(checked, table, number, "attributes", rating.attribute_id)
        response = checked.named["responses"].get(rating.response_id)
        is_there = not checked.misses("attributes", rating.attribute_id)
        if response and is_there and rating.attribute_id not in response.attribute_ids:
            message = f"Response {rating.response_id} was not written from {rating.attribute_id}."
            yield checked.finding(Problem.NOT_WRITTEN_FROM, table, number, message)


def _annotators(checked: Checked) -> Iterator[Finding]:
    """Yields labels that are not by an annotator of the data set."""
    for table in LABELS:
        for number, label in checked.rows(table):
            name = label.annotator_id
            known = checked.named[ROSTER].get(name)
            if checked.misses(ROSTER, name):
                message = f"The table of annotators has no {name}: add who that is, or take the label out."
                yield checked.finding(Problem.UNKNOWN_ANNOTATOR, table, number, message)
            elif known and known.kind != label.kind:
                message = f"{name} is {known.kind} in the table of annotators, and {label.kind} here."
                yield checked.finding(Problem.UNKNOWN_ANNOTATOR, table, number, message)


def _missing(checked: Checked, table: str, number: int, other: str, name: str) -> Iterator[Finding]:
    """Yields a row that names one of another table which is not there."""
    if checked.misses(other, name):
        message = f"There is no {other.removesuffix('s')} {name}."
        yield checked.finding(Problem.BROKEN_REFERENCE, table, number, message)


def _repeated(checked: Checked, table: str, number: int, listed: Iterable[object]) -> Iterator[Finding]:
    """Yields a row with a list that names something twice."""
    if twice := [each for each, count in Counter(listed).items() if count > 1]:
        named = [each.conversation_id if hasattr(each, "conversation_id") else str(each) for each in twice]
        yield checked.finding(Problem.REPEATED, table, number, f"It names {', '.join(named)} twice.")
