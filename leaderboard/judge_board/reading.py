"""What judges said of the answers of one run, read as columns: no row becomes an object unless rules have to decide.

A run is read once, whoever judged it. What lies in many small files, or holds two answers to a question, or two words
of one judge that only the order of hashes tells apart, is read as rows, and comes to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluator.errors import Cause, RapportError
from evaluator.hicupid.outcomes import JudgedItem, MadeOn, join_rows, why_missing
from evaluator.hicupid.questions import Item
from evaluator.judges.quality.costs import AttemptColumns
from evaluator.judges.quality.judged import Judged, judged_of
from evaluator.parquet import read_table
from evaluator.records import Generation, Outcome, Verdict
from leaderboard.results import Scorecard
from leaderboard.store import layout
from leaderboard.store.base import Store
from leaderboard.store.runs import StoredRun

_ANSWERS = ("key.question_id", "content_hash", "defect", "answer")
_VERDICTS = (
    *(f"key.{name}" for name in ("question_id", "content_hash", "slot_order", "data_sha", "rater", "rater_revision")),
    *(f"key.{name}" for name in ("judge_prompt_pack", "engine", "dtype")),
    *("verdict_key", "rater_kind", "outcome", "failure", "attempt"),
    *("prompt_tokens", "cached_tokens", "output_tokens", "seconds"),
)
_OF_KEY = 16
"""Hexadecimal digits of a verdict's key that its costs are counted under."""


class Answer(NamedTuple):
    """An answer that a judge may have to judge."""

    content_hash: str
    characters: int | None
    """None if its text was taken down."""


class RunAnswers(NamedTuple):
    """What one run asked, and the answers that count: those that are there and have no defect."""

    name: str
    """How the board names the model."""
    items: Mapping[str, Item]
    """By question id, as the run has it; each in the words that the whole board has for it."""
    answers: Mapping[str, Answer] | None
    """By question id; None where rules have to decide which one counts, row by row."""
    gold_characters: Mapping[str, int]
    """By question id of the run."""


class Said(NamedTuple):
    """What one judge said of one run."""

    prompts: str | None
    """Its prompts, and how answers are set into them; None if it said nothing."""
    judged: list[Judged]
    attempts: AttemptColumns


class _Word(NamedTuple):
    """What a verdict's row says, as far as an item needs it."""

    outcome: str | None
    failure: str | None


class RunReader:
    """Reads one run: its answers once, and the words of each of its judges.

    Example:
        >>> RunReader(store, run, items, name, gold).said(card)  # doctest: +SKIP
    """

    def __init__(
        self, store: Store, run: StoredRun, items: Mapping[str, Item], name: str, gold_characters: Mapping[str, int]
    ) -> None:
        """Reads the answers.

        Args:
            store: The archive.
            run: The run.
            items: What it asks by question id, each in the words that the board has for it.
            name: How the board names the model.
            gold_characters: Length of gold by question id.

        Raises:
            RapportError: `data_error` if they cannot be read.
        """
        self._store, self._run = store, run
        answers = _answers_in(store, run)
        self.answers = RunAnswers(name, items, answers, gold_characters)

    def said(self, card: Scorecard, judging: str | None) -> Said:
        """Returns what the judge of a scorecard said of the run.

        Args:
            card: The scorecard.
            judging: Where the verdicts lie; None for the run itself.

        Raises:
            RapportError: `data_error` if the rows cannot be read, or are of two prompts.
        """
        source = self._run if judging is None else StoredRun(self._store, judging)
        table = self._verdicts_of(source, card)
        packs = pc.unique(table["judge_prompt_pack"]).to_pylist()
        if len(packs) > 1:
            raise _broken(f"The verdicts of {card.judge} on {card.run_id} were given under different prompts.")
        made_on = MadeOn(card.engine, card.dtype, card.judge_engine, card.judge_dtype)
        answers = self.answers.answers
        judged = None if answers is None else self._joined(answers, table, made_on)
        if judged is None:
            judged = self._row_by_row(source, card, made_on)
        return Said(packs[0] if packs else None, judged, _attempts(table, self.answers.items))

    def _verdicts_of(self, source: StoredRun, card: Scorecard) -> Any:
        """Reads what the judge of a scorecard said, as columns."""
        whole = source.is_compacted and not source.loose
        table = (
            _columns(self._store, layout.verdicts_folder(source.run_id), _VERDICTS)
            if whole
            else _made(source.rows().verdicts, _VERDICTS)
        )
        wanted = {"rater": card.judge, "rater_revision": card.judge_revision, "rater_kind": "model"}
        for name, value in {**wanted, "data_sha": card.data_sha}.items():
            table = table.filter(pc.equal(table[name], value))
        return table

    def _joined(self, answers: Mapping[str, Answer], table: Any, made_on: MadeOn) -> list[Judged] | None:
        """Joins answers with words; None if only the hashes of rows tell which word counts."""
        words = _latest(table, made_on)
        if words is None:
            return None
        name, gold = self.answers.name, self.answers.gold_characters
        found = []
        for question_id, answer in answers.items():
            if (item := self.answers.items.get(question_id)) is None:
                continue  # It is not asked.
            own = [words.get((question_id, answer.content_hash, order.value)) for order in item.orders]
            outcomes = _shared(tuple(None if word is None or not word.outcome else word.outcome for word in own))
            entry = JudgedItem(item, None, outcomes, _missing(own))
            found.append(Judged(entry, answer.content_hash, name, answer.characters, gold.get(question_id)))
        return found

    def _row_by_row(self, source: StoredRun, card: Scorecard, made_on: MadeOn) -> list[Judged]:
        """Joins rows by the rules of scoring."""
        items, gold = self.answers.items, self.answers.gold_characters
        mine = (card.judge, card.judge_revision, card.data_sha)
        verdicts = [
            row for row in source.rows().verdicts if (row.key.rater, row.key.rater_revision, row.key.data_sha) == mine
        ]
        asked = [item.model_copy(update={"question_id": name}) for name, item in items.items()]
        entries = join_rows(asked, self._run.rows().generations, verdicts, made_on)
        found = judged_of(entries, gold, self.answers.name)
        return [each._replace(entry=each.entry._replace(item=items[each.entry.item.question_id])) for each in found]


def answers_of(store: Store, run: StoredRun) -> Iterator[tuple[str, str]]:
    """Yields question id and content hash of every answer of a run.

    Raises:
        RapportError: `data_error` if they cannot be read.
    """
    table = _answer_table(store, run)
    table = table.filter(pc.is_valid(table["content_hash"]))
    yield from zip(table["question_id"].to_pylist(), table["content_hash"].to_pylist(), strict=True)


def _answer_table(store: Store, run: StoredRun) -> Any:
    """Reads the answers of a run as columns."""
    if run.is_compacted and not run.loose:
        return _columns(store, layout.generations_folder(run.run_id), _ANSWERS)
    return _made(run.rows().generations, _ANSWERS)


def _answers_in(store: Store, run: StoredRun) -> dict[str, Answer] | None:
    """Returns the answers of a run that count; None if there are two rows on a question."""
    table = _answer_table(store, run)
    if len(pc.unique(table["question_id"])) != table.num_rows:
        return None
    kept = table.filter(pc.and_(pc.is_valid(table["content_hash"]), pc.is_null(table["defect"])))
    lengths = pc.utf8_length(kept["answer"])
    rows = zip(kept["question_id"].to_pylist(), kept["content_hash"].to_pylist(), lengths.to_pylist(), strict=True)
    return {question_id: Answer(content_hash, characters) for question_id, content_hash, characters in rows}


def _latest(table: Any, made_on: MadeOn) -> dict[tuple[str, str, str], _Word] | None:
    """Returns the word that counts of each answer in each order, by the rules of `evaluator.hicupid.outcomes`.

    None if two rows that say different things are told apart by their hashes alone.
    """
    found: dict[tuple[str, str, str], tuple[tuple[bool, bool, int], _Word]] = {}
    names = ("question_id", "content_hash", "slot_order", "engine", "dtype", "outcome", "failure", "attempt")
    columns = [table[name].to_pylist() for name in names]
    for question_id, content_hash, order, engine, dtype, outcome, failure, attempt in zip(*columns, strict=True):
        fits = (engine, dtype) == (made_on.judge_engine, made_on.judge_dtype)
        weight, word = (fits, outcome is not None, attempt), _Word(outcome and Outcome(outcome), failure)
        before = found.get((question_id, content_hash, order))
        if before is None or weight > before[0]:
            found[question_id, content_hash, order] = weight, word
        elif weight == before[0] and word != before[1]:
            return None
    return {about: word for about, (_, word) in found.items()}


def _missing(words: Iterable[_Word | None]) -> tuple[str, ...]:
    """Returns why each word is missing that is; see `evaluator.hicupid.outcomes.why_missing`."""
    causes = []
    for word in words:
        if word is None:
            causes.append(why_missing(None))
        elif word.outcome is None:
            causes.append(f"judge_{word.failure}" if word.failure else "unparsed")
    return _shared(tuple(causes))


_ONCE: dict[tuple[Any, ...], tuple[Any, ...]] = {}
"""Few different tuples of outcomes and causes there are: each is held once."""


def _shared(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Returns an equal tuple that others have as well."""
    return _ONCE.setdefault(values, values)


def _attempts(table: Any, items: Mapping[str, Item]) -> AttemptColumns:
    """Returns all attempts at verdicts on what a run asks."""
    asked = pc.is_in(table["question_id"], value_set=pa.array(list(items), pa.string()))
    rows = table.filter(asked)
    prompt, cached = _floats(rows["prompt_tokens"]), _floats(rows["cached_tokens"])
    seconds = _floats(rows["seconds"])
    keys = [int(key[:_OF_KEY], 16) for key in rows["verdict_key"].to_pylist()]
    of = [items[question_id] for question_id in rows["question_id"].to_pylist()]
    return AttemptColumns(
        verdicts=np.array(keys, dtype=np.uint64),
        users=[(item.split, item.user_id) for item in of],
        numbers=np.array(rows["attempt"].to_pylist(), dtype=np.int64),
        prompt_tokens=prompt,
        output_tokens=_floats(rows["output_tokens"]),
        computed_tokens=prompt - cached,
        seconds=np.where(seconds == 0, np.nan, seconds),  # No engine gave such a verdict then and there.
    )


def _floats(column: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Returns a column of numbers; not a number where one is missing."""
    return np.asarray(pc.cast(column, pa.float64()).combine_chunks().to_numpy(zero_copy_only=False), dtype=np.float64)


def _columns(store: Store, folder: str, wanted: Sequence[str]) -> Any:
    """Reads some columns of a large file.

    Raises:
        RapportError: `data_error` if it is no such file.
    """
    path = layout.compact_path(folder)
    content = store.read(path)
    try:
        table = read_table(content, wanted)
        columns = {place.rpartition(".")[2]: _column(table, place) for place in wanted}
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise _broken(f"{path} is no readable file of rows: {str(error).splitlines()[0][:200]}.") from error
    return pa.table(columns)


def _column(table: Any, place: str) -> Any:
    """Returns a column by the name that it has in the file."""
    outer, _, inner = place.partition(".")
    column = table[outer]
    return pc.struct_field(column, inner) if inner else column


_TYPES = dict.fromkeys(("attempt", "prompt_tokens", "cached_tokens", "output_tokens"), pa.int64())
_TYPES["seconds"] = pa.float64()


def _made(rows: Sequence[Generation] | Sequence[Verdict], wanted: Sequence[str]) -> Any:
    """Returns rows as the columns that files have."""

    def values(place: str) -> Iterator[Any]:
        outer, _, inner = place.partition(".")
        for row in rows:
            value = getattr(getattr(row, outer), inner) if inner else getattr(row, outer)
            yield getattr(value, "value", value)

    names = {place: place.rpartition(".")[2] for place in wanted}
    return pa.table({name: pa.array(values(place), _TYPES.get(name, pa.string())) for place, name in names.items()})


def _broken(message: str) -> RapportError:
    return RapportError(Cause.DATA_ERROR, message, "Look at the archive with `rapport store check`.")
