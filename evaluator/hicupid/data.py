"""Loads HiCUPID-format data, from the Hub or from a folder of the same layout, without holding it in memory.

A Hub data set is fetched at its commit and then read as the folder it is. `datasets` could read the Hub itself, but
falls back to whichever revision it has cached when the Hub falters, and results would name a commit they are not of.

Rows stay memory-mapped on disk; what is kept is one integer range a user and one row number a question. A broken data
set is named at opening, never halfway through a run.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

import numpy as np

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.mapped import map_rows
from evaluator.hicupid.questions import History, Question, QuestionType
from evaluator.hicupid.rows import read_history, read_question
from evaluator.hub import download, resolve
from evaluator.identity import folder_digest
from evaluator.records import Terms

if TYPE_CHECKING:
    from datasets import Dataset

HUB_DATA_SET = "12kimih/HiCUPID"
SEASON = "2026"
_HUB_TERMS = Terms(visibility="public", season=SEASON, licence=None, redistributable=False, personal_data="synthetic")
"""HiCUPID's own: its authors describe the text as generated, and have not confirmed a licence. So rows may be public,
which hold ids, answers and verdicts, and the text may not."""

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
_NEVER_NULL = {"dialogue": ("user_id", "dialogue_id"), "qa": ("user_id", "question_id")}
_INTEGERS = ("user_id", "dialogue_id")
_HUB_FILES = ("README.md", "*.parquet", "*.jsonl", "*.json", "*.csv")
"""What is downloaded of a Hub data set."""


_RowNumbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


class _Table(NamedTuple):
    """One split: its rows on disk and, for each user in order of appearance, the numbers of his rows."""

    rows: Dataset
    by_user: dict[int, _RowNumbers]
    release: Callable[[], None]
    """Lets go of the pages that were read."""


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

    def __init__(self, source: str, sha: str, terms: Terms, folder: Path | None) -> None:
        """Use `open`."""
        self.source, self.sha, self.terms = source, sha, terms
        self._folder = folder
        self._tables: dict[tuple[str, str], _Table] = {}

    @classmethod
    def open(cls, source: str, revision: str | None = None) -> HicupidData:
        """Opens a folder or a Hub data set; the questions are not read before they are asked for.

        Of HiCUPID itself nothing is fetched yet; any other Hub data set is, because its card tells its terms. Its name
        always means the Hub's, so that no folder of that name passes for it.

        Args:
            source: Hub id, or the path of a folder.
            revision: Branch, tag or commit on the Hub; None for the default branch. A folder has its present state
                alone.

        Raises:
            RapportError: `malformed_id`, `not_found`, `gated`, `disk_full` or `infrastructure` if it cannot be had,
                `data_error` if its card is broken.
        """
        if source != HUB_DATA_SET and Path(source).is_dir():
            return cls(source, folder_digest(Path(source)), _folder_terms(source, Path(source)), Path(source))
        sha = resolve(source, repo_type="dataset", revision=revision).sha
        if source == HUB_DATA_SET:
            return cls(source, sha, _HUB_TERMS, None)
        folder = _fetch(source, sha)
        return cls(source, sha, _folder_terms(source, folder), folder)

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
            rows = list(_rows(table.rows, table.by_user.get(user, ())))
            table.release()
            for row in rows:
                yield read_question(row, split, order)

    def history(self, split: str, user_id: int) -> History:
        """Returns the whole history of a user who is asked in a split.

        Raises:
            RapportError: `data_error` if the user has none, or a row is broken.
        """
        numbers, table = self._history_rows(split, user_id), self._table("dialogue", _history_split(split))
        history = read_history(user_id, _rows(table.rows, numbers))
        table.release()
        return history

    def _dialogue_ids(self, split: str, user_id: int) -> list[int]:
        """Returns a user's dialogue ids, sorted."""
        numbers = self._history_rows(split, user_id)
        rows = self._table("dialogue", _history_split(split)).rows.select_columns(["dialogue_id"])
        return sorted({row["dialogue_id"] for row in _rows(rows, numbers)})

    def _history_rows(self, split: str, user_id: int) -> _RowNumbers:
        """Returns the numbers of a user's dialogue rows."""
        by_user = self._table("dialogue", _history_split(split)).by_user
        if user_id not in by_user:
            _broken(
                f"User {user_id} is asked in qa:{split} but has no history in dialogue:{_history_split(split)}.",
                "Add the user's dialogues or drop the questions.",
            )
        return by_user[user_id]

    def _table(self, config: str, split: str) -> _Table:
        """Opens a split once."""
        if self._folder is None:
            self._folder = _fetch(self.source, self.sha)
        if (config, split) not in self._tables:
            self._tables[config, split] = _open_table(self.source, self.sha, self._folder, config, split)
        return self._tables[config, split]


def demo_set() -> Path:
    """Returns the folder of the demo set that ships with the project."""
    return Path(__file__).parent / "demo_set"


def _open_table(source: str, sha: str, folder: Path, config: str, split: str) -> _Table:
    """Opens and checks one split, and notes which rows belong to which user."""
    mapped = map_rows(_load(source, sha, folder, config, split))
    rows = mapped.rows
    for column in _COLUMNS[config]:
        if column not in rows.column_names:
            _broken(f"{source} lacks the column {column!r} in {config}:{split}.", "Add the column.")
    rows = rows.select_columns(list(_COLUMNS[config]))
    _check_ids(source, rows, config, split)
    types = set(rows.unique("type"))
    if unknown := types - {*QuestionType}:
        _broken(
            f"{source} holds the unknown type {sorted(map(str, unknown))[0]!r} in {config}:{split}.",
            f"Types are {', '.join(QuestionType)}.",
        )
    by_user = _by_user(rows)
    mapped.release()
    return _Table(rows, by_user, mapped.release)


def _load(source: str, sha: str, folder: Path, config: str, split: str) -> Dataset:
    """Opens one split of a folder, memory-mapped.

    What `datasets` unpacks it keeps under the folder's name and the hash of its card: another folder of the same name
    would be given those rows. So every state of the files has a cache of its own.
    """
    import yaml
    from datasets import config as settings
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    cache = Path(settings.HF_DATASETS_CACHE) / "rapport" / sha
    try:
        return load_dataset(str(folder), config, split=split, cache_dir=str(cache))
    except (DatasetsError, OSError, ValueError, RuntimeError, StopIteration, yaml.YAMLError) as error:
        reason = error.__cause__ or error
        if isinstance(reason, OSError) and reason.errno == errno.ENOSPC:
            raise RapportError(
                Cause.DISK_FULL, f"There is no disk left to unpack {source}.", "Free some disk and try again."
            ) from error
        told = " ".join(str(reason).split())[:200] or type(reason).__name__
        _broken(
            f"{source} has no readable split {config}:{split} ({told}).",
            "Lay the folder out as the Hub data set is: configs `dialogue` and `qa`, declared in its README.md.",
        )


def _check_ids(source: str, rows: Dataset, config: str, split: str) -> None:
    """Refuses ids by which rows could not be found again."""
    for column in _NEVER_NULL[config]:
        if rows.data.column(column).null_count:
            _broken(f"{source} has a row without {column} in {config}:{split}.", "Give every row its ids.")
        if column in _INTEGERS and "int" not in str(getattr(rows.features[column], "dtype", "")):
            _broken(f"{source} has no whole numbers as {column} in {config}:{split}.", "Number users and dialogues.")
    if config == "qa" and len(rows.unique("question_id")) != len(rows):
        _broken(f"{source} uses a question_id twice in qa:{split}.", "Give every question an id of its own.")


def _by_user(rows: Dataset) -> dict[int, _RowNumbers]:
    """Returns the numbers of each user's rows, users in order of appearance."""
    users = rows.data.column("user_id").to_numpy()
    order = np.argsort(users, kind="stable")
    ids, starts = np.unique(users[order], return_index=True)
    groups = np.split(order, starts[1:])
    return {int(ids[place]): groups[place] for place in np.argsort(order[starts])}


def _rows(rows: Dataset, numbers: Sequence[int] | _RowNumbers) -> Iterator[dict[str, Any]]:
    """Reads rows in one go, which takes a fifth of the time of reading one by one."""
    batch = rows[list(numbers)]
    return (dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True))


def _history_split(split: str) -> str:
    """Names the dialogue split that holds the histories of a question split."""
    if split not in _HISTORY_SPLIT:
        _broken(f"There is no split {split!r}.", f"Splits are {', '.join(_HISTORY_SPLIT)}.")
    return _HISTORY_SPLIT[split]


def _fetch(source: str, sha: str) -> Path:
    """Downloads a Hub data set at a commit."""
    return download(source, sha, repo_type="dataset", allowed=_HUB_FILES)


def _folder_terms(source: str, folder: Path) -> Terms:
    """Reads the terms of a data set from its card; what the card does not say is not allowed."""
    import yaml
    from huggingface_hub import DatasetCard

    card = folder / "README.md"
    try:
        about: dict[str, Any] = DatasetCard.load(card).data.to_dict() if card.is_file() else {}
    except (ValueError, yaml.YAMLError) as error:
        _broken(
            f"The card of {source} cannot be read ({' '.join(str(error).split())[:200]}).", "Mend its front matter."
        )
    stated = about.get("license")
    licence = stated if isinstance(stated, str) else None
    return Terms(
        visibility="public" if licence == "apache-2.0" else "private",
        season=SEASON,
        licence=licence,
        redistributable=licence == "apache-2.0",
        personal_data="synthetic" if "synthetic" in (about.get("tags") or []) else "personal",
    )


def _broken(message: str, remedy: str) -> NoReturn:
    """Raises a named data error."""
    raise RapportError(Cause.DATA_ERROR, message, remedy)
