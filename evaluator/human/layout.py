"""The layout `human`: eight tables of a data set of people's labels, and how each stands in files.

The rows of a table are all lines of its JSON lines files, `TABLE/*.jsonl`, or all rows of its Parquet files,
`TABLE/*.parquet`. A card, `README.md`, declares the tables as configs of `datasets.load_dataset`, with columns that are
derived from the records, so that no field can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import ConfigDict, Field

from evaluator.human.records import (
    Annotator,
    Attribute,
    AttributeLabel,
    Conversation,
    Prompt,
    RelevanceLabel,
    Response,
    ResponseRating,
    Row,
)
from evaluator.records import Record

CARD = "README.md"
"""The data-set card."""
PART = "part-0000"
"""The one file of a table that we write; a data set may have several."""
SUFFIXES = (".jsonl", ".parquet")
"""Formats of the files that are read."""


class HumanTables(NamedTuple):
    """All rows of a data set, in its order.

    Example:
        >>> HumanTables._fields[:3]
        ('conversations', 'attributes', 'annotators')
        >>> HumanTables().attributes
        ()
    """

    conversations: tuple[Conversation, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    annotators: tuple[Annotator, ...] = ()
    """None: anybody may have labelled."""
    attribute_labels: tuple[AttributeLabel, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    relevance_labels: tuple[RelevanceLabel, ...] = ()
    responses: tuple[Response, ...] = ()
    response_ratings: tuple[ResponseRating, ...] = ()


KINDS: Mapping[str, type[Row]] = {
    "conversations": Conversation,
    "attributes": Attribute,
    "annotators": Annotator,
    "attribute_labels": AttributeLabel,
    "prompts": Prompt,
    "relevance_labels": RelevanceLabel,
    "responses": Response,
    "response_ratings": ResponseRating,
}
"""What the rows of each table are. A row refers to rows of its own or of earlier tables."""
KEYS: Mapping[str, tuple[str, ...]] = {
    "conversations": ("conversation_id",),
    "attributes": ("attribute_id",),
    "annotators": ("annotator_id",),
    "attribute_labels": ("attribute_id", "annotator_id"),
    "prompts": ("prompt_id",),
    "relevance_labels": ("prompt_id", "attribute_id", "annotator_id"),
    "responses": ("response_id",),
    "response_ratings": ("response_id", "attribute_id", "annotator_id"),
}
"""The columns that name a row; of a label all but the last name the item."""
LABELS = tuple(table for table, key in KEYS.items() if len(key) > 1)
"""The tables of labels."""
ROSTER = "annotators"
"""The table of those whose labels count. A data set may have none; then all labels count."""


def with_roster(tables: HumanTables) -> HumanTables:
    """Returns a data set with a table of annotators: where it has none, those who have labelled.

    Example:
        >>> row = AttributeLabel(attribute_id="a1", annotator_id="ann-1", label="accepted")
        >>> with_roster(HumanTables(attribute_labels=(row,))).annotators
        (Annotator(annotator_id='ann-1', kind=<RaterKind.PERSON: 'person'>),)
    """
    if tables.annotators:
        return tables
    kinds = {label.annotator_id: label.kind for table in LABELS for label in getattr(tables, table)}
    found = (Annotator(annotator_id=name, kind=kind) for name, kind in sorted(kinds.items()))
    return tables._replace(annotators=tuple(found))


class About(Record):
    """What the card of a data set says of it as a whole; what it does not say is not allowed.

    What the rows themselves show, such as whose labels they are, is not stated but counted.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    title: str = Field(default="Human labels", min_length=1)
    """Its name for people."""
    source: str = ""
    """Where conversations and labels come from, in a sentence or two."""
    licence: str | None = None
    """SPDX-like id of its licence; None where nobody stated one."""
    visibility: Literal["public", "private"] = "private"
    """Whether what is made from its rows may stand in a public data set."""
    redistributable: bool = False
    """Whether its own text may be shown to others."""
    personal_data: Literal["none", "synthetic", "pseudonymous", "personal"] = "personal"
    """Whether real people stand behind the text."""
    languages: tuple[str, ...] = ()
    """BCP 47 tags of the conversations."""
    text: str = ""
    """Further words about it for people, in Markdown."""


class ColumnType(NamedTuple):
    """What a column, or a field within one, may hold."""

    feature: dict[str, Any]
    """As `datasets` writes it in a card."""
    told: str
    """For people."""


def columns_of(kind: type[Record]) -> dict[str, ColumnType]:
    """Returns the columns of a record in the order of its fields.

    Raises:
        TypeError: If a field has a type that no column has, such as a union of records.

    Example:
        >>> columns_of(Prompt)["user_ids"]
        ColumnType(feature={'list': 'string'}, told='list of string')
        >>> columns_of(AttributeLabel)["label"].told
        'string: accepted, uncertain, rejected'
    """
    schema = kind.model_json_schema()
    return {name: _column(part, schema.get("$defs", {})) for name, part in schema["properties"].items()}


def features_of(kind: type[Record]) -> list[dict[str, Any]]:
    """Returns the columns of a record as `datasets` writes them in a card.

    Example:
        >>> features_of(Prompt)[1:]
        [{'name': 'text', 'dtype': 'string'}, {'name': 'user_ids', 'list': 'string'}]
    """
    return [{"name": name, **column.feature} for name, column in columns_of(kind).items()]


def front_of() -> dict[str, Any]:
    """Returns what a card's front matter says of the tables, so that nobody has to guess a type.

    Example:
        >>> front_of()["configs"][1]
        {'config_name': 'attributes', 'data_files': 'attributes/*.jsonl'}
    """
    return {
        "configs": [{"config_name": table, "data_files": f"{table}/*.jsonl"} for table in KINDS],
        "dataset_info": [{"config_name": table, "features": features_of(kind)} for table, kind in KINDS.items()],
    }


_TYPES = {"string": "string", "integer": "int64", "number": "float64", "boolean": "bool"}
"""Types of JSON Schema by the names that columns have."""


def _column(part: Mapping[str, Any], shared: Mapping[str, Any]) -> ColumnType:
    """Returns the column of a part of a record's JSON Schema."""
    kinds = list(_kinds(part, shared))
    if len(kinds) != 1:
        raise TypeError(f"{part} has no column")
    (kind,) = kinds
    if kind.get("type") == "object":
        fields = {name: _column(inner, shared) for name, inner in kind["properties"].items()}
        struct = [{"name": name, **field.feature} for name, field in fields.items()]
        return ColumnType({"struct": struct}, "; ".join(f"{name} ({field.told})" for name, field in fields.items()))
    if kind.get("type") == "array":
        inner = _column(kind["items"], shared)
        ((_, held),) = inner.feature.items()  # What a list holds stands in it without its own name.
        return ColumnType({"list": held}, f"list of {inner.told}")
    if kind.get("format") == "date-time":
        return ColumnType({"dtype": "timestamp[us, tz=UTC]"}, "moment")
    name = _TYPES[kind["type"]]
    words = ", ".join(map(str, kind.get("enum", ())))
    return ColumnType({"dtype": name}, f"{name}: {words}" if words else name)


def _kinds(part: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yields what a part of a JSON Schema may be, besides nothing."""
    if "$ref" in part:
        yield from _kinds(shared[part["$ref"].rsplit("/", 1)[1]], shared)
    elif "anyOf" in part:
        for each in part["anyOf"]:
            yield from _kinds(each, shared)
    elif part.get("type") != "null":
        yield part
