"""A run's rows as columns, and what may be judged as digests of 64 bits: for looking through a thousand runs at once.

Of a compacted run nothing is read but the columns that are needed, and no row becomes an object. What lies in many
small files is read as rows, and made into the same columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import latest_rows
from evaluator.hicupid.questions import Item, QuestionType
from evaluator.parquet import read_table
from evaluator.records import Generation, SlotOrder, Verdict
from leaderboard.records import Lane
from leaderboard.scorecards import RunRows
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.store.items import decode_items
from leaderboard.store.rows import read_record
from leaderboard.store.runs import CompactPlan, StoredRun

Digests = NDArray[np.uint64]
"""Things that may be judged: 60 bits of answer and question, two of the question's type, two of the slot order. Among
twenty million of them two different ones are taken for one with a probability below 0.001."""
TYPES = tuple(QuestionType)
ORDERS = tuple(SlotOrder)
_HEX, _DIGITS = 64, 15
"""Hexadecimal digits of a content hash, and how many of them count."""
_REMEMBERED = 8
"""Sets of items that are held at a time: most runs ask the same."""

_ANSWERS = {
    "question_id": "key.question_id",
    "content_hash": "content_hash",
    "defect": "defect",
    "failure": "failure",
    "taken_down": "taken_down",
}
"""Columns of answers, with their names in the file."""
_OPTIONAL = frozenset({"taken_down"})
"""Columns that files of before it could happen lack."""
_VERDICTS = {
    "question_id": "key.question_id",
    "content_hash": "key.content_hash",
    "data_sha": "key.data_sha",
    "slot_order": "key.slot_order",
    "rater": "key.rater",
    "rater_revision": "key.rater_revision",
    "judge_prompt_pack": "key.judge_prompt_pack",
    "decoding": "key.decoding",
    "engine": "key.engine",
    "dtype": "key.dtype",
    "rater_kind": "rater_kind",
    "outcome": "outcome",
    "failure": "failure",
    "attempt": "attempt",
    "prompt_tokens": "prompt_tokens",
    "output_tokens": "output_tokens",
}
_REPORTS = {name: name for name in ("lane", "engine", "dtype", "hardware", "stage_seconds")}
_STAGE = "judge"
"""What a report calls the time in which its judge was asked."""
_TYPES = {"taken_down": pa.bool_(), "stage_seconds": pa.list_(pa.struct({"name": pa.string(), "value": pa.float64()}))}
_TYPES |= dict.fromkeys(("attempt", "prompt_tokens", "output_tokens"), pa.int64())
"""Arrow's types of columns that hold no text."""


class Asked(NamedTuple):
    """What a run asks, item by item."""

    question_ids: Any
    """(items,) Arrow strings."""
    digest: Digests
    """(items,): 60 bits of data set and question, four free ones below."""
    type: NDArray[np.uint64]
    """(items,): place in `TYPES`."""
    orders: NDArray[np.bool_]
    """(items, slot orders): the orders in which its answer is judged, as in `ORDERS`."""
    data_sha: str

    def places(self, question_ids: Any) -> NDArray[np.int64]:
        """Returns for each of some questions its place among the items, -1 for one that is not asked."""
        found = pc.index_in(question_ids, value_set=self.question_ids)
        return np.asarray(found.fill_null(-1), dtype=np.int64)


class JudgeReport(NamedTuple):
    """What a worker measured on one shard in the judge's lane."""

    engine: str
    dtype: str
    hardware: str
    seconds: float
    """In which the judge was asked, without loading; 0 if the report does not tell."""


class JudgedBatch(NamedTuple):
    """What was handed over under one lease in one piece."""

    lease: str
    verdicts: int
    """Rows, which follow those of the batch before."""
    reports: tuple[JudgeReport, ...]


class RunColumns(NamedTuple):
    """The rows of one run."""

    asked: Asked
    answers: Any
    """Arrow table with the columns of `_ANSWERS`, one row an answered question; None if answers were not wanted."""
    verdicts: Any
    """Arrow table with those of `_VERDICTS`, in the order of batches."""
    batches: tuple[JudgedBatch, ...]


class ColumnReader:
    """Reads runs as columns.

    Example:
        >>> ColumnReader(store).read("s-20260101-0a1b2c3d.official-v1")  # doctest: +SKIP
    """

    def __init__(self, store: Store) -> None:
        """Reads when it is asked."""
        self._store = store
        self._asked: dict[tuple[str, str], Asked] = {}

    def read(self, run_id: str, *, answers: bool = True) -> RunColumns | None:
        """Reads a run, or what a re-score has judged of one; None if nothing of it is stored.

        Args:
            run_id: The run, or the judging.
            answers: Whether answers are read.

        Raises:
            RapportError: `data_error` naming the file that cannot be read, or that it is no run of HiCUPID.
        """
        stored = StoredRun(self._store, run_id)
        if stored.is_compacted and not stored.loose:
            return self._of_files(stored, answers)
        plan = stored.plan()
        if plan is None:
            return None
        asked = asked_of(_of_hicupid(plan.items, run_id), plan.data_sha)
        rows = stored.rows()
        return RunColumns(
            asked,
            _table_of(_counting(rows), _ANSWERS) if answers else None,
            _table_of(rows.verdicts, _VERDICTS),
            tuple(
                _batch(name, len(stored.verdicts.get(name, ())), [dict(one) for one in stored.reports.get(name, ())])
                for name in sorted(stored.names)
            ),
        )

    def _of_files(self, stored: StoredRun, answers: bool) -> RunColumns:
        """Reads a compacted run."""
        run_id, path = stored.run_id, layout.plan_path(stored.run_id)
        plan = read_record(self._store.read(path), CompactPlan, path)
        asked = self._asked_by(plan, run_id)
        table = None
        if answers:
            table = self._columns(layout.generations_folder(run_id), _ANSWERS)
            places = asked.places(table["question_id"].combine_chunks())
            if np.bincount(places[places >= 0], minlength=1).max() > 1:  # Rules decide which counts.
                table = _table_of(_counting(stored.rows()), _ANSWERS)
        verdicts = self._columns(layout.verdicts_folder(run_id), _VERDICTS)
        if verdicts.num_rows != sum(batch.verdicts for batch in plan.batches):
            raise _unlike(layout.compact_path(layout.verdicts_folder(run_id)), "what the plan of the run names")
        return RunColumns(asked, table, verdicts, self._reported(run_id, plan))

    def _asked_by(self, plan: CompactPlan, run_id: str) -> Asked:
        """Reads what a compacted run asks; what others asked as well is read once."""
        key = plan.items_sha, plan.data_sha
        if key not in self._asked:
            path = layout.items_path(plan.items_sha)
            items = _of_hicupid(decode_items(self._store.read(path), path), run_id)
            if len(self._asked) >= _REMEMBERED:
                self._asked.pop(next(iter(self._asked)))
            self._asked[key] = asked_of(items, plan.data_sha)
        return self._asked[key]

    def _columns(self, folder: str, wanted: Mapping[str, str]) -> Any:
        """Reads some columns of a large file."""
        path = layout.compact_path(folder)
        content = self._store.read(path)
        try:
            table = read_table(content, list(wanted.values()))
            found = {name: _column(table, place) for name, place in wanted.items()}
            columns = {name: one.cast(_TYPES.get(name, pa.string())) for name, one in found.items() if one is not None}
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unlike(path, f"a readable file of rows: {str(error).splitlines()[0][:200]}") from error
        if lacking := [name for name in wanted if name not in columns and name not in _OPTIONAL]:
            raise _unlike(path, f"a file of rows: it lacks {', '.join(lacking)}")
        return pa.table(columns)

    def _reported(self, run_id: str, plan: CompactPlan) -> tuple[JudgedBatch, ...]:
        """Reads the reports of a compacted run."""
        table = self._columns(layout.reports_folder(run_id), _REPORTS)
        if table.num_rows != sum(batch.reports for batch in plan.batches):
            raise _unlike(layout.compact_path(layout.reports_folder(run_id)), "what the plan of the run names")
        rows, begin, batches = table.to_pylist(), 0, list[JudgedBatch]()
        for batch in plan.batches:
            own, begin = rows[begin : begin + batch.reports], begin + batch.reports
            batches.append(_batch(batch.id, batch.verdicts, own))
        return tuple(batches)


def asked_of(items: Sequence[Item], data_sha: str) -> Asked:
    """Returns items as columns.

    Args:
        items: What is asked.
        data_sha: Names the data set, without which the id of a question means nothing.
    """
    names = [hashlib.sha256(f"{data_sha}\n{item.question_id}".encode()).digest()[:8] for item in items]
    digest = np.frombuffer(b"".join(names), dtype=">u8").astype(np.uint64) & ~np.uint64(15)
    return Asked(
        question_ids=pa.array([item.question_id for item in items], pa.string()),
        digest=digest,
        type=np.array([TYPES.index(item.type) for item in items], dtype=np.uint64),
        orders=np.array([[order in item.orders for order in ORDERS] for item in items], dtype=bool).reshape(-1, 3),
        data_sha=data_sha,
    )


def content_digests(hashes: Any, name: str) -> Digests:
    """Returns the first 60 bits of content hashes, with four free ones below.

    Args:
        hashes: (n,) Arrow strings of 64 hexadecimal digits, none of them missing.
        name: What they stand in, for errors.

    Raises:
        RapportError: `data_error` if one is no such digest.

    Example:
        >>> [hex(one) for one in content_digests(pa.array(["0123456789abcdef" * 4]), "rows")]
        ['0x123456789abcde0']
    """
    flat = hashes.combine_chunks() if isinstance(hashes, pa.ChunkedArray) else hashes
    if not len(flat):
        return np.zeros(0, dtype=np.uint64)
    lengths = pc.binary_length(flat)
    if flat.null_count or pc.min(lengths).as_py() != _HEX or pc.max(lengths).as_py() != _HEX:
        raise _unlike(name, "rows with content hashes of 64 digits")
    start = flat.offset * _HEX
    signs = np.frombuffer(flat.buffers()[2], dtype=np.uint8)[start : start + len(flat) * _HEX]
    # Of digits and small letters, the low four bits are their value, but for letters, which begin at 1.
    counted = signs.reshape(len(flat), _HEX)[:, :_DIGITS]
    values = ((counted & 15) + 9 * (counted >> 6)).astype(np.uint64)
    digests = np.zeros(len(flat), dtype=np.uint64)
    for place in range(_DIGITS):
        digests |= values[:, place] << np.uint64(60 - 4 * place)
    return digests


def things(asked: Asked, places: NDArray[np.int64], contents: Digests) -> Digests:
    """Returns what may be judged, but for the slot order.

    Args:
        asked: What is asked.
        places: (n,): the item of each answer, none of them -1.
        contents: (n,): the answers, as of `content_digests`.
    """
    return (asked.digest[places] ^ contents) | (asked.type[places] << np.uint64(2))


def types_of(digests: Digests) -> NDArray[np.int64]:
    """Returns the place in `TYPES` of each thing."""
    return ((digests >> np.uint64(2)) & np.uint64(3)).astype(np.int64)


class DigestSet:
    """A set of digests in eight bytes for each that was added, and never more than a sixteenth of it once over.

    Example:
        >>> seen = DigestSet()
        >>> seen.add(np.array([5, 3, 5], dtype=np.uint64))
        >>> seen.add(np.array([2**63, 3], dtype=np.uint64))
        >>> [part.tolist() for part in seen.parts() if len(part)]
        [[3, 5], [9223372036854775808]]
    """

    def __init__(self) -> None:
        """Is empty."""
        self._added: list[Digests] = []

    def add(self, digests: Digests) -> None:
        """Takes some in."""
        if len(digests):
            self._added.append(_once(digests.copy()))

    def parts(self) -> Iterator[Digests]:
        """Yields the digests that begin with each of sixteen digits, each once, in ascending order."""
        begins = np.zeros(len(self._added), dtype=np.int64)
        for digit in range(1, 17):
            ends = [
                len(some) if digit == 16 else int(np.searchsorted(some, np.uint64(digit << 60))) for some in self._added
            ]
            own = [some[begin:end] for some, begin, end in zip(self._added, begins, ends, strict=True)]
            yield _once(np.concatenate(own)) if own else np.zeros(0, dtype=np.uint64)
            begins = np.array(ends, dtype=np.int64)


def _once(digests: Digests) -> Digests:
    """Sorts digests in their place and returns each once."""
    digests.sort()
    return digests[np.append(True, digests[1:] != digests[:-1])] if len(digests) else digests


def are_among(digests: Digests, known: Digests) -> NDArray[np.bool_]:
    """Says which digests are among others, which are in ascending order."""
    if not len(known):
        return np.zeros(len(digests), dtype=bool)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, digests), len(known) - 1)] == digests
    return found


def _of_hicupid(items: Iterable[Any], run_id: str) -> list[Item]:
    """Returns items, all of which have to be questions."""
    every = list(items)
    if not all(isinstance(item, Item) for item in every):
        raise RapportError(
            Cause.DATA_ERROR, f"{run_id} is a run of a human-grounded task.", "Judge runs of HiCUPID alone."
        )
    return every


def _column(table: Any, place: str) -> Any:
    """Returns a column of a table by the name that it has in the file; None if it is not there."""
    outer, _, inner = place.partition(".")
    if outer not in table.column_names:
        return None
    column = table[outer]
    if not inner:
        return column
    return pc.struct_field(column, inner) if column.type.get_field_index(inner) >= 0 else None


def _counting(rows: RunRows) -> list[Generation]:
    """Returns the answer that counts for each question; see `join_rows`."""
    both = all(rows.reports_of(lane) for lane in Lane)
    answers, _ = latest_rows(rows.generations, (), rows.made_on if both else None)
    return list(answers.values())


def _table_of(rows: Sequence[Generation] | Sequence[Verdict], wanted: Mapping[str, str]) -> Any:
    """Returns rows as the columns that files have."""
    columns = {}
    for name, place in wanted.items():
        values = [getattr(row.key if place.startswith("key.") else row, name) for row in rows]
        columns[name] = pa.array(values, _TYPES.get(name, pa.string()))
    return pa.table(columns)


def _batch(name: str, verdicts: int, reports: Iterable[Mapping[str, Any]]) -> JudgedBatch:
    """Returns a batch with what its reports say of the judge's lane."""
    judged = [report for report in reports if report["lane"] == Lane.JUDGE]
    told = tuple(
        JudgeReport(report["engine"], report["dtype"], report["hardware"], _judging_seconds(report))
        for report in judged
    )
    return JudgedBatch(name.rpartition("-")[0], verdicts, told)


def _judging_seconds(report: Mapping[str, Any]) -> float:
    """Returns how long a judge was asked; of a file's pairs as of a record's."""
    pairs = (tuple(pair.values()) if isinstance(pair, dict) else pair for pair in report["stage_seconds"])
    return float(dict(pairs).get(_STAGE, 0.0))


def _unlike(path: str, what: str) -> RapportError:
    """Says that a file is not what it should be."""
    return RapportError(Cause.DATA_ERROR, f"{path} is not {what}.", "Restore the file from a backup.")
