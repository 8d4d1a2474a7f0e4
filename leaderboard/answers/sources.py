"""Where the text of questions comes from: data sets that may be passed on, read from where they lie on this machine."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from evaluator.hicupid.data import demo_set
from evaluator.hicupid.questions import History, Question, Turn
from evaluator.hicupid.rows import read_history, read_question
from evaluator.identity import folder_digest
from leaderboard.answers.table import ItemTable
from leaderboard.results import Scorecard

_HISTORY_SPLIT = {"train": "train", "test_1": "train", "test_2": "test"}
"""Seen users' histories are those that models may be trained on; as in `evaluator.hicupid.data`."""


class Source(Protocol):
    """A data set whose text may be shown, such as `HicupidData`."""

    @property
    def sha(self) -> str:
        """Its commit, or a digest of its files."""

    def questions(self, split: str, user_id: int | None = None) -> Iterable[Question]:
        """Returns the questions of a split, or of one user in it."""

    def history(self, split: str, user_id: int) -> History:
        """Returns the history of a user who is asked in a split."""


class Evidence(NamedTuple):
    """A dialogue that the question needs."""

    dialogue_id: int
    position: float
    """Share of the user's dialogues that come after it, 0..1."""
    turns: tuple[Turn, ...]


class SourceText(NamedTuple):
    """What was asked."""

    question: str
    gold: str
    """The reference answer."""
    general_answer: str
    """A fluent answer that ignores the user."""
    known: tuple[str, ...]
    """What the question is about, as its judge is told; each a sentence or a name with its value."""
    evidence: tuple[Evidence, ...]


class NoText(NamedTuple):
    """Why the text of questions is not shown."""

    reason: str
    """A sentence that names where it can be read."""


class DemoSet(NamedTuple):
    """The demo set that ships with the package, read without the libraries that a data set of any size needs."""

    sha: str
    by_user: Mapping[tuple[str, int], tuple[Question, ...]]
    """By split and user."""
    histories: Mapping[tuple[str, int], History]
    """Likewise, by the split of the history."""

    def questions(self, split: str, user_id: int | None = None) -> Iterator[Question]:
        """Yields the questions of a split, or of one user in it."""
        for (where, user), questions in self.by_user.items():
            if where == split and user_id in (None, user):
                yield from questions

    def history(self, split: str, user_id: int) -> History:
        """Returns the history of a user who is asked in a split."""
        return self.histories[_HISTORY_SPLIT[split], user_id]


def source_of(card: Scorecard, *others: Source) -> Source | NoText:
    """Returns where the questions behind a scorecard can be read here, or why they are not shown.

    Args:
        card: The scorecard, whose terms decide.
        others: Data sets that are open here, beside the demo set.
    """
    where = f"Read it in {card.data_source}, revision {card.data_sha[:12]}, by the question's id."
    if not card.terms.redistributable:
        return NoText(f"The data set's text may not be passed on. {where}")
    here: tuple[Source, ...] = (*others, read_demo_set())
    for source in here:
        if source.sha == card.data_sha:
            return source
    return NoText(f"The data set does not lie on this machine. {where}")


@cache
def read_demo_set() -> DemoSet:
    """Returns the demo set; it is read once."""
    folder = demo_set()
    histories = {
        (split, user): read_history(user, rows)
        for split in ("train", "test")
        for user, rows in _by_user(folder / "dialogue" / f"{split}.jsonl")
    }
    order = {key: [dialogue.dialogue_id for dialogue in history.dialogues] for key, history in histories.items()}
    questions = {
        (split, user): tuple(read_question(row, split, order[of_history, user]) for row in rows)
        for split, of_history in _HISTORY_SPLIT.items()
        for user, rows in _by_user(folder / "qa" / f"{split}.jsonl")
    }
    return DemoSet(folder_digest(folder), questions, histories)


def text_of(source: Source | NoText, table: ItemTable, place: int) -> SourceText | NoText:
    """Returns what was asked at a place of a table.

    Raises:
        RapportError: `data_error` if the data set is broken.
    """
    if isinstance(source, NoText):
        return source
    split, user = table.users[table.user[place]]
    name = table.question_id[place]
    question = next((each for each in source.questions(split, user) if each.question_id == name), None)
    if question is None:
        return NoText("The data set that lies here does not hold this question.")
    places = dict(zip(question.evidence, question.evidence_position, strict=True))
    needed = (each for each in source.history(split, user).dialogues if each.dialogue_id in places)
    evidence = tuple(Evidence(each.dialogue_id, places[each.dialogue_id], each.turns) for each in needed)
    return SourceText(question.question, question.gold, question.general_answer, tuple(_known(question)), evidence)


def _known(question: Question) -> Iterator[str]:
    """Yields what a judge is told of a question's user."""
    if taste := question.persona:
        yield f"The user {taste.relation} {taste.entity}."
    for fact in (question.profile, question.schedule):
        if fact is not None:
            yield from (f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in fact)


def _by_user(file: Path) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yields the rows of a file by user."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["user_id"]].append(row)
    return iter(found.items())
