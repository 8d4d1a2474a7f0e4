"""What the fields of every stored record look like, version by version.

`python -m tests.upkeep.stored_kinds` notes what is new.

A record that is part of another one and has a version of its own is looked at by itself, and named where it stands.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from evaluator.records import Record

FILE = Path(__file__).with_name("schemas.json")
MODULES = (
    "evaluator.records",
    "evaluator.judges.canaries",
    "evaluator.judges.quality.records",
    "leaderboard.judge_board.records",
    "leaderboard.records",
    "leaderboard.results",
    "leaderboard.rescoring.promotions",
    "leaderboard.rescoring.records",
    "leaderboard.labelling.records",
    "leaderboard.maintaining.records",
    "leaderboard.objections.records",
    "leaderboard.open_data.people",
    "leaderboard.scorecards",
    "leaderboard.store.runs",
    "leaderboard.submissions.history",
    "leaderboard.open_data.board",
    "leaderboard.open_data.changes",
    "leaderboard.open_data.human",
    "leaderboard.open_data.judges",
    "leaderboard.open_data.records",
    "leaderboard.upkeep.records",
)
"""Where stored records are defined."""
_WORDS = ("title", "description", "default")

Schema = dict[str, Any]


def stored_kinds() -> dict[str, type[Record]]:
    """Returns all stored records that have a version, by name."""
    found = (
        value
        for module in map(importlib.import_module, MODULES)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Record) and value.__module__ == module.__name__
    )
    return {kind.__name__: kind for kind in found if "schema_version" in kind.model_fields}


def version_of(kind: type[Record]) -> int:
    """Returns the newest version of a record."""
    return max(get_args(kind.model_fields["schema_version"].annotation))


def schema_of(kind: type[Record]) -> Schema:
    """Returns what decides which records can be read: names, types and bounds of all fields, and nothing in words."""
    whole = kind.model_json_schema()
    parts: Mapping[str, Schema] = whole.pop("$defs", {})
    told, left = {kind.__name__: _bare(whole)}, set(_named(_bare(whole)))
    while left - told.keys():
        for name in left - told.keys():
            told[name] = _part(parts[name])
            left |= set(_named(told[name]))
    return dict(sorted(told.items()))


def _part(schema: Schema) -> Any:
    """Returns a record that stands in another one: only its name if it has a version of its own."""
    versioned = "schema_version" in schema.get("properties", {})
    return "has a version of its own" if versioned else _bare(schema)


def _bare(schema: Any, *, of_names: bool = False) -> Any:
    """Leaves out of a schema what is only words."""
    if isinstance(schema, dict):
        kept = {name: part for name, part in schema.items() if of_names or name not in _WORDS}
        return {name: _bare(part, of_names=name == "properties") for name, part in sorted(kept.items())}
    return [_bare(part) for part in schema] if isinstance(schema, list) else schema


def _named(schema: Any) -> Iterator[str]:
    """Yields the names of the records that a schema refers to."""
    if isinstance(schema, dict):
        for name, part in schema.items():
            if name == "$ref":
                yield part.rpartition("/")[2]
            else:
                yield from _named(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _named(part)


def noted() -> dict[str, dict[str, Schema]]:
    """Returns the schemas that were noted, by kind and version."""
    found: dict[str, dict[str, Schema]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return found


def problem(name: str, kind: type[Record], known: Mapping[str, Schema]) -> str | None:
    """Says what is wrong with a record's version, and what to do; None if nothing is.

    Args:
        name: What the record is called.
        kind: The record.
        known: What was noted of it, by version.
    """
    version, schema = version_of(kind), schema_of(kind)
    if str(version) not in known:
        return f"{name} has a new version {version}: note it with `python -m tests.upkeep.stored_kinds`."
    if known[str(version)] != schema:
        return (
            f"{name} has changed and is still of version {version}, so that nobody can tell old ones from new ones: "
            f"make its schema_version Literal[{version + 1}], see to it that version {version} is read as well "
            "(evaluator.records.UpgradedRecord), and note it with `python -m tests.upkeep.stored_kinds`."
        )
    readable = {str(number) for number in get_args(kind.model_fields["schema_version"].annotation)}
    readable |= {str(number) for number in getattr(kind, "upgrades", {})}
    if lost := known.keys() - readable:
        return f"{name} of version {', '.join(sorted(lost))} was stored and can no longer be read: add its upgrade."
    return None


def main() -> None:
    """Notes versions that are new; what was noted is never changed."""
    known = noted()
    for name, kind in stored_kinds().items():
        known.setdefault(name, {}).setdefault(str(version_of(kind)), schema_of(kind))
    lines = ",\n".join(f"{json.dumps(name)}: {_lines(versions)}" for name, versions in sorted(known.items()))
    FILE.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def _lines(versions: Mapping[str, Schema]) -> str:
    """Writes what was noted of a record, one line a version."""
    return "{" + ",\n ".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in sorted(versions.items())) + "}"


if __name__ == "__main__":
    main()
