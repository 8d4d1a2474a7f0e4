"""Opens a data set of people's labels, from the Hub or from a folder of the same layout, and finds rows by their names.

A Hub data set is fetched at its commit and then read as the folder it is. All rows are checked at opening: what is
wrong with them is named there, never halfway through a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.data import SEASON
from evaluator.hub import download, resolve
from evaluator.human.card import about_of, kinds_of, read_front
from evaluator.human.check import check_reading
from evaluator.human.findings import Finding, Severity
from evaluator.human.layout import CARD, KINDS, LABELS, ROSTER, SUFFIXES, About, HumanTables
from evaluator.human.reading import read_tables
from evaluator.human.records import (
    Attribute,
    AttributeLabel,
    Conversation,
    Prompt,
    RaterKind,
    RelevanceLabel,
    Response,
    ResponseRating,
)
from evaluator.identity import digest, folder_digest
from evaluator.records import Terms

Key = TypeVar("Key")
Value = TypeVar("Value")

_HUB_FILES = (CARD, *(f"{table}/*{suffix}" for table in KINDS for suffix in SUFFIXES))
"""What is downloaded of a Hub data set."""


class HumanData:
    """One data set of people's labels, read whole: it holds as many rows as people have labelled.

    Attributes:
        source: Hub id or folder.
        sha: Commit of the Hub data set, or a digest of the folder's files.
        about: What its card says of it.
        tables: All rows, in the data set's order.

    Example:
        >>> data = HumanData.open(str(demo_set()))
        >>> len(data.user_ids), data.is_simulated, data.terms.personal_data
        (6, True, 'synthetic')
        >>> data.attributes[data.tables.attribute_labels[0].attribute_id].user_id
        'user-01'
    """

    def __init__(self, source: str, sha: str, about: About, tables: HumanTables) -> None:
        """Takes rows as they are; `open` checks them."""
        self.source, self.sha, self.about, self.tables = source, sha, about, tables

    @classmethod
    def open(cls, source: str, revision: str | None = None) -> HumanData:
        """Opens a folder or a Hub data set.

        Args:
            source: Hub id, or the path of a folder.
            revision: Branch, tag or commit on the Hub; None for the default branch. A folder has its present state
                alone.

        Raises:
            RapportError: `malformed_id`, `not_found`, `gated`, `disk_full` or `infrastructure` if it cannot be had,
                `data_error` if a row of it or its card is broken.
        """
        if Path(source).is_dir():
            folder, sha = Path(source), folder_digest(Path(source))
        else:
            sha = resolve(source, repo_type="dataset", revision=revision).sha
            folder = download(source, sha, repo_type="dataset", allowed=_HUB_FILES)
        reading = read_tables(folder)
        _refuse_errors(source, check_reading(folder, reading))
        return cls(source, sha, about_of(read_front(folder)), reading.tables)

    @property
    def terms(self) -> Terms:
        """Under which terms its rows may be shown."""
        return Terms(season=SEASON, **self.about.model_dump(include=set(Terms.model_fields)))

    @cached_property
    def shown_sha(self) -> str:
        """Digest of all that models are shown, so of everything but labels: new labels make no new questions."""
        shown = {table: rows for table, rows in self.tables._asdict().items() if table not in (*LABELS, ROSTER)}
        return digest({table: [row.model_dump(mode="json") for row in rows] for table, rows in shown.items()})

    @cached_property
    def user_ids(self) -> tuple[str, ...]:
        """All users of whom there is a conversation or an attribute, in the data set's order."""
        users = [row.user_id for row in self.tables.conversations] + [row.user_id for row in self.tables.attributes]
        return tuple(dict.fromkeys(users))

    @cached_property
    def kinds(self) -> frozenset[RaterKind]:
        """Whose labels it has."""
        return frozenset(kinds_of(self.tables))

    @property
    def is_simulated(self) -> bool:
        """Whether its labels are a program's: then no figure on them says anything of people, and none ranks."""
        return RaterKind.SIMULATED in self.kinds

    @cached_property
    def conversations(self) -> Mapping[str, Conversation]:
        """Conversations by name."""
        return {row.conversation_id: row for row in self.tables.conversations}

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """Attributes by name."""
        return {row.attribute_id: row for row in self.tables.attributes}

    @cached_property
    def prompts(self) -> Mapping[str, Prompt]:
        """Prompts by name."""
        return {row.prompt_id: row for row in self.tables.prompts}

    @cached_property
    def responses(self) -> Mapping[str, Response]:
        """Responses by name."""
        return {row.response_id: row for row in self.tables.responses}

    @cached_property
    def conversations_of(self) -> Mapping[str, tuple[Conversation, ...]]:
        """Conversations by user; a user without any is not in it."""
        return _grouped(self.tables.conversations, lambda row: row.user_id)

    @cached_property
    def attributes_of(self) -> Mapping[str, tuple[Attribute, ...]]:
        """Attributes by user; a user without any is not in it."""
        return _grouped(self.tables.attributes, lambda row: row.user_id)

    @cached_property
    def attribute_labels(self) -> Mapping[str, tuple[AttributeLabel, ...]]:
        """Labels by attribute; one without any is not in it."""
        return _grouped(self.tables.attribute_labels, lambda row: row.attribute_id)

    @cached_property
    def relevance_labels(self) -> Mapping[tuple[str, str], tuple[RelevanceLabel, ...]]:
        """Labels by prompt and attribute, of all pairs that have any."""
        return _grouped(self.tables.relevance_labels, lambda row: (row.prompt_id, row.attribute_id))

    @cached_property
    def response_ratings(self) -> Mapping[tuple[str, str], tuple[ResponseRating, ...]]:
        """Ratings by response and attribute, of all pairs that have any."""
        return _grouped(self.tables.response_ratings, lambda row: (row.response_id, row.attribute_id))


def demo_set() -> Path:
    """Returns the folder of the demo set that ships with the project; its labels are simulated."""
    return Path(__file__).parent / "demo_set"


def _grouped(rows: Iterable[Value], key: Callable[[Value], Key]) -> dict[Key, tuple[Value, ...]]:
    """Sorts rows by what they are of, in order of appearance."""
    found: dict[Key, list[Value]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return {name: tuple(group) for name, group in found.items()}


def _refuse_errors(source: str, findings: Iterable[Finding]) -> None:
    """Refuses a data set with a broken row."""
    if errors := [each for each in findings if each.severity == Severity.ERROR]:
        more = f" It has {len(errors) - 1} more errors." if len(errors) > 1 else ""
        raise RapportError(
            Cause.DATA_ERROR,
            f"{source} is broken at {errors[0]}{more}",
            "`rapport human check` names every broken row of a folder.",
        )
