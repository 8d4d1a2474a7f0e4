"""Public rows of what generated models came to: answers that say something, and verdicts, as many as a real run has.

Columns that name conditions hold as little as they may: such rows are for reading, and nothing is reproduced from them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.site_outcomes import PROMPT, SHARED, Asked, Outcomes
from evaluator.records import Terms
from leaderboard.board.tallies import TYPES, RunTally
from leaderboard.open_data.records import OpenGeneration, OpenUserScore, OpenVerdict
from leaderboard.records import submission_of
from leaderboard.results import Scorecard
from leaderboard.store.parquet import schema_of

WITHHELD = 0.02
"""Share of answers that are not shown though their owner consents."""
_ORDERS = ("answer_first", "gold_first")
_WORDS = {1.0: ("win", "A", "B"), 0.5: ("tie", "Tie", "Tie"), 0.0: ("loss", "B", "A")}
"""By score: the outcome, and the word for it in either order."""
_SINGLE = {1.0: ("satisfied", "YES"), 0.0: ("unsatisfied", "NO")}
_THINGS = ("ramen", "a quiet walk", "the jazz club", "an indoor cat", "a train journey", "chess", "the news in brief")


class Said(NamedTuple):
    """What models and judges say, where it is not made up here."""

    answers: Sequence[str]
    """Shown in turn; none makes answers up."""
    words: Sequence[str]
    """Likewise, before a judge's verdict."""


PLAIN = Said((), ())


def answers_file(card: Scorecard, asked: Asked, found: Outcomes, said: Said = PLAIN) -> bytes:
    """Returns the answers of a run as the public file."""
    texts = _texts(card, asked, found, said)
    random = np.random.default_rng([11, len(card.model)])
    consented = card.declaration.publish_answers
    shown = [
        text is not None and consented and chance >= WITHHELD
        for text, chance in zip(texts, random.random(len(texts)), strict=True)
    ]
    count, users = len(texts), [asked.users[place] for place in asked.user]
    own = {
        "counts": True,
        "has_evidence": True,
        "type": [TYPES[place] for place in asked.type],
        "orders": [_ORDERS if owed == 2 else ("single",) for owed in asked.owed.tolist()],
        "split": [split for split, _ in users],
        "user_id": [user for _, user in users],
        "question_id": asked.names,
        "answer_status": [
            "none" if text is None else "shown" if show else "withheld" for text, show in zip(texts, shown, strict=True)
        ],
        "answer": [text if show else None for text, show in zip(texts, shown, strict=True)],
        "content_hash": [None if text is None else hashlib.sha256(text.encode()).hexdigest() for text in texts],
        "defect": ["repetition" if broken else None for broken in found.broken],
        "failure": [None if there else "context_overflow" for there in found.answered],
        "bleu": _where(found.answered, found.overlap),
        "rouge_l": _where(found.answered, 2 * found.overlap),
        "evidence_recall": _where(found.answered, found.recall),
        "model_sha": card.revision,
        "adapter_sha": card.adapter_revision,
        "input_key": _digests(random, count),
        "prompt_tokens": PROMPT,
        "shared_tokens": SHARED,
        "cached_tokens": found.cached,
        "output_tokens": [0 if text is None else 1 + len(text.split()) for text in texts],
        "thought_tokens": 0,
        "sample_index": 0,
        "finish_reason": ["stop" if there else "error" for there in found.answered],
        **asked.facts,
    }
    return _bytes(_table(OpenGeneration, count, _shared(card) | own))


def verdicts_file(card: Scorecard, asked: Asked, found: Outcomes, said: Said = PLAIN) -> bytes:
    """Returns what a card's judge said of a run's answers as the public file."""
    texts = _texts(card, asked, found, said)
    judged = np.flatnonzero(found.answered & ~found.broken)
    places = [(int(place), order) for place in judged for order in range(asked.owed[place])]
    outcomes, words, completions = [], [], []
    for place, order in places:
        score, pair = float(found.score[place, order]), asked.owed[place] == 2
        outcome, word = (_WORDS[score][0], _WORDS[score][1 + order]) if pair else _SINGLE[score]
        read = bool(found.read[place, order])
        outcomes.append(outcome if read else None)
        words.append(word if read else None)
        reason = said.words[place % len(said.words)] if said.words else f"It speaks of {_THINGS[place % len(_THINGS)]}."
        completions.append(f"{reason} Better Response: {word}" if read else f"{reason} I cannot say.")
    shows = card.terms.redistributable and card.declaration.publish_answers
    hashes = {place: hashlib.sha256(str(texts[place]).encode()).hexdigest() for place in judged.tolist()}
    random = np.random.default_rng([12, len(card.judge)])
    own = {
        "rater": card.judge,
        "rater_kind": "model",
        "rater_revision": card.judge_revision,
        "counts": True,
        "question_id": [asked.names[place] for place, _ in places],
        "content_hash": [hashes[place] for place, _ in places],
        "slot_order": [_ORDERS[order] if asked.owed[place] == 2 else "single" for place, order in places],
        "outcome": outcomes,
        "word": words,
        "completion": completions if shows else None,
        "verdict_key": _digests(random, len(places)),
        "prompt_tokens": 700,
        "cached_tokens": 500,
        "output_tokens": 40,
    }
    return _bytes(_table(OpenVerdict, len(places), _shared(card) | own))


def sums_table(card: Scorecard, added: RunTally) -> Any:
    """Returns a scorecard's users' sums as rows of the public data set; see `OpenUserScore`."""
    columns: dict[str, Any] = {
        "scorecard_id": card.id,
        "rows_sha": card.rows_sha,
        "model": card.model,
        "protocol": card.protocol,
        "judge": card.judge,
        "split": [split for split, _ in added.users],
        "user_id": [user for _, user in added.users],
    }
    for type_ in TYPES:
        totals, items = added.sums_of(f"{type_}_score")
        columns |= {f"{type_}_sum": totals, f"{type_}_items": items}
    return _table(OpenUserScore, len(added.users), columns)


def write_table(tables: Sequence[Any]) -> bytes:
    """Returns rows as one public file, those of scorecards in the order of their ids."""
    return _bytes(pa.concat_tables(sorted(tables, key=lambda table: table["scorecard_id"][0].as_py())))


def _texts(card: Scorecard, asked: Asked, found: Outcomes, said: Said) -> list[str | None]:
    """Returns the answers; None where there is none. Those that lose for it repeat themselves."""
    texts: list[str | None] = []
    for place, (there, broken) in enumerate(zip(found.answered, found.broken, strict=True)):
        thing = _THINGS[(place + len(card.model)) % len(_THINGS)]
        text = (
            said.answers[place % len(said.answers)] if said.answers else f"I would go for {thing}, as you once told me."
        )
        text = f"{text} {card.run_id}/{place}"
        texts.append((f"{thing} " * 60 if broken else text) if there else None)
    return texts


def _shared(card: Scorecard) -> dict[str, Any]:
    """What all rows of a run have in common."""
    terms: Terms = card.terms
    return {
        "run_id": card.run_id,
        "submission_id": submission_of(card.run_id),
        "model": card.model,
        "adapter": card.adapter,
        "protocol": card.protocol,
        "data_sha": card.data_sha,
        "prompt_pack": card.prompt_pack,
        "engine": card.engine,
        "dtype": card.dtype,
        "attempt": 1,
        "seconds": 0.5,
        "season": terms.season,
        "licence": terms.licence,
        "personal_data": terms.personal_data,
    }


def _where(there: Any, values: Any) -> Any:
    """Values with a gap where there is no answer."""
    return pa.array(values, mask=~there)


def _digests(random: np.random.Generator, count: int) -> list[str]:
    """Returns digests of nothing, 64 hexadecimal digits each."""
    text = random.bytes(32 * count).hex()
    return [text[start : start + 64] for start in range(0, len(text), 64)]


def _table(kind: Any, count: int, values: Mapping[str, Any]) -> Any:
    """Returns columns as a table: those given, and all others with as little as they allow.

    Args:
        kind: The record of a row.
        count: How many rows there are.
        values: By column: a value for each row, or one for all.
    """
    schema = schema_of(kind)
    given = {"schema_version": kind.model_fields["schema_version"].default, **values}
    return pa.table([_column(field, count, given.get(field.name)) for field in schema], schema=schema)


def _bytes(table: Any) -> bytes:
    """Writes a table as the public data set's files are."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def _column(field: Any, count: int, value: Any) -> Any:
    """Returns a column: of a value for each row, of one for all, or where none is given of the least there is."""
    if value is None and not field.nullable:
        value = _least(field.type)
        return pa.array([value] * count, type=field.type)
    if value is None or isinstance(value, str | int | float):
        return pa.array([value] * count, type=field.type)
    return value.cast(field.type) if isinstance(value, pa.Array) else pa.array(value, type=field.type)


def _least(kind: Any) -> Any:
    """Returns a plain value of a type."""
    if pa.types.is_list(kind):
        return []
    if pa.types.is_string(kind):
        return "x"
    return pa.scalar(1, pa.int64()).cast(kind).as_py()
