"""The card of a data set of people's labels: written from its rows and its records, and read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import metadata_load
from pydantic import ValidationError

from evaluator.errors import Cause, RapportError
from evaluator.hub import licence_of
from evaluator.human.layout import CARD, KINDS, LABELS, About, HumanTables, columns_of, front_of
from evaluator.human.records import RaterKind

LAYOUT = "human"
"""What the layout is called in cards."""
_BLOCK = "rapport"
"""The part of the front matter that is ours."""
_ELSEWHERE = {"title": "pretty_name", "licence": "license", "languages": "language"}
"""What stands under the names that the Hub has for it."""

_SIMULATED = """\
> **The labels here are simulated.** A program made them from answers that it knew, with a stated skill and bias. No
> person has labelled anything: figures on them say nothing about how far a model agrees with people, and never rank."""
_CONSENSUS = """\
Some labels are a *consensus* of several people. There is no disagreement in it, so that no ceiling follows from it."""

_WHOSE = {
    RaterKind.PERSON: "given by single people",
    RaterKind.CONSENSUS: "a consensus of several people",
    RaterKind.TRUTH: "the truth of made-up users",
    RaterKind.SIMULATED: "simulated by a program",
}


def render_card(tables: HumanTables, about: About) -> str:
    """Returns the text of `README.md` for a data set; equal arguments give equal text."""
    kinds = kinds_of(tables)
    front: dict[str, Any] = {
        "license": about.licence,
        "language": list(about.languages) or None,
        "pretty_name": about.title,
        "tags": ["personalization", f"{LAYOUT}-layout", *_tags(about, kinds)],
        _BLOCK: {
            "layout": LAYOUT,
            "labels": [kind.value for kind in RaterKind if kinds[kind]],
            **about.model_dump(mode="json", exclude=set(_ELSEWHERE)),
        },
        **front_of(),
    }
    stated = {name: value for name, value in front.items() if value is not None}
    matter = yaml.dump(stated, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000)
    sections = [part for part in _sections(tables, about, kinds) if part]
    return f"---\n{matter}---\n\n" + "\n\n".join(sections) + "\n"


def kinds_of(tables: HumanTables) -> Counter[RaterKind]:
    """Counts the labels of a data set by whose they are.

    Example:
        >>> kinds_of(HumanTables())[RaterKind.SIMULATED]
        0
    """
    return Counter(label.kind for table in LABELS for label in getattr(tables, table))


def read_front(folder: Path) -> dict[str, Any]:
    """Returns the front matter of a folder's card.

    Raises:
        RapportError: `data_error` if there is no card, or its front matter cannot be read.
    """
    card = folder / CARD
    if not card.is_file():
        raise RapportError(
            Cause.DATA_ERROR, f"{folder} has no {CARD}.", "Add the card that declares its tables and its terms."
        )
    try:
        return metadata_load(card) or {}
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RapportError(
            Cause.DATA_ERROR, f"The front matter of {CARD} cannot be read ({reason}).", "Mend it."
        ) from error


def about_of(front: Mapping[str, Any]) -> About:
    """Returns what a card says of its data set; what it does not say is not allowed.

    Args:
        front: Its front matter.

    Raises:
        RapportError: `data_error` naming the first value that makes no sense.

    Example:
        >>> about_of({"license": "cc-by-4.0"}).licence, about_of({}).visibility, about_of({}).personal_data
        ('cc-by-4.0', 'private', 'personal')
    """
    stated = {name: value for name, value in _block(front).items() if name in About.model_fields}
    language, title = front.get("language"), front.get("pretty_name")
    stated["licence"] = licence_of(front)
    stated["languages"] = [language] if isinstance(language, str) else language or []
    if title:
        stated["title"] = title
    try:
        return About.model_validate(stated)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise RapportError(
            Cause.DATA_ERROR,
            f"In {CARD}, {_ELSEWHERE.get(name, f'{_BLOCK}.{name}')}: {first['msg']}.",
            "Mend the front matter.",
        ) from error


def labels_in(front: Mapping[str, Any]) -> frozenset[str]:
    """Returns whose labels a card says that its data set has.

    Example:
        >>> labels_in({"rapport": {"labels": ["simulated"]}})
        frozenset({'simulated'})
    """
    said = _block(front).get("labels")
    return frozenset(map(str, said)) if isinstance(said, list) else frozenset()


def is_human_set(front: Mapping[str, Any]) -> bool:
    """Says whether a card is one of this layout.

    Example:
        >>> is_human_set({"rapport": {"layout": "human"}}), is_human_set({"rapport": "human"})
        (True, False)
    """
    return bool(_block(front).get("layout") == LAYOUT)


def _block(front: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the part of the front matter that is ours."""
    block = front.get(_BLOCK)
    return block if isinstance(block, dict) else {}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def _tags(about: About, kinds: Counter[RaterKind]) -> Iterator[str]:
    """Yields what a reader may look for on the Hub."""
    if kinds[RaterKind.SIMULATED]:
        yield "simulated"
    if about.personal_data == "synthetic":
        yield "synthetic"


def _sections(tables: HumanTables, about: About, kinds: Counter[RaterKind]) -> Iterator[str]:
    """Yields the text below the front matter, part by part."""
    yield f"# {' '.join(about.title.split())}"
    yield _SIMULATED if kinds[RaterKind.SIMULATED] else ""
    yield about.source.strip()
    yield about.text.strip()
    yield _CONSENSUS if kinds[RaterKind.CONSENSUS] else ""
    yield "## Terms"
    yield _table(
        ("term", "value"),
        (
            ("licence", about.licence or "none stated"),
            ("visibility", about.visibility),
            ("redistributable", "yes" if about.redistributable else "no"),
            ("personal data", about.personal_data),
            ("labels", ", ".join(f"{count} {_WHOSE[kind]}" for kind, count in sorted(kinds.items())) or "none"),
            ("annotators", str(len(tables.annotators))),
        ),
    )
    yield "## Tables"
    yield _table(
        ("config", "rows", "what a row is"),
        ((f"`{table}`", str(len(getattr(tables, table))), _told(kind)) for table, kind in KINDS.items()),
    )
    yield _LOADING
    for table, kind in KINDS.items():
        yield f"### {table}"
        columns = columns_of(kind)
        yield _table(
            ("column", "type", "meaning"),
            ((f"`{name}`", columns[name].told, field.description or "") for name, field in kind.model_fields.items()),
        )


_LOADING = """\
```python
from datasets import load_dataset

attributes = load_dataset("FOLDER_OR_NAME", "attributes", split="train")
```

There is one split, `train`. `datasets` loads a table without rows only as a stream (`streaming=True`). Names of rows
stay as they are for ever; a label is named by its item and its annotator, who labels an item once. Labels of nobody but
those in `annotators` count."""


def _told(kind: type) -> str:
    """Returns what the first line of a record's description says."""
    return (kind.__doc__ or "").split("\n", 1)[0]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Writes a table; what stands in a cell cannot leave it."""
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
