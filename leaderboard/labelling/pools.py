"""The items of each task: what a data set has that people can be asked about, and how it is shown.

A data set is shown if its own text may be passed on and what is made from its rows may be public; nothing else is.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from evaluator.errors import Cause, RapportError
from evaluator.human.data import HumanData, demo_set
from evaluator.human.labelled import attribute_item, pair_item
from evaluator.human.records import RaterKind
from evaluator.human.stages.verification import evidence_of
from evaluator.human.stages.wording import load_wording
from evaluator.human.tasks import Order
from evaluator.records import SlotOrder, Terms
from leaderboard.labelling.pieces import Piece, rating_pieces, relevance_pieces, verification_pieces
from leaderboard.labelling.records import Judged, Task

DEMO = "demo"
"""Name of the data set that ships."""
Counts = Mapping[str, Mapping[str, int]]
"""For each item, how many people gave each word."""
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


class Pool(Protocol):
    """The items of one task."""

    @property
    def data_set(self) -> str:
        """Name of the data set that they stand in."""
        ...

    @property
    def data_sha(self) -> str:
        """Its commit or digest."""
        ...

    @property
    def terms(self) -> Terms:
        """Under which terms its rows may be shown."""
        ...

    @property
    def made_up(self) -> bool:
        """Whether nobody real stands behind its text."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """All items."""
        ...

    @property
    def counts(self) -> Counts:
        """Labels of people that the data set itself has."""
        ...

    def pieces(self, item_id: str, order: Order | SlotOrder | None) -> tuple[Piece, ...]:
        """Returns what is shown of an item.

        Raises:
            KeyError: If there is none of this name.
        """
        ...

    def judged(self, item_id: str) -> Judged | None:
        """Returns the model's answer of a pair; None of all other items."""
        ...


class HumanPool:
    """Items of a data set of people's labels.

    Where the data set has labels of a task, whoever gave them, its items are those that were labelled: these are what
    models are asked. Where it has none yet, they are all that can be asked about.

    Example:
        >>> pool = HumanPool(open_human_set("demo"), "demo", Task.RELEVANCE)
        >>> len(pool.names), pool.counts, [piece.heading for piece in pool.pieces(pool.names[0], None)]
        (128, {}, ['Prompt', 'Attribute'])
    """

    def __init__(self, data: HumanData, name: str, task: Task) -> None:
        """Takes the items of a task; `name` is what the data set is called in labels."""
        self._data, self._task = data, task
        self.data_set, self.data_sha, self.terms = name, data.sha, data.terms

    @property
    def made_up(self) -> bool:
        """Whether nobody real stands behind its text."""
        return self.terms.personal_data in ("none", "synthetic")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All items; attributes without evidence cannot be verified."""
        asked = {item for item, _, _ in self._labels()}
        if self._task is not Task.VERIFICATION:
            return tuple(name for name in self._all() if name in asked or not asked)
        return tuple(row.attribute_id for row in self._data.tables.attributes if row.evidence)

    @cached_property
    def counts(self) -> Counts:
        """Labels of single people that the data set itself has."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for item, word, kind in self._labels():
            if kind is RaterKind.PERSON:
                found[item][word] += 1
        return {item: dict(words) for item, words in found.items()}

    def pieces(self, item_id: str, order: Order | SlotOrder | None) -> tuple[Piece, ...]:
        """Returns what is shown of an item."""
        data, headings = self._data, load_wording().headings
        first, _, last = item_id.partition("/")
        if self._task is Task.VERIFICATION:
            attribute = data.attributes[item_id]
            shown = evidence_of(attribute, data.conversations_of.get(attribute.user_id, ()))
            return verification_pieces([each.turns for each in shown], attribute.text, headings)
        text = data.attributes[last].text
        if self._task is Task.RELEVANCE:
            return relevance_pieces(data.prompts[first].text, text, headings)
        row = data.responses[first]
        prompt = data.prompts[row.prompt_id].text
        return rating_pieces(prompt, row.generic, row.personalised, text, Order(str(order)), headings)

    def judged(self, item_id: str) -> None:
        """No model's answer is judged here."""
        return

    def _all(self) -> Iterable[str]:
        """Yields everything that relevance or rating can be asked about."""
        if self._task is Task.RATING:
            for row in self._data.tables.responses:
                yield from (pair_item(row.response_id, attribute_id) for attribute_id in row.attribute_ids)
            return
        for prompt in self._data.tables.prompts:
            for user_id in prompt.user_ids:
                for attribute in self._data.attributes_of.get(user_id, ()):
                    yield pair_item(prompt.prompt_id, attribute.attribute_id)

    def _labels(self) -> Iterable[tuple[str, str, RaterKind]]:
        """Yields item, word and kind of each label that the data set has of the task."""
        tables = self._data.tables
        if self._task is Task.VERIFICATION:
            yield from ((attribute_item(row.attribute_id), str(row.label), row.kind) for row in tables.attribute_labels)
        elif self._task is Task.RELEVANCE:
            for said in tables.relevance_labels:
                yield pair_item(said.prompt_id, said.attribute_id), "YES" if said.relevant else "NO", said.kind
        else:
            for rated in tables.response_ratings:
                yield pair_item(rated.response_id, rated.attribute_id), str(rated.rating.value), rated.kind


def human_pools(source: str) -> dict[Task, Pool]:
    """Returns the pools of a data set of people's labels; those without an item are left out.

    Args:
        source: `demo`, a folder, or a Hub data set id.

    Raises:
        RapportError: `forbidden` if its text may not be shown; as of `HumanData.open`.
    """
    data, name = open_human_set(source), set_name(source)
    check_terms(name, data.terms)
    pools = {task: HumanPool(data, name, task) for task in (Task.VERIFICATION, Task.RELEVANCE, Task.RATING)}
    return {task: pool for task, pool in pools.items() if pool.names}


def open_human_set(source: str) -> HumanData:
    """Opens the data set that a setting names: `demo`, a folder, or a Hub id; see `HumanData.open`."""
    return HumanData.open(str(demo_set()) if source == DEMO else source)


def set_name(source: str) -> str:
    """Returns what a data set is called in labels: its id on the Hub, or its folder's own name.

    Raises:
        RapportError: `data_error` if its folder cannot be called so in public.

    Example:
        >>> set_name("demo"), set_name("owner/set"), set_name("leaderboard")
        ('demo', 'owner/set', 'leaderboard')
    """
    if source == DEMO or not Path(source).is_dir():
        return source
    folder = Path(source).resolve()
    if folder == demo_set().resolve():
        return DEMO
    if folder.name == DEMO or not _FOLDER_NAME.fullmatch(folder.name):
        raise RapportError(
            Cause.DATA_ERROR,
            f"Labels cannot be filed under the name of the folder {source}.",
            f"Rename it; `{DEMO}` is the data set that ships, and a name has letters, digits, dots, `_` and `-` alone.",
        )
    return folder.name


def check_terms(name: str, terms: Terms) -> None:
    """Returns if a data set's text may be shown, and labels of it may be public.

    Raises:
        RapportError: `forbidden` if not.
    """
    if not terms.redistributable or terms.visibility != "public":
        raise RapportError(
            Cause.FORBIDDEN,
            f"The text of {name} may not be shown to others.",
            "Say in its card that it is public and redistributable, if that is so.",
        )
