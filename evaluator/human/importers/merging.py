"""Places rows in the tables of a data set: what is new goes in, what is there stays, what contradicts is told.

A row is known by its name, a label by its item and its annotator. One that is there takes over what it lacked, such as
evidence or a note, and nothing else: importing the same source twice changes nothing. Annotators are those whom the
source lists, and if it lists none, those whose labels of it are placed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from evaluator.human.importers.events import Draft, Event, Missed, Noted, Reason, Remark, said_of
from evaluator.human.importers.references import Reached, fault_of, grounded
from evaluator.human.importers.report import TableReport, Tally
from evaluator.human.layout import KEYS, KINDS, LABELS, ROSTER, HumanTables, with_roster
from evaluator.human.records import Annotator, Attribute, Label
from evaluator.identity import canonical_json
from evaluator.records import Record

_ORDER = (*(table for table in KINDS if table not in LABELS), *LABELS)
"""What is referred to comes first."""
_UNITED = frozenset({("prompts", "user_ids"), ("attributes", "evidence")})
"""Lists of which one source knows some members and another one others."""


class Merged(NamedTuple):
    """The tables with what was placed."""

    tables: HumanTables
    reports: tuple[TableReport, ...]
    tally: Tally
    annotators: frozenset[str]
    """Whose labels the source has, as far as they are in the data set now."""
    new_annotators: frozenset[str]


class _Counts:
    """What became of the rows of one table."""

    def __init__(self) -> None:
        self.placed = self.completed = self.already_there = 0


def merge(there: HumanTables, events: Iterable[Event]) -> Merged:
    """Returns the tables with the rows of a source placed, and what became of each.

    Args:
        there: Tables in which every reference holds.
        events: What an importer met, in any order. All rows of one import are held in memory.
    """
    tally = Tally()
    waiting = _rows(events, tally)
    there = with_roster(there)
    known = {table: {_name(table, row): row for row in getattr(there, table)} for table in _ORDER}
    before = _annotators(known)
    reached = Reached(there, takes_anybody=not waiting[ROSTER])
    counts, seen = {table: _Counts() for table in _ORDER}, set[str]()
    for table in _ORDER:
        for place, row in waiting[table]:
            missed = fault_of(table, row, reached)
            held, wrong = grounded(row, reached) if isinstance(row, Attribute) else (row, None)
            reason = missed[0] if missed else _place(table, known[table], held, counts[table], reached)
            if reason:
                tally.add(Missed(reason, place, table, missed[1] if missed else "It is there with other content."))
            elif isinstance(row, Label):
                seen.add(row.annotator_id)
                _list_annotator(known[ROSTER], row, reached)
            elif wrong:
                tally.add(Noted(Remark.EVIDENCE_DROPPED, place, wrong))
    tables = HumanTables(**{table: tuple(known[table].values()) for table in HumanTables._fields})
    return Merged(tables, _reports(waiting, counts, tally), tally, frozenset(seen), frozenset(seen - before))


def _rows(events: Iterable[Event], tally: Tally) -> dict[str, list[tuple[str, Record]]]:
    """Returns the rows of each table with their places, as far as a row alone can be checked; notes all else."""
    rows: dict[str, list[tuple[str, Record]]] = {table: [] for table in _ORDER}
    for event in events:
        if not isinstance(event, Draft):
            tally.add(event)
            continue
        row = _row(event)
        if isinstance(row, Missed):
            tally.add(row)
        else:
            rows[event.table].append((event.place, row))
    return rows


def _row(draft: Draft) -> Record | Missed:
    """Checks a draft."""
    try:
        return KINDS[draft.table].model_validate_json(canonical_json(draft.fields), strict=True)
    except ValidationError as error:
        return Missed(Reason.INVALID, draft.place, draft.table, said_of(error))
    except (ValueError, RecursionError):
        return Missed(Reason.INVALID, draft.place, draft.table, "It holds what JSON cannot.")


def _name(table: str, row: Record) -> tuple[str, ...]:
    return tuple(getattr(row, field) for field in KEYS[table])


def _place(
    table: str, known: dict[tuple[str, ...], Record], row: Record, counts: _Counts, reached: Reached
) -> Reason | None:
    """Places a row whose references hold; returns why not."""
    name = _name(table, row)
    old = known.get(name)
    if old is None:
        known[name] = row
        counts.placed += 1
    else:
        joined = _joined(table, old, row)
        if joined is None:
            return Reason.CONFLICT
        if joined == old:
            counts.already_there += 1
            return None
        known[name] = joined
        counts.completed += 1
    reached.add(table, known[name])
    return None


def _list_annotator(known: dict[tuple[str, ...], Record], label: Label, reached: Reached) -> None:
    """Puts the annotator of a placed label among those of the data set."""
    annotator = Annotator(annotator_id=label.annotator_id, kind=label.kind)
    known.setdefault((annotator.annotator_id,), annotator)
    reached.add(ROSTER, annotator)


def _joined(table: str, old: Record, new: Record) -> Record | None:
    """Returns the old row with what it lacks, or None if the new one contradicts it."""
    taken: dict[str, Any] = {}
    for field in type(old).model_fields:
        had, has = getattr(old, field), getattr(new, field)
        if had == has or has in (None, ()):
            continue
        if (table, field) in _UNITED:
            taken[field] = tuple(dict.fromkeys((*had, *has)))
        elif had in (None, ()):
            taken[field] = has
        else:
            return None
    return old.model_copy(update=taken) if taken else old


def _annotators(known: Mapping[str, Mapping[tuple[str, ...], Record]]) -> set[str]:
    """Returns who has labelled anything; the last part of a label's name."""
    return {name[-1] for table in LABELS for name in known[table]}


def _reports(
    waiting: Mapping[str, Sequence[object]], counts: Mapping[str, _Counts], tally: Tally
) -> tuple[TableReport, ...]:
    found = []
    for table in HumanTables._fields:
        count, missed = counts[table], tally.missed(table)
        read = count.placed + count.completed + count.already_there + missed
        if read:
            found.append(
                TableReport(
                    table=table,
                    read=read,
                    placed=count.placed,
                    completed=count.completed,
                    already_there=count.already_there,
                    not_placed=missed,
                )
            )
    return tuple(found)
