"""Loads HiCUPID-format data, from the Hub or from a folder of the same layout, without holding it in memory.

Rows stay memory-mapped on disk; what is kept is one integer range a user and one row number a question. A broken data
set is named at opening, never halfway through a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.rows import read_history, read_question
from evaluator.identity import folder_digest
from evaluator.records import History, Question, QuestionType, Terms

if TYPE_CHECKING:
    from datasets import Dataset

HUB_DATA_SET = "12kimih/HiCUPID"
SEASON = "2026"

_HISTORY_SPLIT = {"train": "train", "test_1": "train", "test_2": "test"}
"""Seen users stand in dialogue:train, unseen ones in dialogue:test."""
_COLUMNS = {
    "dialogue": ("user_id", "dialogue_id", "user", "assistant", "type"),
    "qa": (
        "user_id",
        "dialogue_id",
        "question_id",
        "question",
        "personalized_answer",
        "general_answer",
        "type",
        "metadata",
    ),
}


class _Table(NamedTuple):
    """One split: its rows on disk and, for each user in order of appearance, the numbers of his rows."""

    rows: Dataset
    by_user: dict[int, np.ndarray[Any, np.dtype[np.int64]]]


class HicupidData:
    """One HiCUPID-format data set.

    Attributes:
        source: Hub id or folder.
        sha: Commit of the Hub data set, or a digest of the folder's files.
        terms: Under which terms its rows may be shown.

    Example:
        >>> data = HicupidData.open("evaluator/hicupid/demo_set")  # doctest: +SKIP
        >>> sum(1 for question in data.questions("test_2"))  # doctest: +SKIP
        120
    """

    def __init__(self, source: str, sha: str, terms: Terms, revision: str | None) -> None:
        """Use `open`."""
        self.source, self.sha, self.terms = source, sha, terms
        self._revision = revision
        self._tables: dict[tuple[str, str], _Table] = {}

    @classmethod
    def open(cls, source: str) -> HicupidData:
        """Opens a folder or a Hub data set; reads nothing but its identity.

        Raises:
            RapportError: `not_found`, `gated` or `infrastructure` if it cannot be reached.
        """
        if Path(source).is_dir():
            return cls(source, folder_digest(Path(source)), _folder_terms(Path(source)), None)
        sha = _hub_sha(source)
        return cls(source, sha, _hub_terms(), sha)

    def users(self, split: str) -> list[int]:
        """Returns the ids of the users who have questions in a split, in the data's order."""
        return list(self._table("qa", split).by_user)

    def questions(self, split: str, user_id: int | None = None) -> Iterator[Question]:
        """Yields the questions of a split, or of one user in it, in the data's order.

        Raises:
            RapportError: `data_error` for a missing column, an unknown type, a null metadata, a user without history
                or evidence outside his history.
        """
        table = self._table("qa", split)
        for user in table.by_user if user_id is None else [user_id]:
            order = self._dialogue_ids(split, user)
            for number in table.by_user.get(user, ()):
                yield read_question(table.rows[int(number)], split, order)

    def history(self, split: str, user_id: int) -> History:
        """Returns the whole history of a user who is asked in a split.

        Raises:
            RapportError: `data_error` if the user has none, or a row is broken.
        """
        table = self._table("dialogue", _history_split(split))
        self._dialogue_ids(split, user_id)
        return read_history(user_id, (table.rows[int(number)] for number in table.by_user[user_id]))

    def _dialogue_ids(self, split: str, user_id: int) -> list[int]:
        """Returns a user's dialogue ids, sorted."""
        table = self._table("dialogue", _history_split(split))
        if user_id not in table.by_user:
            _broken(
                f"User {user_id} is asked in qa:{split} but has no history in dialogue:{_history_split(split)}.",
                "Add the user's dialogues or drop the questions.",
            )
        ids = table.rows.select_columns(["dialogue_id"])[table.by_user[user_id]]["dialogue_id"]
        return sorted(set(ids))

    def _table(self, config: str, split: str) -> _Table:
        """Opens a split once."""
        if (config, split) not in self._tables:
            self._tables[config, split] = _open_table(self.source, config, split, self._revision)
        return self._tables[config, split]


def demo_set() -> Path:
    """Returns the folder of the demo set that ships with the project."""
    return Path(__file__).parent / "demo_set"


def _open_table(source: str, config: str, split: str, revision: str | None) -> _Table:
    """Opens and checks one split, and notes which rows belong to which user."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError

    try:
        rows = load_dataset(source, config, split=split, revision=revision)
    except (DatasetNotFoundError, FileNotFoundError, DatasetGenerationError, ValueError) as error:
        _broken(
            f"{source} has no readable split {config}:{split} ({' '.join(str(error).split())[:200]}).",
            "Lay the folder out as the Hub data set is: configs `dialogue` and `qa`, declared in its README.md.",
        )
    for column in _COLUMNS[config]:
        if column not in rows.column_names:
            _broken(f"{source} lacks the column {column!r} in {config}:{split}.", "Add the column.")
    types = set(rows.unique("type"))
    if unknown := types - {*QuestionType}:
        _broken(
            f"{source} holds the unknown type {sorted(map(str, unknown))[0]!r} in {config}:{split}.",
            f"Types are {', '.join(QuestionType)}.",
        )
    if config == "qa" and len(rows.unique("question_id")) != len(rows):
        _broken(f"{source} uses a question_id twice in qa:{split}.", "Give every question an id of its own.")
    users = np.asarray(rows.with_format("numpy", columns=["user_id"])["user_id"][:], dtype=np.int64)
    order = np.argsort(users, kind="stable")
    ids, starts = np.unique(users[order], return_index=True)
    by_user = dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=True))
    return _Table(rows, by_user)


def _history_split(split: str) -> str:
    """Names the dialogue split that holds the histories of a question split."""
    if split not in _HISTORY_SPLIT:
        _broken(f"There is no split {split!r}.", f"Splits are {', '.join(_HISTORY_SPLIT)}.")
    return _HISTORY_SPLIT[split]


def _folder_terms(folder: Path) -> Terms:
    """A folder's terms: its card's licence; only the generated demo layout is known to be free of people."""
    from huggingface_hub import DatasetCard

    card = folder / "README.md"
    about = DatasetCard.load(card).data.to_dict() if card.is_file() else {}
    licence = about.get("license")
    synthetic = "synthetic" in (about.get("tags") or [])
    return Terms(
        visibility="public" if licence == "apache-2.0" else "private",
        season=SEASON,
        licence=licence,
        redistributable=licence == "apache-2.0",
        personal_data="synthetic" if synthetic else "personal",
    )


def _hub_terms() -> Terms:
    """HiCUPID's terms: its licence is not confirmed, so nothing of its text is shown."""
    return Terms(visibility="private", season=SEASON, licence=None, redistributable=False, personal_data="synthetic")


def _hub_sha(source: str) -> str:
    """Resolves a Hub data set to a commit."""
    from evaluator.hub import resolve

    return resolve(source, repo_type="dataset").sha


def _broken(message: str, remedy: str) -> NoReturn:
    """Raises a named data error."""
    raise RapportError(Cause.DATA_ERROR, message, remedy)
